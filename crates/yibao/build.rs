//! Embeds the built web app, if there is one: `web/dist` as `npm --prefix web run build` leaves it.
//! Nothing is built here, so that a build needs neither Node nor a network.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The endings of the compressed forms beside a file.
const COMPRESSED: [&str; 2] = ["br", "gz"];

fn main() {
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("cargo names the folder"));
    let dist = here.join("../../web/dist");
    println!("cargo:rerun-if-changed=build.rs");
    // Names of functions are 7 MB of the program, and nothing reads them: what stops a node says
    // its file and line. Not in the profile, so that no dependency is compiled anew for it.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo:rustc-link-arg-bins=-Wl,--strip-all");
    }
    println!("cargo:rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        collect(&dist, &mut files);
    }
    files.sort();
    let target = PathBuf::from(std::env::var("OUT_DIR").expect("cargo names the folder"));
    let mut out = fs::File::create(target.join("web.rs")).expect("a file");
    writeln!(out, "pub const FILES: &[gateway::web::WebFile] = &[").expect("a line");
    for file in &files {
        let path = file.strip_prefix(&dist).expect("it lies in the folder");
        let path = path.to_str().expect("names are plain text");
        let plain = bytes(file);
        let [brotli, gzip] = COMPRESSED.map(|end| compressed(file, end));
        let fields = format!("path: {path:?}, plain: {plain}, brotli: {brotli}, gzip: {gzip}");
        writeln!(out, "    gateway::web::WebFile {{ {fields} }},").expect("a line");
    }
    writeln!(out, "];").expect("a line");
}

/// Every file below a folder but the compressed forms and those with a dot in front.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("its entry can be read").path();
        let end = path.extension().unwrap_or_default();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        if path.is_dir() {
            collect(&path, files);
        } else if !is_hidden && !COMPRESSED.iter().any(|one| end == *one) {
            files.push(path);
        }
    }
}

fn bytes(file: &Path) -> String {
    let file = file.canonicalize().expect("the file is there");
    format!("include_bytes!({:?})", file.to_str().expect("names are plain text"))
}

/// The compressed form, where there is a shorter one.
fn compressed(file: &Path, end: &str) -> String {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    let path = PathBuf::from(name);
    let length = |path: &Path| fs::metadata(path).map_or(u64::MAX, |found| found.len());
    if length(&path) < length(file) { format!("Some({})", bytes(&path)) } else { "None".to_owned() }
}
