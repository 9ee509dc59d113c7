//! An API server whose answers the test gives.

use std::convert::Infallible;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::{Method, Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

type Answer = Response<StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>>;

/// The requests of a client, one after the other.
pub(super) struct FakeApi(mpsc::UnboundedReceiver<Asked>);

/// A request that waits for its answer.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) uri: String,
    pub(super) accept: String,
    /// What was sent; null for nothing.
    pub(super) body: Value,
    answer: oneshot::Sender<Answer>,
}

/// A watch that goes on until it is dropped.
pub(super) struct Stream(mpsc::UnboundedSender<Value>);

impl FakeApi {
    pub(super) fn start() -> (Client, Self) {
        let (requests, asked) = mpsc::unbounded_channel();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (answer, answered) = oneshot::channel();
            let accept = request.headers().get("accept").map(|value| value.to_str().unwrap().to_owned());
            let requests = requests.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
                let body = serde_json::from_slice(&body).unwrap_or_default();
                let (method, uri) = (head.method, head.uri.to_string());
                let asked = Asked { method, uri, accept: accept.unwrap_or_default(), body, answer };
                requests.send(asked).map_err(|_| std::io::Error::other("the API server is gone"))?;
                answered.await.map_err(|_| std::io::Error::other("connection refused"))
            }
        });
        (Client::new(service, "default"), Self(asked))
    }

    pub(super) async fn next(&mut self) -> Asked {
        self.0.recv().await.unwrap()
    }

    pub(super) async fn next_list(&mut self) -> Asked {
        let asked = self.next().await;
        assert!(!asked.uri.contains("watch=true"), "a list, not {}", asked.uri);
        asked
    }

    pub(super) async fn next_watch(&mut self) -> Asked {
        let asked = self.next().await;
        assert!(asked.uri.contains("watch=true"), "a watch, not {}", asked.uri);
        asked
    }
}

impl Asked {
    /// Answers with a page of a list.
    pub(super) fn list(self, resource_version: &str, continue_token: &str, items: &[Value]) {
        let metadata = json!({"resourceVersion": resource_version, "continue": continue_token});
        self.whole(200, &json!({"apiVersion": "v1", "kind": "List", "metadata": metadata, "items": items}));
    }

    /// Answers with an object.
    pub(super) fn object(self, object: &Value) {
        self.whole(200, object);
    }

    /// Answers with a failure.
    pub(super) fn failure(self, code: u16, message: &str) {
        self.whole(code, &status(code, message));
    }

    /// Closes the connection instead of answering.
    pub(super) fn hang_up(self) {
        drop(self.answer);
    }

    /// Answers with a watch.
    pub(super) fn stream(self) -> Stream {
        let (events, receiver) = mpsc::unbounded_channel::<Value>();
        let lines = stream::unfold(receiver, |mut receiver| async move {
            let event = receiver.recv().await?;
            Some((Ok(Frame::data(Bytes::from(format!("{event}\n")))), receiver))
        });
        self.send(200, lines.boxed());
        Stream(events)
    }

    fn whole(self, code: u16, body: &Value) {
        let body = Bytes::from(body.to_string());
        self.send(code, stream::once(async { Ok(Frame::data(body)) }).boxed());
    }

    fn send(self, code: u16, body: BoxStream<'static, Result<Frame<Bytes>, Infallible>>) {
        let response = Response::builder().status(code).body(StreamBody::new(body)).unwrap();
        assert!(self.answer.send(response).is_ok(), "nobody waits for the answer");
    }
}

impl Stream {
    pub(super) fn event(&self, kind: &str, object: &Value) {
        self.0.send(json!({"type": kind, "object": object})).unwrap();
    }

    pub(super) fn bookmark(&self, resource_version: &str) {
        let metadata = json!({"resourceVersion": resource_version});
        self.event("BOOKMARK", &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}));
    }

    pub(super) fn error(&self, code: u16, message: &str) {
        self.event("ERROR", &status(code, message));
    }

    /// Waits until the client has hung up.
    pub(super) async fn closed(&self) {
        self.0.closed().await;
    }
}

fn status(code: u16, message: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "message": message, "reason": "", "code": code})
}

pub(super) fn namespace(name: &str, resource_version: &str, labels: &Value) -> Value {
    let metadata = json!({"name": name, "resourceVersion": resource_version, "labels": labels});
    json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": metadata})
}
