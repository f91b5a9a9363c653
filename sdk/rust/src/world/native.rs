//! Natively there is no engine: every question goes to the fake world the test set up.

#![expect(
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    reason = "the signatures are those of the engine's imports"
)]

use std::time::Duration;

use crate::http::{Error, Request, Response};
use crate::kv::{KvError, Stored};
use crate::log::Level;
use crate::progress::Signal;
use crate::secrets::SecretError;
use crate::testing::current;

pub(crate) fn config() -> String {
    current(|world| world.config.to_string())
}

pub(crate) fn log(level: Level, message: &str, fields: &[(&str, &str)]) {
    current(|world| world.record(level, message, fields));
}

pub(crate) fn now_unix_ms() -> u64 {
    current(|world| world.now_unix_ms)
}

pub(crate) fn random_bytes(count: u32) -> Vec<u8> {
    current(|world| world.random(count))
}

pub(crate) fn hmac_sha256(name: &str, bytes: &[u8]) -> Result<Vec<u8>, SecretError> {
    current(|world| world.hmac(name, bytes))
}

pub(crate) fn reveal(name: &str) -> Result<String, SecretError> {
    current(|world| {
        world
            .secrets
            .get(name)
            .cloned()
            .ok_or(SecretError::NotFound)
    })
}

pub(crate) fn kv_get(key: &str) -> Result<Option<Stored>, KvError> {
    current(|world| Ok(world.kv.get(key).cloned()))
}

pub(crate) fn kv_put(
    key: &str,
    value: &[u8],
    expected: Option<u64>,
    _lifetime: Option<Duration>,
) -> Result<bool, KvError> {
    current(|world| Ok(world.put(key, value, expected)))
}

pub(crate) fn kv_delete(key: &str) -> Result<(), KvError> {
    current(|world| world.kv.remove(key));
    Ok(())
}

pub(crate) fn report(_percent: Option<u8>, _note: &str) -> Signal {
    current(|world| world.signal)
}

pub(crate) fn send(request: Request) -> Result<Response, Error> {
    current(|world| world.send(&request))
}
