//! What one client may take of the server before a request is there: connections of its address,
//! and time in which it does not read what is sent to it.

use std::collections::HashMap;
use std::future::Future as _;
use std::io::{self, ErrorKind, IoSlice};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::session::limit::network_of;

/// How many bytes a client has to take within the write timeout, at the least. A connection that
/// moves less is held open to keep others out, not to read.
const PROGRESS_BYTES_MIN: usize = 4 * 1_024;

/// The open connections of each address.
#[derive(Clone, Default)]
pub(crate) struct Doors(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection that counts for its address until this is dropped.
pub(crate) struct Entered {
    doors: Doors,
    network: IpAddr,
}

impl Doors {
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more connection of an address; `None` when it has as many as it may have.
    pub(crate) fn enter(&self, address: IpAddr, most: usize) -> Option<Entered> {
        let network = network_of(address);
        let mut open = self.lock();
        let count = open.entry(network).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Entered { doors: self.clone(), network })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut open = self.doors.lock();
        if let Some(count) = open.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.network);
            }
        }
    }
}

/// A stream whose reader has to keep reading: writes that wait for longer than the timeout while
/// hardly anything moves end the connection. Time in which nothing is written does not count.
pub(crate) struct Paced<S> {
    stream: S,
    write_timeout: Duration,
    /// How long writes have waited since enough moved, and how much has moved since.
    waited: Duration,
    moved: usize,
    waiting: Option<Waiting>,
}

/// A write that cannot go on.
struct Waiting {
    since: Instant,
    until: Pin<Box<Sleep>>,
}

impl<S> Paced<S> {
    pub(crate) const fn new(stream: S, write_timeout: Duration) -> Self {
        Self { stream, write_timeout, waited: Duration::ZERO, moved: 0, waiting: None }
    }

    /// Lets a result of writing through, unless the reader has been too slow for too long.
    fn judge<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
        moved: impl FnOnce(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(result) = &written {
            if let Some(waiting) = self.waiting.take() {
                self.waited = self.waited.saturating_add(waiting.since.elapsed());
            }
            self.moved = self.moved.saturating_add(result.as_ref().map_or(0, moved));
            if self.moved >= PROGRESS_BYTES_MIN {
                (self.waited, self.moved) = (Duration::ZERO, 0);
            }
            return written;
        }
        let left = self.write_timeout.saturating_sub(self.waited);
        let start = || Waiting { since: Instant::now(), until: Box::pin(sleep(left)) };
        let waiting = self.waiting.get_or_insert_with(start);
        ready!(waiting.until.as_mut().poll(context));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written, |count| *count)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.judge(context, written, |count| *count)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.judge(context, flushed, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.stream).poll_shutdown(context);
        self.judge(context, closed, |()| 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::advance;

    const TIMEOUT: Duration = Duration::from_secs(20);

    /// Time stands still except where a test moves it or nothing else can happen.
    fn paused<T>(test: impl Future<Output = T>) -> T {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().unwrap().block_on(test)
    }

    #[test]
    fn a_client_that_reads_nothing_is_let_go() {
        paused(async {
            let (_client, server) = duplex(1_024);
            let begin = Instant::now();
            let error = Paced::new(server, TIMEOUT).write_all(&[0; 4_096]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert_eq!(begin.elapsed(), TIMEOUT);
        });
    }

    #[test]
    fn a_client_that_reads_a_byte_now_and_then_is_let_go_as_well() {
        paused(async {
            let (mut client, server) = duplex(1_024);
            let writing = tokio::spawn(async move {
                let mut server = Paced::new(server, TIMEOUT);
                server.write_all(&[0; 8_192]).await
            });
            let begin = Instant::now();
            while client.read_u8().await.is_ok() && begin.elapsed() < 3 * TIMEOUT {
                advance(Duration::from_secs(1)).await;
            }
            let error = writing.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
        });
    }

    #[test]
    fn a_client_that_reads_slowly_but_goes_on_gets_everything() {
        paused(async {
            let (mut client, server) = duplex(PROGRESS_BYTES_MIN);
            let sent = 16 * PROGRESS_BYTES_MIN;
            let writing = tokio::spawn(async move {
                let mut server = Paced::new(server, TIMEOUT);
                server.write_all(&vec![0; sent]).await
            });
            let mut bytes = vec![0; PROGRESS_BYTES_MIN];
            for _ in 0..16 {
                client.read_exact(&mut bytes).await.unwrap();
                advance(TIMEOUT - Duration::from_secs(1)).await;
            }
            writing.await.unwrap().unwrap();
        });
    }

    #[test]
    fn a_pause_in_which_there_is_nothing_to_write_does_not_count() {
        paused(async {
            let (mut client, server) = duplex(1_024);
            let writing = tokio::spawn(async move {
                let mut server = Paced::new(server, TIMEOUT);
                for _ in 0..4 {
                    server.write_all(&[0; 1_025]).await?;
                    sleep(10 * TIMEOUT).await;
                }
                Ok::<_, io::Error>(())
            });
            let mut bytes = [0; 1_025];
            for _ in 0..4 {
                client.read_exact(&mut bytes).await.unwrap();
            }
            writing.await.unwrap().unwrap();
        });
    }

    #[test]
    fn an_address_has_so_many_connections_and_another_one_its_own() {
        let doors = Doors::default();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = doors.enter(address("192.0.2.1"), 2).unwrap();
        let _second = doors.enter(address("192.0.2.1"), 2).unwrap();
        assert!(doors.enter(address("::ffff:192.0.2.1"), 2).is_none());
        assert!(doors.enter(address("192.0.2.2"), 2).is_some());
        drop(first);
        assert!(doors.enter(address("192.0.2.1"), 2).is_some());
        // Nothing is kept of an address that is gone.
        drop(_second);
        assert!(doors.lock().is_empty());
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let doors = Doors::default();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let _first = doors.enter(address("2001:db8::1"), 1).unwrap();
        assert!(doors.enter(address("2001:db8::2"), 1).is_none());
        assert!(doors.enter(address("2001:db8:0:1::2"), 1).is_some());
    }
}
