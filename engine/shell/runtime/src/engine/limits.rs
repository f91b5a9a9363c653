//! How much at once. Every number has its reason; tests set them small to reach them.

/// Bounds of one engine.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    /// Requests being decided or waiting for their flush; the next is refused with `Busy`. Four
    /// times the load that the design's figures are taken at.
    pub requests_max: usize,
    /// Calls of plugins at once. Most wait for a partner's answer, so far more than processors.
    pub calls_max: usize,
    /// Calls waiting for their turn; beyond it nothing new is started, what runs goes on.
    pub calls_waiting_max: usize,
    /// Instances in memory, some ten KiB each. Beyond it the longest untouched leave.
    pub residents_max: usize,
    /// How long an instance that waits for people or time stays in memory untouched.
    pub idle_ms: u64,
    /// Timers beyond this are only rows.
    pub horizon_ms: u64,
    /// Timers read from rows at once.
    pub timers_read_max: usize,
    /// Tries to decide again after somebody else was first.
    pub tries_max: u32,
    /// How long stopping waits for calls under way.
    pub stop_ms_max: u64,
    /// Unfolded bytes at which the oldest instances are folded, three quarters of what the store
    /// bounds.
    pub unfolded_bytes_max: u64,
    /// Bytes of one document of a case.
    pub document_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_max: 4_096,
            calls_max: 256,
            calls_waiting_max: 8_192,
            residents_max: 4_096,
            idle_ms: 30_000,
            horizon_ms: 600_000,
            timers_read_max: 4_096,
            tries_max: 64,
            stop_ms_max: 10_000,
            unfolded_bytes_max: 48 << 20,
            document_bytes_max: casewright_casework::document::BYTES_MAX,
        }
    }
}
