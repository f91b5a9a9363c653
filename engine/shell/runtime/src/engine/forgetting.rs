//! Forgets what only tells repeated things apart: events that were seen and answers to requests,
//! once nobody will send them again. They would grow for ever, and they hold no case.

use std::sync::{Mutex, PoisonError};

use casewright_store::{Batch, Guard, Put, Row, Table, Under};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::shared::Shared;
use crate::record;

/// What is sent again is sent again within hours; an outbox that was forgotten for a quarter of a
/// year is read by people.
pub(crate) const KEPT_DAYS: i64 = 90;

/// Rows looked at in one turn, between which other work goes on.
const ROWS_PER_TURN: usize = 256;
const TURNS_APART: SignedDuration = SignedDuration::from_secs(1);
/// After every row was looked at.
const ROUNDS_APART: SignedDuration = SignedDuration::from_hours(1);

const TABLES: [Table; 2] = [Table::EventSeen, Table::Request];

/// Every row of these tables says when it was written; those of earlier engines do not, and stay.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    at: Option<Timestamp>,
}

/// How far it has come.
pub(crate) struct Forgetting(Mutex<Turn>);

struct Turn {
    next: Timestamp,
    table: usize,
    from: Vec<u8>,
}

impl Default for Forgetting {
    fn default() -> Self {
        Self(Mutex::new(Turn {
            next: Timestamp::MIN,
            table: 0,
            from: Vec::new(),
        }))
    }
}

impl Shared {
    /// Looks at some rows if it is time to. What fails is looked at again in the next round.
    pub(crate) fn forget_old(&self) {
        let now = self.now();
        // Only the sweep comes here; the turn is whole after every step.
        let mut turn = self
            .forgetting
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if now < turn.next {
            return;
        }
        let table = TABLES[turn.table];
        let store = &self.parts.store;
        let rows = match store.scan(table, &turn.from, &[0xff; 64], ROWS_PER_TURN) {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(%error, "what was seen long ago cannot be looked at");
                turn.next = now + ROUNDS_APART;
                return;
            }
        };
        let over = rows.len() < ROWS_PER_TURN;
        if let Some((last, _)) = rows.last() {
            turn.from = [last.as_slice(), &[0]].concat();
        }
        let batch = removal(table, rows, now);
        if !batch.puts.is_empty()
            && let Err(error) = store.submit(batch)
        {
            tracing::debug!(%error, "not forgotten this time");
        }
        turn.next = now + TURNS_APART;
        if over {
            turn.from = Vec::new();
            turn.table = (turn.table + 1) % TABLES.len();
            if turn.table == 0 {
                turn.next = now + ROUNDS_APART;
            }
        }
    }
}

fn removal(table: Table, rows: Vec<(Vec<u8>, Row)>, now: Timestamp) -> Batch {
    let mut batch = Batch::default();
    for (key, row) in rows {
        let written = record::decode::<Written>("a row that is kept for a time", &row.value);
        let at = written.ok().and_then(|written| written.at);
        let old =
            |at: Timestamp| now.duration_since(at) > SignedDuration::from_hours(KEPT_DAYS * 24);
        if !at.is_some_and(old) {
            continue;
        }
        batch.guards.push(Guard::Row {
            table,
            key: key.clone(),
            version: row.version,
        });
        batch.puts.push(Put {
            table,
            key,
            value: None,
            under: Under::Agency(String::new()),
        });
    }
    batch
}
