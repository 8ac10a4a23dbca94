//! Those who want to hear of every block as it is committed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::queue::{NotReceived, NotSent, Receiver, Sender, Weight, queue};
use super::types::Committed;

/// By how many receipts and blocks together a subscriber may be behind before it is dropped. Our
/// own limit: it bounds memory to some tens of megabytes.
pub const SUBSCRIBER_LAG_MAX: usize = 16_384;

impl Weight for Arc<Committed> {
    fn weight(&self) -> usize {
        self.receipts.len() + 1
    }
}

/// What a subscriber is told.
enum News {
    Block(Arc<Committed>),
    /// There was no room for the next block.
    TooSlow,
}

impl Weight for News {
    fn weight(&self) -> usize {
        match self {
            Self::Block(block) => block.weight(),
            Self::TooSlow => 1,
        }
    }
}

/// Blocks as they are committed, in order and without a gap, until it ends.
pub struct Subscription {
    news: Receiver<News>,
}

/// Why there is no further block on a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionEnd {
    /// Nothing came within the time that the caller wanted to wait.
    #[error("no block came in time")]
    Timeout,
    /// The subscriber was more than [`SUBSCRIBER_LAG_MAX`] behind and was dropped: read what is
    /// missing from the history and subscribe again.
    #[error("the subscriber was too slow and was dropped; read on from the history")]
    TooSlow,
    /// The node stopped.
    #[error("the node stopped")]
    Stopped,
}

impl Subscription {
    /// Waits for the next block.
    ///
    /// # Errors
    /// When there will be none.
    pub fn next_block(&self) -> Result<Arc<Committed>, SubscriptionEnd> {
        block_of(self.news.receive())
    }

    /// Waits for the next block so long.
    ///
    /// # Errors
    /// When there was none in time, or there will be none.
    pub fn next_block_within(&self, wait: Duration) -> Result<Arc<Committed>, SubscriptionEnd> {
        block_of(self.news.receive_within(wait))
    }

    /// The next block if it is there already.
    ///
    /// # Errors
    /// When it is not, or there will be none.
    pub fn try_next_block(&self) -> Result<Arc<Committed>, SubscriptionEnd> {
        block_of(self.news.try_receive())
    }
}

fn block_of(news: Result<News, NotReceived>) -> Result<Arc<Committed>, SubscriptionEnd> {
    match news {
        Ok(News::Block(block)) => Ok(block),
        Ok(News::TooSlow) => Err(SubscriptionEnd::TooSlow),
        Err(NotReceived::Empty) => Err(SubscriptionEnd::Timeout),
        Err(NotReceived::Closed) => Err(SubscriptionEnd::Stopped),
    }
}

#[derive(Default)]
pub(crate) struct Subscribers {
    list: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_closed: bool,
    subscribers: Vec<Sender<News>>,
}

impl Subscribers {
    pub(crate) fn subscribe(&self) -> Subscription {
        let (sender, news) = queue(SUBSCRIBER_LAG_MAX);
        let mut state = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.is_closed {
            state.subscribers.push(sender);
        }
        Subscription { news }
    }

    /// Hands a block to everybody without waiting for anybody.
    pub(crate) fn publish(&self, block: &Arc<Committed>) {
        let mut state = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        state.subscribers.retain(|subscriber| {
            match subscriber.try_send(News::Block(Arc::clone(block))) {
                Ok(()) => true,
                Err(NotSent::Full) => {
                    subscriber.send_beyond(News::TooSlow);
                    false
                }
                Err(NotSent::Closed) => false,
            }
        });
    }

    /// Ends all subscriptions, now and later.
    pub(crate) fn close(&self) {
        let mut state = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_closed = true;
        state.subscribers.clear();
    }

    pub(crate) fn count(&self) -> usize {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).subscribers.len()
    }
}
