//! Calls whose answer comes later: by a message under the call's token, by asking again, or not at
//! all.
//!
//! ```text
//! call decided ─▶ row `Calling` in the same batch ─▶ sent with its token
//!      ├─ done ────────────────────────────▶ row `Closed`, the machine hears of it
//!      └─ pending ─▶ row `Waiting`, one timer: the next of message, poll, expiry
//!             └─ timer ─▶ resume ─▶ done: `Closed` │ pending: `Waiting` │ error
//! given up (cancelled, timed out) ─▶ row `GivenUp` ─▶ resume(cancelled) ─▶ `Closed`
//! ```
//!
//! The machine knows nothing of it: for it the call is under way until it has returned. Whatever
//! is still to be done has a timer row, so that a crash needs no recovery of its own. Messages are
//! rows before they are acknowledged; that one call returns once is held by the machine.

mod callback;
mod resume;
mod row;
mod token;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use casewright_casework::audit::Action as Audit;
use casewright_machine::{Call, CallError, Delivery, Effect, ErrorKind, Event, Instance, Status};
use casewright_store::{Guard, Put, Table};
use jiff::Timestamp;
use serde_json::Value;

pub(crate) use resume::wake;
use row::{Due, Parked, PendingRow, Stage};
pub(crate) use token::Secret as TokenSecret;

use super::calls::not_done;
use super::draft::{Action, Draft};
use super::shared::Shared;
use super::{Refused, funds};
use crate::key;
use crate::port::{EffectKind, Pending};

/// Open calls of an instance whose answer comes later, with the moment of the next look.
pub(crate) type Awaited = BTreeMap<Delivery, Option<Timestamp>>;

/// Calls that go on at this moment, by row key; `true`: something came for it meanwhile.
#[derive(Default)]
pub(crate) struct Resuming(Mutex<BTreeMap<Vec<u8>, bool>>);

impl Resuming {
    /// Whether nobody else is at it; if somebody is, they will look again.
    fn begin(&self, hash: &[u8]) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(hash) {
            Some(again) => {
                *again = true;
                false
            }
            None => all.insert(hash.to_vec(), false).is_none(),
        }
    }

    fn leave(&self, hash: &[u8]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(hash);
    }

    /// Whether there is to be another look; if not, the place is free.
    fn again(&self, hash: &[u8]) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(hash) {
            Some(again) if *again => {
                *again = false;
                true
            }
            _ => {
                all.remove(hash);
                false
            }
        }
    }
}

/// A row as this decision found it and as it leaves it.
pub(crate) struct OpenRow {
    version: u64,
    wake: Option<Timestamp>,
    now: PendingRow,
}

/// Rows that a decision touches.
pub(crate) type OpenRows = BTreeMap<Vec<u8>, OpenRow>;

/// Whether people see it going on or waiting: a call whose answer comes later is waited for.
pub(crate) fn liveliness(instance: &Instance, awaited: &Awaited) -> Status {
    let status = instance.status();
    if status != Status::Running || awaited.is_empty() {
        return status;
    }
    let goes_on = |effect: &Effect| match effect {
        Effect::Call(call) => !awaited.contains_key(&call.delivery),
        Effect::Yield => true,
        _ => false,
    };
    if instance.outstanding().iter().any(goes_on) {
        Status::Running
    } else {
        Status::Waiting
    }
}

impl Shared {
    /// What a rebuilt instance waits for.
    pub(crate) fn awaited(
        &self,
        agency: &str,
        instance: &Instance,
        resumes: impl Fn(&str) -> bool,
        id: &str,
    ) -> Result<Awaited, Refused> {
        let mut awaited = Awaited::new();
        for effect in instance.outstanding() {
            let Effect::Call(call) = effect else { continue };
            if !resumes(&call.function) {
                continue;
            }
            let Some(token) = self.token(agency, id, &call.key)? else {
                continue;
            };
            let found: Option<(PendingRow, u64)> =
                self.pending(Table::PendingCall, &token::hash(&token), WHAT)?;
            let waiting = |row: &PendingRow| matches!(row.stage, Stage::Waiting(_));
            if let Some((row, _)) = found
                && row.delivery == call.delivery
                && waiting(&row)
            {
                awaited.insert(call.delivery, row.wake);
            }
        }
        Ok(awaited)
    }
}

/// Names the kind of record where it cannot be read.
const WHAT: &str = "a pending call";

impl Draft<'_> {
    /// Before a call is sent: its token leads to it from here on, so that an answer that is faster
    /// than ours finds it.
    pub(super) fn expect_answer(&mut self, call: &Call) -> Result<(), Refused> {
        let Some(hash) = self.token_hash(&call.function, &call.key)? else {
            return Ok(());
        };
        let fresh = PendingRow::new(&self.resident.id, &self.resident.row, call);
        let row = self.pending_row(&hash, fresh)?;
        row.delivery = call.delivery.clone();
        row.because.clone_from(&call.because);
        row.enter(Stage::Calling);
        Ok(())
    }

    /// The call has answered that its answer comes later.
    pub(super) fn park(&mut self, call: &Call, pending: &Pending) -> Result<(), Refused> {
        let Some(hash) = self.token_hash(&call.function, &call.key)? else {
            return Ok(());
        };
        let wanted = self.is_open(&call.delivery);
        let at = self.at;
        let fresh = PendingRow::new(&self.resident.id, &self.resident.row, call);
        let row = self.pending_row(&hash, fresh)?;
        let parked = Parked::new(pending, at);
        if wanted {
            row.enter(Stage::Waiting(parked));
            let next = row.next(at);
            self.awaited.insert(call.delivery.clone(), next);
            let (subject, detail) = (call.key.clone(), call.function.clone());
            self.note_own(Audit::AnswerAwaited, Some(subject), Some(detail));
        } else {
            row.enter(Stage::GivenUp(Some(parked)));
        }
        Ok(())
    }

    /// The call has an answer, or none is wanted of it any more.
    pub(super) fn close_call(&mut self, function: &str, key: &str) -> Result<(), Refused> {
        let Some(hash) = self.token_hash(function, key)? else {
            return Ok(());
        };
        if self.find_row(&hash)? {
            self.close_row(&hash);
        }
        Ok(())
    }

    fn close_row(&mut self, hash: &[u8]) {
        let Some(open) = self.pending.get_mut(hash) else {
            return;
        };
        let unread = open.now.handled..open.now.arrived;
        open.now.handled = open.now.arrived;
        open.now.enter(Stage::Closed);
        let delivery = open.now.delivery.clone();
        self.awaited.remove(&delivery);
        for number in unread {
            self.mark(Table::Callback, callback::row_key(hash, number), false);
        }
    }

    /// The machine does not want the answer any more; the plugin is told when it can be.
    pub(super) fn give_up(&mut self, delivery: &Delivery) -> Result<(), Refused> {
        self.awaited.remove(delivery);
        let Some(call) = self.call_of(delivery) else {
            return Ok(());
        };
        let Some(hash) = self.token_hash(&call.function, &call.key)? else {
            return Ok(());
        };
        if !self.find_row(&hash)? {
            return Ok(());
        }
        if let Some(open) = self.pending.get_mut(&hash) {
            match open.now.stage.clone() {
                Stage::Calling => open.now.enter(Stage::GivenUp(None)),
                Stage::Waiting(parked) => open.now.enter(Stage::GivenUp(Some(parked.rested()))),
                Stage::GivenUp(_) | Stage::Closed => {}
            }
        }
        Ok(())
    }

    /// What going on with a pending call came to. `None`: the machine need not hear of it.
    fn resumed(&mut self, hash: &[u8], resumed: &Resumed) -> Result<Option<Event>, Refused> {
        if !self.find_row(hash)? {
            return Ok(None);
        }
        let at = self.at;
        let Some(open) = self.pending.get_mut(hash) else {
            return Ok(None);
        };
        if open.now.turn != resumed.turn {
            // Given up or answered in the meantime: what is due for it is due anew.
            return Ok(None);
        }
        if let Due::Callback(number) = resumed.due
            && resumed.took_it()
        {
            open.now.take(number);
            self.mark(Table::Callback, callback::row_key(hash, number), false);
        }
        let Some(open) = self.pending.get_mut(hash) else {
            return Ok(None);
        };
        let end = match (open.now.stage.clone(), &resumed.outcome) {
            (Stage::Waiting(parked), Outcome::Again(wish)) => {
                open.now.enter(Stage::Waiting(parked.again(at, *wish)));
                let tried_out = parked.failures >= row::FAILURES_MAX;
                (resumed.due == Due::Expired && tried_out).then(|| Err(expired(resumed)))
            }
            (Stage::Waiting(before), Outcome::Pending(pending)) => {
                let parked = Parked::new(pending, at).after(before);
                let over = parked.expires.is_none_or(|expires| expires <= at);
                open.now.enter(Stage::Waiting(parked));
                (resumed.due == Due::Expired && over).then(|| Err(expired(resumed)))
            }
            (Stage::Waiting(_), Outcome::Returned(result)) => Some(result.clone()),
            (Stage::GivenUp(Some(parked)), Outcome::Again(wish))
                if parked.failures < row::FAILURES_MAX =>
            {
                open.now
                    .enter(Stage::GivenUp(Some(parked.again(at, *wish))));
                None
            }
            (Stage::GivenUp(_), _) => {
                self.close_row(hash);
                return Ok(None);
            }
            (Stage::Calling | Stage::Closed, _) => return Ok(None),
        };
        let (delivery, next) = (open.now.delivery.clone(), open.now.next(at));
        let (key, function) = (open.now.key.clone(), open.now.function.clone());
        let function_called = function.clone();
        let Some(result) = end else {
            self.awaited.insert(delivery, next);
            return Ok(None);
        };
        self.close_row(hash);
        let (action, detail) = match &result {
            Ok(_) => (Audit::FunctionReturned, function),
            Err(error) => (Audit::FunctionFailed, error.code.clone()),
        };
        if result.as_ref().is_err_and(not_done) {
            self.give_back(&function_called, &key)?;
        }
        self.note_own(action, Some(key), Some(detail));
        Ok(Some(Event::CallReturned {
            at,
            delivery,
            result,
        }))
    }

    /// Guards, rows and the one timer of each touched call.
    pub(super) fn write_pending(&mut self) {
        let (at, under) = (self.at, self.under());
        for (hash, mut open) in std::mem::take(&mut self.pending) {
            open.now.wake = open.now.next(at).map(key::rounded_up);
            self.batch.guards.push(Guard::Row {
                table: Table::PendingCall,
                key: hash.clone(),
                version: open.version,
            });
            if open.wake != open.now.wake {
                for (moment, set) in [(open.wake, false), (open.now.wake, true)] {
                    let Some(moment) = moment else { continue };
                    let key = key::timer(moment, &timer_name(&hash), 0);
                    self.mark(Table::Timer, key, set);
                }
            }
            // Also where it stays: the timer in memory has fired.
            if let Some(before) = open.wake.filter(|_| open.wake != open.now.wake) {
                self.actions.push(Action::Sleep(before, hash.clone()));
            }
            if let Some(wake) = open.now.wake {
                self.actions.push(Action::Wake(wake, hash.clone()));
            }
            self.batch.puts.push(Put {
                table: Table::PendingCall,
                key: hash,
                value: Some(crate::record::encode(&open.now)),
                under: under.clone(),
            });
        }
    }

    /// `None` for a function that answers at once.
    fn token_hash(&mut self, function: &str, key: &str) -> Result<Option<Vec<u8>>, Refused> {
        let Some(digest) = self.resident.deployment.plugin_of(function) else {
            return Ok(None);
        };
        if !self.shared.parts.invoke.resumes(function, digest) {
            return Ok(None);
        }
        let agency = self.resident.row.agency.clone();
        let (shared, id) = (self.shared, self.resident.id.clone());
        if let Some(token) = shared.token(&agency, &id, key)? {
            return Ok(Some(token::hash(&token)));
        }
        let secret = if let Some(secret) = &self.token_secret {
            secret.clone()
        } else {
            let secret = token::Secret::new(&*shared.parts.entropy);
            secret.write(&agency, &mut self.batch);
            self.token_secret.insert(secret).clone()
        };
        Ok(Some(token::hash(&secret.token(&id, key))))
    }

    fn pending_row(&mut self, hash: &[u8], fresh: PendingRow) -> Result<&mut PendingRow, Refused> {
        if !self.find_row(hash)? {
            let open = OpenRow {
                version: 0,
                wake: None,
                now: fresh,
            };
            self.pending.insert(hash.to_vec(), open);
        }
        let open = self.pending.get_mut(hash);
        Ok(&mut open.expect("it was found or put there").now)
    }

    /// Whether there is one; it is among the rows of this decision then.
    fn find_row(&mut self, hash: &[u8]) -> Result<bool, Refused> {
        if self.pending.contains_key(hash) {
            return Ok(true);
        }
        let found = self
            .shared
            .pending::<PendingRow>(Table::PendingCall, hash, WHAT)?;
        let Some((now, version)) = found else {
            return Ok(false);
        };
        let open = OpenRow {
            version,
            wake: now.wake,
            now,
        };
        self.pending.insert(hash.to_vec(), open);
        Ok(true)
    }

    fn is_open(&self, delivery: &Delivery) -> bool {
        let open = self.instance().outstanding();
        open.iter().any(|effect| match effect {
            Effect::Call(call) => call.delivery == *delivery,
            _ => false,
        })
    }

    /// A call that was open before this decision, or that it made.
    fn call_of(&self, delivery: &Delivery) -> Option<Call> {
        let made = self.actions.iter().find_map(|action| match action {
            Action::Call(call) if call.delivery == *delivery => Some(call.clone()),
            _ => None,
        });
        let before = || {
            let open = self.resident.instance.outstanding();
            open.into_iter().find_map(|effect| match effect {
                Effect::Call(call) if call.delivery == *delivery => Some(call),
                _ => None,
            })
        };
        made.or_else(before)
    }
}

/// What came of going on with a call.
struct Resumed {
    /// The row's turn when it was looked at.
    turn: u64,
    due: Due,
    effect: EffectKind,
    function: String,
    outcome: Outcome,
}

enum Outcome {
    Returned(Result<Value, CallError>),
    Pending(Pending),
    /// It may pass; the plugin may wish for a pause in milliseconds.
    Again(Option<u64>),
}

impl Resumed {
    /// A message that could not be dealt with for now stays.
    fn took_it(&self) -> bool {
        !matches!(self.outcome, Outcome::Again(_))
    }
}

fn expired(resumed: &Resumed) -> CallError {
    let function = &resumed.function;
    let sentence = format!("{function} got no answer in the time it was given");
    doubted(resumed.effect, funds::permanent("expired", 408, sentence))
}

/// It was sent, so for a function that acts at most once anything but its own plain no leaves open
/// whether it acted.
fn doubted(effect: EffectKind, error: CallError) -> CallError {
    if effect == EffectKind::AtMostOnce && error.kind == ErrorKind::Permanent {
        return CallError {
            kind: ErrorKind::InDoubt,
            ..error
        };
    }
    error
}

/// Timers of calls stand among those of instances, whose ids are letters and digits.
const TIMER: char = '~';

fn timer_name(hash: &[u8]) -> String {
    format!("{TIMER}{}", key::hex(hash))
}

/// The call that a timer is for, if it is for one.
pub(crate) fn timer_hash(name: &str) -> Option<Vec<u8>> {
    let digits = name.strip_prefix(TIMER)?.as_bytes();
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect()
}

/// Arms or disarms, after the flush.
pub(crate) fn arm(shared: &Shared, at: Timestamp, hash: &[u8]) {
    shared.timers.arm(at, &timer_name(hash), 0);
}

pub(crate) fn disarm(shared: &Shared, at: Timestamp, hash: &[u8]) {
    shared.timers.disarm(at, &timer_name(hash), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_names_its_call() {
        let hash = [0, 1, 0xab, 0xff];
        assert_eq!(timer_hash(&timer_name(&hash)), Some(hash.to_vec()));
        assert_eq!(timer_hash("i01h"), None);
        assert_eq!(timer_hash("~0"), None);
    }
}
