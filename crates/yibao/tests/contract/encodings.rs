//! `vectors/transactions.json`: bodies, their canonical bytes, and transaction ids, two of every
//! kind.

use ledger::kernel::transaction::TRANSACTION_VERSION;
use ledger::{Content, IdempotencyKey, registry};
use primitives::codec;
use serde_json::{Value, json};

use crate::golden::check_json;
use crate::sampler::{Fullness, body};
use crate::support::founding::{CHAIN, START};
use crate::voucher::party;

#[test]
fn bodies_have_these_bytes_and_transactions_these_ids() {
    let mut vectors = Vec::new();
    for kind in registry().kinds() {
        for fullness in [Fullness::Least, Fullness::Full] {
            let sampled = body(kind, fullness);
            let bytes = (kind.body_from_json)(sampled.clone())
                .unwrap_or_else(|error| panic!("{} {fullness:?}: {error}\n{sampled}", kind.name));
            // What the ledger would show of it: defaults filled in, lists in their order.
            let shown: Value = (kind.body_to_json)(&bytes).expect("what was encoded decodes");
            assert_eq!((kind.body_from_json)(shown.clone()).as_ref(), Ok(&bytes), "{}", kind.name);
            let content = Content {
                version: TRANSACTION_VERSION,
                chain_id: CHAIN.parse().expect("a short name"),
                author: party("bureau"),
                idempotency_key: IdempotencyKey([kind.number as u8; 16]),
                valid_until: START.plus_millis(3_600_000),
                kind: kind.number,
                body: bytes.clone(),
            };
            vectors.push(json!({
                "kind": kind.name,
                "number": kind.number,
                "body": shown,
                "body_bytes": hex::encode(&bytes),
                "content_bytes": hex::encode(codec::encode(&content)),
                "transaction_id": content.id(),
            }));
        }
    }
    let about = "borsh of a transaction's body and content; the id is SHA-256 of `yibao/transaction/v1` and \
                 the content's bytes. The bodies are made from the schemas and mean nothing";
    let content = json!({
        "version": TRANSACTION_VERSION,
        "chain_id": CHAIN,
        "author": party("bureau"),
        "idempotency_key": "16 times the low byte of the kind's number",
        "valid_until": START.plus_millis(3_600_000),
    });
    check_json(
        "vectors/transactions.json",
        &json!({ "about": about, "content": content, "vectors": vectors }),
    );
}
