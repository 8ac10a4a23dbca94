//! From a request to its handler and back: limits, session, body, answer, headers, figures.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, any, on};
use hyper::body::{Frame, SizeHint};
use primitives::detail;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api;
use crate::call::{self, Call, Pairs};
use crate::config::{ADDRESS_BYTES_MAX, HEADER_BYTES_MAX, HEADERS_MAX, OPERATOR_REQUESTS_MAX};
use crate::endpoint::{Access, Endpoint, Reply};
use crate::gateway::Gateway;
use crate::json_room;
use crate::nhsa;
use crate::problem::{Language, Problem, accepted, code};
use crate::session::Session;

/// Where a request came from; the server puts it into the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// What every request shares.
struct Shared {
    gateway: Arc<Gateway>,
    open_requests: Arc<Semaphore>,
    /// Those of them that put something on the ledger.
    open_submissions: Arc<Semaphore>,
    /// Health and figures: they are answered when nothing else is.
    operator_requests: Arc<Semaphore>,
    /// Room for bodies, in units of [`ROOM_UNIT`] bytes.
    body_room: Arc<Semaphore>,
    /// Room for large answers, in the same units.
    answer_room: Arc<Semaphore>,
}

/// The place of a request among those that are answered at once, and of its body in memory. It goes
/// with the work and not with the client: whoever goes away leaves a handler behind that still runs
/// and still holds the body.
struct Room {
    _request: Vec<OwnedSemaphorePermit>,
    _body: Option<OwnedSemaphorePermit>,
}

/// The unit in which room is given out, in bytes.
const ROOM_UNIT: usize = 1_024;
/// An answer below this length takes no room: there are no more of them than connections.
const LARGE_ANSWER_BYTES: usize = 64 * 1_024;
/// When to come again after `overloaded`.
const RETRY: Duration = Duration::from_secs(1);

/// The header that names a request, for asking about it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Where proxies write whom they answer for.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The whole API as a service. `web` answers what is not of the API: the embedded web app, with a
/// content security policy of its own.
pub fn router(gateway: Arc<Gateway>, web: Option<Router>) -> Router {
    let open_requests = Arc::new(Semaphore::new(gateway.config.requests_max));
    let open_submissions = Arc::new(Semaphore::new(gateway.config.submissions_max));
    let operator_requests = Arc::new(Semaphore::new(OPERATOR_REQUESTS_MAX));
    let body_room = Arc::new(Semaphore::new(gateway.config.body_bytes_max / ROOM_UNIT));
    let answer_room = Arc::new(Semaphore::new(gateway.config.answer_bytes_max / ROOM_UNIT));
    let shared = Arc::new(Shared {
        gateway,
        open_requests,
        open_submissions,
        operator_requests,
        body_room,
        answer_room,
    });
    let mut router: Router<Arc<Shared>> = Router::new();
    // With a web app the first page is the app's.
    let served = |endpoint: &&&Endpoint| web.is_none() || endpoint.path != "/";
    for endpoint in api::endpoints().iter().filter(served) {
        router = router.route(endpoint.path, route(endpoint));
    }
    let router = router
        .method_not_allowed_fallback(method_not_allowed)
        .route("/v1/{*rest}", any(not_found))
        .route("/log/{*rest}", any(not_found));
    let router = match web {
        Some(web) => router.fallback_service(web),
        None => router.fallback(not_found),
    };
    let checked = from_fn_with_state(Arc::clone(&shared), with_checked_head);
    router.layer(checked).with_state(shared)
}

/// Lets a request pass whose address and headers are within bounds, whatever it asks for.
async fn with_checked_head(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    match check_head(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            Asked::new(&shared.gateway, "unknown", request.headers()).finish(Err(problem))
        }
    }
}

fn route(endpoint: &'static Endpoint) -> MethodRouter<Arc<Shared>> {
    let filter = MethodFilter::try_from(endpoint.method.clone())
        .expect("endpoints use methods that can be routed");
    on(filter, move |State(shared): State<Arc<Shared>>, request: Request| async move {
        let asked = Asked::new(&shared.gateway, endpoint.operation, request.headers());
        let result = answer(&shared, endpoint, request, asked.language).await;
        asked.finish(result.or_else(|problem| in_envelope(&shared.gateway, endpoint, problem)))
    })
}

/// Whoever speaks the national interface reads envelopes alone, also of what did not reach it.
fn in_envelope(
    gateway: &Gateway,
    endpoint: &Endpoint,
    problem: Problem,
) -> Result<Response, Problem> {
    if endpoint.operation != nhsa::OPERATION {
        return Err(problem);
    }
    gateway.metrics.refused(problem.code);
    let bytes = nhsa::refused(&problem, gateway.clock.now());
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

async fn not_found(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let asked = Asked::new(&shared.gateway, "unknown", request.headers());
    asked.finish(Err(Problem::new(&code::NOT_FOUND)))
}

async fn method_not_allowed(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let asked = Asked::new(&shared.gateway, "unknown", request.headers());
    asked.finish(Err(Problem::new(&code::METHOD_NOT_ALLOWED)))
}

/// A request that is being answered: what is needed for figures, log and headers. Dropping it
/// without an answer (the client went away) still counts it.
struct Asked {
    gateway: Arc<Gateway>,
    operation: &'static str,
    language: Language,
    request: String,
    since: Instant,
    is_counted: bool,
}

impl Asked {
    fn new(gateway: &Arc<Gateway>, operation: &'static str, headers: &HeaderMap) -> Self {
        gateway.metrics.started();
        let mut id = [0_u8; 8];
        // Without randomness requests have no distinct names; nothing else depends on them.
        let _ = getrandom::fill(&mut id);
        let language = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self {
            gateway: Arc::clone(gateway),
            operation,
            language: language.map(accepted).unwrap_or_default(),
            request: hex::encode(id),
            since: Instant::now(),
            is_counted: false,
        }
    }

    fn count(&mut self, status: u16) {
        if !self.is_counted {
            self.is_counted = true;
            self.gateway.metrics.answered(self.operation, status, self.since.elapsed());
        }
    }

    fn finish(mut self, result: Result<Response, Problem>) -> Response {
        let mut response = result.unwrap_or_else(|problem| {
            self.gateway.metrics.refused(problem.code);
            if problem.status >= 500 {
                tracing::warn!(
                    request = self.request,
                    operation = self.operation,
                    code = problem.code,
                    "a request failed"
                );
            }
            problem.response(self.language, &self.request)
        });
        let status = response.status().as_u16();
        self.count(status);
        tracing::debug!(
            request = self.request,
            operation = self.operation,
            status,
            micros = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&self.request) {
            headers.insert(REQUEST_ID, id);
        }
        add_security_headers(headers, self.gateway.config.is_behind_tls);
        response
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        // 499 is what proxies log for a client that went away.
        self.count(499);
    }
}

/// The headers of everything that is not a page of the web app.
pub fn add_security_headers(headers: &mut HeaderMap, is_behind_tls: bool) {
    let fixed = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fixed {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.append(header::VARY, HeaderValue::from_static("accept-language, authorization"));
    if is_behind_tls {
        let a_year = HeaderValue::from_static("max-age=31536000");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(a_year);
    }
}

async fn answer(
    shared: &Shared,
    endpoint: &'static Endpoint,
    request: Request,
    language: Language,
) -> Result<Response, Problem> {
    let gateway = &shared.gateway;
    let place = shared.place(endpoint)?;
    let peer =
        request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0);
    let client = client_address(peer, request.headers(), &gateway.config.trusted_proxies);
    let session = who_asks(gateway, endpoint, request.headers(), client).await?;
    call::check_media_type(endpoint, request.headers())?;
    let (mut parts, body) = request.into_parts();
    let path = path_of(&mut parts).await?;
    let query = query_of(&parts.uri)?;
    call::check_query(endpoint, &query)?;
    let (body, body_room) = read_body(shared, endpoint, body).await?;
    let room = Room { _request: place, _body: body_room };
    let call = Call {
        gateway: Arc::clone(gateway),
        endpoint,
        path,
        query,
        headers: parts.headers,
        body,
        language,
        client,
        now: gateway.clock.now(),
        view: gateway.port.chain().view(),
    };
    // Where nothing can be read yet, nothing is begun but to say whether the process is well.
    let reads = !matches!(endpoint.operation, "get_live" | "get_ready");
    if reads {
        call.view.check()?;
    }
    let handled = async {
        // Handlers may wait for a disk, so they run on threads that may wait.
        let view = Arc::clone(&call.view);
        let handled = tokio::task::spawn_blocking(move || (handle(&call, session), room)).await;
        // First whether everything could be read: what was concluded without it is void.
        if reads {
            view.check()?;
        }
        let (reply, _room) = handled.map_err(|error| failed(endpoint, &error))?;
        match reply? {
            Reply::Now(response) => Ok(*response),
            Reply::Later(later) => match later.await? {
                Reply::Now(response) => Ok(*response),
                Reply::Later(_) => Err(Problem::new(&code::INTERNAL)),
            },
        }
    };
    let answered = tokio::time::timeout(gateway.config.answer_timeout, handled)
        .await
        .unwrap_or_else(|_| Err(Problem::new(&code::STILL_WORKING)))?;
    shared.hold(endpoint, answered)
}

fn failed(endpoint: &Endpoint, error: &tokio::task::JoinError) -> Problem {
    tracing::error!(operation = endpoint.operation, %error, "a handler failed");
    Problem::new(&code::INTERNAL)
}

impl Shared {
    /// A place among the requests that are answered at once.
    fn place(&self, endpoint: &Endpoint) -> Result<Vec<OwnedSemaphorePermit>, Problem> {
        let lanes = match endpoint.operation {
            "get_live" | "get_ready" | "get_metrics" => vec![&self.operator_requests],
            "submit_transaction" => vec![&self.open_submissions, &self.open_requests],
            _ => vec![&self.open_requests],
        };
        let take = |lane: &Arc<Semaphore>| Arc::clone(lane).try_acquire_owned();
        lanes.into_iter().map(take).collect::<Result<_, _>>().map_err(|_| overloaded())
    }

    /// Lets a large answer go out only when there is room for it: whoever asks for many and reads
    /// none of them fills no memory. What everybody may read lies in memory once.
    fn hold(&self, endpoint: &Endpoint, response: Response) -> Result<Response, Problem> {
        let bytes = response.body().size_hint().exact().unwrap_or(0);
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if bytes < LARGE_ANSWER_BYTES || !endpoint.access.needs_session() {
            return Ok(response);
        }
        let room = take_room(&self.answer_room, bytes)?;
        Ok(response.map(|body| Body::new(Held { body, _room: room })))
    }
}

/// The session of a request, where one is needed, once it is counted.
async fn who_asks(
    gateway: &Arc<Gateway>,
    endpoint: &Endpoint,
    headers: &HeaderMap,
    client: IpAddr,
) -> Result<Option<Session>, Problem> {
    let now = gateway.clock.now();
    if [nhsa::OPERATION, nhsa::signer::OPERATION].contains(&endpoint.operation) {
        // A hospital's system is one address for all its counters: once its signature is checked,
        // it counts by the hospital.
        gateway.rates.check_address(client, now)?;
        return Ok(None);
    }
    if !endpoint.access.needs_session() {
        gateway.rates.count_address(client, now)?;
        return Ok(None);
    }
    let view = gateway.port.chain().view();
    let authenticated = if view.state.is_at_hand() {
        gateway.authenticate(headers, &view, now)
    } else {
        let (gateway, headers) = (Arc::clone(gateway), headers.clone());
        let waited = move || gateway.authenticate(&headers, &view, now);
        tokio::task::spawn_blocking(waited).await.map_err(|error| failed(endpoint, &error))?
    };
    match authenticated {
        Ok(session) => {
            gateway.rates.count_session(&session, now)?;
            Ok(Some(session))
        }
        // Whoever is not let in is counted by its address, and told first to come less often.
        Err(problem) => Err(gateway.rates.count_address(client, now).err().unwrap_or(problem)),
    }
}

/// The body of an answer that keeps its room until it is sent or given up.
struct Held {
    body: Body,
    _room: OwnedSemaphorePermit,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn take_room(room: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
    let units = u32::try_from(bytes.div_ceil(ROOM_UNIT)).unwrap_or(u32::MAX);
    Arc::clone(room).try_acquire_many_owned(units).map_err(|_| overloaded())
}

fn handle(call: &Call, session: Option<Session>) -> Result<Reply, Problem> {
    match (&call.endpoint.access, session) {
        (Access::Public(handle), _) => handle(call),
        (Access::Session(handle) | Access::Party { handle, .. }, Some(session)) => {
            handle(call, &session)
        }
        (Access::Session(_) | Access::Party { .. }, None) => {
            Err(Problem::new(&code::SESSION_MISSING))
        }
    }
}

fn check_head(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let address = uri.path_and_query().map_or(0, |path| path.as_str().len());
    if address > ADDRESS_BYTES_MAX {
        return Err(Problem::new(&code::ADDRESS_TOO_LONG));
    }
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > HEADERS_MAX || bytes > HEADER_BYTES_MAX {
        return Err(Problem::new(&code::HEADERS_TOO_LARGE));
    }
    Ok(())
}

/// Where a request came from at first. What the forwarded-for header says is believed as far as
/// trusted proxies wrote it: read from its end, the first address that is no trusted proxy.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.contains(&address.to_canonical());
    let mut client = peer.to_canonical();
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let written = lines.flat_map(|line| line.to_str().unwrap_or("").rsplit(','));
    for address in written {
        if !is_trusted(&client) {
            break;
        }
        // What is no address was not written by a proxy that we trust.
        let Ok(address) = address.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
    }
    client
}

async fn path_of(parts: &mut axum::http::request::Parts) -> Result<Pairs, Problem> {
    use axum::extract::FromRequestParts as _;
    let params = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|_| Problem::new(&code::NOT_FOUND))?;
    Ok(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn query_of(uri: &Uri) -> Result<Pairs, Problem> {
    axum::extract::Query::<Pairs>::try_from_uri(uri)
        .map(|query| query.0)
        .map_err(|_| Problem::new(&code::FIELD_INVALID).with(detail!("the query cannot be read")))
}

fn overloaded() -> Problem {
    Problem::new(&code::OVERLOADED).retry(RETRY)
}

/// The body, with the room that it takes for as long as somebody works on it.
async fn read_body(
    shared: &Shared,
    endpoint: &Endpoint,
    body: Body,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Problem> {
    let most = endpoint.body.bytes_max();
    if most == 0 {
        return Ok((Bytes::new(), None));
    }
    let too_large =
        || Problem::new(&code::BODY_TOO_LARGE).with(detail!("at most {most} bytes", most));
    let hint = body.size_hint();
    let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    if bytes(hint.lower()) > most {
        return Err(too_large());
    }
    // A body that does not say its length may take all that the operation allows.
    let length = hint.upper().map_or(most, bytes).min(most);
    let mut room = take_room(&shared.body_room, length)?;
    let timeout = shared.gateway.config.body_timeout;
    let body = match tokio::time::timeout(timeout, to_bytes(body, most)).await {
        Ok(Ok(bytes)) => bytes,
        // `to_bytes` fails when the bound is passed or when the client breaks off.
        Ok(Err(error)) if is_too_long(&error) => return Err(too_large()),
        Ok(Err(_)) => return Err(Problem::new(&code::BODY_INCOMPLETE)),
        Err(_) => return Err(Problem::new(&code::BODY_TOO_SLOW)),
    };
    if endpoint.body.json().is_some() {
        let needed = json_room::bytes_in_memory(&body);
        let all = shared.gateway.config.body_bytes_max;
        if needed > all {
            let words =
                detail!("it has more members and items than fit into memory; send less at once");
            return Err(Problem::new(&code::BODY_TOO_LARGE).with(words));
        }
        if needed > length {
            room.merge(take_room(&shared.body_room, needed - length)?);
        }
    }
    Ok((body, Some(room)))
}

fn is_too_long(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string() == "length limit exceeded" {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forwarded_for_header_is_believed_as_far_as_trusted_proxies_wrote_it() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let trusted = [address("10.0.0.1"), address("10.0.0.2")];
        let client = |peer: &str, lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
            }
            client_address(address(peer), &headers, &trusted).to_string()
        };
        assert_eq!(client("10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(client("::ffff:10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["192.0.2.1, 10.0.0.2"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["192.0.2.1", "10.0.0.2"]), "192.0.2.1");
        // What the client itself wrote in front says nothing.
        assert_eq!(client("10.0.0.1", &["198.51.100.7, 192.0.2.1"]), "192.0.2.1");
        assert_eq!(client("192.0.2.9", &["192.0.2.1"]), "192.0.2.9");
        assert_eq!(client("10.0.0.1", &["unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }
}
