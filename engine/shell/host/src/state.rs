//! What belongs to one call: its grant, its counters, its limits. Dropped with the call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::ResourceLimiter;

use crate::failure::{self, Stop};
use crate::grant::Grant;
use crate::http::Client;
use crate::manifest::Limits;

/// Tables hold function references; the largest language runtimes start with under 8,000.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 20_000;
/// CPython needs 31 core instances, so these are generous; memory is bounded in total.
const INSTANCES_MAX: usize = 64;
pub(crate) const TABLES_MAX: u32 = 64;
pub(crate) const MEMORIES_MAX: u32 = 16;

pub(crate) struct State {
    /// `describe()` runs: every import but `script` breaks off.
    pub(crate) describing: bool,
    pub(crate) grant: Arc<Grant>,
    pub(crate) http: Arc<Client>,
    pub(crate) deadline: Instant,
    pub(crate) log: LogQuota,
    pub(crate) http_count: u32,
    /// Whether a byte of a request may have reached somebody.
    pub(crate) sent: bool,
    pub(crate) limiter: Limiter,
    /// For log lines: which step speaks.
    pub(crate) step: String,
}

/// What a call may still log.
#[derive(Debug, Default)]
pub(crate) struct LogQuota {
    pub(crate) count: u32,
    pub(crate) bytes: usize,
    pub(crate) suppressed: u64,
}

impl State {
    pub(crate) fn new(grant: Arc<Grant>, http: Arc<Client>, limits: &Limits) -> Self {
        Self {
            describing: false,
            grant,
            http,
            deadline: Instant::now() + Duration::from_millis(limits.wall_ms_max),
            log: LogQuota::default(),
            http_count: 0,
            sent: false,
            limiter: Limiter::new(limits.memory_bytes_max),
            step: String::new(),
        }
    }

    /// Ends a guest that calls the world while it should only describe itself.
    pub(crate) fn running(&self, import: &str) -> wasmtime::Result<()> {
        if !self.describing {
            return Ok(());
        }
        Err(Stop {
            code: failure::TRAP,
            message: format!("describe() called `{import}`; it may only describe"),
        }
        .into())
    }
}

/// Bounds memory over all memories of a call together, where wasmtime's own bounds each.
pub(crate) struct Limiter {
    bytes_max: usize,
    bytes: usize,
    refused: Option<String>,
}

impl Limiter {
    fn new(bytes_max: u64) -> Self {
        Self {
            bytes_max: usize::try_from(bytes_max).unwrap_or(usize::MAX),
            bytes: 0,
            refused: None,
        }
    }

    /// What was refused last, if the guest broke off over it.
    pub(crate) fn refused(&self) -> Option<String> {
        self.refused.clone()
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.bytes.saturating_add(desired.saturating_sub(current));
        if total > self.bytes_max {
            self.refused = Some(format!(
                "the plugin asked for {total} bytes of memory and may have {}",
                self.bytes_max
            ));
            return Ok(false);
        }
        self.bytes = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS_MAX {
            self.refused = Some(format!(
                "the plugin asked for a table of {desired} elements and may have \
                {TABLE_ELEMENTS_MAX}"
            ));
            return Ok(false);
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX as usize
    }
}
