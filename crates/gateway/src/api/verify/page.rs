//! The page as HTML. Everything that came from outside is escaped; the style is the page's own and
//! allowed by its hash.

use std::sync::LazyLock;

use axum::http::HeaderValue;
use base64ct::{Base64, Encoding as _};
use primitives::detail::fill_from;
use primitives::sha256;
use proof::policy::Cosigner;

use super::{Finding, Genuine};
use crate::api::index::escape;
use crate::gateway::Gateway;
use crate::problem::{Language, words};

/// How the page looks.
pub const STYLE: &str = include_str!("page.css");

/// What this page may do: show its own style, and send its form here.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = Base64::encode_string(&sha256(STYLE.as_bytes()).0);
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("a policy is plain text")
});

pub(super) fn policy() -> HeaderValue {
    POLICY.clone()
}

/// The names of the languages, each in itself.
const NAMES: [(Language, &str); 4] = [
    (Language::ZhHans, "简体中文"),
    (Language::ZhHant, "繁體中文"),
    (Language::En, "English"),
    (Language::De, "Deutsch"),
];

/// What is to be shown.
pub(super) struct Page<'a> {
    pub language: Language,
    pub finding: &'a Finding,
    pub gateway: &'a Gateway,
}

impl Page<'_> {
    fn text(&self, key: &str) -> String {
        escape(words::verify(self.language).get(key).map_or("", String::as_str))
    }

    fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        let escaped: Vec<_> = values.iter().map(|(name, value)| (*name, escape(value))).collect();
        fill_from(&self.text(key), &escaped)
    }

    pub fn html(&self) -> String {
        let tag = self.language.tag();
        let languages: String = NAMES.iter().map(|one| self.language_link(*one)).collect();
        format!(
            "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <header><a href=\"/verify?lang={tag}\">yibao 医保</a></header>\n<main>\n\
             <h1>{title}</h1>\n{finding}{form}</main>\n\
             <footer><nav aria-label=\"{label}\">{languages}</nav><p>{privacy}</p></footer>\n\
             </body>\n</html>\n",
            title = self.text("title"),
            finding = self.finding(),
            form = self.form(),
            label = self.text("languages"),
            privacy = self.text("privacy"),
        )
    }

    /// A link to the same question in another language; what was handed in is not kept, so a
    /// checked file is handed in again.
    fn language_link(&self, (language, name): (Language, &str)) -> String {
        let tag = language.tag();
        let current = if language == self.language { " aria-current=\"true\"" } else { "" };
        format!("<a href=\"/verify?lang={tag}\" lang=\"{tag}\"{current}>{name}</a> ")
    }

    fn finding(&self) -> String {
        match self.finding {
            Finding::None => format!("<p>{}</p>\n", self.text("lead")),
            Finding::BadLink => self.notice("bad", "link.title", &self.text("link.lead")),
            Finding::Entry { index, is_there: true } => {
                let lead = self.fill("entry.good", &[("index", &index.to_string())]);
                self.notice("good", "entry.good.title", &lead)
            }
            Finding::Entry { index, is_there: false } => {
                let lead = self.fill("entry.bad", &[("index", &index.to_string())]);
                self.notice("bad", "entry.bad.title", &lead)
            }
            Finding::Genuine(genuine) => self.genuine(genuine),
            Finding::Wrong(key) => {
                let title = format!("{key}.title");
                self.notice("bad", &title, &self.text(key))
            }
        }
    }

    fn notice(&self, look: &str, title: &str, lead: &str) -> String {
        let title = self.text(title);
        format!(
            "<section class=\"{look}\" role=\"status\"><h2>{title}</h2><p>{lead}</p></section>\n"
        )
    }

    fn genuine(&self, genuine: &Genuine) -> String {
        let Genuine { voucher, verified } = genuine;
        let (index, size) = (verified.index.to_string(), verified.log_size.to_string());
        let values = [("log", verified.log.name()), ("index", &index), ("size", &size)];
        let mut lead = self.fill("good", &values);
        if !verified.cosigners.is_empty() {
            let who: Vec<_> =
                verified.cosigners.iter().map(|one| self.organisation_behind(one)).collect();
            let values = [("number", who.len().to_string()), ("names", who.join(", "))];
            let values: Vec<_> = values.iter().map(|(name, value)| (*name, &**value)).collect();
            lead = format!("{lead} {}", self.fill("cosigned", &values));
        }
        let mut html = self.notice("good", "good.title", &lead);
        let mut rows = String::new();
        for fact in document::facts(voucher, self.language) {
            let named = self.organisation_of(&fact.value);
            let value = named.map_or_else(
                || escape(&fact.value),
                |name| format!("{} ({})", escape(&name), escape(&fact.value)),
            );
            rows.push_str(&format!("<dt>{}</dt><dd>{value}</dd>\n", escape(&fact.name)));
        }
        let hidden = verified.record.commitments.len().saturating_sub(verified.fields.len());
        html.push_str(&format!("<h2>{}</h2>\n<dl>{rows}</dl>\n", self.text("facts")));
        if hidden > 0 {
            let text = self.fill("hidden", &[("number", &hidden.to_string())]);
            html.push_str(&format!("<p>{text}</p>\n"));
        }
        for (title, keys) in
            [("proves", ["proves.1", "proves.2", "proves.3"]), ("not", ["not.1", "not.2", "not.3"])]
        {
            let items: String =
                keys.iter().map(|key| format!("<li>{}</li>\n", self.text(key))).collect();
            html.push_str(&format!("<h2>{}</h2>\n<ul>{items}</ul>\n", self.text(title)));
        }
        html
    }

    /// The organisation behind a cosignature, whose key's name is `LEDGER/ORGANISATION/cosigner`.
    fn organisation_behind(&self, cosigner: &Cosigner) -> String {
        let code = cosigner.name.split('/').nth(1).unwrap_or(&cosigner.name);
        let id = code.parse().ok();
        let name = id.and_then(|id| self.gateway.port.organisation_name(id));
        name.unwrap_or_else(|| code.to_owned())
    }

    /// The name of an organisation that a fact names by its code, as this node knows it.
    fn organisation_of(&self, value: &str) -> Option<String> {
        let id = value.strip_prefix("organisation:")?.parse().ok()?;
        self.gateway.port.organisation_name(id)
    }

    fn form(&self) -> String {
        let again = !matches!(self.finding, Finding::None);
        let heading = self.text(if again { "form.again" } else { "form" });
        format!(
            "<form method=\"post\" action=\"/verify?lang={tag}\" enctype=\"multipart/form-data\">\n\
             <h2>{heading}</h2>\n\
             <label for=\"file\">{file}</label>\n\
             <input id=\"file\" name=\"file\" type=\"file\">\n\
             <details><summary>{paste}</summary>\n\
             <label for=\"text\">{text}</label>\n\
             <textarea id=\"text\" name=\"text\" rows=\"8\" spellcheck=\"false\"></textarea>\n\
             </details>\n<button>{button}</button>\n</form>\n",
            tag = self.language.tag(),
            file = self.text("form.file"),
            paste = self.text("form.paste"),
            text = self.text("form.text"),
            button = self.text("form.button"),
        )
    }
}
