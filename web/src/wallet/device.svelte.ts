/** The wallet that this device holds: whose it is, and with which key it signs. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { openDeviceKey, pinVerifier, type SealedKey } from '../keys/device.ts';
import { passkeySigner } from '../keys/passkey.ts';
import { NotConfirmed, type Signer } from '../keys/signer.ts';
import { forget, keep, kept } from '../keys/store.ts';
import { network } from '../session.svelte.ts';
import { forgetCode } from './code.ts';
import { forgetUnderWay } from './under-way.ts';

export type Held = {
  readonly person: string;
  readonly name: string;
} & (
  | { readonly kind: 'passkey'; readonly key: Schemas['PublicKey']; readonly credential: string }
  | { readonly kind: 'device'; readonly sealed: SealedKey }
);

const NAME = 'wallet';

class Device {
  held = $state.raw<Held>();
  /** Set while the reader is asked for the PIN of this device. */
  asking = $state.raw<{ answer: (pin: string) => void; cancel: () => void }>();

  async load(): Promise<void> {
    this.held = await kept<Held>(NAME);
  }

  async hold(held: Held): Promise<void> {
    await forgetCode();
    await keep(NAME, held);
    this.held = held;
  }

  /** Whoever has the device next is told nothing of this wallet. */
  async forget(): Promise<void> {
    const { letGo } = await import('./push.ts');
    await letGo().catch(() => {});
    await forgetCode();
    await forgetUnderWay();
    await forget(NAME);
    this.held = undefined;
  }

  private askPin(): Promise<string> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.asking = undefined;
      };
      this.asking = {
        answer: (pin) => {
          end();
          resolve(pin);
        },
        cancel: () => {
          end();
          reject(new NotConfirmed('the PIN was not entered'));
        },
      };
    });
  }

  /** Who signs here. A device without passkeys asks for its PIN, each time. */
  async signer(): Promise<Signer> {
    const held = this.held;
    if (held === undefined) throw new NotConfirmed('this device holds no wallet');
    const party = `person:${held.person}`;
    if (held.kind === 'passkey') {
      const { rp_id } = await network();
      return passkeySigner(rp_id, party, held.key, held.credential);
    }
    const pin = await this.askPin();
    const verifier = await pinVerifier(pin, held.sealed.salt);
    const path = { pin: held.sealed.pin };
    const { secret } = await ok(api.POST('/v1/pins/{pin}/tries', { params: { path }, body: { verifier } }));
    return openDeviceKey(held.sealed, secret, party);
  }
}
export const device = new Device();
