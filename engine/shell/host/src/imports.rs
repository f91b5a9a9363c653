//! What a plugin can call, except `http`, which has a file of its own.
//!
//! A refusal is a value. A guest is ended only when there is no value for what it asked, such as
//! a list of random bytes longer than the host gives.
//!
//! `kv` answers `unavailable` to everything: this host keeps nothing for plugins between calls.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::failure::{HOST_LIMIT, Stop};
use crate::manifest::SecretUse;
use crate::state::State;
use crate::world::casewright::plugin::{clock, config, kv, log, progress, script, secrets, types};

/// Records of one call.
const LOG_COUNT_MAX: u32 = 200;
/// Bytes of all records of one call.
const LOG_BYTES_MAX: usize = 64 * 1024;
/// Bytes of one record.
const LOG_RECORD_BYTES_MAX: usize = 2 * 1024;
const RANDOM_BYTES_MAX: u32 = 64 * 1024;

impl types::Host for State {}

impl log::Host for State {
    fn emit(
        &mut self,
        level: log::Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        self.running("log.emit")?;
        let room = LOG_RECORD_BYTES_MAX.min(LOG_BYTES_MAX - self.log.bytes);
        if self.log.count == LOG_COUNT_MAX || room == 0 {
            self.log.suppressed += 1;
            return Ok(());
        }
        let text = self.printable(record(message, &fields), room);
        self.log.count += 1;
        self.log.bytes += text.len();
        let (plugin, step) = (self.grant.plugin.as_str(), self.step.as_str());
        let text = self.said(text);
        match level {
            log::Level::Trace => tracing::trace!(plugin, step, "{text}"),
            log::Level::Debug => tracing::debug!(plugin, step, "{text}"),
            log::Level::Info => tracing::info!(plugin, step, "{text}"),
            log::Level::Warn => tracing::warn!(plugin, step, "{text}"),
            log::Level::Error => tracing::error!(plugin, step, "{text}"),
        }
        Ok(())
    }
}

fn record(message: String, fields: &[(String, String)]) -> String {
    fields.iter().fold(message, |mut text, (key, value)| {
        if text.len() <= LOG_RECORD_BYTES_MAX {
            text.extend([" ", key, "=", value]);
        }
        text
    })
}

impl State {
    /// What a plugin says may be what it was given, and that is a family's.
    fn said(&self, text: String) -> String {
        if self.grant.heard {
            text
        } else {
            format!("the plugin says something of {} bytes", text.len())
        }
    }

    /// Cut to size, without control characters, without the values of secrets.
    fn printable(&self, mut text: String, bytes_max: usize) -> String {
        text.truncate(text.floor_char_boundary(LOG_RECORD_BYTES_MAX));
        let mut text = self.redacted(text);
        if text.contains(char::is_control) {
            text = text.replace(char::is_control, " ");
        }
        text.truncate(text.floor_char_boundary(bytes_max));
        text
    }

    /// Without the values of secrets: a partner may have echoed one.
    pub(crate) fn redacted(&self, text: String) -> String {
        self.grant.secrets.values().fold(text, |text, secret| {
            if secret.value.stands_in(&text) {
                text.replace(secret.value.expose(), "***")
            } else {
                text
            }
        })
    }

    /// Says once, at the end of a call, what its log left out.
    pub(crate) fn finish_log(&self) {
        if self.log.suppressed > 0 {
            let (plugin, step) = (self.grant.plugin.as_str(), self.step.as_str());
            let suppressed = self.log.suppressed;
            tracing::warn!(
                plugin,
                step,
                suppressed,
                "the plugin logged more than a call may"
            );
        }
    }
}

impl config::Host for State {
    fn get(&mut self) -> wasmtime::Result<String> {
        self.running("config.get")?;
        Ok(self.grant.config.to_string())
    }
}

impl script::Host for State {
    /// Only shared language runtimes ask; a compiled plugin has no script.
    fn source(&mut self) -> wasmtime::Result<String> {
        Ok(String::new())
    }
}

impl secrets::Host for State {
    fn reveal(&mut self, name: String) -> wasmtime::Result<Result<String, secrets::SecretError>> {
        self.running("secrets.reveal")?;
        Ok(self
            .grant
            .secret(&name, SecretUse::Reveal)
            .map(|secret| secret.value.expose().to_owned())
            .map_err(|reason| self.secret_denied(&name, &reason)))
    }

    fn hmac_sha256(
        &mut self,
        name: String,
        data: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, secrets::SecretError>> {
        self.running("secrets.hmac-sha256")?;
        Ok(self
            .grant
            .secret(&name, SecretUse::Hmac)
            .map(|secret| {
                let mut mac = Hmac::<Sha256>::new_from_slice(secret.value.expose().as_bytes())
                    .expect("HMAC takes keys of any length");
                mac.update(&data);
                mac.finalize().into_bytes().to_vec()
            })
            .map_err(|reason| self.secret_denied(&name, &reason)))
    }
}

impl State {
    /// The world gives secrets no message, so the reason goes to the log.
    fn secret_denied(&self, name: &str, reason: &str) -> secrets::SecretError {
        tracing::warn!(plugin = self.grant.plugin, step = self.step, "{reason}");
        if self.grant.secret_is_missing(name) {
            secrets::SecretError::NotFound
        } else {
            secrets::SecretError::Denied
        }
    }
}

impl kv::Host for State {
    fn get(&mut self, _key: String) -> wasmtime::Result<Result<Option<kv::Entry>, kv::KvError>> {
        self.running("kv.get")?;
        Ok(Err(kv::KvError::Unavailable))
    }

    fn put(
        &mut self,
        _key: String,
        _value: Vec<u8>,
        _expected: Option<u64>,
        _ttl_ms: Option<u64>,
    ) -> wasmtime::Result<Result<bool, kv::KvError>> {
        self.running("kv.put")?;
        Ok(Err(kv::KvError::Unavailable))
    }

    fn delete(&mut self, _key: String) -> wasmtime::Result<Result<(), kv::KvError>> {
        self.running("kv.delete")?;
        Ok(Err(kv::KvError::Unavailable))
    }
}

impl clock::Host for State {
    /// Whole milliseconds: a finer clock would help to measure what others do on this machine.
    fn now_unix_ms(&mut self) -> wasmtime::Result<u64> {
        self.running("clock.now-unix-ms")?;
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Ok(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn random_bytes(&mut self, length: u32) -> wasmtime::Result<Vec<u8>> {
        self.running("clock.random-bytes")?;
        if length > RANDOM_BYTES_MAX {
            return Err(Stop {
                code: HOST_LIMIT,
                message: format!(
                    "the plugin asked for {length} random bytes; at most {RANDOM_BYTES_MAX} are \
                    given at once"
                ),
            }
            .into());
        }
        let mut bytes = vec![0; usize::try_from(length)?];
        getrandom::fill(&mut bytes).map_err(wasmtime::Error::new)?;
        Ok(bytes)
    }
}

impl progress::Host for State {
    fn report(
        &mut self,
        _percent: Option<u8>,
        _note: String,
    ) -> wasmtime::Result<progress::Signal> {
        self.running("progress.report")?;
        Ok(progress::Signal::Continue)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::grant::Grant;
    use crate::manifest::Limits;

    #[test]
    fn a_plugins_own_words_are_written_only_where_the_operator_says_so() {
        let said = |heard| {
            let grant = Grant {
                heard,
                ..Grant::default()
            };
            let state = State::new(Arc::new(grant), Arc::default(), &Limits::default());
            state.said("no answer for Ottoline".to_owned())
        };
        assert_eq!(said(false), "the plugin says something of 22 bytes");
        assert_eq!(said(true), "no answer for Ottoline");
    }
}
