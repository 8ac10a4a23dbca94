//! The evidence of an audit as one ZIP file, which `yibao verify audit` checks without any server.
//!
//! A voucher proves what the ledger has of a settlement: its amounts, and the commitment to its
//! bill. Bill, salt and sums open that commitment. List and seed draw the sample again. Whom to
//! trust is no part of it: that the reader has already.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::time::Duration;

use primitives::{Hash, sha256};
use serde::Serialize;
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{AuditView, Open, recompute::recompute};
use crate::api::log::HeaderView;
use crate::api::receipt::not_found;
use crate::call::Call;
use crate::port::PortError;
use crate::problem::{Problem, code, words};

/// The form of a pack, as its manifest names it: whoever reads one reads this form and no other.
pub const FORMAT: &str = "yibao audit pack 1";

/// What a pack says of itself.
#[derive(Serialize)]
struct Manifest<'a> {
    format: &'static str,
    audit: &'a AuditView,
    /// The block of the grant, whose hash draws.
    block: HeaderView,
    seed: &'a str,
    /// The SHA-256 of every other file.
    files: BTreeMap<String, Hash>,
}

/// The pack of an open audit.
///
/// # Errors
/// `voucher_not_ready` when the log does not cover a receipt yet; what cannot be read.
pub(super) fn pack(call: &Call, open: &Open) -> Result<Vec<u8>, Problem> {
    let chain = call.gateway.port.chain();
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let list = open.sample.list.iter().map(|visit| format!("{visit}\n")).collect::<String>();
    files.insert("list.txt".to_owned(), list.into_bytes());
    files.insert("README.txt".to_owned(), words::audit_pack(call.language).into());
    for (place, (visit, receipt)) in (1..).zip(&open.sample.drawn) {
        let audited = recompute(call, open, *receipt)?;
        let voucher = chain
            .issue_voucher(audited.transaction_id, None)?
            .ok_or_else(|| Problem::new(&code::VOUCHER_NOT_READY).retry(Duration::from_secs(1)))?;
        let name = |file: &str| format!("settlements/{place:03}-{visit}/{file}");
        files.insert(name("voucher.tlog-proof"), voucher.encode().into_bytes());
        files.insert(name("record.json"), json(&audited.detail.record)?);
        files.insert(name("found.json"), json(&audited.detail.found)?);
        if let Some(content) = audited.content {
            files.insert(name("bill.json"), content.bill);
            files.insert(name("salt.txt"), format!("{}\n", Hash(content.salt)).into_bytes());
        }
        if let Some(computed) = &audited.detail.computed {
            files.insert(name("computed.json"), json(computed)?);
        }
    }
    let height = open.view.granted.ok_or_else(not_found)?.height;
    let signed = chain.header(height)?.ok_or_else(not_found)?;
    let manifest = Manifest {
        format: FORMAT,
        audit: &open.view,
        block: HeaderView {
            value_id: signed.header.value_id(),
            header: signed.header,
            certificate: signed.certificate,
        },
        seed: &open.sample.seed,
        files: files.iter().map(|(name, bytes)| (name.clone(), sha256(bytes))).collect(),
    };
    files.insert("manifest.json".to_owned(), json(&manifest)?);
    zipped(&files).map_err(|error| PortError::Failed(error.to_string()).into())
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    let text = serde_json::to_vec_pretty(value);
    text.map_err(|error| PortError::Failed(error.to_string()).into())
}

fn zipped(files: &BTreeMap<String, Vec<u8>>) -> ZipResult<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in files {
        writer.start_file(name.as_str(), options)?;
        writer.write_all(bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}
