//! A queue between two threads that is bounded by weight, so that its memory is bounded whatever
//! the size of a block.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Something that takes room in a queue.
pub(crate) trait Weight {
    /// How much room; at least 1.
    fn weight(&self) -> usize;
}

struct Inner<T> {
    items: VecDeque<T>,
    weight: usize,
    is_closed: bool,
}

struct Shared<T> {
    weight_max: usize,
    inner: Mutex<Inner<T>>,
    item_came: Condvar,
    room_came: Condvar,
}

/// The end that things are put in at. The queue is closed when the last clone is dropped.
pub(crate) struct Sender<T: Weight>(Arc<SendingEnd<T>>);

struct SendingEnd<T: Weight>(Arc<Shared<T>>);

/// The end that things are taken out at. The queue is closed when it is dropped.
pub(crate) struct Receiver<T: Weight>(Arc<Shared<T>>);

/// There was no room, or nobody takes things out any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotSent {
    Full,
    Closed,
}

/// There was nothing in time, or there will be nothing any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotReceived {
    Empty,
    Closed,
}

/// A queue of things that together weigh at most so much; a single heavier one fits an empty queue.
pub(crate) fn queue<T: Weight>(weight_max: usize) -> (Sender<T>, Receiver<T>) {
    let inner = Inner { items: VecDeque::new(), weight: 0, is_closed: false };
    let shared = Arc::new(Shared {
        weight_max,
        inner: Mutex::new(inner),
        item_came: Condvar::new(),
        room_came: Condvar::new(),
    });
    (Sender(Arc::new(SendingEnd(Arc::clone(&shared)))), Receiver(shared))
}

impl<T: Weight> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.lock().is_closed = true;
        self.item_came.notify_all();
        self.room_came.notify_all();
    }

    fn has_room(&self, inner: &Inner<T>, weight: usize) -> bool {
        inner.items.is_empty() || inner.weight.saturating_add(weight) <= self.weight_max
    }
}

impl<T: Weight> Sender<T> {
    /// Puts a thing in, after waiting for room.
    pub(crate) fn send(&self, item: T) -> Result<(), NotSent> {
        let (shared, weight) = (&self.0.0, item.weight());
        let mut inner = shared.lock();
        while !inner.is_closed && !shared.has_room(&inner, weight) {
            inner = shared.room_came.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        self.put(inner, item)
    }

    /// Puts a thing in if there is room.
    pub(crate) fn try_send(&self, item: T) -> Result<(), NotSent> {
        let inner = self.0.0.lock();
        if !inner.is_closed && !self.0.0.has_room(&inner, item.weight()) {
            return Err(NotSent::Full);
        }
        self.put(inner, item)
    }

    /// Puts a last small thing in, whether there is room or not.
    pub(crate) fn send_beyond(&self, item: T) {
        // Nobody may be there to hear it.
        let _ = self.put(self.0.0.lock(), item);
    }

    fn put(&self, mut inner: MutexGuard<'_, Inner<T>>, item: T) -> Result<(), NotSent> {
        if inner.is_closed {
            return Err(NotSent::Closed);
        }
        inner.weight = inner.weight.saturating_add(item.weight());
        inner.items.push_back(item);
        drop(inner);
        self.0.0.item_came.notify_one();
        Ok(())
    }
}

impl<T: Weight> Receiver<T> {
    /// Takes the oldest thing out, after waiting for it.
    pub(crate) fn receive(&self) -> Result<T, NotReceived> {
        let mut inner = self.0.lock();
        while inner.items.is_empty() && !inner.is_closed {
            inner = self.0.item_came.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        self.take(inner)
    }

    /// Takes the oldest thing out, after waiting for it at most so long.
    pub(crate) fn receive_within(&self, wait: Duration) -> Result<T, NotReceived> {
        let until = Instant::now() + wait;
        let mut inner = self.0.lock();
        while inner.items.is_empty() && !inner.is_closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.0.item_came.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        self.take(inner)
    }

    /// Takes the oldest thing out if there is one.
    pub(crate) fn try_receive(&self) -> Result<T, NotReceived> {
        self.take(self.0.lock())
    }

    fn take(&self, mut inner: MutexGuard<'_, Inner<T>>) -> Result<T, NotReceived> {
        let Some(item) = inner.items.pop_front() else {
            return Err(if inner.is_closed { NotReceived::Closed } else { NotReceived::Empty });
        };
        inner.weight = inner.weight.saturating_sub(item.weight());
        drop(inner);
        self.0.room_came.notify_all();
        Ok(item)
    }
}

impl<T: Weight> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Weight> Drop for SendingEnd<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<T: Weight> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weight for usize {
        fn weight(&self) -> usize {
            *self
        }
    }

    #[test]
    fn the_weight_is_bounded_and_a_heavy_thing_fits_alone() {
        let (sender, receiver) = queue(10);
        sender.try_send(6).unwrap();
        assert_eq!(sender.try_send(5), Err(NotSent::Full));
        sender.try_send(4).unwrap();
        assert_eq!(sender.try_send(1), Err(NotSent::Full));
        assert_eq!((receiver.try_receive(), receiver.try_receive()), (Ok(6), Ok(4)));
        assert_eq!(receiver.try_receive(), Err(NotReceived::Empty));
        assert_eq!(receiver.receive_within(Duration::ZERO), Err(NotReceived::Empty));
        sender.try_send(99).unwrap();
        assert_eq!(sender.try_send(1), Err(NotSent::Full));
        assert_eq!(receiver.receive(), Ok(99));
    }

    #[test]
    fn everything_arrives_in_order_through_a_small_queue() {
        let (sender, receiver) = queue(3);
        let other = sender.clone();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for item in 1..=2_000 {
                    sender.send(item % 5 + 1).unwrap();
                }
                drop(other);
            });
            for item in 1..=2_000 {
                assert_eq!(receiver.receive(), Ok(item % 5 + 1));
            }
            assert_eq!(receiver.receive(), Err(NotReceived::Closed));
        });
    }

    #[test]
    fn whoever_waits_for_room_is_woken_when_nobody_will_make_any() {
        let (sender, receiver) = queue(1);
        sender.send(1).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(move || sender.send(1));
            drop(receiver);
            assert_eq!(waiting.join().unwrap(), Err(NotSent::Closed));
        });
    }
}
