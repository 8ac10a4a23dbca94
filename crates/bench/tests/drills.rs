//! The drills on the shipped program in their short mode; `make crash`, `make full-disk`,
//! `make damage`, `make overload`, `make network-qa` and `make upgrade` are the long ones. The
//! program lies beside: `make test` builds all, alone it takes `cargo build --release --bin yibao`.

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

#[test]
fn damage_is_without_effect_or_named_and_never_served() {
    let said = drill(&["damage", "--cases", "34"]);
    assert!(said.contains("nothing was served wrongly"), "{said}");
}

#[test]
fn a_program_that_is_asked_for_ten_times_what_it_admits_turns_away_and_loses_nothing() {
    let short = ["overload", "--settlements", "6000", "--admitted", "24", "--odd-clients", "90"];
    let said = drill(&short);
    assert!(said.contains("none lost") && said.contains("the chain verifies"), "{said}");
}

#[test]
fn the_data_folder_of_an_earlier_release_is_opened_and_settled_on() {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/data-1");
    let said = drill(&["upgrade", "--fixture", fixture]);
    assert!(said.contains("its chain verifies"), "{said}");
}

#[test]
fn four_organisations_keep_what_they_promised_under_every_fault() {
    let said = drill(&["network"]);
    assert!(said.contains("every promise kept, all 4 chains verify"), "{said}");
}
