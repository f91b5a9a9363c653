//! Moving a run to another version of its workflow: explicit, one run at a time, by somebody who
//! may put packs in force, on record with a reason. What stands where, and what keeps a run where
//! it is, says the machine; here is which versions there are.
//!
//! It is one decision like every other, guarded by the run's own events and by its open tasks: who
//! claims or completes one meanwhile is first, and the move is planned again.

use std::collections::BTreeSet;
use std::sync::Arc;

use casewright_casework::Principal;
use casewright_casework::audit::Action;
use casewright_machine::{Effect, Plan, plan};
use serde::Serialize;
use serde_json::Value;

use super::decide::shown;
use super::draft::{Draft, RunError};
use super::requests::{Ask, Asked};
use super::resident::Resident;
use super::shared::{Shared, no_workflow};
use super::work_items::item_id;
use super::{Engine, Migrate, MoveTo, Refused, RequestKey};
use crate::deployment::Deployment;
use crate::record::EarlierRow;
use crate::view::MigrationView;

/// A reason is a sentence or two.
const REASON_CHARS_MAX: usize = 500;

/// Moves of one run: its row remembers each.
const MOVES_MAX: usize = 64;

impl Engine {
    /// What a move would do to a run. Nothing changes.
    pub async fn migration(
        &self,
        who: &Principal,
        id: &str,
        to: &MoveTo,
    ) -> Result<MigrationView, Refused> {
        self.shared.seen_instance(who, id)?;
        self.shared.administers(who)?;
        let held = self.shared.hold(id).await?;
        let there = self.shared.version(&held, to)?;
        let plan = planned(&held, &there)?;
        let view = view(&held, &there, &plan, false);
        let (flushed, events) = (held.flushed.subscribe(), held.events);
        drop(held);
        shown(flushed, events).await?;
        Ok(view)
    }

    /// Moves a run to another version of its workflow, or says everything that keeps it where it
    /// is.
    pub async fn migrate(
        &self,
        who: &Principal,
        id: &str,
        migrate: Migrate,
        key: Option<RequestKey>,
    ) -> Result<MigrationView, Refused> {
        let admitted = self.shared.admit()?;
        self.shared.seen_instance(who, id)?;
        self.shared.administers(who)?;
        check_reason(&migrate.reason)?;
        let ask = match self.shared.ask(who, &format!("migrate {id}"), key).await? {
            Asked::Before(answer) => return Ok(answer),
            Asked::Now(ask) => ask,
        };
        let (shared, who, id) = (Arc::clone(&self.shared), who.clone(), id.to_owned());
        Shared::carry(async move {
            let moved = shared.migrate(&who, &id, &migrate, ask.as_ref()).await;
            drop(admitted);
            moved
        })
        .await
    }
}

impl Shared {
    async fn migrate(
        self: &Arc<Self>,
        who: &Principal,
        id: &str,
        migrate: &Migrate,
        ask: Option<&Ask>,
    ) -> Result<MigrationView, Refused> {
        let mut held = self.hold(id).await?;
        let there = self.version(&held, &migrate.to)?;
        let decided = self
            .decide(
                &mut held,
                ask,
                |draft| {
                    draft.admit(who)?;
                    let plan = planned(draft.resident, &there)?;
                    if draft.resident.row.earlier.len() >= MOVES_MAX {
                        let message = "this run was moved so often that it stays where it is";
                        return Err(invalid("not-migratable", 409, message));
                    }
                    if !plan.possible() {
                        return Err(obstructed(&plan));
                    }
                    draft.relocate_items(&plan)?;
                    draft.note_move(who, &there);
                    let event = plan.event(draft.at, &who.id, &migrate.reason);
                    draft.go_to(&there);
                    Ok(Some(event))
                },
                // The resident is as it was: it changes when the store has taken this.
                |draft| {
                    let plan = planned(draft.resident, &there)?;
                    Ok(view(draft.resident, &there, &plan, true))
                },
            )
            .await;
        drop(held);
        let (view, settling) = decided.map_err(|error| match error {
            RunError::Mismatch => changed(),
            RunError::Refused(refused) => refused,
        })?;
        settling.settle().await?;
        Ok(view)
    }

    /// The pack that holds the version asked for.
    fn version(&self, resident: &Resident, to: &MoveTo) -> Result<Arc<Deployment>, Refused> {
        let row = &resident.row;
        let there = match to {
            MoveTo::Back => {
                let earlier = row.earlier.last().ok_or_else(|| {
                    invalid(
                        "not-migrated",
                        409,
                        "this run was never moved from another version",
                    )
                })?;
                self.deployment(&earlier.deployment)?
            }
            MoveTo::InForce(_) => self.in_force(&row.agency).ok_or_else(|| {
                invalid(
                    "unknown-version",
                    404,
                    "no pack is in force for this agency",
                )
            })?,
        };
        let workflow = there.workflows.get(&row.workflow).ok_or_else(|| {
            let message = format!(
                "the pack in force has no workflow `{}`: deploy one that has it",
                row.workflow
            );
            invalid("unknown-version", 404, &message)
        })?;
        let version = &workflow.document.version;
        if let MoveTo::InForce(Some(wanted)) = to
            && wanted != version
        {
            let message = format!(
                "version {wanted} of `{}` is not in force, {version} is: deploy the pack that has \
                 it, or leave the version out",
                row.workflow
            );
            return Err(invalid("unknown-version", 409, &message));
        }
        if there.digest == row.deployment {
            let message = format!("this run is pinned to this pack already, version {version}");
            return Err(invalid("same-version", 409, &message));
        }
        Ok(there)
    }
}

impl Draft<'_> {
    /// Open tasks stay open as they are; only where they stand in the document changes.
    fn relocate_items(&mut self, plan: &Plan) -> Result<(), Refused> {
        for effect in self.instance().outstanding() {
            let Effect::Offer(offer) = effect else {
                continue;
            };
            let id = item_id(&self.resident.id, offer.item);
            let moved = plan.moves().get(&offer.reference);
            if let (Some(mut item), Some(moved)) = (self.item(&id)?, moved) {
                item.reference.clone_from(moved);
                self.set_item(item);
            }
        }
        Ok(())
    }

    fn note_move(&mut self, who: &Principal, there: &Deployment) {
        let from = &self.resident.row.version;
        let detail = format!("{from} to {}", version(self.resident, there));
        self.note(&who.id, Action::InstanceMigrated, None, Some(detail));
    }

    fn go_to(&mut self, there: &Arc<Deployment>) {
        let resident = self.resident;
        let mut row = resident.row.clone();
        row.earlier.push(EarlierRow {
            deployment: row.deployment.clone(),
            version: row.version.clone(),
            events: resident.events,
        });
        row.deployment.clone_from(&there.digest);
        row.version = version(resident, there);
        // A move never shows what was hidden.
        if let Some(workflow) = there.workflows.get(&row.workflow) {
            row.seen_by = row.seen_by.within(&workflow.visible_to());
        }
        self.move_to(Arc::clone(there), row);
    }
}

fn planned(resident: &Resident, there: &Deployment) -> Result<Plan, Refused> {
    let name = &resident.row.workflow;
    let before = resident.workflow();
    let both = before.and_then(|before| Some((before, there.workflows.get(name)?)));
    let (before, after) = both.ok_or_else(|| no_workflow(&resident.id))?;
    let changed = casewright_machine::migrate::Changed {
        forms: different(&resident.deployment, there, |pack| {
            let forms = pack.files.iter();
            let forms = forms.filter_map(|(path, text)| {
                let name = path.strip_prefix("forms/")?;
                let name = name
                    .strip_suffix(".yaml")
                    .or_else(|| name.strip_suffix(".yml"))?;
                Some((name.to_owned(), text.clone()))
            });
            forms.collect()
        }),
        policies: different(&resident.deployment, there, |pack| {
            let policies = pack.policies.iter();
            policies
                .map(|(name, policy)| (name.clone(), format!("{policy:?}")))
                .collect()
        }),
    };
    Ok(plan(before, after, &changed, &resident.instance))
}

/// Names of what is not the same in both packs.
fn different(
    one: &Deployment,
    other: &Deployment,
    parts: impl Fn(&Deployment) -> std::collections::BTreeMap<String, String>,
) -> BTreeSet<String> {
    let (one, other) = (parts(one), parts(other));
    let names = one.keys().chain(other.keys());
    names
        .filter(|name| one.get(*name) != other.get(*name))
        .cloned()
        .collect()
}

fn version(resident: &Resident, there: &Deployment) -> String {
    let workflow = there.workflows.get(&resident.row.workflow);
    workflow.map_or_else(String::new, |workflow| workflow.document.version.clone())
}

fn view(resident: &Resident, there: &Deployment, plan: &Plan, moved: bool) -> MigrationView {
    MigrationView {
        id: resident.id.clone(),
        workflow: resident.row.workflow.clone(),
        from: resident.row.version.clone(),
        to: version(resident, there),
        possible: plan.possible(),
        moved,
        stands: written(&plan.stands),
        obstacles: written(&plan.obstacles),
        notes: written(&plan.notes),
    }
}

fn written<T: Serialize>(all: &[T]) -> Vec<Value> {
    let one = |one| serde_json::to_value(one).unwrap_or(Value::Null);
    all.iter().map(one).collect()
}

/// Every reason, in one sentence each.
fn obstructed(plan: &Plan) -> Refused {
    let reasons: Vec<_> = plan
        .obstacles
        .iter()
        .map(|obstacle| obstacle.message.as_str())
        .collect();
    invalid("not-migratable", 409, &reasons.join("; "))
}

fn changed() -> Refused {
    invalid(
        "not-migratable",
        409,
        "it has changed meanwhile; look at it again",
    )
}

fn check_reason(reason: &str) -> Result<(), Refused> {
    let length = reason.trim().chars().count();
    if (1..=REASON_CHARS_MAX).contains(&length) {
        return Ok(());
    }
    let message =
        format!("say in `reason` why it is moved, in at most {REASON_CHARS_MAX} characters");
    Err(invalid("invalid-input", 422, &message))
}

fn invalid(code: &'static str, status: u16, message: &str) -> Refused {
    Refused::Invalid {
        code,
        status,
        message: message.to_owned(),
    }
}
