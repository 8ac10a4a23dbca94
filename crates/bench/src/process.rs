//! What the system says of this process and of its machine.

use std::fs;

/// Resident memory of a process in bytes; 0 where the system does not say.
#[must_use]
pub fn resident_bytes(process: u32) -> u64 {
    bytes_of(process, "VmRSS:")
}

/// The most memory that a process ever had resident, in bytes; 0 where the system does not say.
#[must_use]
pub fn peak_bytes(process: u32) -> u64 {
    bytes_of(process, "VmHWM:")
}

fn bytes_of(process: u32, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1_024
}

/// The processor's name, as the system gives it.
#[must_use]
pub fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("model name"));
    line.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned())).unwrap_or_default()
}

/// How busy the machine is with other things: the load average of the last minute.
#[must_use]
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

/// Threads that run at once.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Processor time that this process has used so far, in seconds: of all its threads, in the system
/// too. The clock of a saturated machine that is shared with others says less.
#[must_use]
pub fn processor_seconds() -> f64 {
    processor_seconds_of(std::process::id())
}

/// The same of another process.
#[must_use]
pub fn processor_seconds_of(process: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    let mut ticks = fields.split_whitespace().skip(11).take(2).filter_map(|one| one.parse().ok());
    let (user, system): (f64, f64) = (ticks.next().unwrap_or(0.0), ticks.next().unwrap_or(0.0));
    (user + system) / TICKS_PER_SECOND
}

/// Of `/proc/.../stat`; the same on every Linux since it was fixed for user space.
const TICKS_PER_SECOND: f64 = 100.0;
