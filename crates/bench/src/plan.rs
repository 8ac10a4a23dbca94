//! What is measured, in which order.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

use crate::ceiling::{self, Mix};
use crate::figures::{Bar, Figures};
use crate::region::{Region, Size};
use crate::settlement::Maker;
use crate::{
    adjudication, clearing, http, in_process, memory, national, offline, postgres, premiums,
    process, simulation, validators,
};

/// Measures the settlement path and prints figures; nothing here fails a build.
#[derive(Parser)]
pub struct Options {
    /// Less of everything: a look in two minutes instead of figures.
    #[arg(long)]
    quick: bool,
    /// People of the large region; 0 leaves it out.
    #[arg(long, default_value_t = 5_000_000)]
    people: u64,
    /// Leave PostgreSQL out.
    #[arg(long)]
    without_postgres: bool,
    /// Only the usual region in process, with so many settlements: for a profiler.
    #[arg(long, value_name = "SETTLEMENTS")]
    profile: Option<usize>,
    /// People of the region for a profiler.
    #[arg(long, default_value_t = PEOPLE)]
    profile_people: u64,
    /// Only memory and start of the large region.
    #[arg(long)]
    memory: bool,
    /// Only the reconciliation of a bank's day.
    #[arg(long)]
    clearing: bool,
    /// Only the national interface.
    #[arg(long)]
    national: bool,
    /// Only a premium season.
    #[arg(long)]
    premiums: bool,
    /// Only four organisations that order one ledger.
    #[arg(long)]
    network: bool,
    /// Where the report goes.
    #[arg(long, default_value = "target/bench/report.json")]
    report: PathBuf,
    /// Where data folders are made; they are removed again.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
}

/// People of the usual region.
const PEOPLE: u64 = 100_000;
/// Settlements a second of an ordinary day.
const PACE: u32 = 1_000;

/// How much is sent.
struct Load {
    saturating: usize,
    paced: usize,
}

/// Takes all figures.
///
/// # Errors
/// When something that is measured does not work.
pub fn run(options: &Options) -> Result<()> {
    let mut figures = Figures::default();
    figures.condition("processor", process::processor());
    figures.condition("cores", process::cores());
    figures.condition("load_before", process::load());
    figures.condition("quick", options.quick);
    let load = if options.quick {
        Load { saturating: 12_000, paced: 3_000 }
    } else {
        Load { saturating: 60_000, paced: 20_000 }
    };
    std::fs::create_dir_all(&options.folder)?;
    let usual = Size { people: PEOPLE, funds: 20, mix: Mix::Ed25519 };
    if let Some(settlements) = options.profile {
        let size = Size { people: options.profile_people, ..usual };
        return profile(options, size, settlements);
    }
    if options.memory {
        return measure_memory(options, &mut figures, Size { people: options.people, ..usual });
    }
    if options.clearing {
        println!("100,000 bookings of a bank against ledger and books");
        clearing::measure(&mut figures)?;
        figures.condition("load_after", process::load());
        return figures.write(&options.report);
    }
    if options.national {
        println!("the national interface");
        national::measure(&mut figures, &options.folder, options.quick)?;
        figures.condition("load_after", process::load());
        return figures.write(&options.report);
    }
    if options.premiums {
        println!("a premium season");
        premiums::measure(&mut figures, &options.folder, options.quick)?;
        figures.condition("load_after", process::load());
        return figures.write(&options.report);
    }
    if options.network {
        println!("signatures alone");
        ceiling::measure(&mut figures);
        println!("\nfour organisations, all of their nodes on these cores");
        validators::measure(&mut figures, &options.folder, options.quick)?;
        figures.condition("load_after", process::load());
        return figures.write(&options.report);
    }
    println!("one core, and signatures alone");
    adjudication::measure(&mut figures)?;
    ceiling::measure(&mut figures);
    println!("\na million old bills under a changed plan");
    simulation::measure(&mut figures)?;
    println!("\n100,000 bookings of a bank against ledger and books");
    clearing::measure(&mut figures)?;
    println!("\na premium season");
    premiums::measure(&mut figures, &options.folder, options.quick)?;
    println!("\nan empty region");
    let empty = empty_region(options, &mut figures)?;
    measure_region(options, &mut figures, usual, &load, empty)?;
    measure_region(options, &mut figures, Size { funds: 1, ..usual }, &load, empty)?;
    measure_region(options, &mut figures, Size { mix: Mix::Sm2, ..usual }, &load, empty)?;
    if options.people > 0 && !options.quick {
        let large = Size { people: options.people, ..usual };
        measure_region(options, &mut figures, large, &load, empty)?;
    }
    println!("\nthe national interface");
    national::measure(&mut figures, &options.folder, options.quick)?;
    println!("\nfour organisations, all of their nodes on these cores");
    validators::measure(&mut figures, &options.folder, options.quick)?;
    if !options.without_postgres {
        println!("\nPostgreSQL, without signatures, root or proof, its clients on the same cores");
        postgres::measure(&mut figures, PEOPLE, options.quick)?;
    }
    compare(&mut figures, options);
    figures.condition("load_after", process::load());
    figures.write(&options.report)
}

/// Saturates the node once, and says when it begins and ends.
fn profile(options: &Options, size: Size, settlements: usize) -> Result<()> {
    let folder = tempfile::tempdir_in(&options.folder)?;
    let region = Region::new(size);
    let genesis = region.found(folder.path())?;
    let node = in_process::open(folder.path(), &genesis)?;
    region.settle_in(&node)?;
    let transactions = Maker::new(&region).make(&node, settlements)?;
    let encoded = in_process::encoded(&transactions);
    {
        use std::io::Write as _;
        println!("begin");
        std::io::stdout().flush()?;
    }
    let before = process::processor_seconds();
    let outcome = in_process::saturate(&node, &encoded)?;
    let spent = process::processor_seconds() - before;
    println!("end: {:.0} settlements/s, p99 {:.0} ms", outcome.per_second, outcome.p99);
    println!("{:.1} us of processor time each", spent * 1e6 / settlements as f64);
    println!("{:#?}", node.metrics());
    drop(node);
    let mut figures = Figures::default();
    ceiling::measure(&mut figures);
    Ok(())
}

fn measure_memory(options: &Options, figures: &mut Figures, size: Size) -> Result<()> {
    let empty = empty_region(options, figures)?;
    let folder = tempfile::tempdir_in(&options.folder)?;
    let region = Region::new(size);
    let genesis = region.found(folder.path())?;
    let node = in_process::open(folder.path(), &genesis)?;
    region.settle_in(&node)?;
    memory::restart(figures, folder.path(), &genesis, node, size.people, empty)?.stop();
    figures.write(&options.report)
}

fn empty_region(options: &Options, figures: &mut Figures) -> Result<u64> {
    let folder = tempfile::tempdir_in(&options.folder)?;
    let size = Size { people: 0, funds: 1, mix: Mix::Ed25519 };
    Region::new(size).found(folder.path())?;
    memory::empty(figures, folder.path())
}

/// The region's part in names of figures.
fn name_of(size: Size) -> String {
    let funds = if size.funds == 1 { "hot_fund" } else { "20_funds" };
    let people = match size.people {
        millions if millions >= 1_000_000 => format!("{}m_people", millions / 1_000_000),
        thousands => format!("{}k_people", thousands / 1_000),
    };
    format!("{}/{people}/{funds}", size.mix.name())
}

fn measure_region(
    options: &Options,
    figures: &mut Figures,
    size: Size,
    load: &Load,
    empty: u64,
) -> Result<()> {
    let name = name_of(size);
    println!(
        "\n{} people, {} funds, organisations sign with {}",
        size.people,
        size.funds,
        size.mix.name()
    );
    let folder = tempfile::tempdir_in(&options.folder)?;
    let data = folder.path();
    let region = Region::new(size);
    let genesis = region.found(data)?;
    let node = in_process::open(data, &genesis)?;
    region.settle_in(&node)?;
    let is_usual = size.mix == Mix::Ed25519 && size.funds > 1;
    let node = if is_usual {
        memory::restart(figures, data, &genesis, node, size.people, empty)?
    } else {
        node
    };
    let mut maker = Maker::new(&region);
    let transactions = maker.make(&node, load.saturating)?;
    let outcome = in_process::saturate(&node, &in_process::encoded(&transactions))?;
    figures.note(
        &format!("in_process/{name}/settlements"),
        outcome.per_second,
        "settlements/s",
        Bar::Told,
    );
    figures.note(&format!("in_process/{name}/saturated_p99"), outcome.p99, "ms", Bar::Told);
    let paced = maker.make(&node, load.paced)?;
    let outcome = in_process::pace(&node, &in_process::encoded(&paced), PACE)?;
    figures.note(&format!("in_process/{name}/1k_p50"), outcome.p50, "ms", Bar::Told);
    figures.note(&format!("in_process/{name}/1k_p99"), outcome.p99, "ms", Bar::AtMost(20.0));
    let is_verified = is_usual && size.people == PEOPLE;
    if is_verified {
        offline::voucher(figures, &node, &transactions[0])?;
    }
    if size.mix == Mix::Ed25519 {
        let saturating = http::prepared(&maker.make(&node, load.saturating)?)?;
        let paced = http::prepared(&maker.make(&node, load.paced)?)?;
        node.stop();
        drop(node);
        let served = http::Served::start(data)?;
        let outcome = http::send(&region, &served, saturating, None)?;
        figures.note(
            &format!("http/{name}/settlements"),
            outcome.per_second,
            "settlements/s",
            Bar::Told,
        );
        figures.note(&format!("http/{name}/saturated_p99"), outcome.p99, "ms", Bar::Told);
        let outcome = http::send(&region, &served, paced, Some(PACE))?;
        figures.note(&format!("http/{name}/1k_p50"), outcome.p50, "ms", Bar::Told);
        figures.note(&format!("http/{name}/1k_p99"), outcome.p99, "ms", Bar::AtMost(50.0));
    } else {
        node.stop();
        drop(node);
    }
    if is_verified {
        let node = in_process::open(data, &genesis)?;
        let kept = offline::Kept::of(&node)?;
        node.stop();
        drop(node);
        offline::chain(figures, data, &kept, &format!("in_process/{name}/settlements"))?;
    }
    Ok(())
}

/// The ratios by which the ledger is judged.
fn compare(figures: &mut Figures, options: &Options) {
    println!("\nratios");
    let settled = |way: &str, mix: &str, people: &str, funds: &str| {
        format!("{way}/{mix}/{people}/{funds}/settlements")
    };
    let people = format!("{}k_people", PEOPLE / 1_000);
    for (way, of_bound, to_many, to_hot) in
        [("in_process", 0.7, 1.3, 2.5), ("http", 0.45, 0.9, 1.8)]
    {
        let (many, hot) = (
            settled(way, "ed25519", &people, "20_funds"),
            settled(way, "ed25519", &people, "hot_fund"),
        );
        figures.ratio(
            &format!("ratio/{way}/to_bound"),
            &many,
            "ceiling/ed25519/bound",
            Bar::AtLeast(of_bound),
        );
        for peer in ["default", "tuned"] {
            let judged = |least| if peer == "default" { Bar::AtLeast(least) } else { Bar::Told };
            figures.ratio(
                &format!("ratio/{way}/to_postgres_{peer}/20_funds"),
                &many,
                &format!("postgres/{peer}/20_funds/settlements"),
                judged(to_many),
            );
            figures.ratio(
                &format!("ratio/{way}/to_postgres_{peer}/hot_fund"),
                &hot,
                &format!("postgres/{peer}/hot_fund/settlements"),
                judged(to_hot),
            );
        }
    }
    let sm2 = settled("in_process", "sm2", &people, "20_funds");
    figures.ratio("ratio/in_process/sm2_to_bound", &sm2, "ceiling/sm2/bound", Bar::Told);
    let large = format!("{}m_people", options.people / 1_000_000);
    figures.ratio(
        "ratio/in_process/large_to_usual",
        &settled("in_process", "ed25519", &large, "20_funds"),
        &settled("in_process", "ed25519", &people, "20_funds"),
        Bar::AtLeast(0.8),
    );
}
