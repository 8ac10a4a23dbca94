/** An edge inside a hospital, and the cable between it and the platform. */
import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join as joined } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { CODE, Counter, NAME } from './his.ts';
import { axe, BINARY, data, keepPicture, loaded, url, type Newcomer, type Visitor } from './kit.ts';

/** A cable between edge and platform that can be pulled. */
class Cable {
  private isPulled = false;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static lay(): Promise<Cable> {
    const platform = new URL(url);
    return new Promise((resolve) => {
      const server = createServer((from) => {
        if (cable.isPulled) return void from.destroy();
        const to = connect(Number(platform.port), platform.hostname);
        for (const [one, other] of [[from, to], [to, from]] as const) {
          cable.sockets.add(one);
          one.on('error', () => other.destroy());
          one.on('close', () => {
            cable.sockets.delete(one);
            other.destroy();
          });
          one.pipe(other);
        }
      });
      let cable: Cable;
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        cable = new Cable(server, `http://127.0.0.1:${port}`);
        resolve(cable);
      });
    });
  }

  pull(): void {
    this.isPulled = true;
    for (const socket of this.sockets) socket.destroy();
  }

  plugIn(): void {
    this.isPulled = false;
  }

  cutForGood(): void {
    this.pull();
    this.server.close();
  }
}

/** Starts an edge; where it answers. */
function startEdge(file: string): Promise<{ readonly child: ChildProcess; readonly edge: string }> {
  const child = spawn(BINARY, ['edge', 'serve', file, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the edge ended with ${code}`)));
    createInterface({ input: child.stdout }).once('line', (line) => resolve({ child, edge: line.split(' ').at(-1) ?? '' }));
  });
}

/**
 * The hospital's line to the platform is cut while the patient's wallet is open: the bill is taken
 * inside the hospital, settles when the line is back, and the wallet shows it without a touch.
 */
export async function settlesAfterTheLine(wallet: Visitor, patient: Newcomer): Promise<void> {
  await wallet.tab('tab.history').click();
  await loaded(wallet.page);
  const rows = wallet.page.locator('ul.list li');
  const before = await rows.count();

  const folder = mkdtempSync(joined(tmpdir(), 'yibao-edge-'));
  const file = joined(folder, 'edge.toml');
  const cable = await Cable.lay();
  const secret = joined(data, 'hospital-1/nhsa-secret');
  execFileSync(BINARY, ['edge', 'init', file, '--platform', cable.url, '--code', CODE, '--name', NAME, '--secret', secret]);
  const { child, edge } = await startEdge(file);
  try {
    const counter = new Counter(edge);
    const person = await counter.known(patient);

    cable.pull();
    const opened = await counter.told('2201', { data: { ...person, begntime: Counter.today(), ipt_otp_no: 'MZ0023', med_type: '11' } });
    const mdtrt_id = opened.data?.mdtrt_id;
    const line = { feedetl_sn: '1', mdtrt_id, psn_no: person.psn_no, chrg_bchno: 'B1', fee_ocur_time: Counter.today() };
    await counter.told('2204', { feedetail: [{ ...line, med_list_codg: 'ZJ007', cnt: 1, pric: '30', det_item_fee_sumamt: '30' }] });
    const claim = { ...person, mdtrt_id, med_type: '11', medfee_sumamt: '30', psn_setlway: '01', chrg_bchno: 'B1', acct_used_flag: '0' };
    const taken = await counter.told('2207', { data: claim });
    expect(taken.setlinfo?.setl_stas).toBe('待结算');
    const page = await wallet.context.newPage();
    await page.goto(`${edge}/?lang=zh-Hans`);
    expect(await page.getByText('1 笔').count()).toBe(1);
    expect(await axe(page)).toEqual([]);
    keepPicture('edge-cut.png', await page.screenshot());
    // Nothing is settled, and the wallet says nothing else.
    expect(await rows.count()).toBe(before);

    cable.plugIn();
    await expect.poll(() => rows.count(), { timeout: 30_000 }).toBe(before + 1);
    expect(await rows.first().innerText()).toContain('30.00');
    await wallet.check('history-after-the-line');
    await rows.first().getByRole('link').click();
    await wallet.page.locator('main h1').waitFor();
    await page.goto(`${edge}/?lang=zh-Hans`);
    keepPicture('edge-back.png', await page.screenshot());
    await page.close();
  } finally {
    child.removeAllListeners('exit');
    child.kill('SIGTERM');
    cable.cutForGood();
    rmSync(folder, { recursive: true, force: true });
  }
}
