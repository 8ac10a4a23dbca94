//! Live events: the receipts of the signed-in party as they are committed.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::{HeaderName, Method};
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_core::Stream;
use primitives::{Party, detail};

use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Place, Reply, schema_of};
use crate::gateway::Gateway;
use crate::hub::Listening;
use crate::port::{IndexedReceipt, Order};
use crate::problem::{Language, Problem, code};
use crate::receipt_view::receipt_for;
use crate::session::Session;

/// How many missed receipts a stream begins with at the most. One that missed more ends after them,
/// and the client comes again with the last id.
const CATCH_UP_MAX: usize = 500;
/// When a client is to come again after its stream ended.
const RETRY: Duration = Duration::from_secs(2);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The endpoint of live events.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::GET,
    path: "/v1/events",
    operation: "stream_events",
    summary: "Streams the receipts that concern the signed-in party as they are committed (server-sent \
              events named `receipt`, the id being the receipt's and the data a `Receipt`)",
    access: Access::Session(stream),
    parameters: &[Parameter {
        name: "Last-Event-ID",
        place: Place::Header,
        required: false,
        meaning: "the id of the last receipt seen: the stream begins behind it; with the next one when \
                  left out",
        schema: schema_of::<u64>,
    }],
    body: BodyKind::None,
    answer: AnswerKind::Other("text/event-stream"),
    problems: &[code::TOO_MANY_REQUESTS],
}];

fn stream(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let last = match call.header(&LAST_EVENT_ID)? {
        None | Some("") => None,
        Some(text) => Some(text.parse::<u64>().map_err(|_| {
            Problem::new(&code::HEADER_INVALID)
                .at(LAST_EVENT_ID.as_str())
                .with(detail!("write the id of a receipt"))
        })?),
    };
    let gateway = &call.gateway;
    // Listening starts before the past is read, so nothing falls between the two.
    let listening = gateway
        .hub
        .listen(session.party)
        .ok_or_else(|| Problem::new(&code::TOO_MANY_REQUESTS).retry(RETRY))?;
    let (last, missed) = match last {
        // The hub may still be handing out what was committed before; that is not asked for.
        None => (gateway.port.chain().view().tip.receipts.checked_sub(1), VecDeque::new()),
        Some(last) => {
            let order = Order::OldestFirst;
            let missed =
                gateway.port.chain().receipts_of(session.party, order, Some(last), CATCH_UP_MAX)?;
            (Some(last), missed.into())
        }
    };
    let live = (missed.len() < CATCH_UP_MAX).then_some(listening);
    let receipts = Receipts {
        ended: Box::pin(gateway.sessions.ended(session)),
        gateway: Arc::clone(gateway),
        session: session.clone(),
        language: call.language,
        last,
        missed,
        live,
    };
    let keep_alive = KeepAlive::new().interval(gateway.config.stream_keep_alive);
    let response = Sse::new(receipts).keep_alive(keep_alive).into_response();
    Ok(Reply::Now(Box::new(response)))
}

/// The receipts of one stream: first the missed ones, then the live ones.
struct Receipts {
    gateway: Arc<Gateway>,
    session: Session,
    /// Ready when the session is over.
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
    language: Language,
    last: Option<u64>,
    missed: VecDeque<IndexedReceipt>,
    live: Option<Listening>,
}

impl Receipts {
    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<IndexedReceipt>> {
        if let Some(receipt) = self.missed.pop_front() {
            return Poll::Ready(Some(receipt));
        }
        match &mut self.live {
            Some(live) => live.queue.poll_recv(context),
            None => Poll::Ready(None),
        }
    }

    fn event(&self, party: Party, receipt: &IndexedReceipt) -> Option<Event> {
        let view = self.gateway.port.chain().view();
        let registry = self.gateway.port.chain().registry();
        let shown = receipt_for(party, receipt, view.rows(), registry, self.language)?;
        let event = Event::default().id(shown.id.to_string()).event("receipt").retry(RETRY);
        event.json_data(&shown).ok()
    }
}

impl Stream for Receipts {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // A quiet stream ends with its session too: at once when it is closed, and with the next
        // sign of life when its time is over.
        let is_open = self.gateway.sessions.is_open(&self.session, self.gateway.clock.now());
        if self.ended.as_mut().poll(context).is_ready() || !is_open {
            return Poll::Ready(None);
        }
        loop {
            let receipt = match self.next(context) {
                Poll::Ready(Some(receipt)) => receipt,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            };
            // What was read as missed may come a second time as live.
            if self.last.is_some_and(|last| receipt.index <= last) {
                continue;
            }
            self.last = Some(receipt.index);
            // And with the session's key.
            if !self.gateway.is_current(&self.session) {
                return Poll::Ready(None);
            }
            if let Some(event) = self.event(self.session.party, &receipt) {
                return Poll::Ready(Some(Ok(event)));
            }
        }
    }
}
