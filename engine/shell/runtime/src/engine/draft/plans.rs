//! `plan.propose`, `plan.agree`, `plan.activate` within a decision: `casework::Plan` decides, on
//! the people who are in the case at that moment; here are the rows, each guarded.

use casewright_casework::audit::Action as Audit;
use casewright_casework::plan::{
    Agrees, Content, GoalSaid, Missing, Proposed, Said, Status, Word, person_named,
};
use casewright_casework::work_item::State;
use casewright_casework::{Code, Person, Plan, Refusal, WorkItem};
use casewright_machine::{Call, CallError, Event};
use casewright_store::{Guard, Table};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Draft;
use crate::engine::Refused;
use crate::engine::funds::{business, permanent};
use crate::engine::plans::{PlanStep, PlanVersion, WHAT, head, version_key};

/// The plan as this decision leaves it.
#[derive(Default)]
pub(super) struct OpenPlan {
    /// Of the row that says how it stands; `None` until it was looked at.
    version: Option<u64>,
    before: Option<Plan>,
    now: Option<Plan>,
    /// The latest version with what is said to it, and the version of its row.
    latest: Option<(PlanVersion, u64)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProposeArguments {
    plan: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgreeArguments {
    digest: String,
    people: Vec<PersonSaid>,
    #[serde(default)]
    child: Option<Vec<ChildSaid>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActivateArguments {
    digest: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PersonSaid {
    person: String,
    agrees: Option<Agrees>,
    goals: Option<Vec<GoalSaid>>,
    words: Option<String>,
    copy_given: Option<bool>,
    /// Why they were not asked.
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChildSaid {
    person: String,
    view: Option<String>,
    reason: Option<String>,
}

/// Everybody of the case, and the day it is where the agency is.
struct Around {
    people: Vec<Person>,
    today: Date,
}

/// What the record says of it.
struct Told {
    who: Option<String>,
    action: Audit,
    plan: Plan,
}

type Decided = Result<Result<Told, CallError>, Refused>;

impl Draft<'_> {
    pub(super) fn decide_plan(&mut self, step: PlanStep, call: &Call) -> Result<Event, Refused> {
        let around = self.around_plan()?;
        let decided = match step {
            PlanStep::Propose => self.propose(call)?,
            PlanStep::Agree => self.hear(call, &around)?,
            PlanStep::Activate => self.activate(call, &around),
        };
        let result = match decided {
            Ok(Told { who, action, plan }) => {
                let detail = Some(format!("version {}", plan.version));
                match who {
                    Some(who) => self.note(&who, action, Some(call.key.clone()), detail),
                    None => self.note_own(action, Some(call.key.clone()), detail),
                }
                let answer = answer(&plan, &around);
                self.plan.now = Some(plan);
                Ok(answer)
            }
            Err(error) => {
                let (subject, detail) = (call.key.clone(), error.code.clone());
                self.note_own(Audit::FunctionFailed, Some(subject), Some(detail));
                Err(error)
            }
        };
        Ok(Event::CallReturned {
            at: self.at,
            delivery: call.delivery.clone(),
            result,
        })
    }

    fn propose(&mut self, call: &Call) -> Decided {
        let ProposeArguments { plan: written } = match arguments(call, "plan") {
            Ok(arguments) => arguments,
            Err(error) => return Ok(Err(error)),
        };
        let content = match Content::of(&written) {
            Ok(content) => content,
            Err(refusal) => return Ok(Err(business(&refusal))),
        };
        let proposed = Proposed {
            at: self.at,
            instance: self.resident.id.clone(),
            item: self.own_items()?.last().map_or(0, |item| item.number),
        };
        let before = self.plan.now.as_ref();
        let case = &self.resident.row.case;
        let plan = Plan::proposed(before, case, content, proposed);
        if before.map(|before| before.version) != Some(plan.version) {
            let version = PlanVersion {
                version: plan.version,
                digest: plan.digest.clone(),
                at: self.at,
                instance: self.resident.id.clone(),
                plan: written,
                said: Vec::new(),
            };
            self.plan.latest = Some((version, 0));
        }
        Ok(Ok(Told {
            who: None,
            action: Audit::PlanProposed,
            plan,
        }))
    }

    fn hear(&mut self, call: &Call, around: &Around) -> Decided {
        let wanted = "digest, people [{ person, agrees, goals, copyGiven }] and child [{ person, \
                      view }]";
        let arguments: AgreeArguments = match arguments(call, wanted) {
            Ok(arguments) => arguments,
            Err(error) => return Ok(Err(error)),
        };
        let Some(plan) = self.plan.now.clone() else {
            return Ok(Err(business(&no_plan())));
        };
        let Some(by) = self.written_down_by(&plan.proposed)? else {
            let sentence = "nobody of the staff has written down what the family says to this \
                            version: a task for people comes between `plan.propose` and \
                            `plan.agree`";
            let refusal = Refusal::new(Code::NeedsAgreement, sentence);
            return Ok(Err(business(&refusal)));
        };
        let digest = arguments.digest.clone();
        let said = arguments.said(&around.people, self.at, &by);
        let heard = said.and_then(|said| {
            let heard = plan.heard(&digest, said, &around.people);
            heard.map_err(|refusal| business(&refusal))
        });
        let heard = match heard {
            Ok(heard) => heard,
            Err(error) => return Ok(Err(error)),
        };
        self.latest_version(&heard)?.said.clone_from(&heard.said);
        Ok(Ok(Told {
            who: Some(by),
            action: Audit::PlanAnswered,
            plan: heard,
        }))
    }

    fn activate(&self, call: &Call, around: &Around) -> Result<Told, CallError> {
        let ActivateArguments { digest } = arguments(call, "digest")?;
        let activated = match &self.plan.now {
            Some(plan) => plan.activated(&digest, &around.people, around.today, self.at),
            None => Err(no_plan()),
        };
        activated
            .map(|plan| Told {
                who: None,
                action: Audit::PlanActivated,
                plan,
            })
            .map_err(|refusal| business(&refusal))
    }

    /// The people whom the decision rests on stay as they are until it is on disk.
    fn around_plan(&mut self) -> Result<Around, Refused> {
        let case = self.resident.row.case.clone();
        if self.plan.version.is_none() {
            let found = self
                .shared
                .pending::<Plan>(Table::Index, &head(&case), WHAT)?;
            let (plan, version) = found.unzip();
            self.plan.before.clone_from(&plan);
            self.plan.now = plan;
            self.plan.version = Some(version.unwrap_or(0));
        }
        let (people, guards) = self.shared.people(&case)?;
        self.batch.guards.extend(guards);
        let zone = self.resident.deployment.calendar().zone().clone();
        Ok(Around {
            people,
            today: self.at.to_zoned(zone).date(),
        })
    }

    /// Work items of this run in their order, as this decision leaves them.
    pub(super) fn own_items(&self) -> Result<Vec<WorkItem>, Refused> {
        let mut items = self.shared.items_of(&self.resident.id)?;
        items.retain(|item| !self.items.contains_key(&item.id));
        let here = self.items.values().map(|open| open.now.clone());
        items.extend(here.filter(|item| item.instance == self.resident.id));
        items.sort_by_key(|item| item.number);
        Ok(items)
    }

    /// Who of the staff finished a task of this run last, after the version was written. What no
    /// person wrote down the family has not said.
    fn written_down_by(&self, proposed: &Proposed) -> Result<Option<String>, Refused> {
        let after = |item: &WorkItem| {
            if item.instance == proposed.instance {
                item.number > proposed.item
            } else {
                item.offered_at >= proposed.at
            }
        };
        let items = self.own_items()?.into_iter();
        let done = items.filter(|item| item.state == State::Completed && after(item));
        let last = done.flat_map(|item| item.decisions).max_by_key(|it| it.at);
        Ok(last.map(|decision| decision.person))
    }

    fn latest_version(&mut self, plan: &Plan) -> Result<&mut PlanVersion, Refused> {
        if self.plan.latest.is_none() {
            let key = version_key(&plan.case, plan.version);
            let found = self
                .shared
                .pending::<PlanVersion>(Table::Plan, &key, WHAT)?;
            let lacking = || Refused::Damaged("a version of a plan is not in the store".to_owned());
            self.plan.latest = Some(found.ok_or_else(lacking)?);
        }
        let latest = self.plan.latest.as_mut().map(|(version, _)| version);
        Ok(latest.expect("it was just put there"))
    }

    pub(super) fn write_plan(&mut self) {
        let OpenPlan {
            version,
            before,
            now,
            latest,
        } = std::mem::take(&mut self.plan);
        let (Some(version), Some(plan)) = (version, now) else {
            return;
        };
        let (key, table) = (head(&plan.case), Table::Index);
        if before.as_ref() != Some(&plan) {
            self.put(table, key.clone(), &plan, self.under());
        }
        // What was only looked at is guarded as well: the decision rests on it.
        self.batch.guards.push(Guard::Row {
            table,
            key,
            version,
        });
        if let Some((latest, version)) = latest {
            let (key, table) = (version_key(&plan.case, latest.version), Table::Plan);
            self.put(table, key.clone(), &latest, self.under());
            self.batch.guards.push(Guard::Row {
                table,
                key,
                version,
            });
        }
    }
}

impl AgreeArguments {
    fn said(self, people: &[Person], at: Timestamp, by: &str) -> Result<Vec<Said>, CallError> {
        let said = |person: &str, word| {
            let person = person_named(people, person).map_err(|refusal| business(&refusal))?;
            Ok(Said {
                person: person.id.clone(),
                word,
                at,
                by: by.to_owned(),
            })
        };
        let mut all = Vec::new();
        for one in self.people {
            let person = one.person.clone();
            all.push(said(&person, one.word()?)?);
        }
        for one in self.child.unwrap_or_default() {
            let word = match (one.view, one.reason) {
                (Some(view), None) => Word::View { view },
                (None, Some(reason)) => Word::NotAsked { reason },
                (Some(_), Some(_)) | (None, None) => {
                    let sentence = "what a child says is `view`, or `reason` says why nobody asked";
                    return Err(invalid(sentence));
                }
            };
            all.push(said(&one.person, word)?);
        }
        Ok(all)
    }
}

impl PersonSaid {
    fn word(self) -> Result<Word, CallError> {
        match (self.agrees, self.reason) {
            (Some(agrees), None) => Ok(Word::Answer {
                agrees,
                goals: self.goals.unwrap_or_default(),
                words: self.words,
                copy_given: self.copy_given.unwrap_or_default(),
            }),
            (None, Some(reason)) => Ok(Word::NotAsked { reason }),
            (Some(_), Some(_)) | (None, None) => {
                let sentence = "whoever was asked has `agrees`, whoever was not has `reason`";
                Err(invalid(sentence))
            }
        }
    }
}

/// What a run learns: whom it is to ask stands there as ids, never as names.
fn answer(plan: &Plan, around: &Around) -> Value {
    let Around { people, today } = around;
    let (adults, children) = Plan::to_ask(people, *today);
    let missing = plan.missing(people, *today);
    let missing: Vec<_> = missing.iter().map(Missing::sentence).collect();
    let status: Status = plan.status(people, *today);
    json!({
        "version": plan.version,
        "digest": plan.digest,
        "status": status.as_str(),
        "missing": missing,
        "adults": adults,
        "children": children,
    })
}

fn arguments<T: DeserializeOwned>(call: &Call, wanted: &str) -> Result<T, CallError> {
    // The library's own words would repeat what somebody said.
    T::deserialize(&call.input).map_err(|_| invalid(&format!("{} takes {wanted}", call.function)))
}

fn invalid(sentence: &str) -> CallError {
    permanent("invalid-arguments", 400, sentence.to_owned())
}

fn no_plan() -> Refusal {
    let sentence = "this case has no plan yet: `plan.propose` writes one";
    Refusal::new(Code::UnknownPlan, sentence)
}
