//! Requests that no plugin sends: an engine's own, behind the same wall.
//!
//! Origins are compared with what the pack binds and the operator allows, names are resolved here
//! and private addresses refused unless the operator names them. A redirection is followed only to
//! the same origin, and only when it was asked for. What a secret was sent with is taken out of the
//! answer, should the server repeat it.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use url::Url;

use crate::address;
use crate::grant::{AllowedHost, Secret};
use crate::http::{self, Checked, Client};
use crate::origin::{Origin, strict_url};
use crate::world::casewright::plugin::http::{ErrorKind, HttpError, Payload};

mod digest;
mod speech;
#[cfg(test)]
mod tests;

/// Redirections followed by one request.
const HOPS_MAX: usize = 5;

/// Most of an answer that is taken, where it is kept with an instance.
pub const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Stands where a secret was.
const REDACTED: &[u8] = b"[redacted]";

/// The status of a server that wants to know who asks.
const UNAUTHORIZED: u16 = 401;

/// Sends requests.
#[derive(Default)]
pub struct Requests {
    client: Client,
    challenges: digest::Memory,
}

/// Who may be asked.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// `HOST:PORT`, or origins; of the pack. `None` where no pack has a say.
    pub pack: Option<Vec<String>>,
    /// The same of the operator; naming a private address allows connecting to it.
    pub operator: Vec<String>,
}

/// What is sent.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// `GET`
    pub method: String,
    /// The whole address.
    pub url: String,
    /// But for the credential.
    pub headers: Vec<(String, String)>,
    /// Empty for none.
    pub body: Vec<u8>,
    /// Put in after every check.
    pub credential: Option<Credential>,
    /// The same, where a document names secrets.
    pub sealed: Sealed,
    /// Whether a redirection to the same origin is followed.
    pub follow: bool,
    /// Longest answer that is taken.
    pub answer_bytes_max: usize,
    /// Whose it is: what a server asks of one owner is remembered for no other.
    pub owner: String,
}

/// Texts that hold secrets. They are shown by no debug output, go to no other origin, and are
/// taken out of the answer.
#[derive(Debug, Clone, Default)]
pub struct Sealed {
    /// Whole values of headers.
    pub headers: Vec<(String, Secret)>,
    /// Whole values of the query, after that of the address.
    pub query: Vec<(String, Secret)>,
    /// The secrets by themselves.
    pub words: Vec<Secret>,
}

/// Who asks. Its words are shown by no debug output.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A user's name and password.
    Basic(String, Secret),
    /// A token.
    Bearer(Secret),
    /// A user's name and password, of which only a hash is sent once the server asked for it.
    Digest(String, Secret),
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// As the server gave it.
    pub status: u16,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    /// As it came, without secrets.
    pub body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// What went wrong.
    pub kind: FailedKind,
    /// A sentence without values.
    pub message: String,
}

/// What went wrong with a request. After the first three nothing was sent; after `Refused` the
/// server has said that it does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedKind {
    /// Pack or operator do not allow it.
    Denied,
    /// It is no request.
    Invalid,
    /// No connection.
    Unreachable,
    /// The server asks for a credential that cannot be made.
    Refused,
    /// No answer in time; it may have arrived.
    TimedOut,
    /// The answer broke off, or is too long; it may have arrived.
    Broken,
}

impl Allowed {
    fn check(&self, origin: &Origin) -> Result<(), String> {
        let covers = |hosts: &[String]| {
            let mut hosts = hosts.iter().filter_map(|text| AllowedHost::read(text).ok());
            hosts.any(|host| host.covers(origin))
        };
        let host = origin.host_port();
        let mut lines = Vec::new();
        if self.pack.as_ref().is_some_and(|hosts| !covers(hosts)) {
            lines.push(format!(
                "in pack.yaml, write `http: {{ hosts: [ \"{host}\" ] }}`"
            ));
        }
        if !covers(&self.operator) {
            lines.push(format!(
                "the operator allows it with `--allow-host {host}`, or with `hosts = \
                 [\"{host}\"]` under [http] of the server's configuration"
            ));
        }
        if lines.is_empty() {
            return Ok(());
        }
        Err(format!(
            "no request may be sent to {origin}: {}",
            lines.join("; and ")
        ))
    }

    /// Addresses that are nobody's business are reached only by their own name.
    fn connection(&self, origin: &Origin, address: SocketAddr) -> Result<(), String> {
        let ip = address.ip().to_canonical();
        let Some(kind) = address::special(address.ip()) else {
            return Ok(());
        };
        let by_name = origin.names_loopback() && ip.is_loopback();
        if by_name || self.addresses().contains(&(ip, address.port())) {
            return Ok(());
        }
        let address = SocketAddr::new(ip, address.port());
        Err(format!(
            "no request may be sent to {origin}: it stands at {address}, {kind}; the operator \
             allows that by naming the address, `--allow-host {address}` or `hosts = \
             [\"{address}\"]` under [http] of the server's configuration"
        ))
    }

    fn addresses(&self) -> BTreeSet<(IpAddr, u16)> {
        let hosts = self.operator.iter();
        let hosts = hosts.filter_map(|text| AllowedHost::read(text).ok());
        hosts.filter_map(|host| host.address()).collect()
    }

    /// Entries that can never match, each with what to write instead.
    pub fn problems(&self) -> Vec<String> {
        let all = self.operator.iter().chain(self.pack.iter().flatten());
        all.filter_map(|text| AllowedHost::read(text).err())
            .collect()
    }
}

impl Requests {
    /// Sends one request within `patience`.
    pub async fn send(
        &self,
        allowed: &Allowed,
        request: Outgoing,
        patience: Duration,
    ) -> Result<Incoming, Failed> {
        let began = Instant::now();
        let mut target = strict_url(&request.url).map_err(|reason| {
            // What was filled into an address may name people.
            let quoted = reason.contains(&request.url);
            let plain = "the endpoint is no address that can be asked";
            invalid(if quoted { plain.to_owned() } else { reason })
        })?;
        if !request.sealed.query.is_empty() {
            let mut query = target.query_pairs_mut();
            for (name, value) in &request.sealed.query {
                query.append_pair(name, value.expose());
            }
        }
        let mut speech = self.speech(&request, &target);
        let mut hops = 0;
        loop {
            let left = patience.saturating_sub(began.elapsed());
            let said = speech.said(&request, &target)?;
            let checked = check(allowed, &request, said, target.clone(), left).await?;
            let (method, origin) = (checked.method.clone(), checked.origin.clone());
            let left = patience
                .saturating_sub(began.elapsed())
                .max(Duration::from_millis(1));
            let answer = self.client.exchange(checked, left).await;
            let status = answer.as_ref().map_or(0, |answer| answer.status);
            let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(%method, %origin, status, elapsed_ms, "request");
            let answer = answer.map_err(failed)?;
            if status == UNAUTHORIZED && speech.asked(&answer.headers)? {
                continue;
            }
            let next = elsewhere(&target, status, &answer.headers);
            match next.filter(|_| request.follow && hops < HOPS_MAX && is_safe(&method)) {
                Some(next) => target = next,
                None => return incoming(answer, &speech.words(), request.answer_bytes_max),
            }
            speech.again();
            hops += 1;
        }
    }

    /// Longest that a request may take.
    pub fn patience() -> Duration {
        http::TOTAL_DEFAULT
    }
}

async fn check(
    allowed: &Allowed,
    request: &Outgoing,
    credential: Option<String>,
    url: Url,
    left: Duration,
) -> Result<Checked, Failed> {
    let origin = Origin::of(&url);
    let denied = |message| Failed {
        kind: FailedKind::Denied,
        message,
    };
    allowed.check(&origin).map_err(denied)?;
    if request.body.len() > http::REQUEST_BYTES_MAX {
        return Err(invalid(format!(
            "the body has {} bytes; at most {} are sent",
            request.body.len(),
            http::REQUEST_BYTES_MAX
        )));
    }
    let method = Method::from_bytes(request.method.as_bytes())
        .map_err(|_| invalid("the method is none".to_owned()))?;
    let mut headers = http::headers::of_guest(&request.headers).map_err(invalid)?;
    for (name, value) in &request.sealed.headers {
        let sealed = [(name.clone(), value.expose().to_owned())];
        for (name, mut value) in http::headers::of_guest(&sealed).map_err(invalid)? {
            value.set_sensitive(true);
            headers.extend(name.map(|name| (name, value)));
        }
    }
    http::sign(&mut headers);
    if request.credential.is_some() && headers.contains_key(AUTHORIZATION) {
        return Err(invalid(
            "the header `authorization` is written by `authentication`; leave it out of `headers`"
                .to_owned(),
        ));
    }
    if let Some(credential) = credential {
        let mut value = HeaderValue::try_from(credential)
            .map_err(|_| invalid("the credential holds a sign that no header may".to_owned()))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let permit = |address| allowed.connection(&origin, address);
    let addresses = http::resolve(&origin, left.min(http::RESOLVE_MAX), permit).await;
    Ok(Checked {
        method,
        url,
        headers,
        body: request.body.clone(),
        addresses: addresses.map_err(failed)?,
        origin,
    })
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Where an answer sends whoever asked, as long as that is the same origin.
fn elsewhere(from: &Url, status: u16, headers: &[(String, String)]) -> Option<Url> {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let (_, location) = headers.iter().find(|(name, _)| name == "location")?;
    let mut to = from.join(location).ok()?;
    to.set_fragment(None);
    let to = strict_url(to.as_str()).ok()?;
    (Origin::of(&to) == Origin::of(from)).then_some(to)
}

fn incoming(
    answer: crate::world::casewright::plugin::http::Response,
    words: &[Vec<u8>],
    bytes_max: usize,
) -> Result<Incoming, Failed> {
    let body = match answer.body {
        Payload::Empty => Vec::new(),
        Payload::Text(text) => text.into_bytes(),
        Payload::Bytes(bytes) => bytes,
    };
    if body.len() > bytes_max {
        return Err(Failed {
            kind: FailedKind::Broken,
            message: format!("the answer has more than {bytes_max} bytes"),
        });
    }
    let clean = |text: Vec<u8>| words.iter().fold(text, |text, word| without(text, word));
    let headers = answer.headers.into_iter();
    let headers = headers.map(|(name, value)| {
        let value = String::from_utf8_lossy(&clean(value.into_bytes())).into_owned();
        (name, value)
    });
    Ok(Incoming {
        status: answer.status,
        headers: headers.collect(),
        body: clean(body),
    })
}

fn without(text: Vec<u8>, word: &[u8]) -> Vec<u8> {
    if !text.windows(word.len()).any(|part| part == word) {
        return text;
    }
    let mut clean = Vec::with_capacity(text.len());
    let mut rest = &text[..];
    while let Some(first) = rest.first() {
        if let Some(after) = rest.strip_prefix(word) {
            clean.extend_from_slice(REDACTED);
            rest = after;
        } else {
            clean.push(*first);
            rest = &rest[1..];
        }
    }
    clean
}

fn invalid(message: String) -> Failed {
    Failed {
        kind: FailedKind::Invalid,
        message,
    }
}

fn failed(error: HttpError) -> Failed {
    let kind = match error.kind {
        ErrorKind::Denied => FailedKind::Denied,
        ErrorKind::InvalidRequest => FailedKind::Invalid,
        ErrorKind::Dns | ErrorKind::Connect | ErrorKind::Tls => FailedKind::Unreachable,
        ErrorKind::Timeout if error.not_sent => FailedKind::Unreachable,
        ErrorKind::Timeout => FailedKind::TimedOut,
        ErrorKind::TooLarge if error.not_sent => FailedKind::Invalid,
        ErrorKind::TooLarge | ErrorKind::Protocol => FailedKind::Broken,
    };
    Failed {
        kind,
        message: error.message,
    }
}
