//! What is done next with a notice, and when: the wallet first, then one channel after the other
//! until one reaches the person.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use primitives::{Hash, PersonId, Timestamp};

use super::book::{Arrival, NoticeBook};
use super::{
    About, Address, Channel, Choice, DeliveryState, Dispatch, HandOverError, Message, Notice,
    NoticeError, Phone, Phrase, SignedReport,
};
use crate::clock::Clock;

/// How often the thread looks whether something is due.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a peer that does not answer is asked.
const TRIES_MAX: u32 = 4;
/// How long after a peer did not answer it is asked again, in milliseconds; doubled with every
/// further try.
const RETRY_MILLIS: u64 = 5_000;
/// How long a notice is put off whose step went wrong here, in milliseconds: five minutes.
const PUT_OFF_MILLIS: u64 = 5 * 60_000;
/// How often what is too old is forgotten, in milliseconds: every hour.
const PRUNE_MILLIS: u64 = 3_600_000;
/// How long a stop waits for a peer that is being asked. What it was asked is counted already, so
/// leaving it loses nothing.
const STOP_WAIT: Duration = Duration::from_secs(1);

/// How long each channel has the word alone, in milliseconds, before the next one is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// The open wallet.
    pub wallet: u64,
    /// Browsers.
    pub push: u64,
    /// WeChat.
    pub wechat: u64,
}

impl Waits {
    const fn after(self, channel: Channel) -> u64 {
        match channel {
            Channel::Push => self.push,
            Channel::Wechat => self.wechat,
            // Nothing comes after it.
            Channel::Sms => 0,
        }
    }
}

/// The words of a notice in the language with this tag.
pub type Words = fn(About, &str) -> Phrase;

/// What was done on a channel since the program started.
#[derive(Debug, Default)]
struct Counts {
    handed: AtomicU64,
    arrived: AtomicU64,
    failed: AtomicU64,
}

/// Notices of one organisation's people, and the channels that carry them.
pub struct NoticePost {
    book: NoticeBook,
    channels: BTreeMap<Channel, Arc<dyn Notice>>,
    words: Words,
    waits: Waits,
    day_max: u32,
    clock: Arc<dyn Clock>,
    counts: [Counts; 3],
    waiting: AtomicU64,
    /// When what is too old was forgotten last, in milliseconds.
    pruned: AtomicU64,
    is_stopping: AtomicBool,
}

/// What is tried next.
enum Next {
    /// This channel, for the time after so many tries.
    Try(Channel, u32),
    /// Nothing.
    Nothing,
}

impl NoticePost {
    /// A post with these channels; `day_max` is how many messages that cost money somebody gets in
    /// a day on each.
    #[must_use]
    pub fn new(
        book: NoticeBook,
        channels: Vec<Arc<dyn Notice>>,
        words: Words,
        (waits, day_max): (Waits, u32),
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            book,
            channels: channels.into_iter().map(|one| (one.channel(), one)).collect(),
            words,
            waits,
            day_max,
            clock,
            counts: Default::default(),
            waiting: AtomicU64::new(0),
            pruned: AtomicU64::new(0),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// What is kept.
    #[must_use]
    pub const fn book(&self) -> &NoticeBook {
        &self.book
    }

    /// The channels that there are, with whether each is simulated.
    #[must_use]
    pub fn channels(&self) -> Vec<(Channel, bool)> {
        self.channels.iter().map(|(channel, one)| (*channel, one.is_simulated())).collect()
    }

    /// Notes a notice; it is tried outside once the wallet had its time, or at once when it goes
    /// all ways. The same again changes nothing.
    ///
    /// # Errors
    /// When the book fails.
    pub fn note(&self, message: &Message) -> Result<bool, NoticeError> {
        self.note_at(message, self.clock.now())
    }

    /// Notes a notice of a time that comes; [`Self::take_back`] forgets it before that. The
    /// same again changes nothing.
    ///
    /// # Errors
    /// When the book fails.
    pub fn note_at(&self, message: &Message, when: Timestamp) -> Result<bool, NoticeError> {
        let when = when.max(self.clock.now());
        let wait = if message.all_ways { 0 } else { self.waits.wallet };
        self.book.note(message, when, when.plus_millis(wait))
    }

    /// Forgets a notice whose time has not come.
    ///
    /// # Errors
    /// When the book fails.
    pub fn take_back(&self, notice: &Hash) -> Result<(), NoticeError> {
        self.book.take_back(notice, self.clock.now())
    }

    /// Notes what a person wants ([`NoticeBook::choose`]). Whoever chooses WeChat is made a
    /// follower, where the account knows how.
    ///
    /// # Errors
    /// When the book fails.
    pub fn choose(&self, person: PersonId, choice: &Choice, since: u64) -> Result<(), NoticeError> {
        let wechat = self.channels.get(&Channel::Wechat).filter(|_| choice.wechat);
        if let Some(address) = wechat.and_then(|account| account.address_of(person)) {
            self.book.put_address(person, (&address, None), self.clock.now())?;
        }
        self.book.choose(person, choice, since)
    }

    /// Sends the code that shows whose phone it is, in these words of this language.
    ///
    /// # Errors
    /// Why it was not sent.
    pub fn send_code(
        &self,
        phone: &Phone,
        reference: Hash,
        (phrase, language): (Phrase, &str),
    ) -> Result<(), HandOverError> {
        let sms = self.channels.get(&Channel::Sms).ok_or(HandOverError::Gone)?;
        let dispatch = Dispatch { reference, about: None, phrase, language: language.to_owned() };
        sms.hand_over(&Address::Sms(phone.clone()), &dispatch)
    }

    /// Takes a report of a channel's peer. `None` when it is not that peer's.
    ///
    /// # Errors
    /// When the book fails.
    pub fn take_report(
        &self,
        channel: Channel,
        report: &SignedReport,
    ) -> Result<Option<Arrival>, NoticeError> {
        let read = self.channels.get(&channel).and_then(|peer| peer.read_report(report));
        read.map(|report| self.arrived(channel, &report.reference, report.has_arrived)).transpose()
    }

    /// Notes that a dispatch on this channel arrived, or never will.
    ///
    /// # Errors
    /// When the book fails.
    pub fn arrived(
        &self,
        channel: Channel,
        reference: &Hash,
        has_arrived: bool,
    ) -> Result<Arrival, NoticeError> {
        let now = self.clock.now();
        let arrival = self.book.note_report((channel, reference), has_arrived, now)?;
        if let Arrival::Noted(channel) = arrival {
            let counts = self.counts(channel);
            let count = if has_arrived { &counts.arrived } else { &counts.failed };
            count.fetch_add(1, Ordering::Relaxed);
        }
        Ok(arrival)
    }

    /// Takes what peers report and does what is due by now. Says how many steps it took. A step
    /// that goes wrong is named and put off: it holds up no other.
    ///
    /// # Errors
    /// When the book fails; what was not done is due again.
    pub fn round(&self) -> Result<usize, NoticeError> {
        let now = self.clock.now();
        self.prune(now)?;
        for (channel, peer) in &self.channels {
            for report in peer.reports(now) {
                if self.take_report(*channel, &report)?.is_none() {
                    tracing::warn!(channel = channel.name(), "a report is not its peer's");
                }
            }
        }
        let due = self.book.due(now)?;
        for message in &due {
            if self.is_stopping.load(Ordering::Relaxed) {
                break;
            }
            if let Err(error) = self.step(message, now) {
                tracing::error!(%error, "the step of a notice went wrong and is put off");
                self.book.put_off(&message.id, now.plus_millis(PUT_OFF_MILLIS))?;
            }
        }
        self.waiting.store(self.book.waiting()?, Ordering::Relaxed);
        Ok(due.len())
    }

    fn prune(&self, now: Timestamp) -> Result<(), NoticeError> {
        let last = self.pruned.load(Ordering::Relaxed);
        if now.millis().saturating_sub(last) >= PRUNE_MILLIS {
            self.book.prune(now)?;
            self.pruned.store(now.millis(), Ordering::Relaxed);
        }
        Ok(())
    }

    fn step(&self, message: &Message, now: Timestamp) -> Result<(), NoticeError> {
        let Some(choice) = self.book.choice(message.to)? else {
            return self.book.end(&message.id);
        };
        match self.next(message, &choice, now)? {
            Next::Nothing => self.book.end(&message.id),
            Next::Try(channel, tries) => self.try_channel(message, channel, tries, &choice),
        }
    }

    fn next(
        &self,
        message: &Message,
        choice: &Choice,
        now: Timestamp,
    ) -> Result<Next, NoticeError> {
        let person = message.to;
        let all_ways = message.all_ways;
        let tried = self.book.tried(&message.id)?;
        for channel in self.channels.keys().copied() {
            let is_wanted = match channel {
                Channel::Push => true,
                Channel::Wechat => choice.wechat,
                Channel::Sms => choice.sms,
            };
            if !is_wanted || !self.book.has_address(person, channel)? {
                continue;
            }
            let tried = tried.iter().find(|tried| tried.channel == channel);
            match tried.map(|tried| (tried.state, tried.tries)) {
                None if channel != Channel::Push
                    && !all_ways
                    && self.book.sent_today(person, channel, now)? >= self.day_max => {}
                None => return Ok(Next::Try(channel, 0)),
                Some((DeliveryState::Trying, tries)) => return Ok(Next::Try(channel, tries)),
                Some((DeliveryState::Arrived(_), _)) if !all_ways => return Ok(Next::Nothing),
                Some(_) => {}
            }
        }
        Ok(Next::Nothing)
    }

    fn try_channel(
        &self,
        message: &Message,
        channel: Channel,
        tries: u32,
        choice: &Choice,
    ) -> Result<(), NoticeError> {
        let now = self.clock.now();
        let tries = tries.saturating_add(1);
        let later = RETRY_MILLIS.saturating_mul(1 << tries.min(TRIES_MAX));
        // Counted before it is sent: a crash in between neither loses it nor repeats it for ever.
        let later = now.plus_millis(later);
        if !self.book.claim(&message.id, (channel, tries), (now, later))? {
            return Ok(());
        }
        let outcome = self.hand_over(message, channel, choice)?;
        let now = self.clock.now();
        let wait = match outcome {
            Ok(()) if !message.all_ways => self.waits.after(channel),
            Ok(()) => 0,
            Err(HandOverError::Silent) if tries < TRIES_MAX => return Ok(()),
            Err(error) => {
                tracing::warn!(channel = channel.name(), %error, "a notice was not taken");
                0
            }
        };
        let counts = self.counts(channel);
        let count = if outcome.is_ok() { &counts.handed } else { &counts.failed };
        count.fetch_add(1, Ordering::Relaxed);
        let became = (channel, outcome.is_ok());
        self.book.settle(&message.id, became, (now, now.plus_millis(wait)))
    }

    /// Gives a notice to all of a person's addresses on a channel. One that takes it is enough; one
    /// that is gone is forgotten.
    fn hand_over(
        &self,
        message: &Message,
        channel: Channel,
        choice: &Choice,
    ) -> Result<Result<(), HandOverError>, NoticeError> {
        let Some(peer) = self.channels.get(&channel) else { return Ok(Err(HandOverError::Gone)) };
        let dispatch = Dispatch {
            reference: self.book.reference(&message.id, channel),
            about: Some(message.about),
            phrase: (self.words)(message.about, &choice.language),
            language: choice.language.clone(),
        };
        let mut outcome = Err(HandOverError::Gone);
        for (id, address) in self.book.open_addresses(message.to, channel)? {
            if self.is_stopping.load(Ordering::Relaxed) {
                break;
            }
            match (peer.hand_over(&address, &dispatch), outcome) {
                (Ok(()), _) => outcome = Ok(()),
                (Err(HandOverError::Gone), _) => {
                    self.book.remove_address(message.to, &id)?;
                }
                (Err(_), Ok(()) | Err(HandOverError::Silent)) => {}
                (Err(error), Err(_)) => outcome = Err(error),
            }
        }
        Ok(outcome)
    }

    const fn counts(&self, channel: Channel) -> &Counts {
        let [push, wechat, sms] = &self.counts;
        match channel {
            Channel::Push => push,
            Channel::Wechat => wechat,
            Channel::Sms => sms,
        }
    }

    /// How many notices wait for a next step, as the last round saw it.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many were handed over, arrived and failed on each channel since the program started.
    #[must_use]
    pub fn counted(&self) -> Vec<(Channel, [u64; 3])> {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let of = |channel| {
            let counts = self.counts(channel);
            (channel, [&counts.handed, &counts.arrived, &counts.failed].map(read))
        };
        Channel::FALLBACK.map(of).to_vec()
    }

    /// Goes round on a thread of its own until the handle is dropped.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(self: &Arc<Self>) -> std::io::Result<NoticeHandle> {
        let (stop, stopped) = channel::<()>();
        let (ended, has_ended) = channel::<()>();
        let post = Arc::clone(self);
        let run = move || {
            // Dropped at the end of the thread, however it ends.
            let _ended = ended;
            while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = post.round() {
                    tracing::error!(%error, "notices cannot be sent");
                }
            }
        };
        std::thread::Builder::new().name("notices".to_owned()).spawn(run)?;
        Ok(NoticeHandle { post: Arc::clone(self), stop: Some(stop), has_ended })
    }
}

/// Keeps notices going; dropping it ends them, without waiting for a peer that is slow.
pub struct NoticeHandle {
    post: Arc<NoticePost>,
    stop: Option<Sender<()>>,
    has_ended: Receiver<()>,
}

impl Drop for NoticeHandle {
    fn drop(&mut self) {
        self.post.is_stopping.store(true, Ordering::Relaxed);
        self.stop.take();
        if self.has_ended.recv_timeout(STOP_WAIT) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("a peer of notices does not answer and is left");
        }
    }
}
