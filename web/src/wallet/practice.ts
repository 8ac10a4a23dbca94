/**
 * A rehearsal of paying at a hospital, with play money: two bills, of which one is wrong, and a call
 * from a fraudster. All of it is made up here, is known to nobody else and is forgotten with the page.
 */
import type { Schemas } from '../api/types.ts';

/** One thing that a made-up bill lists, by the name of its text. */
export type PlayItem = { readonly name: 'visit' | 'blood' | 'medicine' | 'ear' | 'foot'; readonly amount: string };
export type PlayBill = {
  readonly items: readonly PlayItem[];
  readonly split: Schemas['Split'];
  /** The item that was not done. */
  readonly wrong: PlayItem['name'] | undefined;
};

/** What of a bill whoever pays: the fund six tenths, the account what is named, and oneself the rest. */
function bill(items: readonly PlayItem[], account: bigint, wrong?: PlayItem['name']): PlayBill {
  const total = items.reduce((sum, one) => sum + BigInt(one.amount), 0n);
  const fund = (total * 6n) / 10n;
  const own = { self_paid: '0', over_cap: '0', class_b_share: '0', deductible: '0' };
  const split = {
    ...own,
    total: total.toString(),
    in_policy: total.toString(),
    payers: [{ payer: 'pooled_fund' as const, amount: fund.toString() }],
    personal_account: account.toString(),
    family_accounts: '0',
    cash: (total - fund - account).toString(),
  };
  return { items, split, wrong };
}

export const BILLS: readonly [PlayBill, PlayBill] = [
  bill(
    [
      { name: 'visit', amount: '1000' },
      { name: 'blood', amount: '6000' },
      { name: 'medicine', amount: '13000' },
    ],
    5_000n,
  ),
  bill(
    [
      { name: 'ear', amount: '4000' },
      { name: 'foot', amount: '18000' },
    ],
    6_000n,
    'foot',
  ),
];

/** The play money on the play account at the beginning, in minor units. */
export const BALANCE = '30000';

export type Scene = 'begin' | 'code' | 'bill' | 'explained' | 'pin' | 'paid' | 'found' | 'call' | 'called' | 'end';
export type Lesson = 'paid' | 'found' | 'missed' | 'silent' | 'told';
export type Choice = 'on' | 'pay' | 'object' | 'pin' | 'refuse' | 'tell' | 'again';

export type Play = {
  readonly scene: Scene;
  /** Which of the two bills is looked at. */
  readonly at: 0 | 1;
  /** What the play account has, in minor units. */
  readonly balance: string;
  readonly lessons: readonly Lesson[];
};

export const begin = (): Play => ({ scene: 'begin', at: 0, balance: BALANCE, lessons: [] });

function charge(play: Play): Play {
  const { split, wrong } = BILLS[play.at];
  const balance = (BigInt(play.balance) - BigInt(split.personal_account)).toString();
  const lesson = wrong === undefined ? 'paid' : 'missed';
  return { ...play, scene: 'paid', balance, lessons: [...play.lessons, lesson] };
}

function choices(play: Play): Partial<Record<Choice, () => Play>> {
  const to = (scene: Scene, lesson?: Lesson) => (): Play => ({
    ...play,
    scene,
    lessons: lesson === undefined ? play.lessons : [...play.lessons, lesson],
  });
  const isLast = play.at === 1;
  const byScene: Readonly<Record<Scene, Partial<Record<Choice, () => Play>>>> = {
    begin: { on: to('code') },
    code: { on: to('bill') },
    bill: { pay: to('pin'), object: BILLS[play.at].wrong === undefined ? to('explained') : to('found', 'found') },
    explained: { on: to('bill') },
    pin: { pin: () => charge(play), on: to('bill') },
    paid: { on: isLast ? to('call') : () => ({ ...play, scene: 'bill', at: 1 }) },
    found: { on: to('call') },
    call: { tell: to('called', 'told'), refuse: to('called', 'silent') },
    called: { on: to('end') },
    end: { again: begin },
  };
  return byScene[play.scene];
}

/** What comes of a choice; what is no choice in this scene changes nothing. */
export const choose = (play: Play, choice: Choice): Play => choices(play)[choice]?.() ?? play;
