//! `call: http`: the request that a task wants sent. What comes of an answer is in `answer`.
//!
//! The request is the input of a call like any other: fixed with its key, kept with the instance,
//! sent after the commit. A secret is only named in it; who sends the request puts the value in.

mod answer;
mod base64;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use casewright_language::uri::encoded;
use casewright_language::workflow::{
    Authentication as Written, Http, Method, OutputAs, Piece, Scheme,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::{self, Wanted};
use crate::position::{Progress, State};
use crate::record::{Fate, Record};
use crate::run::{Run, Stop, kind_of};
use crate::task::Here;
use crate::{Call, Fault};

pub use answer::{Answer, Unanswered};

/// What [`crate::Call::function`] is for a request.
pub const FUNCTION: &str = "http";

/// One request, as the input of its call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What it does.
    pub method: Method,
    /// The whole address, with its query.
    pub uri: String,
    /// Of the document; names as they were written.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Text is sent as it is, anything else as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// What holds secrets: pieces of the document, never of a run's data.
    #[serde(default, skip_serializing_if = "Sealed::is_empty")]
    pub sealed: Sealed,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
    /// What of the answer becomes output.
    #[serde(default, skip_serializing_if = "is_content")]
    pub output: OutputAs,
    /// Whether an answer of 300 to 399 is no error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redirect: bool,
}

/// Texts that hold secrets, by name. Their values are put in by whoever sends the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Of the document; names as they were written.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Vec<Piece>>,
    /// After the query of the address.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, Vec<Piece>>,
}

impl Sealed {
    fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.query.is_empty()
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// How it is said.
    pub scheme: Scheme,
    /// Where the words come from.
    #[serde(flatten)]
    pub from: Source,
}

/// Where the words of an authentication come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The secret of this name.
    #[serde(rename = "use")]
    Secret(String),
    /// The document or its data: `username` and `password`, `token`, or what is said to get one.
    Words(Map<String, Value>),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is what serde calls")]
pub(crate) fn is_content(output: &OutputAs) -> bool {
    *output == OutputAs::Content
}

/// Whether a request may be sent again when nobody knows whether it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It changes nothing.
    Free,
    /// Twice is as once.
    Keyed,
    /// Twice may be twice.
    Never,
}

impl Request {
    /// The request that a call was given.
    pub fn of(input: &Value) -> Option<Self> {
        Self::deserialize(input).ok()
    }

    /// Whether it may be sent again.
    pub fn repeat(&self) -> Repeat {
        repeat(self.method)
    }

    /// `GET`
    pub fn method_name(&self) -> &'static str {
        match self.method {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Options => "OPTIONS",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// Headers with what the engine adds, but for the authentication.
    pub fn headers_sent(&self, key: &str) -> Vec<(String, String)> {
        let given = self.headers.iter();
        let mut headers: Vec<(String, String)> = given
            .filter(|(name, _)| !name.eq_ignore_ascii_case(IDEMPOTENCY_KEY))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if let Some(kind) = self.body.as_ref().and_then(|body| self.kind_of(body)) {
            headers.push((CONTENT_TYPE.to_owned(), kind.to_owned()));
        }
        if self.repeat() != Repeat::Free {
            headers.push((IDEMPOTENCY_KEY.to_owned(), key.to_owned()));
        }
        headers
    }

    /// The bytes of the body; none where there is no body.
    pub fn body_sent(&self) -> Vec<u8> {
        match &self.body {
            None => Vec::new(),
            Some(Value::String(text)) => text.clone().into_bytes(),
            Some(Value::Object(members)) if self.is_form() => {
                let pair = |(name, value): (&String, &Value)| {
                    let value = value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned);
                    format!("{}={}", encoded(name), encoded(&value))
                };
                let pairs: Vec<String> = members.iter().map(pair).collect();
                pairs.join("&").into_bytes()
            }
            Some(other) => other.to_string().into_bytes(),
        }
    }

    fn header(&self, wanted: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_str())
    }

    fn is_form(&self) -> bool {
        let kind = self.header(CONTENT_TYPE).unwrap_or_default();
        answer::essence(kind) == "application/x-www-form-urlencoded"
    }

    /// The type of the body, unless the document says it.
    fn kind_of(&self, body: &Value) -> Option<&'static str> {
        if self.header(CONTENT_TYPE).is_some() {
            return None;
        }
        Some(match body {
            Value::String(_) => "text/plain; charset=utf-8",
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => "application/json",
        })
    }
}

const CONTENT_TYPE: &str = "content-type";
const IDEMPOTENCY_KEY: &str = "idempotency-key";

fn repeat(method: Method) -> Repeat {
    match method {
        Method::Get | Method::Head | Method::Options => Repeat::Free,
        Method::Put | Method::Delete => Repeat::Keyed,
        Method::Post | Method::Patch => Repeat::Never,
    }
}

pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    http: &Http,
) -> Result<Progress<State>, Stop> {
    let given = run.value(&http.with, here.input, &here.sight(run))?;
    let request = request(here, http, &given)
        .map_err(|sentence| Fault::validation(here.place(), sentence))?;
    // What changes nothing needs no key that outlives a retry, and may ask for something else then.
    let kept = here.scope.kept && repeat(http.method) != Repeat::Free;
    let wanted = Wanted {
        function: FUNCTION,
        version: None,
        input: json!(request),
        kept,
        attempt: 1,
    };
    call::start(run, here, wanted)
}

/// Nobody waits for its answer any more. Whether it arrived is not known then, and what must not
/// arrive twice is never sent again by a retry.
pub(crate) fn abandoned(record: &mut Record, call: &Call) {
    let request = Some(call).filter(|call| call.function == FUNCTION);
    let request = request.and_then(|call| Request::of(&call.input));
    if request.is_some_and(|request| request.repeat() == Repeat::Never) {
        let mut intents = record.intents.values_mut();
        if let Some(intent) = intents.find(|intent| intent.key == call.key) {
            intent.fate = Fate::InDoubt;
        }
    }
}

/// Values are never in what an error says.
fn request(here: &Here<'_>, http: &Http, given: &Value) -> Result<Request, String> {
    let mut uri = match &http.endpoint {
        Some(written) => written.fill(here.input)?,
        None => match given.get("endpoint") {
            Some(Value::String(uri)) => uri.clone(),
            other => {
                let found = kind_of(other.unwrap_or(&Value::Null));
                return Err(format!("the endpoint must be text, but is {found}"));
            }
        },
    };
    for (name, value) in texts(given.get("query"), "query")? {
        uri.push(if uri.contains('?') { '&' } else { '?' });
        uri.push_str(&encoded(&name));
        uri.push('=');
        uri.push_str(&encoded(&value));
    }
    let written = http.authentication.as_ref();
    let words = given.get("authentication");
    let authentication = written.map(|written| authentication(here.input, written, words));
    Ok(Request {
        method: http.method,
        uri,
        headers: texts(given.get("headers"), "headers")?,
        // Null is no body.
        body: given.get("body").filter(|body| !body.is_null()).cloned(),
        sealed: Sealed {
            headers: http.sealed_headers.iter().cloned().collect(),
            query: http.sealed_query.iter().cloned().collect(),
        },
        authentication: authentication.transpose()?,
        output: http.output,
        redirect: http.redirect,
    })
}

/// Who asks, with the words that are no secret.
pub(crate) fn authentication(
    input: &Value,
    written: &Written,
    words: Option<&Value>,
) -> Result<Authentication, String> {
    let from = match (&written.secret, written.scheme) {
        (Some(name), _) => Source::Secret(name.clone()),
        (None, Scheme::Basic | Scheme::Bearer | Scheme::Digest) => {
            let words = texts(words, "authentication")?.into_iter();
            Source::Words(words.map(|(name, word)| (name, word.into())).collect())
        }
        (None, Scheme::Oauth2 | Scheme::Oidc) => {
            let words = words.and_then(Value::as_object);
            let mut words = words.cloned().unwrap_or_default();
            if let Some(authority) = &written.authority {
                words.insert("authority".to_owned(), authority.fill(input)?.into());
            }
            Source::Words(words)
        }
    };
    Ok(Authentication {
        scheme: written.scheme,
        from,
    })
}

/// Names with text. A number is written out; nothing at all is an error, since leaving a filter
/// out would ask for everything.
fn texts(given: Option<&Value>, what: &str) -> Result<BTreeMap<String, String>, String> {
    let members = match given {
        None => return Ok(BTreeMap::new()),
        Some(Value::Object(members)) => members,
        Some(other) => {
            let found = kind_of(other);
            return Err(format!("`{what}` must be an object, but is {found}"));
        }
    };
    let text = |(name, value): (&String, &Value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                let found = kind_of(value);
                return Err(format!("`{name}` of `{what}` must be text, but is {found}"));
            }
        };
        Ok((name.clone(), text))
    };
    members.iter().map(text).collect()
}
