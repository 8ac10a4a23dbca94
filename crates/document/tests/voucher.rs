//! Sheets as other programs read them: poppler takes text, fonts and the voucher out again.
//!
//! `PICTURES=folder` keeps the sheets to look at.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::Command;

use document::{
    AttachmentError, DocumentError, Language, VoucherSheet, attached_voucher, voucher_pdf,
};
use primitives::{
    Amount, Currency, Hash, OrganisationId, Party, PersonId, Text, Timestamp, UtcOffset,
};
use proof::checkpoint::{Checkpoint, SignedCheckpoint};
use proof::log::{leaf_hash, node_hash};
use proof::note::{NoteKey, NoteSigner, SignatureType};
use proof::receipt::{
    Field, FieldAmount, FieldValue, OutcomeCode, RECEIPT_VERSION, ReceiptRecord, ReceiptSeed,
};
use proof::voucher::Voucher;

/// A sheet is made of a voucher that somebody else has checked, so any signature will do.
struct AnySigner(NoteKey);

impl NoteSigner for AnySigner {
    type Error = Infallible;
    fn key(&self) -> &NoteKey {
        &self.0
    }
    fn sign(&self, _: &[u8]) -> Result<[u8; 64], Infallible> {
        Ok([7; 64])
    }
}

const ORIGIN: &str = "yibao.example/demo";
const PAGE: &str = "https://yibao.example/verify";

fn field(name: &str, value: FieldValue) -> Field {
    Field { name: name.parse().expect("a name"), value }
}

fn settlement(currency: Currency, unit: u64) -> Vec<Field> {
    let money = |minor: u64| {
        let amount = Amount::from_minor(minor * unit);
        FieldValue::Amount(FieldAmount { amount, currency })
    };
    let hospital: OrganisationId = "hospital-1".parse().expect("a code");
    let day = |text: &str| FieldValue::Date(text.parse().expect("a day"));
    vec![
        field("visit", FieldValue::Hash(Hash([0x11; 32]))),
        field("provider", FieldValue::Party(Party::Organisation(hospital))),
        field("person", FieldValue::Party(Party::Person(PersonId([0x42; 16])))),
        field("region", FieldValue::Number(620_100)),
        field("scheme", FieldValue::Number(310)),
        field("service_from", day("2026-03-29")),
        field("service_to", day("2026-03-31")),
        field("bill", FieldValue::Hash(Hash([0xb1; 32]))),
        field("consent", FieldValue::Text(Text::new("own_key").expect("a text"))),
        field("total", money(1_268_035)),
        field("self_paid", money(12_000)),
        field("over_cap", money(0)),
        field("class_b_share", money(35_000)),
        field("in_policy", money(1_221_035)),
        field("deductible", money(50_000)),
        field("pooled_fund", money(995_380)),
        field("critical_illness", money(41_500)),
        field("personal_account", money(100_000)),
        field("cash", money(131_155)),
    ]
}

/// A voucher of these fields, at place 1 of a log of two receipts.
fn voucher(fields: &[Field], outcome: OutcomeCode) -> Voucher {
    let seed = ReceiptSeed([0x5e; 32]);
    let record = ReceiptRecord {
        version: RECEIPT_VERSION,
        chain_id: "gansu-demo".parse().expect("a name"),
        height: 812,
        index_in_block: 3,
        time: Timestamp::from_millis(1_774_944_300_123),
        transaction_id: Hash([0x77; 32]),
        kind: 504,
        outcome,
        commitments: seed.commit(fields).expect("few fields"),
    };
    let other = leaf_hash(b"another receipt");
    let root = node_hash(&other, &leaf_hash(&record.leaf()));
    let key = NoteKey::new(ORIGIN, SignatureType::Ed25519, [9; 32]).expect("a key");
    let checkpoint = SignedCheckpoint::sign(&Checkpoint::new(ORIGIN, 2, root), &AnySigner(key));
    let openings =
        (0_u32..).zip(fields).map(|(index, field)| seed.open(index, field.clone())).collect();
    let checkpoint = checkpoint.expect("a checkpoint");
    Voucher::issue(record, openings, 1, vec![other], checkpoint).expect("a voucher")
}

fn sheet(voucher: &Voucher, language: Language) -> VoucherSheet<'_> {
    VoucherSheet {
        voucher,
        index: 1,
        language,
        offset: UtcOffset(480),
        kind: "结算就诊",
        provider: Some("兰州市示范第一人民医院"),
        person: Some("王小明"),
        explanation: None,
        check_page: Some(PAGE),
    }
}

/// The sheet as a file that other programs read.
fn written(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(format!("{name}.pdf"));
    std::fs::write(&path, bytes).expect("a file");
    if let Some(kept) = std::env::var_os("PICTURES") {
        std::fs::create_dir_all(&kept).expect("a folder to keep sheets in");
        let kept = Path::new(&kept).join(format!("{name}.pdf"));
        std::fs::write(kept, bytes).expect("a sheet that is kept");
    }
    (folder, path)
}

fn run(program: &str, arguments: &[&str], file: &Path, more: &[&str]) -> String {
    let out = Command::new(program).args(arguments).arg(file).args(more).output();
    let out = out.unwrap_or_else(|error| panic!("`{program}` of poppler-utils: {error}"));
    assert!(out.status.success(), "{program}: {}", String::from_utf8_lossy(&out.stderr));
    assert!(out.stderr.is_empty(), "{program}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("text")
}

/// The text of the sheet without spaces and line ends.
fn text_of(name: &str, bytes: &[u8]) -> String {
    let (_folder, path) = written(name, bytes);
    let text = run("pdftotext", &["-q"], &path, &["-"]);
    text.chars().filter(|one| !one.is_whitespace()).collect()
}

#[test]
fn the_same_voucher_gives_the_same_bytes() {
    let voucher = voucher(&settlement(Currency::CNY, 1), OutcomeCode::Accepted);
    let first = voucher_pdf(&sheet(&voucher, Language::ZhHans)).expect("a sheet");
    let second = voucher_pdf(&sheet(&voucher, Language::ZhHans)).expect("a sheet");
    assert!(first == second, "the two differ");
    assert!(first.len() < 120_000, "{}", first.len());
}

#[test]
fn the_voucher_can_be_taken_out_again() {
    let voucher = voucher(&settlement(Currency::CNY, 1), OutcomeCode::Accepted);
    let bytes = voucher_pdf(&sheet(&voucher, Language::ZhHans)).expect("a sheet");
    let own = attached_voucher(&bytes).expect("it is inside");
    assert_eq!(std::str::from_utf8(own), Ok(voucher.encode().as_str()));
    let (folder, path) = written("attached", &bytes);
    let out = folder.path().join("out");
    run("pdfdetach", &["-save", "1", "-o", out.to_str().expect("a plain name")], &path, &[]);
    let taken = std::fs::read(out).expect("the attached file");
    assert_eq!(Voucher::decode(&taken), Ok(voucher));
    let fonts = run("pdffonts", &[], &path, &[]);
    let rows: Vec<&str> = fonts.lines().skip(2).collect();
    assert!(!rows.is_empty());
    for row in rows {
        assert!(row.contains("Identity-H") && row.contains("yes yes yes"), "{row}");
    }
}

#[test]
fn a_file_without_a_whole_voucher_says_so() {
    assert_eq!(attached_voucher(b"%PDF-1.7\n"), Err(AttachmentError::None));
    assert_eq!(attached_voucher(&vec![0; (4 << 20) + 1]), Err(AttachmentError::TooLong));
    let voucher = voucher(&settlement(Currency::CNY, 1), OutcomeCode::Accepted);
    let bytes = voucher_pdf(&sheet(&voucher, Language::En)).expect("a sheet");
    let start = bytes.windows(9).position(|one| one == b"c2sp.org/").expect("it is inside");
    assert_eq!(attached_voucher(&bytes[..start + 200]), Err(AttachmentError::Cut));
}

#[test]
fn every_language_says_the_amounts_in_figures_and_in_characters() {
    let voucher = voucher(&settlement(Currency::CNY, 1), OutcomeCode::Accepted);
    for (language, wanted) in [
        (Language::ZhHans, ["医疗保障结算凭证", "12,680.35元", "壹万贰仟陆佰捌拾元叁角伍分"]),
        (Language::ZhHant, ["醫療保障結算憑證", "12,680.35元", "壹萬貳仟陸佰捌拾圓參角伍分"]),
        (Language::En, ["Medicalinsurance", "12,680.35yuan", "壹万贰仟陆佰捌拾元叁角伍分"]),
        (Language::De, ["Abrechnungsbeleg", "12.680,35", "壹万贰仟陆佰捌拾元叁角伍分"]),
    ] {
        let bytes = voucher_pdf(&sheet(&voucher, language)).expect("a sheet");
        let text = text_of(language.tag(), &bytes);
        for one in wanted {
            assert!(text.contains(one), "{}: `{one}` in {text}", language.tag());
        }
        assert!(text.contains("2026-03-3116:05(UTC+08:00)"), "{text}");
        assert!(text.contains("https://yibao.example/verify?receipt=1&leaf="), "{text}");
    }
}

#[test]
fn a_currency_without_decimals_has_none() {
    let voucher = voucher(&settlement(Currency::JPY, 1), OutcomeCode::Accepted);
    let bytes = voucher_pdf(&sheet(&voucher, Language::ZhHans)).expect("a sheet");
    let text = text_of("jpy", &bytes);
    assert!(text.contains("1,268,035日元"), "{text}");
    assert!(text.contains("日元壹佰贰拾陆万捌仟零叁拾伍元整"), "{text}");
}

#[test]
fn long_names_rare_characters_and_large_amounts_stay_on_the_sheet() {
    let large = voucher(&settlement(Currency::CNY, 9_999_999_999), OutcomeCode::Accepted);
    let name = "买买提吐尔逊·阿卜杜拉䶮𠮷".repeat(6);
    let clinic = "Universitätsklinikum für Herz- und Gefäßchirurgie ".repeat(4);
    let shown = VoucherSheet {
        person: Some(&name),
        provider: Some(&clinic),
        ..sheet(&large, Language::De)
    };
    let bytes = voucher_pdf(&shown).expect("a sheet");
    let text = text_of("long", &bytes);
    assert!(text.contains(&name), "{text}");
    // Nothing is drawn beyond the paper: every word's box lies on it.
    let (_folder, path) = written("long", &bytes);
    let boxes = run("pdftotext", &["-q", "-bbox"], &path, &["-"]);
    let edges = boxes.lines().filter_map(|line| line.split("xMax=\"").nth(1)?.split('"').next());
    let edges: Vec<f64> = edges.map(|edge| edge.parse().expect("a number")).collect();
    assert!(edges.len() > 50 && edges.iter().all(|edge| *edge < 560.0), "{edges:?}");
}

#[test]
fn what_was_refused_is_not_a_settlement() {
    let field = field("amount", FieldValue::Number(3));
    let voucher = voucher(&[field], OutcomeCode::Rejected(712));
    let shown = VoucherSheet { check_page: None, ..sheet(&voucher, Language::En) };
    assert_eq!(shown.code(), format!("{ORIGIN} 1 {}", shown.leaf()));
    let text = text_of("refused", &voucher_pdf(&shown).expect("a sheet"));
    assert!(text.contains("refused(reasonnumber712)"), "{text}");
    assert!(!text.contains("settlementvoucher"), "{text}");
}

#[test]
fn the_code_stays_readable() {
    let voucher = voucher(&settlement(Currency::CNY, 1), OutcomeCode::Accepted);
    let address = format!("https://{}.example/verify", "a".repeat(400));
    let shown = VoucherSheet { check_page: Some(&address), ..sheet(&voucher, Language::En) };
    assert!(matches!(voucher_pdf(&shown), Err(DocumentError::LinkTooLong { most: 400, .. })));
    assert!(sheet(&voucher, Language::En).code().len() < 200);
}
