//! In WebAssembly every question goes to the engine, through the generated bindings.

use std::time::Duration;

use crate::bindings::casewright::plugin as import;
use crate::http::{Body, Credential, Error, ErrorKind, Method, Request, Response};
use crate::kv::{KvError, Stored};
use crate::log::Level;
use crate::progress::Signal;
use crate::secrets::SecretError;

pub(crate) fn config() -> String {
    import::config::get()
}

pub(crate) fn log(level: Level, message: &str, fields: &[(&str, &str)]) {
    let level = match level {
        Level::Trace => import::log::Level::Trace,
        Level::Debug => import::log::Level::Debug,
        Level::Info => import::log::Level::Info,
        Level::Warn => import::log::Level::Warn,
        Level::Error => import::log::Level::Error,
    };
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    import::log::emit(level, message, &fields);
}

pub(crate) fn now_unix_ms() -> u64 {
    import::clock::now_unix_ms()
}

pub(crate) fn random_bytes(count: u32) -> Vec<u8> {
    import::clock::random_bytes(count)
}

pub(crate) fn hmac_sha256(name: &str, bytes: &[u8]) -> Result<Vec<u8>, SecretError> {
    import::secrets::hmac_sha256(name, bytes).map_err(secret_error)
}

pub(crate) fn reveal(name: &str) -> Result<String, SecretError> {
    import::secrets::reveal(name).map_err(secret_error)
}

fn secret_error(error: import::secrets::SecretError) -> SecretError {
    match error {
        import::secrets::SecretError::Denied => SecretError::Denied,
        import::secrets::SecretError::NotFound => SecretError::NotFound,
        import::secrets::SecretError::Unavailable => SecretError::Unavailable,
    }
}

pub(crate) fn kv_get(key: &str) -> Result<Option<Stored>, KvError> {
    let entry = import::kv::get(key).map_err(kv_error)?;
    Ok(entry.map(|entry| Stored {
        value: entry.value,
        version: entry.version,
    }))
}

pub(crate) fn kv_put(
    key: &str,
    value: &[u8],
    expected: Option<u64>,
    lifetime: Option<Duration>,
) -> Result<bool, KvError> {
    import::kv::put(key, value, expected, lifetime.map(whole_ms)).map_err(kv_error)
}

pub(crate) fn kv_delete(key: &str) -> Result<(), KvError> {
    import::kv::delete(key).map_err(kv_error)
}

fn kv_error(error: import::kv::KvError) -> KvError {
    match error {
        import::kv::KvError::Denied => KvError::Denied,
        import::kv::KvError::TooLarge => KvError::TooLarge,
        import::kv::KvError::Quota => KvError::Quota,
        import::kv::KvError::Unavailable => KvError::Unavailable,
    }
}

pub(crate) fn report(percent: Option<u8>, note: &str) -> Signal {
    match import::progress::report(percent, note) {
        import::progress::Signal::Continue => Signal::Continue,
        import::progress::Signal::CancelRequested => Signal::CancelRequested,
    }
}

pub(crate) fn send(request: Request) -> Result<Response, Error> {
    let timeout = request
        .timeout
        .map(|timeout| u32::try_from(whole_ms(timeout)));
    let request = import::http::Request {
        method: method(request.method),
        url: request.url,
        headers: request.headers,
        body: match request.body {
            Body::Empty => import::http::Payload::Empty,
            Body::Text(text) => import::http::Payload::Text(text),
            Body::Bytes(bytes) => import::http::Payload::Bytes(bytes),
        },
        credential: request.credential.map(credential),
        timeout_ms: timeout.map(|ms| ms.unwrap_or(u32::MAX)),
    };
    let response = import::http::send(&request).map_err(|error| Error::Transport {
        kind: error_kind(error.kind),
        message: error.message,
        not_sent: error.not_sent,
    })?;
    Ok(Response {
        status: response.status,
        headers: response.headers,
        body: match response.body {
            import::http::Payload::Empty => Body::Empty,
            import::http::Payload::Text(text) => Body::Text(text),
            import::http::Payload::Bytes(bytes) => Body::Bytes(bytes),
        },
    })
}

fn method(method: Method) -> import::http::Method {
    match method {
        Method::Get => import::http::Method::Get,
        Method::Head => import::http::Method::Head,
        Method::Post => import::http::Method::Post,
        Method::Put => import::http::Method::Put,
        Method::Patch => import::http::Method::Patch,
        Method::Delete => import::http::Method::Delete,
    }
}

fn credential(credential: Credential) -> import::http::Credential {
    match credential {
        Credential::Bearer(secret) => import::http::Credential::Bearer(secret),
        Credential::Basic { user, secret } => import::http::Credential::Basic((user, secret)),
        Credential::Header { name, secret } => import::http::Credential::Header((name, secret)),
    }
}

fn error_kind(kind: import::http::ErrorKind) -> ErrorKind {
    match kind {
        import::http::ErrorKind::Denied => ErrorKind::Denied,
        import::http::ErrorKind::InvalidRequest => ErrorKind::InvalidRequest,
        import::http::ErrorKind::Dns => ErrorKind::Dns,
        import::http::ErrorKind::Connect => ErrorKind::Connect,
        import::http::ErrorKind::Tls => ErrorKind::Tls,
        import::http::ErrorKind::Timeout => ErrorKind::Timeout,
        import::http::ErrorKind::TooLarge => ErrorKind::TooLarge,
        import::http::ErrorKind::Protocol => ErrorKind::Protocol,
    }
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
