//! A call that may be answered later, as it lies in the store, and what is due for it next. Pure:
//! time comes as an argument.

use casewright_machine::{Call, Delivery};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::port::Pending;
use crate::record::InstanceRow;

/// Messages that wait to be dealt with; a partner that sends more is told to come again.
pub(super) const CALLBACKS_MAX: u64 = 32;

/// Tries to tell a plugin that the time is over or that nobody waits, before going on without it.
pub(super) const FAILURES_MAX: u32 = 8;

/// A plugin that wishes to ask more often asks this often.
const POLL_MS_MIN: u64 = 1_000;

/// Pause after the first failure; it doubles up to an hour.
const REST_MS: u64 = 1_000;
const REST_MS_MAX: u64 = 3_600_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PendingRow {
    pub(crate) instance: String,
    pub(crate) agency: String,
    pub(crate) case: String,
    pub(crate) function: String,
    /// Idempotency key of the call.
    pub(crate) key: String,
    pub(crate) since: Timestamp,
    /// The attempt that is open.
    pub(crate) delivery: Delivery,
    pub(crate) stage: Stage,
    /// Grows with every change of the stage: an outcome that was decided on an older one is void.
    pub(crate) turn: u64,
    /// Messages so far.
    #[serde(default)]
    pub(crate) arrived: u64,
    /// Messages that were dealt with.
    #[serde(default)]
    pub(crate) handled: u64,
    /// Hashes of the messages that wait and of the last that was dealt with: partners repeat
    /// themselves.
    #[serde(default)]
    pub(crate) digests: Vec<String>,
    /// Moment of its timer row.
    #[serde(default)]
    pub(crate) wake: Option<Timestamp>,
    /// Why consent was not sought: what the plugin asks by itself goes out for the same reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) because: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Stage {
    /// Sent, or about to be.
    Calling,
    /// The answer comes later.
    Waiting(Parked),
    /// Nobody waits any more, and the plugin is to be told; without more while the call is still
    /// under way.
    GivenUp(Option<Parked>),
    /// Over; the token stays known, so that a late message is told from a guess.
    Closed,
}

/// What a plugin left behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parked {
    pub(crate) state: Value,
    #[serde(default)]
    pub(crate) correlation: Vec<String>,
    #[serde(default)]
    pub(crate) expires: Option<Timestamp>,
    #[serde(default)]
    pub(crate) poll: Option<Timestamp>,
    /// Failures in a row.
    #[serde(default)]
    pub(crate) failures: u32,
    /// Not before then, after a failure.
    #[serde(default)]
    pub(crate) rest: Option<Timestamp>,
}

/// What a pending call is to go on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// With the message of this number.
    Callback(u64),
    Expired,
    Poll,
    Cancelled,
}

impl PendingRow {
    pub(crate) fn new(instance: &str, row: &InstanceRow, call: &Call) -> Self {
        Self {
            instance: instance.to_owned(),
            agency: row.agency.clone(),
            case: row.case.clone(),
            function: call.function.clone(),
            key: call.key.clone(),
            since: call.since,
            delivery: call.delivery.clone(),
            stage: Stage::Calling,
            turn: 0,
            arrived: 0,
            handled: 0,
            digests: Vec::new(),
            wake: None,
            because: call.because.clone(),
        }
    }

    pub(crate) fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.turn += 1;
    }

    /// What is to be done at this moment. A message goes before the end of the time: it was here.
    pub(crate) fn due(&self, now: Timestamp) -> Option<Due> {
        let (parked, due) = match &self.stage {
            Stage::Waiting(parked) if self.handled < self.arrived => {
                (parked, Due::Callback(self.handled))
            }
            Stage::Waiting(parked) if passed(parked.expires, now) => (parked, Due::Expired),
            Stage::Waiting(parked) if passed(parked.poll, now) => (parked, Due::Poll),
            Stage::GivenUp(Some(parked)) => (parked, Due::Cancelled),
            Stage::Waiting(_) | Stage::Calling | Stage::GivenUp(None) | Stage::Closed => {
                return None;
            }
        };
        parked.rest.is_none_or(|rest| rest <= now).then_some(due)
    }

    /// When it is to be looked at next.
    pub(crate) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let (parked, next) = match &self.stage {
            Stage::Waiting(parked) if self.handled < self.arrived => (parked, Some(now)),
            Stage::Waiting(parked) => (parked, earlier(parked.expires, parked.poll)),
            Stage::GivenUp(Some(parked)) => (parked, Some(now)),
            Stage::Calling | Stage::GivenUp(None) | Stage::Closed => return None,
        };
        next.map(|next| parked.rest.map_or(next, |rest| rest.max(next)))
    }

    /// Whether this message is known: waiting, or dealt with last.
    pub(crate) fn knows(&self, digest: &str) -> bool {
        self.digests.iter().any(|known| known == digest)
    }

    pub(crate) fn take(&mut self, number: u64) {
        self.handled = self.handled.max(number + 1);
        let kept = usize::try_from(self.arrived - self.handled + 1).unwrap_or(usize::MAX);
        let over = self.digests.len().saturating_sub(kept);
        self.digests.drain(..over);
    }
}

impl Parked {
    pub(crate) fn new(pending: &Pending, now: Timestamp) -> Self {
        let expires = pending.expires_unix_ms.map(|at| {
            let at = i64::try_from(at).unwrap_or(i64::MAX);
            Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX)
        });
        let poll = pending.poll_after_ms.map(|ms| ms.max(POLL_MS_MIN));
        Self {
            state: pending.state.clone(),
            correlation: pending.correlation.clone(),
            expires,
            poll: poll.map(|pause| later(now, pause)),
            failures: 0,
            rest: None,
        }
    }

    /// Names that were known before stay known.
    pub(crate) fn after(mut self, before: Self) -> Self {
        for name in before.correlation {
            if !self.correlation.contains(&name) {
                self.correlation.push(name);
            }
        }
        self
    }

    /// After a failure that may pass.
    pub(crate) fn again(&self, now: Timestamp, wish: Option<u64>) -> Self {
        let doubled = REST_MS.saturating_mul(1_u64.checked_shl(self.failures).unwrap_or(u64::MAX));
        let pause = wish.unwrap_or(doubled).clamp(REST_MS, REST_MS_MAX);
        Self {
            failures: self.failures.saturating_add(1),
            rest: Some(later(now, pause)),
            ..self.clone()
        }
    }

    /// With nothing against it.
    pub(crate) fn rested(self) -> Self {
        Self {
            failures: 0,
            rest: None,
            ..self
        }
    }
}

fn later(now: Timestamp, pause_ms: u64) -> Timestamp {
    let pause = SignedDuration::from_millis(i64::try_from(pause_ms).unwrap_or(i64::MAX));
    now.saturating_add(pause).unwrap_or(Timestamp::MAX)
}

fn passed(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| at <= now)
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().min()
}

#[cfg(test)]
mod tests;
