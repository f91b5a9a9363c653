//! `http.send`: the one way out of a plugin.
//!
//! The URL is parsed once and compared with the grant; the name is resolved here, every address
//! is looked at, and the connection goes to one of these very addresses, so that a name cannot
//! change its mind in between. No redirects, no proxies, no cookies, no connection kept: nothing
//! passes from one call to the next. The credential is added after all checks.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Response};
use rustls::ClientConfig;
use url::Url;

use crate::grant::{Grant, GrantedOrigin};
use crate::origin::{Origin, strict_url};
use crate::state::State;
use crate::world::casewright::plugin::http::{
    Credential, ErrorKind, Host, HttpError, Method as GuestMethod, Payload, Request,
    Response as GuestResponse,
};

pub(crate) mod headers;
mod tls;

const CALL_COUNT_MAX: u32 = 50;
pub(crate) const REQUEST_BYTES_MAX: usize = 1024 * 1024;
const RESPONSE_BYTES_MAX: usize = 4 * 1024 * 1024;
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Of the time left: a connection that is given up before the whole request is, is certainly
/// unused.
const CONNECT_SHARE: f32 = 0.9;
pub(crate) const RESOLVE_MAX: Duration = Duration::from_secs(5);
/// Longest wait when the guest names none; the call's deadline is shorter or longer.
pub(crate) const TOTAL_DEFAULT: Duration = Duration::from_secs(30);
/// Time left to a guest after the longest wait, to make an answer of a timeout.
const GUEST_MARGIN: Duration = Duration::from_millis(200);

/// What outlives a call: how to trust servers. Connections do not.
#[derive(Default)]
pub(crate) struct Client {
    trust: OnceLock<Result<ClientConfig, String>>,
}

impl Host for State {
    async fn send(
        &mut self,
        request: Request,
    ) -> wasmtime::Result<Result<GuestResponse, HttpError>> {
        self.running("http.send")?;
        if self.http_count == CALL_COUNT_MAX {
            return Ok(Err(refused(
                ErrorKind::Denied,
                format!("one call may send {CALL_COUNT_MAX} requests and has sent them"),
            )));
        }
        self.http_count += 1;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let asked = request
            .timeout_ms
            .map_or(TOTAL_DEFAULT, |ms| Duration::from_millis(ms.into()));
        let patience = asked.min(left.saturating_sub(GUEST_MARGIN.min(left / 10)));
        if patience.is_zero() {
            let message = "no time is left to send a request".to_owned();
            return Ok(Err(refused(ErrorKind::Timeout, message)));
        }
        let sent_before = self.sent;
        // Set before the first byte: when the call is dropped meanwhile, this is what stays known.
        self.sent = true;
        let result = self.http.send(&self.grant, request, patience).await;
        if result.as_ref().is_err_and(|error| error.not_sent) {
            self.sent = sent_before;
        }
        Ok(result)
    }
}

/// A request that passed every check.
pub(crate) struct Checked {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) origin: Origin,
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Client {
    async fn send(
        &self,
        grant: &Grant,
        request: Request,
        patience: Duration,
    ) -> Result<GuestResponse, HttpError> {
        let began = Instant::now();
        let checked = check(grant, request, patience).await?;
        let (method, origin) = (checked.method.clone(), checked.origin.clone());
        let left = patience
            .saturating_sub(began.elapsed())
            .max(Duration::from_millis(1));
        let result = self.exchange(checked, left).await;
        let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = result.as_ref().map_or(0, |response| response.status);
        tracing::debug!(plugin = grant.plugin, %method, %origin, status, elapsed_ms, "http");
        result
    }

    pub(crate) async fn exchange(
        &self,
        checked: Checked,
        left: Duration,
    ) -> Result<GuestResponse, HttpError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls(&checked.origin)?)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .http1_max_headers(headers::COUNT_MAX)
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_MAX.min(left.mul_f32(CONNECT_SHARE)))
            .timeout(left)
            .resolve_to_addrs(&checked.origin.host(), &checked.addresses)
            .build()
            .map_err(|error| failed(&error))?;
        let bodyless = checked.method == Method::HEAD;
        let mut request = client
            .request(checked.method, checked.url)
            .headers(checked.headers);
        if !checked.body.is_empty() {
            request = request.body(checked.body);
        }
        let response = request.send().await.map_err(|error| failed(&error))?;
        read(response, bodyless).await
    }

    /// Roots of trust are read from the system once, and only when something is sent over TLS.
    fn tls(&self, origin: &Origin) -> Result<ClientConfig, HttpError> {
        if !origin.secure() {
            return Ok(tls::unused());
        }
        let trust = self.trust.get_or_init(tls::platform);
        trust
            .clone()
            .map_err(|reason| refused(ErrorKind::Tls, reason))
    }
}

/// Everything that can be refused before a connection is made.
async fn check(grant: &Grant, request: Request, patience: Duration) -> Result<Checked, HttpError> {
    let invalid = |reason: String| refused(ErrorKind::InvalidRequest, reason);
    let denied = |reason: String| refused(ErrorKind::Denied, reason);
    let url = strict_url(&request.url).map_err(invalid)?;
    let origin = Origin::of(&url);
    let method = method(request.method);
    let granted = grant.origin(&origin, method.as_str()).map_err(denied)?;
    let body = match request.body {
        Payload::Empty => Vec::new(),
        Payload::Text(text) => text.into_bytes(),
        Payload::Bytes(bytes) => bytes,
    };
    if body.len() > REQUEST_BYTES_MAX {
        return Err(refused(
            ErrorKind::TooLarge,
            format!(
                "the body has {} bytes; at most {REQUEST_BYTES_MAX} are sent",
                body.len()
            ),
        ));
    }
    let mut headers = headers::of_guest(&request.headers).map_err(invalid)?;
    sign(&mut headers);
    if let Some(credential) = request.credential {
        let (name, value) = credential_header(grant, granted, &credential)?;
        if headers.contains_key(&name) {
            return Err(invalid(format!(
                "header `{name}` is the credential's; leave it out of the request's headers"
            )));
        }
        headers.insert(name, value);
    }
    let allowed = |address| grant.connection(granted, address);
    let addresses = resolve(&granted.origin, patience.min(RESOLVE_MAX), allowed).await?;
    Ok(Checked {
        method,
        url,
        headers,
        body,
        origin,
        addresses,
    })
}

/// Says who we are, unless the request does.
pub(crate) fn sign(headers: &mut HeaderMap) {
    headers
        .entry(reqwest::header::USER_AGENT)
        .or_insert(HeaderValue::from_static(concat!(
            "casewright/",
            env!("CARGO_PKG_VERSION")
        )));
}

/// Finds the addresses of a host and keeps those that may be connected to; a host that has none
/// is denied with the reason for the first.
pub(crate) async fn resolve(
    origin: &Origin,
    patience: Duration,
    allowed: impl Fn(SocketAddr) -> Result<(), String>,
) -> Result<Vec<SocketAddr>, HttpError> {
    let found = match origin.address() {
        Some(address) => vec![SocketAddr::new(address, origin.port())],
        None => look_up(origin, patience).await?,
    };
    let mut reason = None;
    let mut addresses = Vec::new();
    for address in found {
        match allowed(address) {
            Ok(()) => addresses.push(address),
            Err(why) => reason = reason.or(Some(why)),
        }
    }
    match reason {
        Some(reason) if addresses.is_empty() => Err(refused(ErrorKind::Denied, reason)),
        _ if addresses.is_empty() => Err(refused(
            ErrorKind::Dns,
            format!("{} has no address", origin.host()),
        )),
        _ => Ok(addresses),
    }
}

async fn look_up(origin: &Origin, patience: Duration) -> Result<Vec<SocketAddr>, HttpError> {
    let host = origin.host();
    let lookup = tokio::net::lookup_host((host.as_str(), origin.port()));
    match tokio::time::timeout(patience, lookup).await {
        Ok(Ok(found)) => Ok(found.collect()),
        Ok(Err(_)) => Err(refused(
            ErrorKind::Dns,
            format!("{host} could not be resolved"),
        )),
        Err(_) => Err(refused(
            ErrorKind::Dns,
            format!("{host} was not resolved in time"),
        )),
    }
}

fn credential_header(
    grant: &Grant,
    granted: &GrantedOrigin,
    credential: &Credential,
) -> Result<(HeaderName, HeaderValue), HttpError> {
    let denied = |reason: String| refused(ErrorKind::Denied, reason);
    let (name, secret, value) = match credential {
        Credential::Bearer(secret) => {
            let value = grant.credential(secret, granted).map_err(denied)?;
            (
                reqwest::header::AUTHORIZATION,
                secret,
                format!("Bearer {}", value.expose()),
            )
        }
        Credential::Basic((user, secret)) => {
            let value = grant.credential(secret, granted).map_err(denied)?;
            (
                reqwest::header::AUTHORIZATION,
                secret,
                headers::basic(user, value.expose()),
            )
        }
        Credential::Header((name, secret)) => {
            let value = grant.credential(secret, granted).map_err(denied)?;
            let name = headers::name(name).map_err(|r| refused(ErrorKind::InvalidRequest, r))?;
            (name, secret, value.expose().to_owned())
        }
    };
    let mut value = HeaderValue::try_from(value).map_err(|_| {
        refused(
            ErrorKind::InvalidRequest,
            format!("the value of secret `{secret}` cannot stand in a header"),
        )
    })?;
    value.set_sensitive(true);
    Ok((name, value))
}

async fn read(mut response: Response, bodyless: bool) -> Result<GuestResponse, HttpError> {
    let headers = headers::of_response(response.headers()).map_err(|reason| HttpError {
        kind: ErrorKind::TooLarge,
        message: reason,
        not_sent: false,
    })?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
        if body.len() + chunk.len() > RESPONSE_BYTES_MAX {
            return Err(HttpError {
                kind: ErrorKind::TooLarge,
                message: format!("the answer has more than {RESPONSE_BYTES_MAX} bytes"),
                not_sent: false,
            });
        }
        body.extend_from_slice(&chunk);
    }
    let textual = headers::is_textual(response.headers());
    let body = match body {
        body if bodyless || body.is_empty() => Payload::Empty,
        body if textual => match String::from_utf8(body) {
            Ok(text) => Payload::Text(text),
            Err(bytes) => Payload::Bytes(bytes.into_bytes()),
        },
        body => Payload::Bytes(body),
    };
    Ok(GuestResponse {
        status: response.status().as_u16(),
        headers,
        body,
    })
}

/// An error before a connection was even tried.
fn refused(kind: ErrorKind, message: String) -> HttpError {
    HttpError {
        kind,
        message,
        not_sent: true,
    }
}

/// An error of the exchange. Only while connecting is it certain that nothing was sent.
fn failed(error: &reqwest::Error) -> HttpError {
    let (kind, not_sent) = if error.is_builder() {
        (ErrorKind::InvalidRequest, true)
    } else if error.is_connect() {
        (
            if tls::caused(error) {
                ErrorKind::Tls
            } else {
                ErrorKind::Connect
            },
            true,
        )
    } else if error.is_timeout() {
        (ErrorKind::Timeout, false)
    } else {
        (ErrorKind::Protocol, false)
    };
    HttpError {
        kind,
        message: root(error),
        not_sent,
    }
}

/// The innermost cause; the outer ones repeat the URL, which may name people.
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if cause.is::<reqwest::Error>() {
        return if error.is_timeout() {
            "no answer in time"
        } else {
            "the exchange broke off"
        }
        .to_owned();
    }
    cause.to_string()
}

fn method(method: GuestMethod) -> Method {
    match method {
        GuestMethod::Get => Method::GET,
        GuestMethod::Head => Method::HEAD,
        GuestMethod::Post => Method::POST,
        GuestMethod::Put => Method::PUT,
        GuestMethod::Patch => Method::PATCH,
        GuestMethod::Delete => Method::DELETE,
    }
}

#[cfg(test)]
mod tests;
