//! Streams of live events, read as they come.

use std::time::Duration;

use axum::body::Body;
use serde_json::Value;

use super::{Ask, World};

/// Reads events of a stream until there are `count`, or until the stream ends.
pub struct Events {
    body: Body,
    text: String,
}

impl Events {
    pub fn open(world: &World, token: &str, last: Option<&str>) -> Self {
        let mut ask = Ask::get("/v1/events").token(token);
        if let Some(last) = last {
            ask = ask.with("last-event-id", last);
        }
        Self::answering(world, &ask)
    }

    /// The stream that answers this request.
    pub fn answering(world: &World, ask: &Ask) -> Self {
        let response = world.stream(ask);
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event as id and data, `None` when the stream has ended.
    async fn next(&mut self) -> Option<(u64, Value)> {
        use axum::body::HttpBody as _;
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let prefix = format!("{name}: ");
                    event.lines().find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
                };
                let parsed = field("id").map(|id| {
                    assert_eq!(field("event").as_deref(), Some("receipt"));
                    let data = field("data").unwrap();
                    (id.parse().unwrap(), serde_json::from_str(&data).unwrap())
                });
                self.text = rest.to_owned();
                match parsed {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let mut body = std::pin::pin!(&mut self.body);
            let frame = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await?;
            let data = frame.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    pub fn take(&mut self, world: &World) -> Option<(u64, Value)> {
        world.wait(async {
            tokio::time::timeout(Duration::from_secs(30), self.next()).await.unwrap()
        })
    }
}
