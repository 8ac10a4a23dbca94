//! The evidence of an audit as one ZIP file, which `yibao verify audit` checks without any server.
//!
//! A voucher proves what the ledger has of a settlement: its amounts, and the commitment to its
//! bill. Bill, salt and sums open that commitment. List and seed draw the sample again. Whom to
//! trust is no part of it: that the reader has already.
//!
//! The compiled plan that each record names by its hash, the catalogue by which its lines were
//! sorted, and the running amounts before it are enclosed too, so that the reader computes every
//! settlement again. A catalogue that would make the pack too large is left out, and the manifest
//! says so.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Write as _};
use std::time::Duration;

use benefit::Accumulators;
use ledger::modules::plan;
use ledger::modules::visit::SettlementRecord;
use primitives::{Hash, codec, sha256};
use serde::{Deserialize, Serialize};
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
pub const FORMAT: &str = "yibao audit pack 2";
/// The most bytes of all files before they are compressed: a national catalogue of 300,000 items
/// takes half of it. Our own limit, since the gateway makes a pack in memory.
const PACK_BYTES_MAX: usize = 64 << 20;

/// What a settlement was computed from, besides lines and plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// The catalogue by which the lines were sorted.
    pub catalogue: Hash,
    /// The person's running amounts before, added up from the receipts before it.
    pub before: Accumulators,
}

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
    /// Files that would have made the pack too large, with their bytes.
    left_out: BTreeMap<String, usize>,
}

/// The files of a pack.
#[derive(Default)]
struct Files {
    files: BTreeMap<String, Vec<u8>>,
    left_out: BTreeMap<String, usize>,
    bytes: usize,
}

impl Files {
    fn put(&mut self, name: String, bytes: Vec<u8>) -> Result<(), Problem> {
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > PACK_BYTES_MAX {
            return Err(Problem::new(&code::AUDIT_PACK_TOO_LARGE));
        }
        self.files.insert(name, bytes);
        Ok(())
    }

    /// The plans that a record names, each once.
    fn put_plans(&mut self, call: &Call, record: &SettlementRecord) -> Result<(), Problem> {
        for named in record.parts.iter().map(|part| part.plan) {
            let name = format!("plans/{}.bin", named.hash);
            let (region, scheme, version) = (named.region, named.scheme, named.version);
            let state = &call.view.state;
            let known = || plan::view::version_bytes(state, region, scheme, version);
            if !self.files.contains_key(&name)
                && let Some(bytes) = known()
            {
                self.put(name, bytes)?;
            }
        }
        Ok(())
    }

    /// The catalogues, the smallest first, as long as there is room: they are what makes a pack
    /// large, and nothing else gives way to them.
    fn put_catalogues(&mut self, call: &Call, roots: &BTreeSet<Hash>) -> Result<(), Problem> {
        let mut found = Vec::new();
        for root in roots {
            let catalogue = call.gateway.port.catalogue(*root)?;
            found.extend(catalogue.map(|one| (*root, codec::encode(&*one))));
        }
        found.sort_by_key(|(_, bytes)| bytes.len());
        for (root, bytes) in found {
            let name = format!("catalogues/{root}.bin");
            if self.bytes.saturating_add(bytes.len()) > PACK_BYTES_MAX {
                self.left_out.insert(name, bytes.len());
            } else {
                self.put(name, bytes)?;
            }
        }
        Ok(())
    }
}

/// The pack of an open audit.
///
/// # Errors
/// `voucher_not_ready` when the log does not cover a receipt yet; `audit_pack_too_large`; what
/// cannot be read.
pub(super) fn pack(call: &Call, open: &Open) -> Result<Vec<u8>, Problem> {
    let chain = call.gateway.port.chain();
    let (mut files, mut catalogues) = (Files::default(), BTreeSet::new());
    let list = open.sample.list.iter().map(|visit| format!("{visit}\n")).collect::<String>();
    files.put("list.txt".to_owned(), list.into_bytes())?;
    files.put("README.txt".to_owned(), words::audit_pack(call.language).into())?;
    for (place, (visit, receipt)) in (1..).zip(&open.sample.drawn) {
        let audited = recompute(call, open, *receipt)?;
        let voucher = chain
            .issue_voucher(audited.transaction_id, None)?
            .ok_or_else(|| Problem::new(&code::VOUCHER_NOT_READY).retry(Duration::from_secs(1)))?;
        let name = |file: &str| format!("settlements/{place:03}-{visit}/{file}");
        files.put(name("voucher.tlog-proof"), voucher.encode().into_bytes())?;
        files.put(name("record.json"), json(&audited.detail.record)?)?;
        files.put(name("found.json"), json(&audited.detail.found)?)?;
        if let Some(content) = audited.content {
            files.put(name("bill.json"), content.bill)?;
            files.put(name("salt.txt"), format!("{}\n", Hash(content.salt)).into_bytes())?;
        }
        if let Some(computed) = &audited.detail.computed {
            files.put(name("computed.json"), json(computed)?)?;
        }
        if let Some(inputs) = &audited.inputs {
            files.put(name("inputs.json"), json(inputs)?)?;
            files.put_plans(call, &audited.detail.record)?;
            catalogues.insert(inputs.catalogue);
        }
    }
    files.put_catalogues(call, &catalogues)?;
    let height = open.view.granted.ok_or_else(not_found)?.height;
    let signed = chain.header(height)?.ok_or_else(not_found)?;
    let Files { mut files, left_out, .. } = files;
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
        left_out,
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
