//! A client of the API for one member of staff.

use std::time::Duration;

use serde_json::Value;

/// Longer than anything here takes; a hanging server must not hang the test.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    url: String,
    token: Option<String>,
    agent: ureq::Agent,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// The connection failed: the process is gone, and nobody knows whether it acted.
#[derive(Debug)]
pub(crate) struct Gone;

impl Client {
    #[allow(
        dead_code,
        reason = "not every test binary that shares this asks so rarely"
    )]
    pub(crate) fn new(url: &str, token: Option<String>) -> Self {
        Self::with_idle(0, url, token)
    }

    /// Keeps its connection between requests: thousands a second would use up the ports.
    #[allow(
        dead_code,
        reason = "not every test binary that shares this asks so often"
    )]
    pub(crate) fn keeping(url: &str, token: Option<String>) -> Self {
        Self::with_idle(1, url, token)
    }

    fn with_idle(idle: usize, url: &str, token: Option<String>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .max_idle_connections(idle)
            .build();
        Self {
            url: url.to_owned(),
            token,
            agent: config.into(),
        }
    }

    #[allow(
        dead_code,
        reason = "not every test binary that shares this asks for it"
    )]
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn get(&self, path: &str) -> Result<Reply, Gone> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        reply(request.call())
    }

    pub(crate) fn post(&self, path: &str, body: &Value, key: Option<&str>) -> Result<Reply, Gone> {
        self.post_as("application/json", path, body, key)
    }

    /// A body of another kind.
    pub(crate) fn post_as(
        &self,
        kind: &str,
        path: &str,
        body: &Value,
        key: Option<&str>,
    ) -> Result<Reply, Gone> {
        let mut request = self.agent.post(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let request = request.header("content-type", kind);
        reply(request.send(body.to_string()))
    }
}

fn reply(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Reply, Gone> {
    let mut answer = answer.map_err(|_| Gone)?;
    let status = answer.status().as_u16();
    let text = answer.body_mut().read_to_string().map_err(|_| Gone)?;
    Ok(Reply {
        status,
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    })
}
