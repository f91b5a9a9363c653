//! What is sent to get a token, and what comes of the answer (RFC 6749, 7523, 8693; OpenID Connect
//! Discovery). Nothing here is sent, and no sentence holds a value.

use std::time::Duration;

use casewright_host::grant::Secret;
use casewright_host::request::{ANSWER_BYTES_MAX, Credential, Outgoing, Sealed};
use casewright_language::uri::encoded;
use casewright_language::workflow::Scheme;
use casewright_machine::http::{Answer, Unanswered};
use serde_json::{Map, Value, json};

mod claims;
#[cfg(test)]
mod tests;

/// Where an authority describes itself.
const DESCRIPTION: &str = "/.well-known/openid-configuration";
/// What authorities without OpenID Connect have.
const DESCRIPTION_PLAIN: &str = "/.well-known/oauth-authorization-server";
const TOKEN_PATH: &str = "/oauth2/token";
/// How long a token is kept whose answer does not say when it ends.
const LIFE_UNTOLD: Duration = Duration::from_mins(1);
/// Longer ones are asked for again.
const LIFE_MAX: Duration = Duration::from_hours(24);

const CLIENT_CREDENTIALS: &str = "client_credentials";
const PASSWORD: &str = "password";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Codes of RFC 6749 that an authority may give; whatever else it says is not repeated.
const CODES: [&str; 7] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
];

/// Everything that is said to get a token.
pub(super) struct Asking {
    authority: String,
    /// `endpoints.token`, where it is written.
    endpoint: Option<String>,
    described: bool,
    /// Parameters of the grant, in the order they are sent.
    grant: Vec<(&'static str, String)>,
    how: How,
    id: Option<String>,
    secret: Option<String>,
    assertion: Option<String>,
    as_json: bool,
    issuers: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Post,
    Basic,
    Assertion,
    Nothing,
}

/// Where the token's endpoint is learnt.
pub(super) enum Endpoint {
    Known(String),
    /// In the description at this address.
    Described(String),
}

/// A token as it was given.
#[derive(PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) life: Duration,
}

impl Asking {
    /// What these words say; the sentence says what is wrong with them, without their values.
    pub(super) fn of(scheme: Scheme, words: &Map<String, Value>) -> Result<Self, String> {
        let words = Words(words);
        let how = match words.text("client.authentication")?.as_deref() {
            None | Some("client_secret_post") => How::Post,
            Some("client_secret_basic") => How::Basic,
            Some("private_key_jwt") => How::Assertion,
            Some("none") => How::Nothing,
            Some(_) => return Err(one_of("client.authentication", &CLIENTS)),
        };
        let as_json = match words.text("request.encoding")?.as_deref() {
            None | Some("application/x-www-form-urlencoded") => false,
            Some("application/json") => true,
            Some(_) => return Err(one_of("request.encoding", &ENCODINGS)),
        };
        let asking = Self {
            authority: words
                .required("authority")?
                .trim_end_matches('/')
                .to_owned(),
            endpoint: words.text("endpoints.token")?,
            described: scheme == Scheme::Oidc,
            grant: grant(&words)?,
            how,
            id: words.text("client.id")?,
            secret: words.text("client.secret")?,
            assertion: words.text("client.assertion")?,
            as_json,
            issuers: words.texts("issuers")?,
        };
        asking.checked()
    }

    fn checked(self) -> Result<Self, String> {
        let missing = match self.how {
            How::Nothing => None,
            _ if self.id.is_none() => Some("client.id"),
            How::Basic if self.secret.is_none() => Some("client.secret"),
            How::Assertion if self.assertion.is_none() => Some("client.assertion"),
            How::Post | How::Basic | How::Assertion => None,
        };
        let alone = self.id.is_none() && self.secret.is_none() && self.assertion.is_none();
        let needed = self
            .grant
            .iter()
            .any(|(_, value)| value == CLIENT_CREDENTIALS);
        match missing {
            // Another grant says by itself who asks.
            Some(_) if alone && !needed => Ok(Self {
                how: How::Nothing,
                ..self
            }),
            Some(name) => Err(format!("it has no `{name}`")),
            None => Ok(self),
        }
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        let mut base = self.authority.as_str();
        let mut described = self.described.then(|| format!("{base}{DESCRIPTION}"));
        for known in [DESCRIPTION, DESCRIPTION_PLAIN] {
            if let Some(before) = self.authority.strip_suffix(known) {
                described = Some(self.authority.clone());
                base = before;
            }
        }
        match (&self.endpoint, described) {
            (Some(path), _) if path.contains("://") => Endpoint::Known(path.clone()),
            (Some(path), _) if !self.described => {
                Endpoint::Known(format!("{base}/{}", path.trim_start_matches('/')))
            }
            (_, Some(address)) => Endpoint::Described(address),
            (_, None) => Endpoint::Known(format!("{base}{TOKEN_PATH}")),
        }
    }

    /// The request for the description of an authority.
    pub(super) fn look_up(address: String, owner: &str) -> Outgoing {
        Outgoing {
            method: "GET".to_owned(),
            url: address,
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body: Vec::new(),
            credential: None,
            sealed: Sealed::default(),
            follow: false,
            answer_bytes_max: ANSWER_BYTES_MAX,
            owner: owner.to_owned(),
        }
    }

    /// The token's endpoint in what an authority says of itself.
    pub(super) fn described(answer: &Answer) -> Result<String, Unanswered> {
        if answer.status != 200 {
            let sentence = format!("the authority's description was answered {}", answer.status);
            return Err(Unanswered::NoToken(unwell(answer.status), sentence));
        }
        let described: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let endpoint = described
            .as_ref()
            .and_then(|it| it["token_endpoint"].as_str());
        endpoint.map(str::to_owned).ok_or_else(|| {
            let sentence = "the authority's description names no `token_endpoint`";
            Unanswered::NoToken(BAD_ANSWER, sentence.to_owned())
        })
    }

    /// The request for a token.
    pub(super) fn ask(&self, url: String, owner: &str) -> Outgoing {
        let mut said = self.grant.clone();
        let mut credential = None;
        let id = self.id.clone().unwrap_or_default();
        let secret = self.secret.clone().unwrap_or_default();
        match self.how {
            // Both are encoded first: a colon would end the name.
            How::Basic => {
                let secret = Secret::new(encoded(&secret));
                credential = Some(Credential::Basic(encoded(&id), secret));
            }
            How::Post => {
                said.push(("client_id", id));
                said.extend(self.secret.clone().map(|secret| ("client_secret", secret)));
            }
            How::Assertion => {
                said.push(("client_id", id));
                said.push(("client_assertion_type", ASSERTION.to_owned()));
                said.push((
                    "client_assertion",
                    self.assertion.clone().unwrap_or_default(),
                ));
            }
            How::Nothing => said.extend(self.id.clone().map(|id| ("client_id", id))),
        }
        let (kind, body) = if self.as_json {
            let members = said
                .into_iter()
                .map(|(name, value)| (name.to_owned(), json!(value)));
            let body = Value::Object(members.collect()).to_string();
            ("application/json", body)
        } else {
            let pairs = said.iter();
            let pairs: Vec<String> = pairs
                .map(|(name, value)| format!("{name}={}", encoded(value)))
                .collect();
            ("application/x-www-form-urlencoded", pairs.join("&"))
        };
        Outgoing {
            method: "POST".to_owned(),
            url,
            headers: vec![
                ("accept".to_owned(), "application/json".to_owned()),
                ("content-type".to_owned(), kind.to_owned()),
            ],
            body: body.into_bytes(),
            credential,
            sealed: Sealed::default(),
            follow: false,
            answer_bytes_max: ANSWER_BYTES_MAX,
            owner: owner.to_owned(),
        }
    }

    /// The token of an answer.
    pub(super) fn given(&self, answer: &Answer) -> Result<Token, Unanswered> {
        let said: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let said = said.unwrap_or_default();
        let bad = |sentence: &str| Err(Unanswered::NoToken(BAD_ANSWER, sentence.to_owned()));
        match answer.status {
            200..=299 => {}
            status @ 400..=499 if !matches!(status, 404 | 405 | 408 | 429) => {
                let code = said["error"].as_str();
                let code = code.and_then(|code| CODES.iter().find(|known| **known == code));
                let code = code.map_or_else(String::new, |code| format!(" ({code})"));
                let sentence = format!("the token endpoint refused this client: {status}{code}");
                return Err(Unanswered::NotKnown(sentence));
            }
            status => {
                let sentence = format!("the token endpoint answered {status}");
                return Err(Unanswered::NoToken(unwell(status), sentence));
            }
        }
        let Some(text) = said["access_token"]
            .as_str()
            .filter(|text| !text.is_empty())
        else {
            return bad("the token endpoint gave no `access_token`");
        };
        let kind = said["token_type"].as_str();
        if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return bad("the token endpoint gave a token that is no bearer token");
        }
        if !self.issuers.is_empty() {
            let issuer = claims::issuer(text);
            if !issuer.is_some_and(|issuer| self.issuers.contains(&issuer)) {
                let sentence = "the token is of none of the `issuers`, or does not say by whom";
                return Err(Unanswered::NotKnown(sentence.to_owned()));
            }
        }
        let life = match &said["expires_in"] {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_f64(),
        };
        let life = life.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok());
        Ok(Token {
            text: text.to_owned(),
            life: life.map_or(LIFE_UNTOLD, |life| life.min(LIFE_MAX)),
        })
    }
}

const CLIENTS: [&str; 4] = [
    "client_secret_post",
    "client_secret_basic",
    "private_key_jwt",
    "none",
];
const ENCODINGS: [&str; 2] = ["application/x-www-form-urlencoded", "application/json"];
const GRANTS: [&str; 3] = [CLIENT_CREDENTIALS, PASSWORD, EXCHANGE];

/// Status of an answer that came and could not be used.
const BAD_ANSWER: i64 = 502;

/// A status that is no success, as that of an error: an answer of 200 without what was asked for
/// is a bad one.
fn unwell(status: u16) -> i64 {
    match status {
        300..=599 => i64::from(status),
        _ => BAD_ANSWER,
    }
}

fn grant(words: &Words<'_>) -> Result<Vec<(&'static str, String)>, String> {
    let grant = words.required("grant")?;
    let mut said = vec![("grant_type", grant.clone())];
    match grant.as_str() {
        CLIENT_CREDENTIALS => {}
        PASSWORD => {
            said.push(("username", words.required("username")?));
            said.push(("password", words.required("password")?));
        }
        EXCHANGE => {
            said.push(("subject_token", words.required("subject.token")?));
            said.push(("subject_token_type", words.required("subject.type")?));
            if let Some(token) = words.text("actor.token")? {
                said.push(("actor_token", token));
                said.push(("actor_token_type", words.required("actor.type")?));
            }
        }
        _ => return Err(one_of("grant", &GRANTS)),
    }
    for (name, key) in [("scope", "scopes"), ("audience", "audiences")] {
        let texts = words.texts(key)?;
        if !texts.is_empty() {
            said.push((name, texts.join(" ")));
        }
    }
    Ok(said)
}

fn one_of(name: &str, known: &[&str]) -> String {
    format!("`{name}` is none of `{}`", known.join("`, `"))
}

/// Words by path, `client.id`.
struct Words<'a>(&'a Map<String, Value>);

impl Words<'_> {
    fn find(&self, path: &str) -> Option<&Value> {
        let mut parts = path.split('.');
        let first = self.0.get(parts.next()?)?;
        let found = parts.try_fold(first, |value, part| value.get(part))?;
        Some(found).filter(|value| !value.is_null())
    }

    fn text(&self, path: &str) -> Result<Option<String>, String> {
        match self.find(path) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("`{path}` must be text")),
        }
    }

    fn required(&self, path: &str) -> Result<String, String> {
        let text = self.text(path)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| format!("it has no `{path}`"))
    }

    fn texts(&self, path: &str) -> Result<Vec<String>, String> {
        let wrong = || format!("`{path}` must be a list of texts");
        let items = match self.find(path) {
            None => return Ok(Vec::new()),
            Some(value) => value.as_array().ok_or_else(wrong)?,
        };
        let text = |item: &Value| item.as_str().map(str::to_owned).ok_or_else(wrong);
        items.iter().map(text).collect()
    }
}
