//! What each effect of the machine becomes: rows and audit entries now, actions after the flush.

use casewright_casework::audit::Action as Audit;
use casewright_casework::payments::Way;
use casewright_casework::{Code, Money, Refusal};
use casewright_machine::{Call, Delivery, Effect, Event, Outcome};
use casewright_store::Table;
use jiff::Timestamp;

use super::{Action, Draft, Next};
use crate::engine::Refused;
use crate::engine::calls::effect_of_request;
use crate::engine::decisions::{self, asks_table};
use crate::engine::episodes::closes_case;
use crate::engine::funds::{business, committed, is_booking};
use crate::engine::plans::PlanStep;
use crate::key;
use crate::port::EffectKind;

impl Draft<'_> {
    pub(super) fn perform(&mut self, effect: Effect) -> Result<(), Refused> {
        match effect {
            Effect::Call(call) if is_booking(&call) || self.pays(&call).is_some() => {
                self.queue.push_back(Next::Booking(call));
            }
            Effect::Call(call) => self.call(call)?,
            Effect::Abandon(delivery) => self.abandon(&delivery)?,
            Effect::Offer(offer) => self.offer(*offer)?,
            Effect::Withdraw { item, reason } => self.withdraw(item, &reason)?,
            Effect::StartChild(child) => self.start_child(*child)?,
            Effect::CancelChild { key, .. } => self.cancel_child(&key),
            Effect::SetTimer { timer, at } => self.set_timer(timer, at),
            Effect::CancelTimer { timer } => self.clear_timer(timer),
            Effect::Subscribe(interests) => self.subscribe(&interests, true)?,
            Effect::Unsubscribe(interests) => self.subscribe(&interests, false)?,
            Effect::Emit(emit) => self.emit(emit)?,
            Effect::Listen { task, .. } => self.note_own(Audit::EventAwaited, None, Some(task)),
            Effect::LetGo { .. } => self.note_own(Audit::EventLetGo, None, None),
            Effect::Yield => self.actions.push(Action::Resume),
            Effect::Finish(outcome) => self.end(&outcome)?,
        }
        Ok(())
    }

    /// What was to be done in this same decision is not done. The answer of a call under way will
    /// not fit any more, and is dropped then.
    fn abandon(&mut self, delivery: &Delivery) -> Result<(), Refused> {
        let meant = |call: &Call| call.delivery == *delivery;
        self.queue
            .retain(|next| !matches!(next, Next::Booking(call) if meant(call)));
        let unsent = |action: &Action| matches!(action, Action::Call(call) if meant(call));
        let Some(index) = self.actions.iter().position(unsent) else {
            return self.give_up(delivery);
        };
        if let Action::Call(call) = self.actions.remove(index) {
            self.batch.audit.retain(|append| {
                let of_call = append.entry.subject.as_deref() == Some(call.key.as_str());
                !(of_call && append.entry.action == Audit::FunctionCalled)
            });
            self.close_call(&call.function, &call.key)?;
            self.give_back(&call.function, &call.key)?;
        }
        Ok(())
    }

    /// What a function pays, as its plugin says where that stands in its input; nothing where
    /// nothing stands there. What is no amount is refused: nobody could have approved it.
    fn pays(&self, call: &Call) -> Option<Result<Money, Refusal>> {
        let signature = self.resident.deployment.signatures.get(&call.function)?;
        let place = signature.pays.as_deref()?;
        let amount = call.input.pointer(place).filter(|it| !it.is_null())?;
        Some(serde_json::from_value(amount.clone()).map_err(|_| {
            let sentence = format!(
                "{} pays what stands at `{place}` of its input, which must be money: a whole \
                 number `minor` and a `currency`",
                call.function
            );
            Refusal::new(Code::AmountInvalid, sentence)
        }))
    }

    /// Money moves in the same batch as the state that asked for it, and answers at once. A
    /// payment to the outside is only sent then: its answer comes later.
    pub(crate) fn book(&mut self, call: &Call) -> Result<Option<Event>, Refused> {
        if asks_table(call) {
            return Ok(Some(self.ask_table(call)));
        }
        if closes_case(call) {
            return self.close_case(call).map(Some);
        }
        if let Some(step) = PlanStep::of(call) {
            return self.decide_plan(step, call).map(Some);
        }
        let booking = is_booking(call);
        let commits = committed(call);
        let before = commits.as_ref().map(|_| self.borne()).transpose()?;
        let approved = match (commits, self.pays(call)) {
            (Some((reservation, money)), _) => self.take(Way::Committed, &reservation, &money)?,
            (None, Some(Ok(money))) => self.take(Way::Paid, &call.key, &money)?,
            (None, Some(Err(refusal))) => Err(refusal),
            (None, None) => Ok(()),
        };
        let result = match approved {
            Ok(()) if !booking => {
                self.call(call.clone())?;
                return Ok(None);
            }
            Ok(()) => {
                // Only what expires is counted.
                let counted = call.input.get("expires").is_some();
                let calendar = if counted {
                    Some(self.calendar(None)?)
                } else {
                    None
                };
                let calendar = calendar.as_deref();
                self.books
                    .decide(self.shared, self.resident, self.at, calendar, call)?
            }
            Err(refusal) => Err(business(&refusal)),
        };
        if let (Err(_), Some(before)) = (&result, before) {
            self.bear_again(before)?;
        }
        match &result {
            Ok(booked) => {
                let (action, fund) = (booked.action, booked.fund.clone());
                self.note_own(action, Some(booked.reservation.clone()), Some(fund));
            }
            Err(error) => {
                let detail = Some(error.code.clone());
                self.note_own(Audit::FunctionFailed, Some(call.key.clone()), detail);
            }
        }
        Ok(Some(Event::CallReturned {
            at: self.at,
            delivery: call.delivery.clone(),
            result: result.map(|booked| booked.answer),
        }))
    }

    /// A table answers at once too, and moves nothing.
    fn ask_table(&mut self, call: &Call) -> Event {
        let moved_to = self.deployment.as_deref();
        let deployment = moved_to.unwrap_or(&self.resident.deployment);
        let result = decisions::decide(deployment, self.at, call);
        let (action, detail) = match &result {
            Ok(decided) => (Audit::TableDecided, decided.detail.clone()),
            Err(error) => (Audit::FunctionFailed, error.code.clone()),
        };
        self.note_own(action, Some(call.key.clone()), Some(detail));
        Event::CallReturned {
            at: self.at,
            delivery: call.delivery.clone(),
            result: result.map(|decided| decided.answer),
        }
    }

    fn call(&mut self, call: Call) -> Result<(), Refused> {
        self.expect_answer(&call)?;
        // Only where a crash leaves a doubt must the record show that it was going to be sent.
        if self.effect_of(&call) == Some(EffectKind::AtMostOnce) {
            let (subject, detail) = (call.key.clone(), call.function.clone());
            self.note_own(Audit::FunctionCalled, Some(subject), Some(detail));
        }
        self.actions.push(Action::Call(call));
        Ok(())
    }

    fn effect_of(&self, call: &Call) -> Option<EffectKind> {
        effect_of_request(call).or_else(|| {
            let digest = self.resident.deployment.plugin_of(&call.function)?;
            self.shared.parts.invoke.effect(&call.function, digest)
        })
    }

    fn set_timer(&mut self, timer: u32, at: Timestamp) {
        self.clear_timer(timer);
        self.timers.insert(timer, at);
        self.mark(Table::Timer, key::timer(at, &self.resident.id, timer), true);
        self.actions.push(Action::Arm { at, timer });
    }

    /// It has fired, or is no longer wanted.
    pub(crate) fn clear_timer(&mut self, timer: u32) {
        if let Some(at) = self.timers.remove(&timer) {
            self.mark(
                Table::Timer,
                key::timer(at, &self.resident.id, timer),
                false,
            );
            self.actions.push(Action::Disarm { at, timer });
        }
    }

    fn end(&mut self, outcome: &Outcome) -> Result<(), Refused> {
        let (action, detail) = match outcome {
            Outcome::Completed(_) => (Audit::InstanceCompleted, None),
            Outcome::Faulted(fault) => (Audit::InstanceFaulted, Some(named(&fault.kind))),
            Outcome::Cancelled => (Audit::InstanceCancelled, None),
        };
        // A cancellation is in the record already, under the name of who asked for it.
        if action != Audit::InstanceCancelled {
            self.note_own(action, None, detail);
        }
        self.opens_case(outcome)?;
        let mut row = self.row.take().unwrap_or_else(|| self.resident.row.clone());
        self.list_end(&mut row, outcome);
        // A run that failed may go on, and pay what was approved in it.
        if !matches!(outcome, Outcome::Faulted(_)) {
            self.settle_payments()?;
        }
        if row.parent.as_ref().is_some_and(|parent| parent.awaited) {
            self.bring_back();
        }
        self.row = Some(row);
        self.begin_again()?;
        self.actions.push(Action::Ended);
        Ok(())
    }
}

/// The error type, if it is from a fixed list; others may say anything.
fn named(kind: &str) -> String {
    let fixed = ["https://serverlessworkflow.io/", "urn:casewright:error:"];
    if fixed.iter().any(|prefix| kind.starts_with(prefix)) && kind.len() <= KIND_LEN_MAX {
        kind.to_owned()
    } else {
        "raised by the workflow".to_owned()
    }
}

const KIND_LEN_MAX: usize = 200;
