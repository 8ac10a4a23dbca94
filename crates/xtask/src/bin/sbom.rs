//! Prints what the program is made of (`make sbom`).

fn main() {
    println!("{:#}", xtask::sbom::sbom());
}
