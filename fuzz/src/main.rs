//! Runs the target that `FUZZ_TARGET` names, for ever or as libFuzzer's options say. What the
//! target is given first is written into the folder that `FUZZ_SEEDS` names, before libFuzzer reads
//! it.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;

static TARGET: OnceLock<fuzz::Run> = OnceLock::new();

fn name() -> String {
    std::env::var("FUZZ_TARGET").unwrap_or_default()
}

fn write_seeds() {
    let Some(folder) = std::env::var_os("FUZZ_SEEDS") else { return };
    for (number, input) in fuzz::corpus::inputs(&name()).iter().enumerate() {
        let file = Path::new(&folder).join(number.to_string());
        std::fs::write(file, input).expect("the folder of `FUZZ_SEEDS` can be written");
    }
}

libfuzzer_sys::fuzz_target!(init: write_seeds(), |bytes: &[u8]| {
    let run = TARGET.get_or_init(|| {
        let name = name();
        fuzz::target(&name).unwrap_or_else(|| panic!("FUZZ_TARGET names no target: `{name}`"))
    });
    run(bytes);
});
