//! `yibao voucher verifier`: the check of vouchers as one HTML file that needs no network, no
//! server and none of us: the program as WebAssembly, the policies and the words of all languages
//! inside.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding as _};
use document::{PDF_BYTES_MAX, consent_names, fact_names};
use gateway::problem::{Language, words};
use gateway::web::WebFile;
use primitives::sha256;
use serde::Serialize;

/// The program, as the web app's build leaves it beside the pages.
const PROGRAM: &str = "check-voucher.wasm";
const SCRIPT: &str = include_str!("verifier/page.js");
const QUIET: &str = "footer button { min-height: 3rem; margin: 0; padding: 0 1rem 0 0; background: none; \
                     color: #004d43; font-weight: 400; text-decoration: underline; width: auto; }\n";

/// What the script of the page is given.
#[derive(Serialize)]
struct Given<'a> {
    program: String,
    policies: &'a [String],
    logs: &'a [String],
    most: usize,
    words: BTreeMap<&'static str, BTreeMap<String, String>>,
}

/// The page, for those who trust these policies, whose logs have these names. `None` when this
/// build has no program for it inside.
#[must_use]
pub fn page(files: &[WebFile], policies: &[String], logs: &[String]) -> Option<String> {
    let program = files.iter().find(|file| file.path == PROGRAM)?;
    let words = Language::ALL.into_iter().map(|language| (language.tag(), texts(language)));
    let given = Given {
        program: Base64::encode_string(program.plain),
        policies,
        logs,
        most: PDF_BYTES_MAX,
        words: words.collect(),
    };
    // Within a script element only `<` could end it.
    let given = serde_json::to_string(&given).ok()?.replace('<', "\\u003c");
    let style = format!("{}{QUIET}", gateway::api::verify::STYLE);
    let hash = |text: &str| Base64::encode_string(&sha256(text.as_bytes()).0);
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}' 'wasm-unsafe-eval'; \
         base-uri 'none'; form-action 'none'",
        hash(&style),
        hash(SCRIPT)
    );
    Some(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>yibao</title>\n<style>{style}</style>\n</head>\n<body>\n\
         <header>yibao 医保</header>\n<main></main>\n<footer></footer>\n\
         <script type=\"application/json\" id=\"given\">{given}</script>\n\
         <script>{SCRIPT}</script>\n</body>\n</html>\n"
    ))
}

/// The words of the public page, and the names of facts and forms of consent.
fn texts(language: Language) -> BTreeMap<String, String> {
    let mut texts = words::verify(language).clone();
    let names = fact_names(language);
    texts.extend(names.into_iter().map(|(name, words)| (format!("fact.{name}"), words)));
    let consents = consent_names(language).iter();
    texts.extend(consents.map(|(name, words)| (format!("consent.{name}"), words.clone())));
    texts
}
