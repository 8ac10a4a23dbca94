/** A stay in hospital as the patient's phone follows it, while the hospital's own system charges it. */
import { expect } from 'vitest';
import { Counter } from './his.ts';
import { url, type Newcomer, type Visitor } from './kit.ts';

/** The wallet shows a stay, its daily lists and what it would come to, and then its settlement. */
export async function followsAStay(wallet: Visitor, patient: Newcomer): Promise<void> {
  await wallet.tab('tab.home').click();
  await wallet.link('home.tile.code').waitFor();
  expect(await wallet.page.getByText(wallet.t('stay.look')).count()).toBe(0);

  const counter = new Counter(url);
  const person = await counter.known(patient);
  const illness = { diag_type: '1', maindiag_flag: '1', diag_srt_no: 1, diag_code: 'J18.900', diag_name: '肺炎', diag_dept: 'A03', diag_time: `${Counter.today()} 09:00:00` };
  const since = { begntime: `${Counter.today(1)} 08:30:00`, med_type: '21', ipt_no: 'ZY0019' };
  const admitted = await counter.told('2401', { mdtrtinfo: { ...person, ...since }, diseinfo: [illness] });
  const stay = { mdtrt_id: admitted.result?.mdtrt_id, psn_no: person.psn_no };
  const charge = (serial: string, day: string, count: number, price: string, amount: string): Promise<unknown> => {
    const line = { ...stay, feedetl_sn: serial, fee_ocur_time: day, med_list_codg: 'ZJ007', cnt: count, pric: price, det_item_fee_sumamt: amount };
    return counter.told('2301', { feedetail: [line] });
  };
  // Nobody touches the phone.
  await wallet.text('stay.none').waitFor();
  await charge('1', Counter.today(1), 2, '30', '60');
  await wallet.page.getByText(/60[.,]00/).first().waitFor();
  await wallet.check('home-in-hospital');
  await wallet.link('stay.look').click();
  await wallet.page.getByRole('heading', { name: wallet.t('stay.bill') }).waitFor();
  const days = wallet.page.locator('details');
  expect(await days.count()).toBe(1);
  expect(await days.first().innerText()).toMatch(/2 × \D*30[.,]00/);

  await charge('2', Counter.today(), 1, '45', '45');
  await expect.poll(() => days.count()).toBe(2);
  expect(await days.first().locator('summary').innerText()).toMatch(/45[.,]00/);
  expect(await wallet.page.getByText(/105[.,]00/).count(), 'the bill so far, and what it would come to').toBeGreaterThan(1);
  await days.last().locator('summary').click();
  await wallet.check('stay');
  // What was charged by mistake goes again.
  await counter.told('2302', { data: [{ ...stay, feedetl_sn: '1' }] });
  await expect.poll(() => days.count()).toBe(1);

  await counter.told('2402', { dscginfo: { ...stay, insutype: person.insutype, endtime: Counter.today(), dscg_way: '1' }, diseinfo: [illness] });
  const claim = { ...person, ...stay, medfee_sumamt: '45', psn_setlway: '01', acct_used_flag: '0' };
  await counter.told('2304', { data: claim });
  // The page of the stay becomes that of the settlement.
  await expect.poll(() => new URL(wallet.page.url()).hash).toMatch(/^#\/visits\//);
  await wallet.text('visit.kind').waitFor();
  await wallet.tab('tab.home').click();
  await wallet.link('home.tile.code').waitFor();
  expect(await wallet.page.getByText(wallet.t('stay.look')).count()).toBe(0);
}
