//! Connections: accepted in bounded number, in all and of one address, with time limits on headers
//! and on reading answers, closed in order at the end.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower_service::Service as _;

use crate::config::{Config, HEAD_BUFFER_BYTES, HEADERS_MAX};
use crate::connection::{Doors, Paced};
use crate::router::Peer;

/// How long open requests may take to finish when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves connections until `stop` is ready, then lets open requests finish.
///
/// # Errors
/// None at present: a connection that fails concerns its client only, and a listener that fails to
/// accept (too many open files) tries again.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    config: Config,
    stop: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let slots = Arc::new(Semaphore::new(config.connections_max));
    let doors = Doors::default();
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let (Ok(slot), Ok((stream, address))) = (slot, accepted) else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // A proxy stands for many clients; each of them is limited by its own connections there.
        let is_proxy = config.trusted_proxies.contains(&address.ip().to_canonical());
        let most = if is_proxy { usize::MAX } else { config.connections_per_address_max };
        let Some(entered) = doors.enter(address.ip(), most) else { continue };
        let connection = connection(stream, Peer(address.ip()), router.clone(), &config);
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            // An error here is the client's: it went away or does not speak HTTP.
            let _ = watched.await;
            drop((slot, entered));
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(STOP_TIMEOUT, graceful.shutdown()).await;
    Ok(())
}

fn connection(
    stream: TcpStream,
    peer: Peer,
    router: Router,
    config: &Config,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send + use<> {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(peer);
        router.clone().call(request.map(Body::new))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .max_headers(HEADERS_MAX.saturating_mul(2))
        .max_buf_size(HEAD_BUFFER_BYTES)
        .serve_connection(TokioIo::new(Paced::new(stream, config.write_timeout)), service)
}
