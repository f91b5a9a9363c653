//! An event that exactly one instance wants goes straight to it, in the batch that takes it in:
//! nothing is kept that somebody would have to bring later.
//!
//! Only while nothing is kept, so that it overtakes no event that was acknowledged before it. In
//! every doubt (two may want it, the instance does not take it, somebody else was first) it is
//! kept and brought like any other; so is one that a workflow may begin with.

use std::sync::Arc;

use casewright_casework::audit::Action as Audit;
use casewright_machine::Event;
use casewright_store::{Guard, Table, Under};

use super::super::decide::Settling;
use super::super::requests::Ask;
use super::super::shared::Shared;
use super::{Arrival, Refused, SeenRow, named_type, put};

impl Shared {
    /// The decision that takes it in, if it can go straight.
    pub(super) async fn straight(
        self: &Arc<Self>,
        arrival: &Arrival,
        ask: Option<&Ask>,
    ) -> Result<Option<Settling>, Refused> {
        let Arrival { agency, event, .. } = arrival;
        let mut wanting = self.interested(agency, event)?.into_iter();
        let (Some(id), None) = (wanting.next(), wanting.next()) else {
            return Ok(None);
        };
        let before = self.pending::<SeenRow>(Table::EventSeen, &arrival.seen, "a seen event")?;
        let begins = !self.starters(agency, event).is_empty();
        if before.is_some() || begins || !self.nothing_kept()? {
            return Ok(None);
        }
        let Ok(mut held) = self.hold(&id).await else {
            return Ok(None);
        };
        if held.row.agency != *agency || held.row.ended_at.is_some() {
            return Ok(None);
        }
        let detail = named_type(&held, event);
        let decided = self
            .decide(
                &mut held,
                None,
                |draft| {
                    let under = Under::Agency(agency.clone());
                    // Whoever took the same event in meanwhile was first.
                    draft.batch.guards.push(Guard::Row {
                        table: Table::EventSeen,
                        key: arrival.seen.clone(),
                        version: 0,
                    });
                    let row = SeenRow { at: draft.at };
                    let seen = put(Table::EventSeen, arrival.seen.clone(), &row, under.clone());
                    draft.batch.puts.push(seen);
                    if let Some(ask) = ask {
                        ask.record(&arrival.view, under, &mut draft.batch);
                    }
                    draft.note_own(Audit::EventReceived, None, detail.clone());
                    Ok(Some(Event::EventReceived {
                        at: draft.at,
                        envelope: Arc::clone(event),
                    }))
                },
                |_| Ok(()),
            )
            .await;
        Ok(decided.ok().map(|((), settling)| settling))
    }
}
