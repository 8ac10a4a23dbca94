//! Compresses the fonts, so that the program carries 3.7 MB of them instead of 5.4 MB.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use flate2::{Compression, write::ZlibEncoder};

/// The files in `fonts/`.
const FONTS: [&str; 2] = ["NotoSansSC-common.otf", "DroidSansFallback-rest.ttf"];

fn main() {
    let folder = |name: &str| PathBuf::from(std::env::var(name).expect("cargo names the folder"));
    let (source, target) = (folder("CARGO_MANIFEST_DIR").join("fonts"), folder("OUT_DIR"));
    println!("cargo:rerun-if-changed=build.rs");
    for name in FONTS {
        let path = source.join(name);
        println!("cargo:rerun-if-changed={}", path.display());
        let bytes = fs::read(&path).expect("the font lies in `fonts/`");
        let file = File::create(target.join(format!("{name}.zlib"))).expect("a file");
        let mut packed = ZlibEncoder::new(file, Compression::best());
        packed.write_all(&bytes).and_then(|()| packed.finish().map(drop)).expect("a packed font");
    }
}
