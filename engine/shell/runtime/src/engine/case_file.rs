//! What people keep in a case beside its instances. Here is what all of it has in common: one
//! batch with its audit entry, decided again when somebody else was first.

use std::sync::Arc;

use casewright_casework::audit::{Action, Entry};
use casewright_casework::{Case, Document, Note, Person, Principal};
use casewright_store::{AuditAppend, Batch, SubmitError, Table, Under};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::requests::{Ask, Asked};
use super::shared::{Shared, refused, unreadable};
use super::{Engine, Refused, RequestKey};
use crate::{key, record};

/// Rows of one kind in one case; more is not a family's file any more.
const ROWS_MAX: usize = 10_000;

/// Persons, documents and notes of a case, oldest first.
#[derive(Debug, Clone)]
pub struct CaseFile {
    /// Without addresses that are confidential.
    pub persons: Vec<Person>,
    pub documents: Vec<Document>,
    pub notes: Vec<Note>,
}

impl Engine {
    /// Everything people keep in a case. Part of the case page, which is audited.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn case_file(&self, who: &Principal, case: &str) -> Result<CaseFile, Refused> {
        self.shared.seen_case(who, case)?;
        let persons = self
            .shared
            .rows_of::<Person>(Table::Person, case, "a person")?;
        Ok(CaseFile {
            persons: persons.into_iter().map(Person::masked).collect(),
            documents: self.shared.rows_of(Table::Document, case, "a document")?,
            notes: self.shared.rows_of(Table::Note, case, "a note")?,
        })
    }

    /// A change that is on disk, or was before under the same key.
    pub(super) async fn change_file<T>(
        &self,
        who: &Principal,
        case: &str,
        route: &str,
        key: Option<RequestKey>,
        change: impl FnMut(&Shared, &Case, &mut Batch) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let admitted = self.shared.admit()?;
        let case = self.shared.seen_case(who, case)?;
        let ask = match self.shared.ask(who, route, key).await? {
            Asked::Before(answer) => return Ok(answer),
            Asked::Now(ask) => ask,
        };
        let (shared, who) = (Arc::clone(&self.shared), who.clone());
        Shared::carry(async move {
            let changed = shared.file(&who, &case, ask.as_ref(), change).await;
            drop(admitted);
            changed
        })
        .await
    }
}

impl Shared {
    async fn file<T: Serialize>(
        &self,
        who: &Principal,
        case: &Case,
        ask: Option<&Ask>,
        mut change: impl FnMut(&Self, &Case, &mut Batch) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        for _ in 0..self.limits.tries_max {
            let mut batch = Batch {
                guards: self.door(who, &case.id)?,
                ..Batch::default()
            };
            let answer = change(self, case, &mut batch)?;
            if let Some(ask) = ask {
                ask.record(&answer, Under::Case(case.id.clone()), &mut batch);
            }
            let timers = timers(&batch);
            match self.submit(batch) {
                Ok(ticket) => {
                    let flushed = ticket.flushed().await;
                    self.changed();
                    flushed.map_err(refused)?;
                    for (at, owner, number, set) in timers {
                        if set {
                            self.timers.arm(at, &owner, number);
                        } else {
                            self.timers.disarm(at, &owner, number);
                        }
                    }
                    return Ok(answer);
                }
                Err(SubmitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }

    /// Flushed rows of a case, in the order of their ids, which is that of their making.
    pub(super) fn rows_of<T: DeserializeOwned>(
        &self,
        table: Table,
        case: &str,
        what: &str,
    ) -> Result<Vec<T>, Refused> {
        let prefix = key::prefix(&[case]);
        let end = key::after(&prefix);
        let rows = self.parts.store.scan(table, &prefix, &end, ROWS_MAX);
        let rows = rows.map_err(unreadable)?;
        rows.iter()
            .map(|(_, row)| record::decode(what, &row.value))
            .collect()
    }
}

/// Timers that a batch sets (`true`) or takes away: those of work items that go back to others.
fn timers(batch: &Batch) -> Vec<(Timestamp, String, u32, bool)> {
    let puts = batch.puts.iter().filter(|put| put.table == Table::Timer);
    let read = puts.filter_map(|put| Some((key::read_timer(&put.key)?, put.value.is_some())));
    read.map(|((at, owner, number), set)| (at, owner, number, set))
        .collect()
}

/// What an entry of the audit chain says of something in the file: its id, never its content.
pub(super) fn filed(
    shared: &Shared,
    who: &Principal,
    case: &Case,
    action: Action,
    subject: &str,
    detail: Option<&str>,
) -> AuditAppend {
    AuditAppend {
        case: case.id.clone(),
        entry: Entry {
            at: shared.now(),
            who: who.id.clone(),
            action,
            instance: None,
            subject: Some(subject.to_owned()),
            detail: detail.map(str::to_owned),
        },
    }
}
