//! `call: human-task` and `call: approval`: a work item and who may not decide it.
//!
//! Who may decide is `casework`'s; here are only the people excluded by the instance's history.

use std::collections::BTreeMap;

use casewright_language::Template;
use casewright_language::workflow::{Assign, Escalate, Human, Limit as Written};
use serde_json::{Value, json};

use crate::effect::Since;
use crate::position::{Decision, Progress, Signal, State};
use crate::record::{Completion, Record};
use crate::run::{Run, Stop};
use crate::scope::Sight;
use crate::task::Here;
use crate::{Assignment, Effect, Escalation, Exclusion, ExclusionReason, Fault, Limit, Offer};

pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    human: &Human,
) -> Result<Progress<State>, Stop> {
    let asked = Asked {
        run,
        input: here.input,
        sight: &here.sight(run),
    };
    let mut offer = asked.offer(here, human)?;
    run.record.minted.item += 1;
    offer.item = run.record.minted.item;
    run.effects.push(Effect::Offer(Box::new(offer.clone())));
    Ok(Progress::Parked(State::Human(Box::new(offer))))
}

pub(crate) fn resume(
    run: &mut Run<'_>,
    offer: Box<Offer>,
    signal: &Signal<'_>,
) -> Result<Progress<State>, Stop> {
    let Signal::Completed(decision) = signal else {
        return Ok(Progress::Parked(State::Human(offer)));
    };
    if !offer.outcomes.iter().any(|known| known == decision.outcome) {
        return Err(Stop::Torn(format!(
            "outcome `{}`, which work item {} does not have",
            decision.outcome, offer.item
        )));
    }
    run.choose(&offer.reference, decision.outcome);
    for decider in decision.by {
        // Whoever they act for has done it as well.
        for person in std::iter::once(&decider.person).chain(&decider.acting_for) {
            run.record.complete(Completion {
                task: offer.task.clone(),
                approval: offer.approval,
                person: person.clone(),
            });
        }
    }
    Ok(Progress::finished(output(run, *decision)))
}

/// What `$steps.<task>` shows of a decision.
fn output(run: &Run<'_>, decision: Decision<'_>) -> Value {
    let mut output = json!({
        "outcome": decision.outcome,
        "data": decision.data,
        "comment": decision.comment,
        "by": decision.by,
        "at": run.now.to_string(),
        "workItem": format!("{}-{}", run.record.facts.id, decision.item),
        "overdue": decision.overdue,
    });
    // Left out rather than null where the event does not say: a replay gives what it gave before.
    if decision.skipped {
        output["skipped"] = Value::from(true);
        output["reason"] = json!(decision.comment);
    }
    if let Some(day) = decision.on {
        output["on"] = Value::from(day.to_string());
    }
    output
}

/// The expressions of a human task, being evaluated.
struct Asked<'a> {
    run: &'a Run<'a>,
    input: &'a Value,
    sight: &'a Sight<'a>,
}

impl Asked<'_> {
    fn offer(&self, here: &Here<'_>, human: &Human) -> Result<Offer, Stop> {
        let show = human
            .show
            .as_ref()
            .map(|show| self.value(show))
            .transpose()?;
        let limit = human
            .limit
            .as_ref()
            .map(|limit| self.limit(limit))
            .transpose()?;
        let payee = human
            .payee
            .as_ref()
            .map(|payee| self.payee(payee))
            .transpose()?;
        let since = human.since.as_ref().map(|since| self.since(since));
        let escalate = human.escalate.iter().map(|one| self.escalation(one));
        Ok(Offer {
            item: 0,
            task: here.task.name.clone(),
            reference: here.task.reference.clone(),
            rounds: here.scope.rounds(),
            approval: human.approval,
            title: self.text(&human.title, "the title of a work item")?,
            show: show.unwrap_or(Value::Null),
            form: human.form.clone(),
            assign: self.assign(&human.assign, "`assign`")?,
            due: human.due,
            since: since.transpose()?,
            remind: human.remind.clone(),
            clock: human.clock,
            calendar: human.calendar.clone(),
            escalate: escalate.collect::<Result<_, Stop>>()?,
            non_delegable: human.non_delegable,
            skippable: human.skippable.clone(),
            holds_total: human.holds_total,
            outcomes: human.outcomes.clone(),
            approvals: human.approvals,
            limit,
            excluded: excluded(&self.run.record, human, payee),
        })
    }

    fn value(&self, template: &Template) -> Result<Value, Stop> {
        self.run.value(template, self.input, self.sight)
    }

    fn text(&self, template: &Template, what: &str) -> Result<String, Stop> {
        self.run.text(template, what, self.input, self.sight)
    }

    /// `key` is where it stands in the document.
    fn assign(&self, assign: &Assign, key: &str) -> Result<Assignment, Stop> {
        let text = |template, kind| self.text(template, &format!("the {kind} in {key}"));
        Ok(match assign {
            Assign::Role(role) => Assignment::Role(text(role, "role")?),
            Assign::Team(team) => Assignment::Team(text(team, "team")?),
            Assign::Person(person) => Assignment::Person(text(person, "person")?),
        })
    }

    fn escalation(&self, escalate: &Escalate) -> Result<Escalation, Stop> {
        Ok(Escalation {
            after: escalate.after,
            to: self.assign(&escalate.to, "`escalate`")?,
        })
    }

    fn limit(&self, limit: &Written) -> Result<Limit, Stop> {
        let money = self.value(&limit.money)?;
        let minor = money.get("minor").and_then(Value::as_i64);
        let currency = money.get("currency").and_then(Value::as_str);
        let mut aspects = BTreeMap::new();
        for (aspect, written) in &limit.aspects {
            let name = aspect.as_str();
            let told = self.text(written, &format!("the {name} of a limit"))?;
            // It would count together with every other request that says nothing.
            if told.trim().is_empty() {
                return Err(self.refuse(&format!("the {name} of a limit is empty")));
            }
            aspects.insert(name.to_owned(), told);
        }
        match (minor, currency) {
            (Some(minor), Some(currency)) => Ok(Limit {
                aspects,
                policy: limit.policy.clone(),
                minor,
                currency: currency.to_owned(),
            }),
            (_, _) => Err(self.refuse(
                "the money of a limit must be an object with a whole number `minor` and a text \
                 `currency`",
            )),
        }
    }

    /// A payee that cannot be told is refused: silently excluding nobody would let them decide.
    fn payee(&self, payee: &Template) -> Result<String, Stop> {
        let payee = self.value(payee)?;
        let person = payee.as_str().or_else(|| payee.get("person")?.as_str());
        match person {
            Some(person) if !person.is_empty() => Ok(person.to_owned()),
            Some(_) | None => Err(self.refuse(
                "the payee must be the id of a person or an object with such an id in `person`",
            )),
        }
    }

    /// Neither a guess nor the offer instead: a duty that counts from elsewhere would be late.
    fn since(&self, since: &Template) -> Result<Since, Stop> {
        let text = self.text(since, "`since`")?;
        let moment = text.parse().map(Since::Moment);
        let shown = || text.parse().map(Since::Shown);
        moment.or_else(|_| shown()).map_err(|_| {
            self.refuse(
                "`since` must be a moment such as 2026-11-01T01:30, or one with its offset such \
                 as 2026-11-01T01:30-05:00",
            )
        })
    }

    fn refuse(&self, sentence: &str) -> Stop {
        Fault::validation(self.sight.place, sentence).into()
    }
}

/// Who may not decide an item that is open because of what was done, in another branch, since it
/// was offered.
pub(crate) fn excluded_since(record: &Record, human: &Human, offer: &Offer) -> Vec<Exclusion> {
    let mut since = excluded(record, human, None);
    since.retain(|exclusion| !offer.excluded.contains(exclusion));
    since
}

/// Each person once for each reason.
fn excluded(record: &Record, human: &Human, payee: Option<String>) -> Vec<Exclusion> {
    let mut found = Vec::new();
    let mut exclude = |person: &str, reason| {
        let exclusion = Exclusion {
            person: person.to_owned(),
            reason,
        };
        if !found.contains(&exclusion) {
            found.push(exclusion);
        }
    };
    if human.approval {
        exclude(&record.facts.started_by, ExclusionReason::Started);
        for done in record.worked() {
            exclude(&done.person, ExclusionReason::Completed(done.task));
        }
    }
    if let Some(payee) = payee {
        exclude(&payee, ExclusionReason::Payee);
    }
    for task in &human.different_person_from {
        for done in record.completions.iter().filter(|done| done.task == *task) {
            exclude(&done.person, ExclusionReason::Different(task.clone()));
        }
    }
    found
}
