/** The bureau agrees to a provider's answer: it signs what it is shown, computed here anew. */
import { api, ok } from '../api/client.ts';
import type { Schemas } from '../api/types.ts';
import { authorise } from '../keys/signer.ts';
import { commitStatement } from '../ledger/bill.ts';
import { toHex } from '../ledger/borsh.ts';
import { encodeContent, transactionId, type Content } from '../ledger/transaction.ts';
import { network } from '../session.svelte.ts';
import { desk } from './desk.svelte.ts';

export async function agree(proposal: Schemas['ObjectionAnswerProposal']): Promise<void> {
  const { chain_id } = await network();
  const content: Content = { chain_id, ...proposal.head, kind: 'answer_objection', body: proposal.body };
  const id = await transactionId(content);
  const isWhole =
    toHex(id) === proposal.transaction_id &&
    (await commitStatement(proposal.salt, proposal.statement)) === proposal.body.statement;
  if (!isWhole) throw new TypeError('the answer does not agree with itself');
  const authorisations = [...proposal.authorisations, await authorise(desk.signer(), id)];
  const header = { 'Idempotency-Key': content.idempotency_key };
  const body = { content: toHex(encodeContent(content)), authorisations };
  await ok(api.POST('/v1/transactions', { params: { header }, body }));
}
