/**
 * How Lighthouse judges the pages of a running program, on its slow phone: `npm run lighthouse`, with
 * `YIBAO_URL` for another than the demonstration's address. Lighthouse itself is fetched by npm at the
 * first run; it is no part of the build. Not in the test command: it measures time.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LIGHTHOUSE = 'lighthouse@12.8.2';
const url = process.env.YIBAO_URL ?? 'http://localhost:8420';
const pages = ['/', '/desks', '/verify'];
/** The least that each may get. */
const LEAST = { accessibility: 100, 'best-practices': 100, performance: 95 };

const folder = mkdtempSync(join(tmpdir(), 'yibao-lighthouse-'));
let isGood = true;
for (const [place, page] of pages.entries()) {
  const output = join(folder, `${place}.json`);
  const flags = ['--quiet', '--output=json', `--output-path=${output}`, `--only-categories=${Object.keys(LEAST).join(',')}`];
  const chrome = '--chrome-flags=--headless=new --no-sandbox --disable-gpu';
  const env = { CHROME_PATH: '/usr/bin/chromium', ...process.env };
  const command = ['exec', '--yes', `--package=${LIGHTHOUSE}`, '--', 'lighthouse', url + page, ...flags, chrome];
  execFileSync('npm', command, { env, stdio: ['ignore', 'ignore', 'ignore'] });
  const { categories, audits } = JSON.parse(readFileSync(output, 'utf8'));
  const scores = Object.entries(LEAST).map(([name, least]) => {
    const score = Math.round((categories[name]?.score ?? 0) * 100);
    if (score < least) isGood = false;
    return `${name} ${score}${score < least ? ` (at least ${least})` : ''}`;
  });
  const timed = ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'total-byte-weight'];
  console.log(`${page}: ${scores.join(', ')}; ${timed.map((name) => audits[name]?.displayValue ?? '').join(', ')}`);
  const refs = Object.values(categories).flatMap((one) => one.auditRefs);
  for (const { id, weight } of refs) {
    const audit = audits[id];
    if (weight > 0 && audit.score !== null && audit.score < 0.9) console.log(`  ${id}: ${audit.title} ${audit.displayValue ?? ''}`);
  }
}
process.exit(isGood ? 0 : 1);
