//! The gateway that sends the engine's messages: one POST for each, under the call's key.
//!
//! What it is given holds an address, and what it answers could repeat it: its answer is read for
//! its status alone, and no sentence of ours has any part of either.

use std::fmt;

use casewright_host::grant::Secret;
use casewright_host::request::{
    Allowed, Credential, FailedKind, Incoming, Outgoing, Requests, Sealed,
};
use casewright_machine::{CallError, ErrorKind};
use casewright_runtime::port::{Invocation, Reply};
use serde_json::{Value, json};

/// What the operator says of it.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Such as `https://sms.example/messages`.
    pub(crate) endpoint: String,
    /// Sent as a bearer's token.
    pub(crate) secret: Option<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// Sends messages, where the operator named who does.
pub(crate) struct Gateway {
    requests: Requests,
    settings: Option<Settings>,
}

/// The most that is read of an answer, of which only the status is looked at.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

impl Settings {
    /// The origin of the endpoint, which naming it allows; what is wrong with it otherwise.
    pub(crate) fn origin(&self) -> Result<String, String> {
        let wanted = "write the address of the gateway, such as https://sms.example/messages";
        let (scheme, rest) = self.endpoint.split_once("://").unwrap_or_default();
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let origin = format!("{scheme}://{host}");
        let allowed = Allowed {
            operator: vec![origin.clone()],
            pack: None,
        };
        if host.is_empty() || rest.contains(['@', '#']) || !allowed.problems().is_empty() {
            return Err(wanted.to_owned());
        }
        Ok(origin)
    }
}

impl Gateway {
    pub(crate) fn new(settings: Option<Settings>) -> Self {
        Self {
            requests: Requests::default(),
            settings,
        }
    }

    pub(crate) async fn call(&self, invocation: Invocation) -> Result<Reply, CallError> {
        let Some(settings) = &self.settings else {
            let sentence = "no gateway sends messages here: the operator names one under [notify] \
                            of the server's configuration, `endpoint = \"https://...\"`";
            return Err(error(ErrorKind::Permanent, "no-gateway", 503, sentence));
        };
        let allowed = Allowed {
            pack: None,
            operator: settings.origin().into_iter().collect(),
        };
        let outgoing = outgoing(settings, &invocation);
        let sent = self.requests.send(&allowed, outgoing, Requests::patience());
        match sent.await {
            Ok(answer) => taken(&answer),
            Err(failed) => Err(unanswered(failed.kind)),
        }
    }
}

fn outgoing(settings: &Settings, invocation: &Invocation) -> Outgoing {
    let mut message = invocation.input.clone();
    if let Value::Object(members) = &mut message {
        members.insert("key".to_owned(), json!(invocation.key));
    }
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Outgoing {
        method: "POST".to_owned(),
        url: settings.endpoint.clone(),
        headers: vec![
            header("content-type", "application/json"),
            header("idempotency-key", &invocation.key),
        ],
        body: message.to_string().into_bytes(),
        credential: settings
            .secret
            .as_deref()
            .map(|secret| Credential::Bearer(Secret::new(secret))),
        sealed: Sealed::default(),
        follow: false,
        answer_bytes_max: ANSWER_BYTES_MAX,
        owner: invocation.agency.clone(),
    }
}

fn taken(answer: &Incoming) -> Result<Reply, CallError> {
    let status = answer.status;
    let kind = match status {
        200..=299 => return Ok(Reply::Done(Value::Null)),
        408 | 425 | 429 | 500..=599 => ErrorKind::Retryable,
        _ => ErrorKind::Permanent,
    };
    let sentence = format!("the gateway answered {status}");
    Err(error(kind, "communication", i64::from(status), &sentence))
}

/// Sent again under the same key, it goes out once.
fn unanswered(kind: FailedKind) -> CallError {
    let (kind, status, sentence) = match kind {
        FailedKind::Denied | FailedKind::Invalid => (
            ErrorKind::Permanent,
            502,
            "the gateway cannot be asked: its address under [notify] is refused",
        ),
        FailedKind::Refused => (ErrorKind::Permanent, 401, "the gateway does not know us"),
        FailedKind::Unreachable => (ErrorKind::Retryable, 503, "the gateway is not reached"),
        FailedKind::TimedOut => (ErrorKind::Retryable, 504, "the gateway did not answer"),
        FailedKind::Broken => (
            ErrorKind::Retryable,
            502,
            "the answer of the gateway broke off",
        ),
    };
    error(kind, "communication", status, sentence)
}

fn error(kind: ErrorKind, code: &str, status: i64, sentence: &str) -> CallError {
    CallError {
        kind,
        code: code.to_owned(),
        status,
        message: sentence.to_owned(),
        details: None,
        retry_after_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(endpoint: &str) -> Settings {
        Settings {
            endpoint: endpoint.to_owned(),
            secret: Some("abc-123".to_owned()),
        }
    }

    #[test]
    fn an_endpoint_is_an_address_and_its_secret_is_shown_nowhere() {
        let good = settings("https://sms.example/messages?a=b");
        assert_eq!(good.origin(), Ok("https://sms.example".to_owned()));
        let local = settings("http://127.0.0.1:8080/messages").origin();
        assert_eq!(local, Ok("http://127.0.0.1:8080".to_owned()));
        for bad in [
            "",
            "sms.example",
            "https://",
            "ftp://a.example",
            "https://u@h/",
        ] {
            assert!(settings(bad).origin().is_err(), "{bad}");
        }
        assert!(!format!("{good:?}").contains("abc-123"));
    }

    #[test]
    fn what_the_gateway_answers_is_read_for_its_status_alone() {
        let answer = |status| {
            taken(&Incoming {
                status,
                headers: Vec::new(),
                body: b"no such number: 0400 000 001".to_vec(),
            })
        };
        assert_eq!(answer(202), Ok(Reply::Done(Value::Null)));
        let kind = |status| answer(status).unwrap_err().kind;
        assert_eq!(kind(503), ErrorKind::Retryable);
        assert_eq!(kind(429), ErrorKind::Retryable);
        assert_eq!(kind(422), ErrorKind::Permanent);
        assert!(!format!("{:?}", answer(422)).contains("0400"));
    }

    fn message(key: &str) -> Invocation {
        Invocation {
            function: "notify".to_owned(),
            digest: String::new(),
            input: json!({"channel": "text-message", "to": ["0400 000 001"], "text": "Hello"}),
            key: key.to_owned(),
            attempt: 1,
            since: jiff::Timestamp::UNIX_EPOCH,
            agency: "a".to_owned(),
            case: "c".to_owned(),
            step: "i/do/0/a".to_owned(),
            callback_token: String::new(),
        }
    }

    fn at(url: &str, path: &str) -> Outgoing {
        Outgoing {
            method: "GET".to_owned(),
            url: format!("{url}{path}"),
            headers: Vec::new(),
            body: Vec::new(),
            credential: None,
            sealed: Sealed::default(),
            follow: false,
            answer_bytes_max: ANSWER_BYTES_MAX,
            owner: "a".to_owned(),
        }
    }

    #[test]
    fn a_message_whose_answer_got_lost_is_taken_once() {
        let seen = crate::asynchronous(async {
            let partner = crate::partner::start(0, None).await?;
            let url = format!("http://{}", partner.address);
            let endpoint = format!("{url}/notify/messages");
            let gateway = Gateway::new(Some(settings(&endpoint)));
            let allowed = Allowed {
                pack: None,
                operator: vec![url.clone()],
            };
            let lost = json!({"path": "/notify/messages", "nth": 1, "kind": "drop-after-commit"});
            let order = Outgoing {
                method: "POST".to_owned(),
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: lost.to_string().into_bytes(),
                ..at(&url, "/_ctl/fault")
            };
            let patience = Requests::patience();
            let ordered = gateway.requests.send(&allowed, order, patience).await;
            assert_eq!(ordered.unwrap().status, 204);
            let first = gateway.call(message("k1")).await.unwrap_err();
            assert_eq!(first.kind, ErrorKind::Retryable);
            assert!(!format!("{first:?}").contains("0400"), "{first:?}");
            assert_eq!(
                gateway.call(message("k1")).await,
                Ok(Reply::Done(Value::Null))
            );
            let journal = at(&url, "/_ctl/journal");
            let journal = gateway.requests.send(&allowed, journal, patience).await;
            let journal: Value = serde_json::from_slice(&journal.unwrap().body).unwrap();
            Ok(journal["messages"].clone())
        });
        let body = json!({
            "channel": "text-message", "to": ["0400 000 001"], "text": "Hello", "key": "k1",
        });
        assert_eq!(seen.unwrap(), json!([{"key": "k1", "body": body}]));
    }

    #[test]
    fn without_a_gateway_nothing_is_sent_and_the_remedy_is_said() {
        let refused =
            crate::asynchronous(async { Ok(Gateway::new(None).call(message("k")).await) });
        let error = refused.unwrap().unwrap_err();
        assert_eq!((&*error.code, error.status), ("no-gateway", 503));
        assert!(error.message.contains("[notify]"), "{}", error.message);
    }
}
