/**
 * A push service as a browser's maker runs one, on this machine: it takes what the node sends and
 * hands it out to the story, which gives it to the real worker. And a browser's keys, with which a
 * story reads a push by itself (RFC 8291, written here from the text of the RFC).
 */
import { createDecipheriv, createECDH, hkdfSync, randomBytes, type ECDH } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Taken = { readonly path: string; readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** Starts one; `GET /taken` gives what it took, bodies as Base64. */
export function servePushes(): Promise<{ readonly server: Server; readonly url: string }> {
  const taken: Taken[] = [];
  const server = createServer((request, response) => {
    if (request.method === 'GET' && request.url === '/taken') {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(taken));
      return;
    }
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      taken.push({ path: request.url ?? '', headers, body: Buffer.concat(parts).toString('base64') });
      response.writeHead(201).end();
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
  });
}

/** What a browser keeps of its subscription. */
export class Subscriber {
  private readonly pair: ECDH = createECDH('prime256v1');
  private readonly secret = randomBytes(16);
  readonly path = `/browser/${randomBytes(8).toString('hex')}`;

  constructor(private readonly service: string) {
    this.pair.generateKeys();
  }

  /** As `PushSubscription.toJSON()` gives it. */
  get subscription(): { endpoint: string; keys: { p256dh: string; auth: string } } {
    const keys = { p256dh: this.pair.getPublicKey('base64url'), auth: this.secret.toString('base64url') };
    return { endpoint: `${this.service}${this.path}`, keys };
  }

  /** What came for this browser, in the order of coming. */
  async taken(): Promise<readonly Taken[]> {
    const all = (await (await fetch(`${this.service}/taken`)).json()) as readonly Taken[];
    return all.filter((one) => one.path === this.path);
  }

  /** The text of a push: one record of RFC 8188 under the keys of RFC 8291, section 3.4. */
  read({ body }: Taken): string {
    const bytes = Buffer.from(body, 'base64');
    const [salt, idLength] = [bytes.subarray(0, 16), bytes.readUInt8(20)];
    const sender = bytes.subarray(21, 21 + idLength);
    const record = bytes.subarray(21 + idLength);
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.pair.getPublicKey(), sender]);
    const ikm = Buffer.from(hkdfSync('sha256', this.pair.computeSecret(sender), this.secret, info, 32));
    const derive = (name: string, length: number): Buffer =>
      Buffer.from(hkdfSync('sha256', ikm, salt, Buffer.from(`Content-Encoding: ${name}\0`), length));
    const cipher = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12));
    cipher.setAuthTag(record.subarray(-16));
    const padded = Buffer.concat([cipher.update(record.subarray(0, -16)), cipher.final()]);
    // Behind the text stand a 2, as this is the last record, and zeros.
    return padded.subarray(0, padded.lastIndexOf(2)).toString('utf8');
  }
}
