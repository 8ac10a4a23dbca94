//! Those who want to hear of every block as it is committed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::types::Committed;

/// How many blocks a subscriber may be behind before it is dropped. Our own limit.
pub const SUBSCRIBER_LAG_BLOCKS_MAX: usize = 256;

/// Blocks as they are committed, in order and without a gap, until it ends.
pub struct Subscription {
    blocks: Receiver<Arc<Committed>>,
    is_too_slow: Arc<AtomicBool>,
}

/// Why there are no further blocks on a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionEnd {
    /// Nothing came within the time that the caller wanted to wait.
    #[error("no block came in time")]
    Timeout,
    /// The subscriber was more than [`SUBSCRIBER_LAG_BLOCKS_MAX`] blocks behind and was dropped: read
    /// what is missing from the history and subscribe again.
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
        self.blocks.recv().map_err(|_| self.end())
    }

    /// Waits for the next block so long.
    ///
    /// # Errors
    /// When there was none in time, or there will be none.
    pub fn next_block_within(&self, wait: Duration) -> Result<Arc<Committed>, SubscriptionEnd> {
        self.blocks.recv_timeout(wait).map_err(|error| match error {
            RecvTimeoutError::Timeout => SubscriptionEnd::Timeout,
            RecvTimeoutError::Disconnected => self.end(),
        })
    }

    /// The next block if it is there already.
    ///
    /// # Errors
    /// When it is not, or there will be none.
    pub fn try_next_block(&self) -> Result<Arc<Committed>, SubscriptionEnd> {
        self.blocks.try_recv().map_err(|error| match error {
            TryRecvError::Empty => SubscriptionEnd::Timeout,
            TryRecvError::Disconnected => self.end(),
        })
    }

    fn end(&self) -> SubscriptionEnd {
        if self.is_too_slow.load(Ordering::Acquire) {
            SubscriptionEnd::TooSlow
        } else {
            SubscriptionEnd::Stopped
        }
    }
}

struct Subscriber {
    blocks: SyncSender<Arc<Committed>>,
    is_too_slow: Arc<AtomicBool>,
}

#[derive(Default)]
pub(crate) struct Subscribers {
    list: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_closed: bool,
    subscribers: Vec<Subscriber>,
}

impl Subscribers {
    pub(crate) fn subscribe(&self) -> Subscription {
        let (sender, blocks) = sync_channel(SUBSCRIBER_LAG_BLOCKS_MAX);
        let is_too_slow = Arc::new(AtomicBool::new(false));
        let subscriber = Subscriber { blocks: sender, is_too_slow: Arc::clone(&is_too_slow) };
        let mut state = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.is_closed {
            state.subscribers.push(subscriber);
        }
        Subscription { blocks, is_too_slow }
    }

    /// Hands a block to everybody without waiting for anybody.
    pub(crate) fn publish(&self, block: &Arc<Committed>) {
        let mut state = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        state.subscribers.retain(|subscriber| {
            match subscriber.blocks.try_send(Arc::clone(block)) {
                Ok(()) => true,
                Err(TrySendError::Full(_)) => {
                    subscriber.is_too_slow.store(true, Ordering::Release);
                    false
                }
                Err(TrySendError::Disconnected(_)) => false,
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
