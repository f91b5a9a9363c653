//! How long the file of a case is kept, who holds it back, and its erasure: asked for by one,
//! decided by another. What the classes mean and who may do what is `casework`'s.
//!
//! What people said of it is one row under the case; what stays of an erased case is a row of the
//! agency. The deciding batch is in `retention/erase.rs`, lists in `retention/lists.rs`.

mod change;
mod erase;
mod lists;
mod rows;
mod view;

use std::collections::BTreeSet;

use casewright_casework::case::Closing;
use casewright_casework::retention::erasure::{By, State};
use casewright_casework::retention::{Class, Facts, Kept, Standing};
use casewright_casework::work_item;
use casewright_casework::{Case, Disposal, Principal};
use casewright_language::pack::Retention;
use casewright_store::{Batch, Guard, Put, Table, Under};
use jiff::Timestamp;
use jiff::civil::Date;

use super::shared::{Shared, unreadable};
use super::{Engine, Refused};
use crate::record::{FundRow, InstanceRow};
use crate::{key, record};

pub(super) use lists::listed;
pub use rows::{Skeleton, skeletons};
pub use view::{
    AskedView, ClassView, DeclinedView, DoneView, DueView, ErasedView, HoldView, ObstacleView,
    RetentionView, TransferView,
};

const WHAT: &str = "what was said of keeping a case";

/// What somebody does with files, by the roles of the pack in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeper {
    pub asks: bool,
    pub decides: bool,
    pub holds: bool,
}

impl Keeper {
    /// Whether they have to do with it at all.
    pub const fn any(self) -> bool {
        self.asks || self.decides || self.holds
    }
}

/// A case with all that its erasure hangs on.
struct Outlook {
    case: Case,
    disposal: Disposal,
    /// The day of its last end; `None` while the case is open.
    closed_on: Option<Date>,
    /// `None` while the case is open.
    standing: Option<Standing>,
    /// Of its runs.
    runs: Vec<(String, InstanceRow)>,
    runs_open: bool,
    tasks_open: bool,
    money_set_aside: bool,
    today: Date,
}

impl Outlook {
    fn state(&self) -> State<'_> {
        let last = self.case.closed().and(self.case.episodes().pop());
        State {
            closed: last.map(|episode| episode.number),
            runs_open: self.runs_open,
            tasks_open: self.tasks_open,
            money_set_aside: self.money_set_aside,
            standing: self.standing.as_ref(),
            today: self.today,
        }
    }
}

impl Engine {
    /// What the principal does with files; nothing for most.
    pub fn keeper(&self, who: &Principal) -> Keeper {
        self.shared.keeper(who)
    }

    /// To whom files of the agency are handed over: words with their titles.
    pub fn file_recipients(&self, who: &Principal) -> Vec<(String, String)> {
        let retention = self.shared.retention(&who.agency);
        retention.recipients.into_iter().collect()
    }
}

impl Shared {
    fn retention(&self, agency: &str) -> Retention {
        let in_force = self.in_force(agency);
        in_force.map_or_else(Retention::default, |found| found.pack.retention.clone())
    }

    fn keeper(&self, who: &Principal) -> Keeper {
        let retention = self.retention(&who.agency);
        Keeper {
            asks: retention.may_ask(&who.roles),
            decides: retention.may_decide(&who.roles),
            holds: retention.may_hold(&who.roles),
        }
    }

    fn classes(&self, agency: &str) -> Vec<Class> {
        let in_force = self.in_force(agency);
        in_force.map_or_else(Vec::new, |found| found.classes())
    }

    /// What people have said of a case so far, with its version.
    fn disposal(&self, case: &str) -> Result<(Disposal, u64), Refused> {
        let found = self.pending::<Disposal>(Table::Index, &disposal_key(case), WHAT)?;
        Ok(found.unwrap_or_default())
    }

    /// Everything as it is on disk: whoever decides guards that nothing was added meanwhile.
    fn outlook(&self, case: Case) -> Result<Outlook, Refused> {
        let disposal = self.read(Table::Index, &disposal_key(&case.id), WHAT)?;
        self.outlook_with(case, disposal.unwrap_or_default())
    }

    fn outlook_with(&self, case: Case, disposal: Disposal) -> Result<Outlook, Refused> {
        let mut runs = Vec::new();
        for id in self.instances_of(&case.id)? {
            let row = self.read(Table::Instance, id.as_bytes(), "an instance row")?;
            runs.extend(row.map(|row| (id, row)));
        }
        let mut tasks_open = false;
        for (id, _) in &runs {
            let items = self.items_of(id)?;
            tasks_open |= items.iter().any(|item| match item.state {
                work_item::State::Offered | work_item::State::Claimed | work_item::State::Held => {
                    true
                }
                work_item::State::Completed | work_item::State::Withdrawn => false,
            });
        }
        let standing = match case.closed() {
            Some(closing) => Some(self.kept_standing(&case, closing, &runs)?),
            None => None,
        };
        let closed_on = case.closed().map(|one| self.local(&case.agency, one.at));
        Ok(Outlook {
            disposal,
            closed_on,
            standing,
            runs_open: runs.iter().any(|(_, row)| row.ended_at.is_none()),
            tasks_open,
            money_set_aside: self.holds_money(&case.agency, &runs)?,
            runs,
            today: self.today(&case.agency),
            case,
        })
    }

    fn kept_standing(
        &self,
        case: &Case,
        closing: &Closing,
        runs: &[(String, InstanceRow)],
    ) -> Result<Standing, Refused> {
        let workflows = runs.iter().map(|(_, row)| row.workflow.clone()).collect();
        let facts = self.kept_by(case, closing, workflows)?;
        let episodes = case.episodes();
        let ends = episodes.iter().filter_map(|one| one.closed.as_ref());
        let kept = ends.filter_map(|one| one.kept.as_ref());
        Ok(Standing::of(&self.classes(&case.agency), kept, &facts))
    }

    /// What a case falls under its classes by, once it was closed in this way.
    fn kept_by(
        &self,
        case: &Case,
        closing: &Closing,
        workflows: BTreeSet<String>,
    ) -> Result<Facts, Refused> {
        let (people, _) = self.people(&case.id)?;
        let persons = people.into_iter().map(|one| one.details);
        let episodes = case.episodes();
        let earlier = episodes.into_iter().filter_map(|one| one.closed);
        let reasons = earlier.map(|one| one.reason);
        Ok(Facts {
            closed: self.local(&case.agency, closing.at),
            reasons: reasons.chain([closing.reason.clone()]).collect(),
            workflows,
            persons: persons.map(|one| (one.relation, one.born)).collect(),
        })
    }

    /// What holds for a case that is just being closed: kept with its end.
    pub(super) fn kept_from(
        &self,
        case: &Case,
        closing: &Closing,
        runs: &BTreeSet<String>,
    ) -> Result<Option<Kept>, Refused> {
        let Some(in_force) = self.in_force(&case.agency) else {
            return Ok(None);
        };
        let classes = in_force.classes();
        if classes.is_empty() {
            return Ok(None);
        }
        let mut workflows = BTreeSet::new();
        for id in runs {
            let row = self.pending::<InstanceRow>(Table::Instance, id.as_bytes(), "an instance")?;
            workflows.extend(row.map(|(row, _)| row.workflow));
        }
        let facts = self.kept_by(case, closing, workflows)?;
        Ok(Some(Kept::new(classes, &facts, &in_force.digest)))
    }

    fn holds_money(&self, agency: &str, runs: &[(String, InstanceRow)]) -> Result<bool, Refused> {
        let prefix = key::prefix(&[agency]);
        let store = &self.parts.store;
        let rows = store.scan(Table::Fund, &prefix, &key::after(&prefix), usize::MAX);
        for (_, row) in rows.map_err(unreadable)? {
            let row: FundRow = record::decode("a fund", &row.value)?;
            let mut owners = row.fund.reservations().map(|one| one.owner.as_str());
            let of_case = |owner: &str| {
                let run = owner.split('/').next().unwrap_or_default();
                runs.iter().any(|(id, _)| id == run)
            };
            if owners.any(of_case) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn local(&self, agency: &str, at: Timestamp) -> Date {
        at.to_zoned(self.zone_of(agency)).date()
    }

    /// The line of a closed case in the list of what is due; taken away when it is opened again.
    pub(super) fn due_line(&self, case: &Case, set: bool) -> Option<Put> {
        let closing = case.closed()?;
        let day = closing.kept.as_ref().map(|kept| kept.listed);
        let day = day.unwrap_or_else(|| self.local(&case.agency, closing.at));
        Some(Put {
            table: Table::Index,
            key: rows::due_key(&case.agency, day, &case.id),
            value: set.then(Vec::new),
            under: Under::Case(case.id.clone()),
        })
    }

    /// Colleagues for whom somebody stands in today, and the guard that it stays so: whatever they
    /// do counts as done by both.
    fn acted_for(
        &self,
        who: &Principal,
        at: Timestamp,
    ) -> Result<(BTreeSet<String>, Guard), Refused> {
        let (absences, guard) = self.absences(&who.agency)?;
        let acting = absences.with(&who.id, at);
        Ok((acting.map(|one| one.person.clone()).collect(), guard))
    }

    /// Whether somebody stands in the case, lifted or not, and the guards that it stays so.
    fn has_wall(&self, who: &Principal, case: &str) -> Result<(bool, Vec<Guard>), Refused> {
        let (walls, guards) = self.walls(case)?;
        Ok((walls.stands(&who.id), guards.into()))
    }
}

fn by<'a>(
    who: &'a Principal,
    (may, stands): (bool, bool),
    acts_for: &'a BTreeSet<String>,
    at: Timestamp,
) -> By<'a> {
    By {
        who,
        may,
        stands,
        acts_for,
        at,
    }
}

/// What was said of a case, where nobody said anything else meanwhile.
fn put_disposal(case: &str, next: &Disposal, version: u64, batch: &mut Batch) {
    batch.guards.push(Guard::Row {
        table: Table::Index,
        key: disposal_key(case),
        version,
    });
    batch.puts.push(Put {
        table: Table::Index,
        key: disposal_key(case),
        value: Some(record::encode(next)),
        under: Under::Case(case.to_owned()),
    });
}

pub(super) fn disposal_key(case: &str) -> Vec<u8> {
    key::join(&["disposal", case])
}
