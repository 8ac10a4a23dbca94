//! A node's gateway on a port, until somebody tells it to stop.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;

use adapters::clock::Clock;
use adapters::notice::NoticeHandle;
use anyhow::{Context as _, Result, anyhow};
use gateway::web::web_app;
use gateway::{Config, Gateway, Port};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::web;

/// Opens the port, so that nothing is begun that nobody could reach afterwards. Who asks before a
/// gateway answers on it waits.
///
/// # Errors
/// When the port is taken or may not be used.
pub fn open_port(listen: SocketAddr) -> Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(listen);
    let listener = listener.map_err(|error| cannot_listen(listen, &error))?;
    listener.set_nonblocking(true).context("the port cannot be used without waiting")?;
    Ok(listener)
}

/// A gateway that answers.
pub struct HttpServer {
    runtime: Runtime,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
    signals: [Signal; 2],
    /// Tells people of things for as long as it answers.
    telling: Option<NoticeHandle>,
}

impl HttpServer {
    /// Answers on an open port, on threads of its own.
    ///
    /// # Errors
    /// When the system gives no thread, or the gateway does not start.
    pub fn start(
        port: Arc<dyn Port>,
        clock: Arc<dyn Clock>,
        listener: std::net::TcpListener,
        config: Config,
    ) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::start_with(port, clock, listener, config, cores)
    }

    /// The same on so many threads, beside those that wait for a disk.
    ///
    /// # Errors
    /// As [`HttpServer::start`].
    pub fn start_with(
        port: Arc<dyn Port>,
        clock: Arc<dyn Clock>,
        listener: std::net::TcpListener,
        config: Config,
        threads: usize,
    ) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("http")
            .enable_all()
            .build()
            .context("the threads of the gateway cannot be started")?;
        // Told to stop from here on, the process ends in order instead of at once.
        let signals = runtime
            .block_on(async {
                Ok::<_, std::io::Error>([
                    signal(SignalKind::interrupt())?,
                    signal(SignalKind::terminate())?,
                ])
            })
            .context("the system does not let us listen to its signals")?;
        let listener = runtime.block_on(async { TcpListener::from_std(listener) })?;
        let address = listener.local_addr()?;
        let wallet = port.wallet();
        let gateway =
            Gateway::new(port, clock, config.clone()).context("the gateway does not start")?;
        let (stop, stopped) = oneshot::channel::<()>();
        let web = (!web::FILES.is_empty()).then(|| web_app(web::FILES, config.is_behind_tls));
        let router = gateway::router(gateway, web);
        let served = runtime.spawn(gateway::serve(listener, router, config, async move {
            // A sender that is gone tells to stop as well.
            let _ = stopped.await;
        }));
        let telling = wallet.map(|wallet| wallet.notices.post.start()).transpose();
        let telling = telling.context("the thread of notices cannot be started")?;
        Ok(Self { runtime, address, stop, served, signals, telling })
    }

    /// Where it answers; with port 0 the system chose the port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the process is told to stop (SIGINT, which is ctrl-c, or SIGTERM).
    pub fn wait_for_signal(&mut self) {
        let [interrupt, terminate] = &mut self.signals;
        self.runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
    }

    /// Takes no new connections, lets open requests finish, and frees the port.
    ///
    /// # Errors
    /// When a part of the gateway ended with a contradiction.
    pub fn stop(self) -> Result<()> {
        drop(self.telling);
        let _ = self.stop.send(());
        let served = self.runtime.block_on(self.served);
        self.runtime.shutdown_background();
        Ok(served.context("the gateway found a contradiction and ended")??)
    }
}

fn cannot_listen(listen: SocketAddr, error: &std::io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::AddrInUse => anyhow!(
            "port {} at {} is in use; stop what answers there, or choose another with --listen",
            listen.port(),
            listen.ip()
        ),
        ErrorKind::PermissionDenied => anyhow!(
            "port {} may not be used by this user; choose one above 1023 with --listen",
            listen.port()
        ),
        ErrorKind::AddrNotAvailable => anyhow!(
            "{} is not an address of this machine; choose another with --listen",
            listen.ip()
        ),
        _ => anyhow!("`{listen}` cannot be listened on: {error}"),
    }
}
