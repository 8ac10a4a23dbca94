//! `yibao demo --orgs 4`: a network of processes on this machine.

use crate::kit::{Files, yibao};
use crate::serve::text;

#[test]
fn four_organisations_settle_one_falls_and_comes_back_and_all_have_the_same_root() {
    let files = Files::new();
    let data = files.at("demo");
    let arguments = ["demo", "--orgs", "4", "--once", "--people", "12", "--data", text(&data)];
    let said = yibao(arguments).ok();
    for words in ["is killed (-9)", "is started again", "4 organisations, one ledger"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.contains("the books close to zero"), "{said}");
}
