import { expect, it } from 'vitest';
import type { Schemas } from '../api/types.ts';
import { differences } from './correction.ts';

const split = (cash: string, family = '0'): Schemas['Split'] => ({
  total: '8720', self_paid: '0', over_cap: '0', class_b_share: '0', in_policy: '8720', deductible: '0',
  payers: [{ payer: 'pooled_fund', amount: '5000' }], personal_account: '0', family_accounts: family, cash,
});

it('says what changes for whom, and of relatives only where they pay', () => {
  const changed = differences(split('3720'), split('1040'));
  expect(changed.map((one) => one.what)).toEqual(['share', 'account', 'cash', 'total']);
  expect(changed.find((one) => one.what === 'cash')).toEqual({ what: 'cash', was: 3720n, is: 1040n });
  expect(differences(split('0', '5'), split('0')).map((one) => one.what)).toContain('family');
});
