//! Putting a checked pack in force. Running instances keep the one they were started under.

use std::sync::Arc;

use casewright_store::{Batch, Guard, Put, SubmitError, Table, Under};

use super::alarms::Moved;
use super::retention::listed;
use super::shared::{Shared, of_agency, refused};
use super::{Engine, Refused, funds};
use crate::Deployment;
use crate::record::{self, PointerRow};

impl Engine {
    /// Puts a checked pack in force for its agency; running instances keep theirs.
    pub async fn deploy(&self, deployment: Deployment) -> Result<(), Refused> {
        let admitted = self.shared.admit()?;
        let shared = Arc::clone(&self.shared);
        Shared::carry(async move {
            settle_doubts(&shared, &deployment).await?;
            let one_by_one = shared.deploying.lock().await;
            shared.establish(&deployment, |_| {}).await?;
            shared.put_in_force(&Arc::new(deployment));
            shared.begin_moving();
            drop((one_by_one, admitted));
            Ok(())
        })
        .await
    }

    /// Local time zone of the principal's agency, for pages.
    pub fn zone(&self, who: &casewright_casework::Principal) -> jiff::tz::TimeZone {
        self.shared.zone_of(&who.agency)
    }

    /// The engine's clock: pages say "today" by it.
    pub fn now(&self) -> jiff::Timestamp {
        self.shared.now()
    }
}

impl Shared {
    /// Where the agency's days begin and end, by its pack in force.
    pub(crate) fn zone_of(&self, agency: &str) -> jiff::tz::TimeZone {
        let deployment = self.in_force(agency);
        deployment.map_or(jiff::tz::TimeZone::UTC, |found| {
            found.calendar().zone().clone()
        })
    }

    /// `told` adds what else becomes true with it.
    pub(super) async fn establish(
        &self,
        deployment: &Deployment,
        told: impl Fn(&mut Batch),
    ) -> Result<(), Refused> {
        // What an earlier pack said of its calendars is carried out before another says otherwise.
        self.move_open(Some(&deployment.pack.namespace)).await?;
        self.list_closed(&deployment.pack.namespace).await?;
        for _ in 0..self.limits.tries_max {
            let (mut batch, moved) = self.deployment_batch(deployment)?;
            told(&mut batch);
            // Every start deploys; what stands already must not need room on a full disk.
            if batch.puts.is_empty() {
                return Ok(());
            }
            match self.submit(batch) {
                Ok(ticket) => {
                    ticket.flushed().await.map_err(refused)?;
                    for moved in &moved {
                        self.timers.move_alarm(moved);
                    }
                    return Ok(());
                }
                // A reservation or a schedule was first: the row is read again.
                Err(SubmitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }

    fn deployment_batch(&self, deployment: &Deployment) -> Result<(Batch, Vec<Moved>), Refused> {
        let agency = &deployment.pack.namespace;
        let under = || Under::Agency(agency.clone());
        let mut batch = Batch::default();
        let key = deployment.digest.clone().into_bytes();
        let stored = self.parts.store.pending(Table::Deployment, &key);
        if stored.map_err(super::shared::unreadable)?.is_none() {
            batch.puts.push(Put {
                table: Table::Deployment,
                key,
                value: Some(record::encode(&deployment.to_row())),
                under: under(),
            });
        }
        let key = of_agency(agency);
        let before = self.pending::<PointerRow>(Table::InForce, &key, "what is in force")?;
        batch.guards.push(Guard::Row {
            table: Table::InForce,
            key: key.clone(),
            version: before.as_ref().map_or(0, |(_, version)| *version),
        });
        if let Some((pointer, _)) = &before
            && pointer.to != deployment.digest
        {
            let before = self.deployment(&pointer.to)?;
            self.establish_calendars(&before, deployment, &mut batch)?;
        }
        if before.is_none() {
            batch.puts.push(listed(agency));
        }
        if before.is_none_or(|(pointer, _)| pointer.to != deployment.digest) {
            let pointer = PointerRow {
                to: deployment.digest.clone(),
                agency: agency.clone(),
            };
            batch.puts.push(Put {
                table: Table::InForce,
                key,
                value: Some(record::encode(&pointer)),
                under: under(),
            });
        }
        let mut moved = funds::establish(self, deployment, &mut batch)?;
        self.establish_shapes(deployment, &mut batch)?;
        moved.extend(self.establish_schedules(deployment, &mut batch)?);
        Ok((batch, moved))
    }
}

/// What reading could not judge, the evaluator does: an expression that does not compile must not
/// be found by a family's case.
pub(super) async fn settle_doubts(shared: &Shared, deployment: &Deployment) -> Result<(), Refused> {
    for doubt in &deployment.doubts {
        let compiled = shared.parts.evaluate.compile(doubt.question.clone()).await;
        if let Err(reason) = compiled {
            let place = &doubt.finding;
            return Err(Refused::Invalid {
                code: "pack-invalid",
                status: 422,
                message: format!(
                    "{}:{}:{}: {}: {reason}",
                    place.file, place.line, place.column, place.message
                ),
            });
        }
    }
    Ok(())
}
