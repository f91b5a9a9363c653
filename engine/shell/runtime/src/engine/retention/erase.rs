//! The erasure of a case: one batch, decided on what is on disk and guarded by the record of the
//! case, so that nothing was done in it meanwhile. After it nobody can read what the case held; its
//! record, the figures and a skeleton without content stay.

use std::sync::Arc;

use casewright_casework::audit::{self, Action, Entry};
use casewright_casework::retention::Erased;
use casewright_casework::retention::erasure::Asked;
use casewright_casework::{Document, Principal};
use casewright_store::{AuditAppend, Batch, Erase, Guard, Put, SubmitError, Table, Under};
use jiff::Timestamp;
use jiff::civil::Date;

use super::{ErasedView, Outlook, by, disposal_key, rows};
use crate::engine::children::Due;
use crate::engine::documents::parts_of;
use crate::engine::episodes::Episodes;
use crate::engine::requests::{Ask, Asked as Before};
use crate::engine::resident::Entered;
use crate::engine::runs::lines_of;
use crate::engine::shared::{Shared, not_found, of_agency, refused, unreadable};
use crate::engine::start::case_key;
use crate::engine::{Engine, Refused, RequestKey, consents, plans, walls};
use crate::key;
use crate::record::{self, PointerRow};

/// Which request somebody agrees to, and why.
#[derive(Clone)]
struct Agreement {
    request: String,
    reason: String,
}

/// A batch that erases a case, and what is told of it.
struct Erasure {
    batch: Batch,
    view: ErasedView,
    /// Ids of its runs.
    runs: Vec<String>,
}

impl Engine {
    /// Agrees to the erasure that another asked for: the case is gone for everybody.
    pub async fn agree_erasure(
        &self,
        who: &Principal,
        case: &str,
        (request, reason): (String, String),
        key: Option<RequestKey>,
    ) -> Result<ErasedView, Refused> {
        let admitted = self.shared.admit()?;
        // Whoever repeats it is told the same, though the case is not there any more.
        let ask = match self.shared.ask(who, &format!("erase {case}"), key).await? {
            Before::Before(answer) => return Ok(answer),
            Before::Now(ask) => ask,
        };
        let (shared, who, case) = (Arc::clone(&self.shared), who.clone(), case.to_owned());
        let agreement = Agreement { request, reason };
        Shared::carry(async move {
            let erased = shared.erase(&who, &case, &agreement, ask.as_ref()).await;
            drop(admitted);
            erased
        })
        .await
    }
}

impl Shared {
    async fn erase(
        &self,
        who: &Principal,
        case: &str,
        agreement: &Agreement,
        ask: Option<&Ask>,
    ) -> Result<ErasedView, Refused> {
        for _ in 0..self.limits.tries_max {
            // What is on its way is on disk after this: all that follows is read from there.
            self.commit(Batch::default()).await?;
            let Erasure {
                mut batch,
                view,
                runs,
            } = self.erasure(who, case, agreement)?;
            if let Some(ask) = ask {
                ask.record(&view, Under::Agency(who.agency.clone()), &mut batch);
            }
            match self.submit(batch) {
                Ok(ticket) => {
                    let flushed = ticket.flushed().await;
                    self.changed();
                    flushed.map_err(refused)?;
                    self.forget_runs(&runs).await;
                    return Ok(view);
                }
                Err(SubmitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }

    fn erasure(
        &self,
        who: &Principal,
        id: &str,
        agreement: &Agreement,
    ) -> Result<Erasure, Refused> {
        let case = self.seen_case(who, id)?;
        let chain = self.parts.store.audit(id).map_err(unreadable)?;
        let mut guards = self.door(who, id)?;
        guards.push(Guard::Chain {
            case: id.to_owned(),
            links: chain.len() as u64,
        });
        guards.push(self.pack_guard(&case.agency)?);
        let (_, guard) = self.case_row(id)?;
        guards.push(guard);
        guards.push(self.disposal_guard(id)?);
        guards.extend(self.people(id)?.1);
        let (stands, walls) = self.has_wall(who, id)?;
        guards.extend(walls);
        let at = self.now();
        let (acts_for, guard) = self.acted_for(who, at)?;
        guards.push(guard);
        let outlook = self.outlook(case)?;
        let by = by(who, (self.keeper(who).decides, stands), &acts_for, at);
        let Agreement { request, reason } = agreement;
        let state = outlook.state();
        let agreed = outlook.disposal.agree(by, request, reason, &state);
        let (asked, until) = match agreed {
            Ok(agreed) => agreed,
            Err(refusal) => {
                // Another may have erased it between two reads: then there is nothing to refuse.
                self.seen_case(who, id)?;
                return Err(Refused::Rule(refusal));
            }
        };
        let entry = Entry {
            at,
            who: who.id.clone(),
            action: Action::CaseErased,
            instance: None,
            subject: Some(asked.id.clone()),
            detail: None,
        };
        let previous = chain
            .last()
            .map_or_else(|| audit::genesis(id), |link| link.hash.clone());
        let last = audit::link(&previous, chain.len() as u64, &entry);
        let erased = skeleton(&outlook, &asked, until, (who, at), &last)?;
        let agency = outlook.case.agency.clone();
        let gone = |(table, key)| Put {
            table,
            key,
            value: None,
            under: Under::Agency(agency.clone()),
        };
        let mut puts: Vec<Put> = self.gone_with(&outlook)?.into_iter().map(gone).collect();
        puts.push(Put {
            table: Table::Erased,
            key: rows::erased_key(&agency, at, id),
            value: Some(record::encode(&erased)),
            under: Under::Agency(agency.clone()),
        });
        Ok(Erasure {
            batch: Batch {
                guards,
                puts,
                audit: vec![AuditAppend {
                    case: id.to_owned(),
                    entry,
                }],
                erases: vec![Erase {
                    case: id.to_owned(),
                    agency: agency.clone(),
                }],
                ..Batch::default()
            },
            view: self.erased_view(who, erased)?,
            runs: outlook.runs.into_iter().map(|(id, _)| id).collect(),
        })
    }

    fn disposal_guard(&self, case: &str) -> Result<Guard, Refused> {
        let (_, version) = self.disposal(case)?;
        Ok(Guard::Row {
            table: Table::Index,
            key: disposal_key(case),
            version,
        })
    }

    /// The pack that is asked stays in force until the batch is on disk.
    fn pack_guard(&self, agency: &str) -> Result<Guard, Refused> {
        let key = of_agency(agency);
        let found = self.pending::<PointerRow>(Table::InForce, &key, "what is in force")?;
        let (pointer, version) = found.ok_or_else(not_found)?;
        if self
            .in_force(agency)
            .is_none_or(|one| one.digest != pointer.to)
        {
            // Another is just coming into force.
            return Err(Refused::Busy);
        }
        Ok(Guard::Row {
            table: Table::InForce,
            key,
            version,
        })
    }

    /// Keys of what the case has in tables and lists, as far as they can be named. What is left of
    /// it is sealed with a key that is no more.
    fn gone_with(&self, outlook: &Outlook) -> Result<Vec<(Table, Vec<u8>)>, Refused> {
        let (case, id) = (&outlook.case, outlook.case.id.as_str());
        let mut keys = vec![
            (Table::Case, id.as_bytes().to_vec()),
            (Table::Wall, walls::walls_key(id)),
        ];
        let due = self.due_line(case, false).map(|put| put.key);
        let named = [
            case_key(case),
            Episodes::begun_key(id),
            walls::related_key(id),
            plans::head(id),
            consents::head(id),
            disposal_key(id),
        ];
        keys.extend(named.into_iter().chain(due).map(|key| (Table::Index, key)));
        let (walls, _) = self.walls(id)?;
        let marks = walls.staff().into_iter();
        let marks = marks.map(|staff| walls::mark(&case.agency, staff, id));
        keys.extend(marks.map(|key| (Table::Wall, key)));
        for document in self.rows_of::<Document>(Table::Document, id, "a document")? {
            let parts = parts_of(id, &document).into_iter();
            keys.extend(parts.map(|key| (Table::DocumentPart, key)));
        }
        let (of_case, of_run) = (key::prefix(&[id]), key::prefix(&["instance", id]));
        for table in FILED {
            self.keys_under(table, &of_case, &mut keys)?;
        }
        self.keys_under(Table::Index, &of_run, &mut keys)?;
        for (run, row) in &outlook.runs {
            keys.push((Table::Instance, run.as_bytes().to_vec()));
            keys.extend(lines_of(run, row));
            let trees = ["tree-workers", "tree-payments"].map(|tree| key::join(&[tree, run]));
            let due = Due::ALL.map(|due| due.key(run));
            keys.extend(trees.into_iter().chain(due).map(|key| (Table::Index, key)));
            self.keys_under(Table::Index, &key::prefix(&["drafter", run]), &mut keys)?;
            for item in self.items_of(run)? {
                self.keys_under(Table::Draft, &key::prefix(&[&item.id]), &mut keys)?;
                keys.push((Table::WorkItem, item.id.into_bytes()));
            }
        }
        Ok(keys)
    }

    fn keys_under(
        &self,
        table: Table,
        prefix: &[u8],
        keys: &mut Vec<(Table, Vec<u8>)>,
    ) -> Result<(), Refused> {
        let end = key::after(prefix);
        let rows = self.parts.store.scan(table, prefix, &end, usize::MAX);
        let found = rows.map_err(unreadable)?.into_iter();
        keys.extend(found.map(|(key, _)| (table, key)));
        Ok(())
    }

    /// Nothing of them stays in memory.
    async fn forget_runs(&self, runs: &[String]) {
        for id in runs {
            match self.residents.enter(id).await {
                Entered::Held(held) => self.residents.evict(held),
                Entered::Vacant(vacant) => self.residents.abandon(id, vacant),
            }
        }
    }
}

/// Tables whose keys begin with the case.
const FILED: [Table; 7] = [
    Table::Person,
    Table::Document,
    Table::Consent,
    Table::Plan,
    Table::Disclosure,
    Table::Message,
    Table::Note,
];

/// What stays: ids, days and words of the pack.
fn skeleton(
    outlook: &Outlook,
    asked: &Asked,
    until: Date,
    (who, at): (&Principal, Timestamp),
    last: &audit::Link,
) -> Result<Erased, Refused> {
    let case = &outlook.case;
    let classes = outlook.standing.iter().flat_map(|one| &one.classes);
    Ok(Erased {
        case: case.id.clone(),
        number: case.number.clone(),
        opened: case.opened,
        closed: case.closed().ok_or_else(not_found)?.at,
        until,
        classes: classes.map(|one| one.class.clone()).collect(),
        asked_at: asked.asked.at,
        asked_by: asked.asked.by.clone(),
        decided_at: at,
        decided_by: who.id.clone(),
        transfers: outlook.disposal.transfers.clone(),
        entries: last.index + 1,
        last: last.hash.clone(),
    })
}
