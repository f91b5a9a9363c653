//! One remote side that all requests of a plugin go to: where it is, what opens it, how long to
//! wait. It knows nothing of what is asked there.

use std::time::Duration;

use super::request::escape;
use super::{Method, Request};

/// Where a plugin's requests go, as its settings say.
///
/// ```
/// # use casewright_sdk::prelude::*;
/// let register = http::Service::new("https://housing.example", "/housing")
///     .credential(Some("housing-api".into()))
///     .timeout_ms(8_000);
/// let request = register.get(&["applications", "H-7"]);
/// ```
#[derive(Debug, Clone)]
pub struct Service {
    base: String,
    credential: Option<String>,
    timeout: Option<Duration>,
}

impl Service {
    /// At this origin, below this path; slashes at the ends do not matter.
    pub fn new(endpoint: &str, path: &str) -> Self {
        let mut base = endpoint.trim_end_matches('/').to_owned();
        let path = path.trim_matches('/');
        if !path.is_empty() {
            base.push('/');
            base.push_str(path);
        }
        Self {
            base,
            credential: None,
            timeout: None,
        }
    }

    /// Sends the secret of this name as a bearer token.
    #[must_use]
    pub fn credential(mut self, secret: Option<String>) -> Self {
        self.credential = secret;
        self
    }

    /// How long each request may take.
    #[must_use]
    pub fn timeout_ms(mut self, timeout_ms: u32) -> Self {
        self.timeout = Some(Duration::from_millis(timeout_ms.into()));
        self
    }

    /// A GET request below the path. Each segment is escaped, but `..` stays what it is: check what
    /// comes from outside.
    pub fn get(&self, segments: &[&str]) -> Request {
        self.request(Method::Get, segments)
    }

    /// A POST request below the path.
    pub fn post(&self, segments: &[&str]) -> Request {
        self.request(Method::Post, segments)
    }

    /// A DELETE request below the path.
    pub fn delete(&self, segments: &[&str]) -> Request {
        self.request(Method::Delete, segments)
    }

    fn request(&self, method: Method, segments: &[&str]) -> Request {
        let mut url = self.base.clone();
        for segment in segments {
            url.push('/');
            escape(&mut url, segment);
        }
        let mut request = Request::new(method, url).header("Accept", "application/json");
        request.timeout = self.timeout;
        match &self.credential {
            Some(secret) => request.credential_bearer(secret),
            None => request,
        }
    }
}
