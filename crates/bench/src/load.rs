//! How requests arrive, and how long they wait.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// What became of one request.
pub struct Answer {
    /// From when it was due until it was answered.
    pub waited: Duration,
    /// When it was answered.
    pub at: Instant,
    /// What went wrong.
    pub refused: Option<String>,
}

/// How a load went.
pub struct Outcome {
    /// Answered requests per second.
    pub per_second: f64,
    /// The time that half of the requests waited less than, in milliseconds.
    pub p50: f64,
    /// The time that 99 of 100 requests waited less than, in milliseconds.
    pub p99: f64,
}

/// Collects the answers of a load.
pub struct Collector {
    sender: Sender<Answer>,
    receiver: Receiver<Answer>,
    begin: Instant,
}

impl Collector {
    /// Begins now.
    #[must_use]
    pub fn new() -> Self {
        let (sender, receiver) = channel();
        Self { sender, receiver, begin: Instant::now() }
    }

    /// Where answers go.
    #[must_use]
    pub fn sender(&self) -> Sender<Answer> {
        self.sender.clone()
    }

    /// When the load began.
    #[must_use]
    pub const fn begin(&self) -> Instant {
        self.begin
    }

    /// Waits for one more answer.
    ///
    /// # Errors
    /// When it was refused.
    pub fn next(&self) -> Result<Answer> {
        let answer = self.receiver.recv()?;
        match &answer.refused {
            Some(words) => bail!("the benchmark's own settlement was refused: {words}"),
            None => Ok(answer),
        }
    }

    /// Waits for all other answers and says how it went.
    ///
    /// # Errors
    /// When one was refused.
    pub fn finish(&self, mut answers: Vec<Answer>, count: usize) -> Result<Outcome> {
        while answers.len() < count {
            answers.push(self.next()?);
        }
        let last = answers.iter().map(|answer| answer.at).max().unwrap_or(self.begin);
        let span = last.duration_since(self.begin).as_secs_f64();
        let mut waited: Vec<Duration> = answers.iter().map(|answer| answer.waited).collect();
        waited.sort_unstable();
        let at = |share: f64| {
            let place = (waited.len() as f64 * share) as usize;
            let place = place.min(waited.len().saturating_sub(1));
            waited.get(place).map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
        };
        Ok(Outcome { per_second: count as f64 / span, p50: at(0.5), p99: at(0.99) })
    }
}

/// Waits until this moment, to about a tenth of a millisecond.
pub fn wait_until(due: Instant) {
    while let Some(rest) = due.checked_duration_since(Instant::now()) {
        std::thread::sleep(rest);
    }
}
