/** Contests at the bureau's desk. */
import { api, ok, Problem } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import type { ContestReason } from '../contests.ts';
import { stated, type Settled } from '../statement.ts';
import { draft, signed } from './desk.svelte.ts';
import { t } from './words.ts';

const FORMS = ['identity_card', 'emergency_witness'] as const;
type Form = (typeof FORMS)[number];

/** How a settlement was agreed to, in words. */
export function consentName(form: string): string {
  return FORMS.some((one) => one === form) ? t(`consent.${form as Form}`) : form;
}

/** What somebody says at the desk against a consent; what was signed and not answered is sent again as it is. */
export class Raising {
  private sent: { readonly said: string; readonly body: Sent } | undefined;

  constructor(private readonly settled: Settled) {}

  async raise(reason: ContestReason, words: string): Promise<void> {
    const said = `${reason} ${words}`;
    if (this.sent?.said !== said) {
      const { statement, salt, commitment } = await stated({ reason, words });
      const content = await draft('contest_consent', { original: this.settled.record, statement: commitment, by: 'desk' }, HOUR_MILLIS);
      this.sent = { said, body: { ...(await signed(content)), statement, salt } };
    }
    try {
      const path = { visit: this.settled.visit };
      await ok(api.POST('/v1/visits/{visit}/contests', { params: { path }, body: this.sent.body }));
    } catch (caught) {
      if (caught instanceof Problem) this.sent = undefined;
      throw caught;
    }
  }
}

type Sent = Awaited<ReturnType<typeof signed>> & { readonly statement: string; readonly salt: string };

const HOUR_MILLIS = 3_600_000;

/** A decision: what was signed and not answered is sent again as it is. */
export class Decision {
  private sent: { readonly said: string; readonly body: Sent } | undefined;

  constructor(
    private readonly contest: string,
    private readonly settled: Settled,
  ) {}

  async make(decision: Schemas['ContestDecision'], words: string): Promise<void> {
    const said = `${decision} ${words}`;
    if (this.sent?.said !== said) {
      const { statement, salt, commitment } = await stated({ words });
      const content = await draft('decide_contest', { original: this.settled.record, decision, statement: commitment }, HOUR_MILLIS);
      this.sent = { said, body: { ...(await signed(content)), statement, salt } };
    }
    try {
      const path = { contest: this.contest };
      await ok(api.POST('/v1/contests/{contest}/decisions', { params: { path }, body: this.sent.body }));
    } catch (caught) {
      if (caught instanceof Problem) this.sent = undefined;
      throw caught;
    }
  }
}
