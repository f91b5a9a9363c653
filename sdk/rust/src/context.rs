//! What a call is told besides its input.

/// The circumstances of one call. Everything in it except `attempt` and `deadline_unix_ms` is
/// equal for every attempt of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Names the intent: equal for every attempt. Pass it to the remote side, and derive ids from
    /// it instead of making random ones.
    pub idempotency_key: String,
    /// 1, 2, 3 and so on.
    pub attempt: u32,
    /// After this moment the engine no longer waits for the answer.
    pub deadline_unix_ms: u64,
    /// The time of the first attempt: a clock that gives the same answer in every attempt.
    pub step_started_unix_ms: u64,
    /// The agency the case belongs to.
    pub agency: String,
    /// The case the step belongs to; an id, never a name.
    pub case_id: String,
    /// The step, unique over all cases.
    pub step_id: String,
    /// Issued before the call, so that it can be given to the remote side.
    pub callback_token: String,
    /// Where the remote side may answer later.
    pub callback_url: Option<String>,
    /// W3C `traceparent`.
    pub trace_parent: Option<String>,
    /// Facts that later engines add.
    pub attributes: Vec<(String, String)>,
}
