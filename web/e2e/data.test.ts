/** A person's own data: said in plain words, taken along, switched off; and the account closed. */
import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askAudit, auditorDesk, bureauAt, grantAudit, regionDay } from './auditing.ts';
import { atTheDesk, deskPage, launch, sendAndOpen, signDeskIn, takeAtTill, Visitor } from './kit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** An auditor looks at everything that the hospital settled today. */
async function auditedToday(): Promise<void> {
  const auditor = await auditorDesk(browser, 'en');
  const audit = await askAudit(auditor, { from: regionDay(), to: regionDay(), size: '200', purpose: 'A day’s look' });
  const bureau = await bureauAt(browser, 'en', audit);
  await grantAudit(bureau, regionDay(1));
  await bureau.leave();
  await auditor.page.locator('tr[data-outcome]').first().waitFor();
  await auditor.leave();
}

it('everything that is kept is one file, with what it holds; who saw a bill is told', async () => {
  const both = await atTheDesk(browser, 29, { language: 'en' });
  const { wallet, desk } = both;
  await takeAtTill(desk);
  await sendAndOpen(both);
  await wallet.button('bill.pay').click();
  await wallet.text('visit.done.good').waitFor();
  const [, paidVisit] = /visits\/([0-9a-f]+)/.exec(wallet.page.url()) ?? [];
  expect(paidVisit, wallet.page.url()).toBeDefined();
  await wallet.tab('tab.settings').click();
  await wallet.link('data.title').click();
  // Other stories' audits draw bills of everybody; but nobody looked at this one without an audit.
  const ofThisBill = wallet.page.locator(`li[data-visit="${paidVisit}"]`);
  const looksAtIt = ofThisBill.filter({ hasNotText: /For audit/ });
  await wallet.page.getByText(wallet.t('data.seen.none')).or(wallet.page.locator('li[data-visit]').first()).first().waitFor();
  expect(await looksAtIt.count()).toBe(0);

  // The bureau looks at the bill, which is noted.
  const bureau = await Visitor.arrive(browser, { language: 'en' }, 'desks');
  await signDeskIn(bureau, 'bureau', 'nav.past');
  await deskPage(bureau, 'nav.past');
  await bureau.page.locator('tbody tr').first().waitFor();
  await bureau.page.evaluate((visit) => (location.hash = `/past/${visit}`), paidVisit);
  await bureau.page.getByText('阿托伐他汀钙片').first().waitFor();
  await bureau.leave();
  await wallet.page.reload();
  await looksAtIt.waitFor();
  await auditedToday();
  await wallet.page.reload();
  await ofThisBill.getByText(/^For audit \d+: A day’s look$/).waitFor();
  await wallet.check('data');

  await wallet.page.getByText(wallet.t('data.export.contents')).click();
  const downloading = wallet.page.waitForEvent('download');
  await wallet.button('data.export.go').click();
  const file = await downloading;
  expect(file.suggestedFilename()).toMatch(/^yibao-\d{4}-\d{2}-\d{2}\.json$/);
  const data = JSON.parse(readFileSync(await file.path(), 'utf8'));
  for (const name of Object.keys(data.about.contents)) expect(data[name], name).toBeTruthy();
  expect(data.visits[0].what.standing).toBe('settled');
  expect(JSON.parse(data.visits[0].bill.bill).lines).toHaveLength(3);
  expect(data.receipts.length).toBeGreaterThan(1);
  expect(data.family.requests).toEqual([]);

  // Off: nothing of the code is left on this phone. On: it is there again.
  const keptCode = (): Promise<boolean> =>
    wallet.page.evaluate(
      () =>
        new Promise<boolean>((done, fail) => {
          const opening = indexedDB.open('yibao');
          opening.onerror = () => fail(opening.error);
          opening.onsuccess = () => {
            const asked = opening.result.transaction('kept').objectStore('kept').get('code');
            asked.onsuccess = () => {
              opening.result.close();
              done(asked.result !== undefined);
            };
          };
        }),
    );
  const code = wallet.page.getByRole('switch', { name: wallet.t('data.switch.code') });
  await code.uncheck();
  await expect.poll(keptCode).toBe(false);
  await code.check();
  await expect.poll(keptCode).toBe(true);

  await wallet.text('agreed.title').waitFor();
  await wallet.button('data.close.ask').click();
  await wallet.check('data-close');
  await wallet.button('data.close.go').click();
  await wallet.text('inquiry.number').waitFor();
  await wallet.check('data-closing');
  await wallet.leave();
  await desk.leave();
});
