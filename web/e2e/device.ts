/** A second device: a code on the first, typed on the second, the same digits on both, and agreement. */
import type { Browser } from 'playwright-core';
import { expect } from 'vitest';
import { confirmWithPin, Visitor } from './kit.ts';

const PIN = '402817';

/** A second device is let in by a code and the same digits, and one that is not known is refused. */
export async function letsASecondDeviceIn(browser: Browser, first: Visitor, name: string): Promise<void> {
  await first.tab('tab.settings').click();
  await first.link('device.title').click();
  await first.check('device-new');
  await first.button('device.code.make').click();
  const shown = first.page.getByTestId('device-code');
  const code = await shown.innerText();
  expect(code).toMatch(/^\d{4} \d{4}$/);
  await first.check('device-code');

  // An in-app browser has no passkeys.
  const second = await Visitor.arrive(browser, { language: 'de', passkeys: false }, 'wallet');
  await second.link('device.join').click();
  await second.field('device.join.code').fill('123');
  await second.button('join.next').click();
  await second.text('device.type.eight').waitFor();
  await second.field('device.join.code').fill('00000000');
  await second.button('join.next').click();
  await second.page.locator('[aria-invalid=true]').waitFor();
  await second.check('device-join');
  await second.field('device.join.code').fill(code);
  await second.button('join.next').click();
  await second.field('join.pin.first').fill(PIN);
  await second.field('join.pin.again').fill(PIN);
  await second.button('join.next').click();
  const digits = await second.page.getByTestId('digits').innerText();
  await second.check('device-asked');

  // The first device hears of it without a touch, and shows the same.
  expect(await first.page.getByTestId('digits').innerText()).toBe(digits);
  await first.check('device-asks');
  await first.button('device.agree').click();
  await first.text('device.added').waitFor();
  await second.text('device.joined').waitFor();
  await second.button('join.done.go').click();
  await confirmWithPin(second, PIN);
  await second.link('home.tile.code').waitFor();
  await second.page.reload();
  await second.page.getByRole('heading', { name: name }).waitFor();
  // Both are listed, and the first may put the second out again.
  await first.link('settings.title').last().click();
  await first.text('settings.key.device').waitFor();
  await first.text('settings.key.passkey').waitFor();

  // A code that somebody else got hold of: the person says no, and nothing was added.
  await first.link('device.title').click();
  await first.button('device.code.make').click();
  const other = await Visitor.arrive(browser, { language: 'en' }, 'wallet');
  await other.link('device.join').click();
  await other.field('device.join.code').fill(await shown.innerText());
  await other.button('join.next').click();
  await other.button('join.key.make').click();
  await other.page.getByTestId('digits').waitFor();
  await first.button('device.refuse').click();
  await first.text('device.refused').waitFor();
  await first.check('device-refused');
  await other.text('device.over').waitFor();
  await other.check('device-over');
  for (const visitor of [second, other]) await visitor.leave();
}
