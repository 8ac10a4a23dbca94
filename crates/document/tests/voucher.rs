//! Sheets as other programs read them: poppler takes text, fonts and the voucher out again.

mod sheet;

use document::{
    AttachmentError, DocumentError, Language, VoucherSheet, attached_voucher, voucher_pdf,
};
use primitives::Currency;
use proof::receipt::{FieldValue, OutcomeCode};
use proof::voucher::Voucher;
use sheet::{ORIGIN, field, run, settlement, sheet, text_of, voucher, written};

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
