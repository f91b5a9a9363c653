//! Requests to the outside, through the engine, which holds the allow-list and the credentials.
//!
//! ```no_run
//! # use casewright_sdk::prelude::*;
//! # fn send(context: &Context) -> Result<(), Error> {
//! let response = http::post("https://pay.example/payments")
//!     .credential_bearer("payments-api")
//!     .idempotency_key(context)
//!     .json(&json!({ "reference": "FS-2026-00417-B3" }))
//!     .send()?
//!     .success()?;
//! # Ok(()) }
//! ```
//!
//! `send()?` turns what may pass into a retryable [`Error`](crate::Error): no connection, a
//! timeout, a connection that broke, and the statuses 408, 425, 429 and 5xx, with the pause of
//! `Retry-After`.
//! Every other status is a [`Response`]; `success()?` refuses those that are not 2xx.

mod error;
mod request;
mod response;
mod retry_after;
mod service;

pub use error::{Error, ErrorKind};
pub use request::{Body, Credential, Method, Request};
pub use response::Response;
pub use service::Service;

/// A GET request.
pub fn get(url: impl Into<String>) -> Request {
    Request::new(Method::Get, url)
}

/// A HEAD request.
pub fn head(url: impl Into<String>) -> Request {
    Request::new(Method::Head, url)
}

/// A POST request.
pub fn post(url: impl Into<String>) -> Request {
    Request::new(Method::Post, url)
}

/// A PUT request.
pub fn put(url: impl Into<String>) -> Request {
    Request::new(Method::Put, url)
}

/// A PATCH request.
pub fn patch(url: impl Into<String>) -> Request {
    Request::new(Method::Patch, url)
}

/// A DELETE request.
pub fn delete(url: impl Into<String>) -> Request {
    Request::new(Method::Delete, url)
}

#[cfg(test)]
mod tests;
