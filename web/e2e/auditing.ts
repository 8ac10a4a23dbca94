/** An audit at the desks: asked for by the auditor, granted by the bureau. */
import type { Browser } from 'playwright-core';
import type { Language } from '../src/messages/messages.svelte.ts';
import { signDeskIn, Visitor } from './kit.ts';

export type Asked = { readonly from: string; readonly to: string; readonly size: string; readonly purpose: string };

/** A day of the region's calendar. */
export const regionDay = (ahead = 0): string => new Date(Date.now() + 8 * 3_600_000 + ahead * 86_400_000).toISOString().slice(0, 10);

export async function auditorDesk(browser: Browser, language: Language): Promise<Visitor> {
  const desk = await Visitor.arrive(browser, { language }, 'desks');
  await signDeskIn(desk, 'auditor', 'nav.audits');
  await desk.button('audits.ask.go').waitFor();
  return desk;
}

/** Asks about the first hospital; the audit's number. */
export async function askAudit(desk: Visitor, { from, to, size, purpose }: Asked): Promise<string> {
  await desk.field('audits.provider').selectOption('hospital-1');
  await desk.field('audits.from').fill(from);
  await desk.field('audits.to').fill(to);
  await desk.field('audits.size').fill(size);
  await desk.field('audits.purpose').fill(purpose);
  await desk.button('audits.ask.go').click();
  await desk.page.waitForURL(/#\/audits\/\d+$/);
  await desk.text('audits.waits').waitFor();
  return /\d+$/.exec(desk.page.url())?.[0] ?? '';
}

/** The bureau's clerk opens what was asked. */
export async function bureauAt(browser: Browser, language: Language, audit: string): Promise<Visitor> {
  const bureau = await Visitor.arrive(browser, { language }, 'desks');
  await signDeskIn(bureau, 'bureau', 'nav.audits', 'clerk');
  await bureau.page.evaluate((to) => void (location.hash = to), `#/audits/${audit}`);
  await bureau.text('audits.grant.lead').waitFor();
  return bureau;
}

export async function grantAudit(bureau: Visitor, day: string): Promise<void> {
  await bureau.field('audits.ends.day').fill(day);
  await bureau.button('audits.grant.go').click();
  await bureau.button('audits.end').waitFor();
}
