/** A hospital's own system, through the national interface. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join as joined } from 'node:path';
import { expect } from 'vitest';
import { data, type Newcomer } from './kit.ts';

export const CODE = 'H62010000001';
export const NAME = '示范医院';

type Output = { readonly [name: string]: { readonly [field: string]: string } & readonly { readonly [field: string]: string }[] };

/** The hospital's system at one counter. */
export class Counter {
  private serial = 0;
  private readonly secret = readFileSync(joined(data, 'hospital-1/nhsa-secret'), 'utf8').trim();

  /** What it is connected to: the platform, or an edge before it. */
  constructor(private readonly platform: string) {}

  /** The clock of the interface, as `2026-01-31 08:30:00`. */
  private static now(): string {
    return new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
  }

  /** Today by that clock, or a day before. */
  static today = (before = 0): string => new Date(Date.now() + 8 * 3_600_000 - before * 86_400_000).toISOString().slice(0, 10);

  async told(infno: string, input: object): Promise<Output> {
    const time = Counter.now();
    const serial = String(8_000 + this.serial++).padStart(4, '0');
    const body = JSON.stringify({
      infno,
      msgid: `${CODE}${time.replace(/\D/g, '')}${serial}`,
      mdtrtarea_admvs: '620100',
      insuplc_admdvs: '620100',
      recer_sys_code: 'YBXT',
      infver: 'V1.0',
      opter_type: '1',
      opter: '0012',
      opter_name: '收费员',
      inf_time: time,
      fixmedins_code: CODE,
      fixmedins_name: NAME,
      input,
    });
    const millis = String(Date.now());
    const tag = createHmac('sm3', this.secret).update(`${millis}\n${body}`).digest('hex').toUpperCase();
    const headers = { 'content-type': 'application/json', 'x-ca-key': CODE, 'x-ca-signature': `${millis}:${tag}` };
    const answer = await (await fetch(`${this.platform}/nhsa/v1`, { method: 'POST', headers, body })).json();
    expect(answer.err_msg, infno).toBeNull();
    return answer.output;
  }

  /** Finds out who shows this card: the card, the number under which the hospital knows the person, and the scheme. */
  async known(patient: Newcomer): Promise<{ readonly [field: string]: string | undefined }> {
    const shown = { mdtrt_cert_type: '02', mdtrt_cert_no: patient.number };
    const known = await this.told('1101', { data: { ...shown, psn_name: patient.name } });
    const scheme = known.insuinfo?.find((row) => row.psn_insu_stas === '1')?.insutype;
    return { ...shown, psn_no: known.baseinfo?.psn_no, insutype: scheme };
  }
}
