//! What lies between two nodes: a TCP proxy for each direction of each pair.
//!
//! A node speaks over the connection that it opened, so what is done to one proxy is done to one
//! direction: one node is not heard by another and hears it all the same.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const CHUNK_BYTES: usize = 64 << 10;

/// What a link does to what goes over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// It passes on.
    #[default]
    None,
    /// It passes on later.
    Slow(Duration),
    /// Connections end, and new ones are turned away.
    Cut,
    /// Connections stay open and nothing arrives until it is mended: packets are lost, and sent
    /// again by the system.
    Stall,
    /// What is said vanishes while its sender believes it sent, answers arrive, and the connection
    /// ends when the link is mended: a half-open connection.
    Swallow,
}

/// One direction of a pair of nodes.
pub struct Proxy {
    address: SocketAddr,
    fault: watch::Sender<Fault>,
}

impl Proxy {
    /// Listens, and passes on to this address.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn start(to: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (fault, seen) = watch::channel(Fault::None);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, to, seen.clone()));
            }
        });
        Ok(Self { address, fault })
    }

    /// Where the node connects.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Does this to the link from now on.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

async fn carry(near: TcpStream, to: SocketAddr, mut seen: watch::Receiver<Fault>) {
    let is_open = |fault: &Fault| !matches!(fault, Fault::Stall | Fault::Swallow);
    // Nobody is reached over it before it is mended.
    if seen.wait_for(is_open).await.is_err() || *seen.borrow() == Fault::Cut {
        return;
    }
    let Ok(far) = TcpStream::connect(to).await else { return };
    if near.set_nodelay(true).is_err() || far.set_nodelay(true).is_err() {
        return;
    }
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = pass(near_in, far_out, seen.clone(), true) => {}
        () = pass(far_in, near_out, seen.clone(), false) => {}
        () = broken(seen) => {}
    }
}

/// Until the connection is to end: the link is cut, or was half open and is mended.
async fn broken(mut seen: watch::Receiver<Fault>) {
    let mut before = *seen.borrow_and_update();
    while before != Fault::Cut && seen.changed().await.is_ok() {
        let now = *seen.borrow_and_update();
        if before == Fault::Swallow && now != Fault::Swallow {
            return;
        }
        before = now;
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut seen: watch::Receiver<Fault>,
    is_said: bool,
) {
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Ok(count) = from.read(&mut chunk).await {
        let Some(bytes) = chunk.get(..count).filter(|bytes| !bytes.is_empty()) else { return };
        let Ok(fault) = seen.wait_for(|fault| *fault != Fault::Stall).await.map(|fault| *fault)
        else {
            return;
        };
        match fault {
            Fault::Swallow if is_said => continue,
            Fault::Slow(by) => tokio::time::sleep(by).await,
            _ => {}
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An end that says back what it hears, a link to it, and a connection over the link.
    async fn linked() -> (Proxy, TcpStream) {
        let end = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let proxy = Proxy::start(end.local_addr().unwrap()).await.unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = end.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await.unwrap();
                });
            }
        });
        let stream = TcpStream::connect(proxy.address()).await.unwrap();
        (proxy, stream)
    }

    async fn comes_back(stream: &mut TcpStream, word: &[u8]) -> bool {
        if stream.write_all(word).await.is_err() {
            return false;
        }
        let mut back = vec![0; word.len()];
        let read = stream.read_exact(&mut back);
        let read = tokio::time::timeout(Duration::from_millis(300), read).await;
        matches!(read, Ok(Ok(_))) && back == word
    }

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(test);
    }

    #[test]
    fn a_stalled_link_delivers_when_it_is_mended_and_a_cut_one_ends() {
        run(async {
            let (proxy, mut stream) = linked().await;
            assert!(comes_back(&mut stream, b"one").await);
            proxy.set(Fault::Stall);
            assert!(!comes_back(&mut stream, b"two").await);
            proxy.set(Fault::None);
            let mut back = [0; 3];
            stream.read_exact(&mut back).await.unwrap();
            assert_eq!(&back, b"two", "nothing is lost");
            proxy.set(Fault::Slow(Duration::from_millis(1)));
            assert!(comes_back(&mut stream, b"three").await);
            proxy.set(Fault::Cut);
            assert!(!comes_back(&mut stream, b"four").await);
            let mut late = TcpStream::connect(proxy.address()).await.unwrap();
            assert!(!comes_back(&mut late, b"five").await, "new connections are turned away");
            proxy.set(Fault::None);
            let mut fresh = TcpStream::connect(proxy.address()).await.unwrap();
            assert!(comes_back(&mut fresh, b"six").await);
        });
    }

    #[test]
    fn what_a_half_open_link_swallows_never_arrives_and_the_connection_ends_when_it_is_mended() {
        run(async {
            let (proxy, mut stream) = linked().await;
            assert!(comes_back(&mut stream, b"one").await);
            proxy.set(Fault::Swallow);
            assert!(!comes_back(&mut stream, b"two").await);
            proxy.set(Fault::None);
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.unwrap();
            assert!(rest.is_empty(), "it is lost");
        });
    }
}
