//! The edge on its port: the interface, a page, and how it is, for programs.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use gateway::Config;
use gateway::problem::{Language, accepted};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;

use crate::EdgeError;
use crate::answer::{Houses, Told, answer};
use crate::house::{House, HouseKeys};
use crate::line::Platform;
use crate::page::EdgeStatus;
use crate::play;
use crate::setup::{HospitalSetup, Setup};
use crate::{prove, sign};

/// The most bytes of a message: one with a file in it.
const BODY_BYTES_MAX: usize = 12 << 20;

/// An edge with its hospitals.
pub struct Edge {
    platform: Arc<Platform>,
    houses: Houses,
    probe: Duration,
}

impl Edge {
    /// Opens the books of all hospitals of a setup; their folders lie beside its file.
    ///
    /// # Errors
    /// What is wrong with the setup, a key or a book.
    pub fn open(
        setup: &Setup,
        beside: &Path,
        keys: impl Fn(&HospitalSetup, &Path) -> Result<HouseKeys, EdgeError>,
    ) -> Result<Self, EdgeError> {
        setup.check()?;
        let timeout = Duration::from_secs(setup.timeout_seconds);
        let platform = Arc::new(Platform::new(&setup.platform, timeout));
        let mut houses = Houses::new();
        for hospital in &setup.hospitals {
            let folder = beside.join(&hospital.folder);
            let keys = keys(hospital, &folder)?;
            let house = House::open(hospital.clone(), &folder, keys, Arc::clone(&platform))?;
            houses.insert(hospital.fixmedins_code.clone(), Arc::new(house));
        }
        Ok(Self { platform, houses, probe: Duration::from_secs(setup.probe_seconds) })
    }

    /// Answers on this port until the process is told to stop; `ready` hears where.
    ///
    /// # Errors
    /// When the system gives no thread or port.
    pub fn serve(
        self,
        listen: SocketAddr,
        ready: impl FnOnce(SocketAddr),
    ) -> Result<(), EdgeError> {
        for house in self.houses.values() {
            let house = Arc::clone(house);
            thread::Builder::new().name("edge-play".into()).spawn(move || play::run(&house))?;
        }
        for house in self.houses.values().filter(|house| house.keys.ledger.is_some()) {
            let [signing, proving] = [Arc::clone(house), Arc::clone(house)];
            thread::Builder::new().name("edge-sign".into()).spawn(move || {
                signing.keys.ledger.as_ref().inspect(|ledger| sign::run(&signing, ledger));
            })?;
            thread::Builder::new().name("edge-prove".into()).spawn(move || {
                proving.keys.ledger.as_ref().inspect(|ledger| prove::run(&proving, ledger));
            })?;
        }
        let (platform, probe) = (Arc::clone(&self.platform), self.probe);
        thread::Builder::new().name("edge-line".into()).spawn(move || watch(&platform, probe))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("edge-http")
            .max_blocking_threads(128)
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let mut signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
            let listener = TcpListener::bind(listen).await?;
            ready(listener.local_addr()?);
            let stop = async move {
                let [interrupt, terminate] = &mut signals;
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            };
            gateway::serve(listener, router(Arc::new(self)), Config::default(), stop).await
        })?;
        runtime.shutdown_background();
        Ok(())
    }
}

/// Asks the platform from time to time whether it is there, so that a line that is cut is found
/// when nobody sends, and one that is back is used.
fn watch(platform: &Platform, probe: Duration) {
    loop {
        thread::sleep(probe);
        platform.probe();
    }
}

fn router(edge: Arc<Edge>) -> Router {
    Router::new()
        .route("/nhsa/v1", post(message))
        .route("/", get(page))
        .route("/status.json", get(status))
        .route("/health", get(health))
        .with_state(edge)
}

async fn message(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let told = spawn_blocking(move || answered(&edge, &parts.headers, &body)).await;
    told.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn answered(edge: &Edge, headers: &HeaderMap, body: &Bytes) -> Response {
    let Told { status, media_type, bytes } = answer(&edge.houses, headers, body);
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let json = HeaderValue::from_static("application/json");
    let media_type = HeaderValue::from_str(&media_type).ok().filter(|one| !one.is_empty());
    response.headers_mut().insert(header::CONTENT_TYPE, media_type.unwrap_or(json));
    response
}

#[derive(Deserialize)]
struct Asked {
    lang: Option<String>,
}

async fn page(
    State(edge): State<Arc<Edge>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let accept = headers.get(header::ACCEPT_LANGUAGE).and_then(|one| one.to_str().ok());
    let named = asked.lang.as_deref().and_then(Language::of_tag);
    let language = named.unwrap_or_else(|| accepted(accept.unwrap_or_default()));
    shown(edge, move |status| {
        let page = status.page(language);
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
    })
    .await
}

async fn status(State(edge): State<Arc<Edge>>) -> Response {
    shown(edge, |status| axum::Json(status).into_response()).await
}

async fn health(State(edge): State<Arc<Edge>>) -> Response {
    shown(edge, |_| StatusCode::NO_CONTENT.into_response()).await
}

/// An answer about how the edge is; 503 where a book cannot be read.
async fn shown(
    edge: Arc<Edge>,
    show: impl FnOnce(EdgeStatus) -> Response + Send + 'static,
) -> Response {
    let found = spawn_blocking(move || EdgeStatus::of(&edge.platform, &edge.houses)).await;
    match found {
        Ok(Ok(status)) => show(status),
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
