//! The drills on the shipped program in their short mode; `make crash` and `make full-disk` are the
//! long ones. The program lies beside: `make test` builds all, alone it takes
//! `cargo build --release --bin yibao`.

use std::process::Command;

/// Runs a drill; what it says at the end.
fn drill(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(arguments)
        .arg("--folder")
        .arg(folder.path())
        .output()
        .expect("the drill runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{error}");
    said
}

#[test]
fn a_program_that_is_killed_under_load_keeps_what_it_acknowledged() {
    let said = drill(&["crash", "--kills", "12", "--settlements", "12000"]);
    assert!(said.contains("killed 12 times") && said.contains("the chain verifies"), "{said}");
}

#[test]
fn a_program_whose_disk_is_full_says_so_and_goes_on_when_there_is_room() {
    let said = drill(&["full-disk", "--rounds", "3", "--settlements", "12000"]);
    assert!(said.contains("refused in words") && said.contains("the chain verifies"), "{said}");
}
