//! What a fake world holds.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::exchange::Exchange;
use crate::http::{Error, Request, Response};
use crate::kv::Stored;
use crate::log::Level;
use crate::progress::Signal;
use crate::secrets::SecretError;

/// 12 May 2026, 00:00 UTC.
pub(super) const NOW_UNIX_MS: u64 = 1_778_544_000_000;

/// The block length of SHA-256, which HMAC needs.
const BLOCK_BYTES: usize = 64;

/// A line the plugin logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// What it says.
    pub message: String,
    /// Its fields, in order.
    pub fields: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: Value,
    pub(crate) now_unix_ms: u64,
    pub(crate) secrets: BTreeMap<String, String>,
    pub(crate) kv: BTreeMap<String, Stored>,
    pub(crate) signal: Signal,
    pub(super) log: Vec<LogLine>,
    pub(super) exchanges: VecDeque<Exchange>,
    random: u8,
}

impl Default for State {
    fn default() -> Self {
        Self {
            config: json!({}),
            now_unix_ms: NOW_UNIX_MS,
            secrets: BTreeMap::new(),
            kv: BTreeMap::new(),
            signal: Signal::Continue,
            log: Vec::new(),
            exchanges: VecDeque::new(),
            random: 0,
        }
    }
}

impl State {
    pub(crate) fn record(&mut self, level: Level, message: &str, fields: &[(&str, &str)]) {
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        self.log.push(LogLine {
            level,
            message: message.into(),
            fields: fields.collect(),
        });
    }

    /// Different at every call, the same in every run.
    pub(crate) fn random(&mut self, count: u32) -> Vec<u8> {
        let byte = || {
            self.random = self.random.wrapping_add(1);
            self.random
        };
        std::iter::repeat_with(byte).take(count as usize).collect()
    }

    pub(crate) fn hmac(&self, name: &str, bytes: &[u8]) -> Result<Vec<u8>, SecretError> {
        let secret = self.secrets.get(name).ok_or(SecretError::NotFound)?;
        Ok(hmac_sha256(secret.as_bytes(), bytes))
    }

    pub(crate) fn put(&mut self, key: &str, value: &[u8], expected: Option<u64>) -> bool {
        let found = self.kv.get(key).map(|stored| stored.version);
        if found != expected {
            return false;
        }
        let version = found.unwrap_or(0) + 1;
        self.kv.insert(
            key.into(),
            Stored {
                value: value.into(),
                version,
            },
        );
        true
    }

    pub(crate) fn send(&mut self, request: &Request) -> Result<Response, Error> {
        let (method, url) = (request.method, &request.url);
        let Some(exchange) = self.exchanges.pop_front() else {
            panic!("nothing expects the request {method} {url}");
        };
        exchange.check(request);
        exchange.answer.given()
    }

    pub(super) fn missing(&self) -> Vec<String> {
        self.exchanges.iter().map(Exchange::name).collect()
    }
}

/// RFC 2104.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0; BLOCK_BYTES];
    if key.len() > BLOCK_BYTES {
        let digest = Sha256::digest(key);
        block[..digest.len()].copy_from_slice(&digest);
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new()
        .chain_update(padded(0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(padded(0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}
