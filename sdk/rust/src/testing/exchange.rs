//! A request that is expected, and what it is answered with.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use super::state::State;
use crate::http::{Body, Credential, Error, ErrorKind, Method, Request, Response};

/// What the fake server says.
#[derive(Debug, Clone)]
pub struct Answer(Result<Response, Error>);

impl Answer {
    /// A JSON document.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", &body.to_string())
    }

    /// Text of this content type.
    pub fn text(status: u16, content_type: &str, body: &str) -> Self {
        let headers = vec![("content-type".into(), content_type.into())];
        Self(Ok(Response {
            status,
            headers,
            body: Body::Text(body.into()),
        }))
    }

    /// No body.
    pub fn empty(status: u16) -> Self {
        Self(Ok(Response {
            status,
            headers: Vec::new(),
            body: Body::Empty,
        }))
    }

    /// The request cannot have reached the server.
    pub fn not_sent(kind: ErrorKind) -> Self {
        Self::failed(kind, true)
    }

    /// The request may have reached the server, and no answer came.
    pub fn broken(kind: ErrorKind) -> Self {
        Self::failed(kind, false)
    }

    /// Adds a header to an answer.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Ok(response) = &mut self.0 {
            response.headers.push((name.into(), value.into()));
        }
        self
    }

    pub(super) fn given(self) -> Result<Response, Error> {
        self.0
    }

    fn failed(kind: ErrorKind, not_sent: bool) -> Self {
        Self(Err(Error::Transport {
            kind,
            message: format!("{kind:?}"),
            not_sent,
        }))
    }
}

#[derive(Debug)]
pub(super) struct Exchange {
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    json: Option<Value>,
    credential: Option<Credential>,
    pub(super) answer: Answer,
}

impl Exchange {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.url)
    }

    pub(super) fn check(&self, request: &Request) {
        let name = self.name();
        assert_eq!(
            format!("{} {}", request.method, request.url),
            name,
            "another request"
        );
        for (header, value) in &self.headers {
            let mut headers = request.headers.iter();
            let found = headers.find(|(found, _)| found.eq_ignore_ascii_case(header));
            let found = found.map(|(_, value)| value);
            assert_eq!(found, Some(value), "header `{header}` of {name}");
        }
        if let Some(json) = &self.json {
            let Body::Text(text) = &request.body else {
                panic!("{name} has no JSON body");
            };
            let found: Value = serde_json::from_str(text).expect("`Request::json` writes JSON");
            assert_eq!(&found, json, "body of {name}");
        }
        if self.credential.is_some() {
            assert_eq!(request.credential, self.credential, "credential of {name}");
        }
    }
}

/// An expected request being described; nothing is expected until [`answer`](Self::answer).
#[derive(Debug)]
#[must_use = "nothing is expected until `answer(..)`"]
pub struct Expectation {
    world: Rc<RefCell<State>>,
    exchange: Exchange,
}

impl Expectation {
    pub(super) fn new(world: Rc<RefCell<State>>, method: Method, url: &str) -> Self {
        let answer = Answer::empty(204);
        let (url, headers) = (url.into(), Vec::new());
        let exchange = Exchange {
            method,
            url,
            headers,
            json: None,
            credential: None,
            answer,
        };
        Self { world, exchange }
    }

    /// The request must have this header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.exchange.headers.push((name.into(), value.into()));
        self
    }

    /// The request must have this JSON body.
    pub fn json(mut self, body: Value) -> Self {
        self.exchange.json = Some(body);
        self
    }

    /// The request must name this credential.
    pub fn credential(mut self, credential: Credential) -> Self {
        self.exchange.credential = Some(credential);
        self
    }

    /// Expects the request and answers it so.
    pub fn answer(self, answer: Answer) {
        let exchange = Exchange {
            answer,
            ..self.exchange
        };
        self.world.borrow_mut().exchanges.push_back(exchange);
    }
}
