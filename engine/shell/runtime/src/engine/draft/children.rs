//! Other instances within a decision: `run: workflow` writes the row of the new one together with
//! the state that wants it, so that after any crash there are both or neither.
//!
//! Its first event, its end and its cancellation are decisions of their own, made after the flush;
//! a mark in the batch keeps each from being forgotten.

use casewright_casework::audit::{Action as Audit, Entry};
use casewright_machine::Child;
use casewright_store::{AuditAppend, Guard, Put, Table};

use super::{Action, Draft};
use crate::engine::Refused;
use crate::engine::children::{Due, child_id};
use crate::engine::runs::State;
use crate::engine::shared::{ENGINE, no_workflow};
use crate::key;
use crate::record::{self, InstanceRow, OpeningRow, ParentRow};

impl Draft<'_> {
    pub(super) fn start_child(&mut self, child: Child) -> Result<(), Refused> {
        let id = child_id(&child.key);
        let before = self.shared.pending::<InstanceRow>(
            Table::Instance,
            id.as_bytes(),
            "an instance row",
        )?;
        if let Some((before, _)) = before {
            // A `try` came back to it: one key, one instance, one end.
            if before.ended_at.is_some() && child.awaited {
                self.mark(Table::Index, Due::BringBack.key(&id), true);
                self.actions.push(Action::Attend(Due::BringBack, id));
            }
            return Ok(());
        }
        let row = self.child_row(child)?;
        self.batch.guards.push(Guard::Row {
            table: Table::Instance,
            key: id.clone().into_bytes(),
            version: 0,
        });
        self.batch.audit.push(AuditAppend {
            case: row.case.clone(),
            entry: Entry {
                at: self.at,
                who: ENGINE.to_owned(),
                action: Audit::InstanceStarted,
                instance: Some(id.clone()),
                subject: None,
                detail: Some(row.workflow.clone()),
            },
        });
        self.mark(Table::Index, key::join(&["instance", &row.case, &id]), true);
        self.list_run(&id, &row, None, Some(State::Open));
        self.batch.puts.push(Put {
            table: Table::Instance,
            key: id.clone().into_bytes(),
            value: Some(record::encode(&row)),
            under: self.under(),
        });
        self.mark(Table::Index, Due::Begin.key(&id), true);
        self.actions.push(Action::Attend(Due::Begin, id));
        Ok(())
    }

    fn child_row(&self, child: Child) -> Result<InstanceRow, Refused> {
        let resident = self.resident;
        let workflow = resident.deployment.workflows.get(&child.workflow);
        // Names were checked when the pack was read.
        let workflow = workflow.ok_or_else(|| no_workflow(&resident.id))?;
        let above = self.row.as_ref().unwrap_or(&resident.row);
        Ok(InstanceRow {
            seen_by: above.seen_by.within(&workflow.visible_to()),
            agency: resident.row.agency.clone(),
            case: resident.row.case.clone(),
            workflow: child.workflow,
            version: workflow.document.version.clone(),
            deployment: resident.row.deployment.clone(),
            started_at: self.at,
            ended_at: None,
            parent: Some(ParentRow {
                instance: resident.id.clone(),
                key: child.key,
                awaited: child.awaited,
            }),
            earlier: Vec::new(),
            opening: Some(OpeningRow {
                input: child.input,
                started_by: self.instance().started_by().to_owned(),
                depth: child.depth,
                worked: child.worked,
            }),
        })
    }

    /// Ends with the next flush what the instance no longer waits for.
    pub(super) fn cancel_child(&mut self, key: &str) {
        let id = child_id(key);
        if self.forget_child(&id) {
            return;
        }
        self.mark(Table::Index, Due::Cancel.key(&id), true);
        self.actions.push(Action::Attend(Due::Cancel, id));
    }

    /// An instance that this same decision was to start is not started: it must not act.
    fn forget_child(&mut self, id: &str) -> bool {
        let begins = |action: &Action| matches!(action, Action::Attend(Due::Begin, of) if of == id);
        let Some(index) = self.actions.iter().position(begins) else {
            return false;
        };
        self.actions.remove(index);
        let case = &self.resident.row.case;
        let keys = [
            id.as_bytes().to_vec(),
            key::join(&["instance", case, id]),
            Due::Begin.key(id),
        ];
        let listed = |put: &Put| put.table == Table::Run && put.key.ends_with(id.as_bytes());
        self.batch
            .puts
            .retain(|put| !keys.contains(&put.key) && !listed(put));
        self.batch
            .guards
            .retain(|guard| !matches!(guard, Guard::Row { key, .. } if key == id.as_bytes()));
        self.batch
            .audit
            .retain(|append| append.entry.instance.as_deref() != Some(id));
        true
    }

    /// The end of this instance is the answer that another waits for.
    pub(super) fn bring_back(&mut self) {
        let id = self.resident.id.clone();
        self.mark(Table::Index, Due::BringBack.key(&id), true);
        self.actions.push(Action::Attend(Due::BringBack, id));
    }
}
