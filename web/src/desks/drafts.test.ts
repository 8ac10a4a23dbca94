// @vitest-environment happy-dom
import { beforeEach, expect, it } from 'vitest';
import { emptyRow } from './bill.ts';
import { beginDrafts, forgetDraft, forgetDrafts, keepDraft, keptDraft, type Draft } from './drafts.ts';

const draft: Draft = {
  rows: [{ ...emptyRow('2026-01-05'), code: 'ZJ001', amount: '15.00' }],
  way: 'phone',
  useAccount: true,
  useFamily: false,
};

beforeEach(() => sessionStorage.clear());

it('a bill that is being written is there again when its page is opened again', () => {
  beginDrafts('hospital/key');
  keepDraft('a', draft);
  beginDrafts('hospital/key');
  expect(keptDraft('a')).toEqual(draft);
  expect(keptDraft('b')).toBeUndefined();
  forgetDraft('a');
  expect(keptDraft('a')).toBeUndefined();
});

it('another key, another organisation and signing out leave nothing of it', () => {
  beginDrafts('hospital/key');
  keepDraft('a', draft);
  beginDrafts('hospital/other');
  expect(keptDraft('a')).toBeUndefined();
  keepDraft('a', draft);
  forgetDrafts();
  expect(JSON.stringify({ ...sessionStorage })).not.toContain('ZJ001');
});
