//! Who is away, and who stands in. Every absence is a row of its own; beside them one row of the
//! agency holds those that are not over, which whoever acts for somebody reads and guards.

use std::sync::Arc;

use casewright_casework::absence::{self, Absence, Absences};
use casewright_casework::principal::Kind;
use casewright_casework::work_item::{Actor, Away};
use casewright_casework::{Code, Principal, Refusal, WorkItem};
use casewright_store::{Batch, Guard, Put, SubmitError, Table, Under};
use jiff::Timestamp;
use jiff::civil::Date;

use super::requests::{Ask, Asked};
use super::shared::{Shared, not_found, refused, unreadable};
use super::{Engine, Refused, RequestKey};
use crate::{id, key, record};

/// More that are not over in one agency is no list that anybody keeps.
const ABSENCES_MAX: usize = 5_000;

/// Absences that one answer holds, latest first.
const PAGE_MAX: usize = 500;

const WHAT: &str = "an absence";

/// A request to write down that somebody is away.
#[derive(Debug, Clone)]
pub struct NewAbsence {
    /// Id or sign-in name; whoever asks, when it is left out.
    pub person: Option<String>,
    /// Id or sign-in name of who stands in.
    pub substitute: String,
    pub from: Date,
    /// The last day.
    pub to: Date,
}

/// An item taken up for somebody who is away, with the guards of their absence, and of the case
/// being open to them.
pub(crate) type Taken = Result<(WorkItem, Vec<Guard>), Refusal>;

/// For whom somebody works on an item, as the store has it.
#[derive(Default)]
pub(crate) struct Stead {
    person: Option<Principal>,
    absence: Option<Absence>,
    guard: Option<Guard>,
}

impl Stead {
    /// Whoever works on it, if they still may act so.
    pub(crate) fn actor<'a>(
        &'a self,
        item: &WorkItem,
        who: &'a Principal,
        at: Timestamp,
    ) -> Result<Actor<'a>, Refusal> {
        item.actor(who, self.person.as_ref(), self.absence.as_ref(), at)
    }

    /// Holds until what it was decided for is on disk.
    pub(crate) fn guard(&self) -> Option<Guard> {
        self.guard.clone()
    }
}

impl Engine {
    /// Absences of the agency, the latest written down first; those that are over as well.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn absences(&self, who: &Principal) -> Result<Vec<Absence>, Refused> {
        let prefix = key::prefix(&[&who.agency]);
        let end = key::after(&prefix);
        let store = &self.shared.parts.store;
        let rows = store.scan(Table::Absence, &prefix, &end, usize::MAX);
        let rows = rows.map_err(unreadable)?;
        let latest = rows.iter().rev().take(PAGE_MAX);
        latest
            .map(|(_, row)| record::decode(WHAT, &row.value))
            .collect()
    }

    /// Whether one of their roles arranges the work of others.
    pub fn arranges(&self, who: &Principal) -> bool {
        self.shared.arranges(who)
    }

    /// Writes down that somebody is away.
    pub async fn record_absence(
        &self,
        who: &Principal,
        new: NewAbsence,
        key: Option<RequestKey>,
    ) -> Result<Absence, Refused> {
        let zone = self.zone(who);
        let author = who.clone();
        self.change_absences(who, "absence", key, move |shared, all, at| {
            let person = match &new.person {
                Some(person) => shared.colleague(&author, person, Code::AbsenceInvalid)?,
                None => author.clone(),
            };
            let substitute = shared.colleague(&author, &new.substitute, Code::AbsenceInvalid)?;
            let asked = absence::Asked {
                id: &id::timed('a', at, &*shared.parts.entropy),
                who: &author,
                arranges: shared.arranges(&author),
                person: &person,
                substitute: &substitute,
                from: new.from,
                to: new.to,
                at,
                zone: &zone,
            };
            all.asked(&asked).map_err(Refused::Rule)
        })
        .await
    }

    /// Takes it back at once: whoever stood in can finish nothing more in that name.
    pub async fn end_absence(
        &self,
        who: &Principal,
        id: &str,
        key: Option<RequestKey>,
    ) -> Result<Absence, Refused> {
        let (author, id) = (who.clone(), id.to_owned());
        let route = format!("end absence {id}");
        self.change_absences(who, &route, key, move |shared, all, at| {
            let row = key::join(&[&author.agency, &id]);
            let found = shared.pending::<Absence>(Table::Absence, &row, WHAT)?;
            let stored = found.map(|(absence, _)| absence);
            let before = all.get(&id).cloned().or(stored).ok_or_else(not_found)?;
            let arranges = shared.arranges(&author);
            before.ended(&author, arranges, at).map_err(Refused::Rule)
        })
        .await
    }

    async fn change_absences(
        &self,
        who: &Principal,
        route: &str,
        key: Option<RequestKey>,
        change: impl Fn(&Shared, &Absences, Timestamp) -> Result<Absence, Refused> + Send + 'static,
    ) -> Result<Absence, Refused> {
        let admitted = self.shared.admit()?;
        let ask = match self.shared.ask(who, route, key).await? {
            Asked::Before(answer) => return Ok(answer),
            Asked::Now(ask) => ask,
        };
        let (shared, agency) = (Arc::clone(&self.shared), who.agency.clone());
        Shared::carry(async move {
            let changed = shared.put_absence(&agency, ask.as_ref(), change).await;
            drop(admitted);
            changed
        })
        .await
    }
}

impl Shared {
    async fn put_absence(
        &self,
        agency: &str,
        ask: Option<&Ask>,
        change: impl Fn(&Self, &Absences, Timestamp) -> Result<Absence, Refused>,
    ) -> Result<Absence, Refused> {
        for _ in 0..self.limits.tries_max {
            let at = self.now();
            let (all, guard) = self.absences(agency)?;
            let absence = change(self, &all, at)?;
            let next = all.put(absence.clone(), at);
            if next.iter().count() > ABSENCES_MAX {
                let sentence = "too many absences are written down already";
                return Err(Refused::Rule(Refusal::new(Code::AbsenceInvalid, sentence)));
            }
            let under = Under::Agency(agency.to_owned());
            let put = |table, key, value| Put {
                table,
                key,
                value: Some(value),
                under: under.clone(),
            };
            let row = key::join(&[agency, &absence.id]);
            let mut batch = Batch {
                guards: vec![guard],
                puts: vec![
                    put(Table::Absence, row, record::encode(&absence)),
                    put(Table::Index, head(agency), record::encode(&next)),
                ],
                ..Batch::default()
            };
            if let Some(ask) = ask {
                ask.record(&absence, under, &mut batch);
            }
            match self.submit(batch) {
                Ok(ticket) => {
                    let flushed = ticket.flushed().await;
                    self.changed();
                    return flushed.map(|_| absence).map_err(refused);
                }
                Err(SubmitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }

    /// Absences that are not over, and the guard that they stay so.
    pub(crate) fn absences(&self, agency: &str) -> Result<(Absences, Guard), Refused> {
        let key = head(agency);
        let found = self.pending::<Absences>(Table::Index, &key, WHAT)?;
        let (all, version) = found.unwrap_or_default();
        let table = Table::Index;
        let guard = Guard::Row {
            table,
            key,
            version,
        };
        Ok((all, guard))
    }

    /// For whom somebody has an item, if for somebody.
    pub(crate) fn stead(&self, item: &WorkItem, who: &Principal) -> Result<Stead, Refused> {
        let Some(acting) = item.acting(who) else {
            return Ok(Stead::default());
        };
        let person = self.staff_member(&item.agency, &acting.person)?;
        let Some(id) = &acting.absence else {
            return Ok(Stead {
                person,
                ..Stead::default()
            });
        };
        let (all, guard) = self.absences(&item.agency)?;
        Ok(Stead {
            person,
            absence: all.get(id).cloned(),
            guard: Some(guard),
        })
    }

    /// The item taken up for somebody who is away, with the guard of their absence; a refusal when
    /// it waits for them and may not be. Nothing when this person does not stand in here.
    pub(crate) fn taken_for(
        &self,
        item: &WorkItem,
        who: &Principal,
        at: Timestamp,
    ) -> Result<Option<Taken>, Refused> {
        let (all, guard) = self.absences(&item.agency)?;
        let mut said = None;
        for absence in all.with(&who.id, at) {
            let Some(absent) = self.staff_member(&item.agency, &absence.person)? else {
                continue;
            };
            match item.claim_for(who, &absent, absence, at) {
                Ok(next) => {
                    let mut guards = match self.open_to(&absent, item) {
                        Ok(guards) => guards,
                        // What they may not open themselves is nobody's to do for them.
                        Err(Refused::Rule(_)) => continue,
                        Err(refused) => return Err(refused),
                    };
                    guards.push(guard);
                    return Ok(Some(Ok((next, guards))));
                }
                Err(refusal) if item.waits_for() == Some(&absence.person) => said = Some(refusal),
                Err(_) => {}
            }
        }
        Ok(said.map(Err))
    }

    /// Who stands in for whoever an item waits for, when they are away.
    pub(crate) fn away(&self, item: &WorkItem, at: Timestamp) -> Result<Option<Away>, Refused> {
        let Some(person) = item.waits_for() else {
            return Ok(None);
        };
        let (all, _) = self.absences(&item.agency)?;
        let Some(absence) = all.of(person, at) else {
            return Ok(None);
        };
        let mut asked = item.clone();
        self.with_related(&mut asked)?;
        self.with_kin(&mut asked)?;
        let absent = self.staff_member(&item.agency, person)?;
        let substitute = self.staff_member(&item.agency, &absence.substitute)?;
        let able = absent.zip(substitute).is_some_and(|(absent, substitute)| {
            all.of(&substitute.id, at).is_none()
                && asked.claim_for(&substitute, &absent, absence, at).is_ok()
        });
        Ok(Some(Away {
            substitute: absence.substitute.clone(),
            able,
        }))
    }

    /// A member of the agency's staff with the roles they have at this moment.
    pub(crate) fn staff_member(
        &self,
        agency: &str,
        id: &str,
    ) -> Result<Option<Principal>, Refused> {
        let user = self.user(id)?.map(|(user, _)| user);
        let user = user.filter(|user| user.agency == agency);
        Ok(user.map(|user| self.principal(user, Kind::Staff)))
    }

    /// A colleague by id or sign-in name.
    pub(crate) fn colleague(
        &self,
        who: &Principal,
        named: &str,
        code: Code,
    ) -> Result<Principal, Refused> {
        let named = named.trim();
        if let Some(found) = self.staff_member(&who.agency, named)? {
            return Ok(found);
        }
        let found = self.user_named(named)?;
        let found = found.filter(|user| user.agency == who.agency);
        let found = found.map(|user| self.principal(user, Kind::Staff));
        found.ok_or_else(|| {
            let sentence = "there is no colleague with this id or sign-in name";
            Refused::Rule(Refusal::new(code, sentence))
        })
    }

    /// Whether one of their roles arranges the work of others. It exempts from no rule.
    pub(crate) fn arranges(&self, who: &Principal) -> bool {
        let in_force = self.in_force(&who.agency);
        in_force.is_some_and(|found| found.pack.arranges(&who.roles))
    }
}

pub(super) fn head(agency: &str) -> Vec<u8> {
    key::join(&["absences", agency])
}
