//! The end of an episode within a decision: `case.close`, and the run whose end opens the case
//! again. Nothing of the case may be under way but what the document leaves.

use std::collections::BTreeSet;

use casewright_casework::audit::Action as Audit;
use casewright_casework::case::{Closing, Counts};
use casewright_casework::outcomes::Ended;
use casewright_casework::retention::Kept;
use casewright_casework::work_item::State;
use casewright_casework::{Case, Code, Refusal};
use casewright_language::pack;
use casewright_machine::{Call, CallError, Event, Outcome};
use casewright_store::{Guard, Table, Under};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Draft;
use crate::engine::Refused;
use crate::engine::episodes::{Episodes, ended_key};
use crate::engine::funds::{business, permanent};
use crate::record::InstanceRow;

/// Facts beside the reason, as JSON: an episode is no place for documents.
const FACTS_BYTES_MAX: usize = 16 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Arguments {
    reason: String,
    consent_given: bool,
    #[serde(default)]
    facts: Value,
    /// Workflows whose runs may go on in the closed case.
    #[serde(default)]
    leave: Option<Vec<String>>,
}

/// What is under way besides the run that closes.
#[derive(Default)]
struct Open {
    /// Run and workflow.
    runs: Vec<(String, String)>,
    /// Reservation and fund.
    reservations: Vec<(String, String)>,
}

impl Draft<'_> {
    pub(super) fn close_case(&mut self, call: &Call) -> Result<Event, Refused> {
        let result = self.closed(call)?;
        if let Err(error) = &result {
            let (subject, detail) = (call.key.clone(), error.code.clone());
            self.note_own(Audit::FunctionFailed, Some(subject), Some(detail));
        }
        Ok(Event::CallReturned {
            at: self.at,
            delivery: call.delivery.clone(),
            result,
        })
    }

    fn closed(&mut self, call: &Call) -> Result<Result<Value, CallError>, Refused> {
        // The library's own words would repeat what somebody wrote.
        let Ok(arguments) = Arguments::deserialize(&call.input) else {
            let sentence = "case.close takes reason, consentGiven (true or false) and perhaps \
                            facts, a map, and leave, a list of workflows";
            return Ok(Err(invalid(sentence)));
        };
        if arguments.facts.to_string().len() > FACTS_BYTES_MAX {
            return Ok(Err(invalid("the facts of an end take at most 16 KiB")));
        }
        let reasons = &self.resident.deployment.pack.closing_reasons;
        let Some(reason) = reasons.get(&arguments.reason) else {
            let known: Vec<_> = reasons.keys().map(String::as_str).collect();
            let sentence = format!(
                "the pack has no such reason for closing; it has: {}",
                known.join(", ")
            );
            let refusal = Refusal::new(Code::UnknownClosingReason, sentence);
            return Ok(Err(business(&refusal)));
        };
        let counts = counts_of(reason.counts);
        let leave = arguments.leave.clone().unwrap_or_default();
        let open = self.still_open(&leave)?;
        if let Some(error) = open.refusal() {
            return Ok(Err(error));
        }
        let (case, guard) = self.case_row()?;
        let mut closing = Closing {
            at: self.at,
            by: self.answered_by()?,
            reason: arguments.reason,
            counts,
            consent_given: arguments.consent_given,
            facts: arguments.facts,
            kept: None,
        };
        closing.kept = self.kept_from(&case, &closing)?;
        let (closed, episode) = match case.close(closing) {
            Ok(closed) => closed,
            Err(refusal) => return Ok(Err(business(&refusal))),
        };
        let Some(closing) = &episode.closed else {
            unreachable!("it was closed just now")
        };
        let ended = Ended {
            reason: closing.reason.clone(),
            counts,
            consent_given: closing.consent_given,
        };
        let zone = self.resident.deployment.calendar().zone().clone();
        let day = self.at.to_zoned(zone).date();
        let agency = case.agency.clone();
        let key = ended_key(&agency, day, &case.id, episode.number);
        self.put(Table::Episode, key, &ended, Under::Agency(agency));
        let (by, reason) = (closing.by.clone(), closing.reason.clone());
        self.batch.puts.extend(self.shared.due_line(&closed, true));
        self.put_case(&closed, guard);
        self.note(&by, Audit::CaseClosed, None, Some(reason.clone()));
        Ok(Ok(json!({
            "episode": episode.number,
            "reason": reason,
            "counts": counts.as_str(),
            "closedOn": day.to_string(),
        })))
    }

    /// A run that ends with `case: open` opens a case that is closed, as decision 0016 has it.
    pub(super) fn opens_case(&mut self, outcome: &Outcome) -> Result<(), Refused> {
        let Outcome::Completed(output) = outcome else {
            return Ok(());
        };
        let says = output.get("case").and_then(Value::as_str) == Some("open");
        if !says || self.resident.row.parent.is_some() {
            return Ok(());
        }
        let (case, guard) = self.case_row()?;
        if case.closed().is_none() {
            return Ok(());
        }
        let (by, because) = (self.answered_by()?, self.resident.row.workflow.clone());
        let again = case.reopen(self.at, &by, &because).map_err(Refused::Rule)?;
        self.batch.puts.extend(self.shared.due_line(&case, false));
        self.put_case(&again, guard);
        self.note(&by, Audit::CaseReopened, None, None);
        Ok(())
    }

    /// The run begins, or goes on after a failure: never in a closed case, unless its workflow is
    /// there for that. Whoever closes the case sees it, also before it is on disk.
    pub(crate) fn begin_in_case(&mut self, in_closed_case: bool) -> Result<(), Refused> {
        let (case, guard) = self.case_row()?;
        if !in_closed_case {
            case.admits_work().map_err(Refused::Rule)?;
        }
        self.batch.guards.push(guard);
        let (mut begun, guard) = self.shared.begun(&case.id)?;
        begun.retain(|id| self.shared.unseen(id));
        begun.insert(self.resident.id.clone());
        let key = Episodes::begun_key(&case.id);
        self.put(Table::Index, key, &begun, self.under());
        self.batch.guards.push(guard);
        Ok(())
    }

    fn case_row(&self) -> Result<(Case, Guard), Refused> {
        self.shared.case_row(&self.resident.row.case)
    }

    /// What holds for the file from here on, by all that ran in the case.
    fn kept_from(&self, case: &Case, closing: &Closing) -> Result<Option<Kept>, Refused> {
        let mut runs: BTreeSet<String> = self.shared.instances_of(&case.id)?.into_iter().collect();
        runs.extend(self.shared.begun(&case.id)?.0);
        self.shared.kept_from(case, closing, &runs)
    }

    fn put_case(&mut self, case: &Case, guard: Guard) {
        let key = case.id.clone().into_bytes();
        self.put(Table::Case, key, case, self.under());
        self.batch.guards.push(guard);
    }

    /// Whoever answered a task of this run last; without one, whoever started it.
    fn answered_by(&self) -> Result<String, Refused> {
        let items = self.own_items()?.into_iter();
        let done = items.filter(|item| item.state == State::Completed);
        let last = done.flat_map(|item| item.decisions).max_by_key(|it| it.at);
        let started_by = || self.instance().started_by().to_owned();
        Ok(last.map_or_else(started_by, |decision| decision.person))
    }

    /// Other runs of the case that have not ended, and money that is set aside in it.
    fn still_open(&mut self, leave: &[String]) -> Result<Open, Refused> {
        let case = self.resident.row.case.clone();
        let own = self.shared.root_of(&self.resident.id)?;
        let (begun, guard) = self.shared.begun(&case)?;
        self.batch.guards.push(guard);
        let mut ids: BTreeSet<String> = self.shared.instances_of(&case)?.into_iter().collect();
        ids.extend(begun);
        let mut open = Open::default();
        for id in &ids {
            let row = self.shared.pending::<InstanceRow>(
                Table::Instance,
                id.as_bytes(),
                "an instance",
            )?;
            let Some((row, _)) = row.filter(|(row, _)| row.ended_at.is_none()) else {
                continue;
            };
            if !leave.contains(&row.workflow) && self.shared.root_of(id)? != own {
                open.runs.push((id.clone(), row.workflow));
            }
        }
        let agency = self.resident.row.agency.clone();
        let funds: Vec<_> = self
            .resident
            .deployment
            .pack
            .funds
            .keys()
            .cloned()
            .collect();
        for fund in funds {
            let held = self.books.held(self.shared, &agency, &fund)?;
            for (reservation, owner) in held {
                let run = owner.split('/').next().unwrap_or_default();
                if ids.contains(run) {
                    open.reservations.push((reservation, fund.clone()));
                }
            }
        }
        Ok(open)
    }
}

impl Open {
    fn refusal(&self) -> Option<CallError> {
        if self.runs.is_empty() && self.reservations.is_empty() {
            return None;
        }
        let names = |list: &[(String, String)]| {
            let names: BTreeSet<_> = list.iter().map(|(_, name)| name.as_str()).collect();
            names.into_iter().collect::<Vec<_>>().join(", ")
        };
        let mut parts = Vec::new();
        if !self.runs.is_empty() {
            parts.push(format!("runs of {}", names(&self.runs)));
        }
        if !self.reservations.is_empty() {
            let funds = names(&self.reservations);
            parts.push(format!("money set aside in {funds}"));
        }
        let sentence = format!("something in this case is still open: {}", parts.join("; "));
        let ids = |list: &[(String, String)]| list.iter().map(|(id, _)| id.clone()).collect();
        let (runs, reservations): (Vec<_>, Vec<_>) = (ids(&self.runs), ids(&self.reservations));
        let mut error = business(&Refusal::new(Code::StillOpen, sentence));
        error.details = Some(json!({ "runs": runs, "reservations": reservations }));
        Some(error)
    }
}

fn counts_of(counts: pack::Counts) -> Counts {
    match counts {
        pack::Counts::Achieved => Counts::Achieved,
        pack::Counts::Partly => Counts::Partly,
        pack::Counts::Not => Counts::Not,
        pack::Counts::Excluded => Counts::Excluded,
    }
}

fn invalid(sentence: &str) -> CallError {
    permanent("invalid-arguments", 400, sentence.to_owned())
}
