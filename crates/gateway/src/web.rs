//! The embedded web app: files that were built before the program, each with its own bytes in the
//! encodings that browsers take.
//!
//! Invariants: pages run scripts and styles of this origin only, none inline, and no text becomes
//! code (test `pages_come_with_a_strict_policy`); only files whose name carries their hash are kept
//! by browsers without asking (test `only_hashed_files_are_kept`).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

/// A file of the web app.
#[derive(Clone, Copy, Debug)]
pub struct WebFile {
    /// Its path below the app's folder, such as `assets/wallet-1a2b3c.js`.
    pub path: &'static str,
    /// Its bytes.
    pub plain: &'static [u8],
    /// The same in brotli, where that is shorter.
    pub brotli: Option<&'static [u8]>,
    /// The same in gzip, where that is shorter.
    pub gzip: Option<&'static [u8]>,
}

/// The pages that have an address of their own.
const PAGES: [(&str, &str); 2] = [("/", "index.html"), ("/desks", "desks.html")];
/// Files here are named by the hash of what is in them.
const HASHED: &str = "assets/";

/// What a page may do: run what this origin serves, show pictures, talk to this origin.
macro_rules! policy {
    ($also_runs:literal) => {
        concat!(
            "default-src 'none'; script-src 'self'",
            $also_runs,
            "; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; \
             font-src 'self'; manifest-src 'self'; worker-src 'self'; media-src 'self' blob:; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'; trusted-types svelte-trusted-html yibao"
        )
    };
}
const POLICY: &str = policy!("");
/// The wallet computes bills again by a program of this origin in WebAssembly.
const WALLET_POLICY: &str = policy!(" 'wasm-unsafe-eval'");

/// Which of the browser's powers pages may ask for: the camera scans codes, passkeys sign.
const PERMISSIONS: &str = "camera=(self), publickey-credentials-create=(self), \
                           publickey-credentials-get=(self), geolocation=(), microphone=(), \
                           payment=(), usb=()";

/// A file with what its answers carry.
struct Served {
    file: WebFile,
    media_type: &'static str,
    tag: HeaderValue,
    is_hashed: bool,
}

/// The web app of these files as a service.
pub fn web_app(files: &[WebFile], is_behind_tls: bool) -> Router {
    let served: BTreeMap<&'static str, Served> =
        files.iter().map(|file| (file.path, Served::new(*file))).collect();
    let served = Arc::new(served);
    Router::new().fallback(move |request: Request| {
        let served = Arc::clone(&served);
        async move {
            let mut response = answer(&served, &request);
            add_page_headers(response.headers_mut(), request.uri().path(), is_behind_tls);
            response
        }
    })
}

impl Served {
    fn new(file: WebFile) -> Self {
        let hash = blake3::hash(file.plain).to_hex();
        let short = hash.get(..32).unwrap_or_default();
        Self {
            media_type: media_type(file.path),
            tag: HeaderValue::from_str(&format!("\"{short}\""))
                .expect("hex digits in quotes are a header"),
            is_hashed: file.path.starts_with(HASHED),
            file,
        }
    }

    /// The shortest form that the client takes, with the name of its encoding.
    fn body(&self, accepted: &HeaderMap) -> (&'static [u8], Option<&'static str>) {
        let forms = [(self.file.brotli, "br"), (self.file.gzip, "gzip")];
        let taken = forms.into_iter().find_map(|(bytes, name)| {
            bytes.filter(|_| accepts(accepted, name)).map(|bytes| (bytes, Some(name)))
        });
        taken.unwrap_or((self.file.plain, None))
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// Whether the client says that it takes this encoding.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter();
    let ranges = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    ranges.into_iter().any(|range| {
        let (name, weight) = range.split_once(';').unwrap_or((range, ""));
        name.trim().eq_ignore_ascii_case(encoding)
            && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

fn answer(files: &BTreeMap<&'static str, Served>, request: &Request) -> Response<Body> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "use GET\n");
    }
    let path = request.uri().path();
    let page = PAGES.iter().find(|(address, _)| *address == path).map(|(_, page)| *page);
    let name = page.or_else(|| path.strip_prefix('/')).unwrap_or_default();
    let Some(served) = files.get(name) else {
        return plain(StatusCode::NOT_FOUND, "there is no such page; the first one is /\n");
    };
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(served.media_type));
    headers.insert(header::ETAG, served.tag.clone());
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let kept = if served.is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    if request.headers().get(header::IF_NONE_MATCH) == Some(&served.tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let (bytes, encoding) = served.body(request.headers());
    let headers = response.headers_mut();
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    if *request.method() == Method::GET {
        *response.body_mut() = Body::from(bytes);
    }
    response
}

fn plain(status: StatusCode, words: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(words));
    *response.status_mut() = status;
    let media_type = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}

fn add_page_headers(headers: &mut HeaderMap, path: &str, is_behind_tls: bool) {
    let policy = if path == "/" { WALLET_POLICY } else { POLICY };
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_behind_tls {
        let a_year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, a_year);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &[WebFile] = &[
        WebFile { path: "index.html", plain: b"<p>wallet", brotli: Some(b"b"), gzip: Some(b"g") },
        WebFile { path: "desks.html", plain: b"<p>desks", brotli: None, gzip: None },
        WebFile { path: "assets/a-1.js", plain: b"1", brotli: None, gzip: None },
    ];

    fn ask(method: Method, path: &str, extra: &[(&str, &str)]) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        let files = FILES.iter().map(|file| (file.path, Served::new(*file))).collect();
        let mut response = answer(&files, &request.body(Body::empty()).unwrap());
        add_page_headers(response.headers_mut(), path, true);
        response
    }

    fn head(response: &Response<Body>, name: HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn pages_have_their_addresses_and_what_is_not_there_is_said() {
        for (path, status, length) in [
            ("/", 200, "9"),
            ("/desks", 200, "8"),
            ("/assets/a-1.js", 200, "1"),
            ("/desks/", 404, ""),
            ("/assets/../index.html", 404, ""),
            ("/nothing", 404, ""),
        ] {
            let response = ask(Method::GET, path, &[]);
            assert_eq!(response.status(), status, "{path}");
            assert_eq!(head(&response, header::CONTENT_LENGTH), length, "{path}");
        }
        assert_eq!(ask(Method::POST, "/", &[]).status(), 405);
        assert_eq!(ask(Method::HEAD, "/", &[]).status(), 200);
    }

    #[test]
    fn pages_come_with_a_strict_policy() {
        let response = ask(Method::GET, "/", &[]);
        let policy = head(&response, header::CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        assert!(policy.contains("require-trusted-types-for 'script'"), "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval';"), "{policy}");
        let desks = ask(Method::GET, "/desks", &[]);
        let desks = head(&desks, header::CONTENT_SECURITY_POLICY);
        assert!(desks.contains("script-src 'self';"), "{desks}");
        assert_eq!(head(&response, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(head(&response, header::STRICT_TRANSPORT_SECURITY), "max-age=31536000");
    }

    #[test]
    fn the_client_gets_the_shortest_form_that_it_takes() {
        for (accepted, encoding, length) in [
            ("gzip, deflate, br", "br", "1"),
            ("gzip", "gzip", "1"),
            ("br;q=0, gzip;q=0.5", "gzip", "1"),
            ("identity", "", "9"),
        ] {
            let response = ask(Method::GET, "/", &[("accept-encoding", accepted)]);
            assert_eq!(head(&response, header::CONTENT_ENCODING), encoding, "{accepted}");
            assert_eq!(head(&response, header::CONTENT_LENGTH), length, "{accepted}");
            assert_eq!(head(&response, header::VARY), "accept-encoding");
        }
    }

    #[test]
    fn only_hashed_files_are_kept() {
        let page = ask(Method::GET, "/", &[]);
        assert_eq!(head(&page, header::CACHE_CONTROL), "no-cache");
        let script = ask(Method::GET, "/assets/a-1.js", &[]);
        assert!(head(&script, header::CACHE_CONTROL).contains("immutable"));
        let tag = head(&page, header::ETAG).to_owned();
        assert_eq!(ask(Method::GET, "/", &[("if-none-match", &tag)]).status(), 304);
        assert_eq!(ask(Method::GET, "/desks", &[("if-none-match", &tag)]).status(), 200);
    }
}
