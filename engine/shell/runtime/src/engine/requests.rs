//! `Idempotency-Key`: the answer is a row of the same batch as the change, so that both are there
//! or neither; a repeated request gets the stored answer and changes nothing.
//!
//! Refusals are not stored: nothing has changed, and the next try may meet another state.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use casewright_casework::Principal;
use casewright_store::{Batch, Guard, Put, Table, Under};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::shared::Shared;
use super::{Refused, RequestKey};
use crate::key;
use crate::record::{self, RequestRow};

/// Requests under way, by row key: a repeated one waits for the first.
#[derive(Default)]
pub(crate) struct Requests(Mutex<BTreeMap<Vec<u8>, Arc<tokio::sync::Mutex<()>>>>);

/// A request that has a key and was not answered before.
pub(crate) struct Ask {
    row: Vec<u8>,
    body_hash: String,
    shared: Arc<Shared>,
    turn: Option<tokio::sync::OwnedMutexGuard<()>>,
}

pub(crate) enum Asked<T> {
    Before(T),
    Now(Option<Ask>),
}

impl Shared {
    /// `route` tells apart requests of different kinds and targets under the same key.
    pub(crate) async fn ask<T: DeserializeOwned>(
        self: &Arc<Self>,
        who: &Principal,
        route: &str,
        key: Option<RequestKey>,
    ) -> Result<Asked<T>, Refused> {
        let Some(request) = key else {
            return Ok(Asked::Now(None));
        };
        let row = key::hashed("request", &format!("{}\0{}", who.id, request.key));
        let body_hash = hash(route, &request.body_hash);
        let ask = Ask {
            turn: Some(self.requests.turn(&row).await),
            shared: Arc::clone(self),
            row,
            body_hash,
        };
        match self.read::<RequestRow>(Table::Request, &ask.row, "a stored answer")? {
            None => Ok(Asked::Now(Some(ask))),
            Some(stored) if stored.body_hash != ask.body_hash => Err(Refused::KeyReused),
            Some(stored) => serde_json::from_value(stored.answer)
                .map(Asked::Before)
                .map_err(|_| Refused::Damaged("a stored answer cannot be read".to_owned())),
        }
    }
}

impl Requests {
    async fn turn(&self, row: &[u8]) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = Arc::clone(self.turns().entry(row.to_vec()).or_default());
        turn.lock_owned().await
    }

    fn turns(&self) -> std::sync::MutexGuard<'_, BTreeMap<Vec<u8>, Arc<tokio::sync::Mutex<()>>>> {
        // The map is whole after every operation, also when a holder panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ask {
    /// Adds the answer to the batch that makes it true.
    pub(crate) fn record<T: Serialize>(&self, answer: &T, under: Under, batch: &mut Batch) {
        let row = RequestRow {
            body_hash: self.body_hash.clone(),
            answer: serde_json::to_value(answer).expect("answers are plain values"),
            at: Some(self.shared.now()),
        };
        batch.guards.push(Guard::Row {
            table: Table::Request,
            key: self.row.clone(),
            version: 0,
        });
        batch.puts.push(Put {
            table: Table::Request,
            key: self.row.clone(),
            value: Some(record::encode(&row)),
            under,
        });
    }
}

impl Drop for Ask {
    fn drop(&mut self) {
        let mut turns = self.shared.requests.turns();
        self.turn = None;
        // Nobody else waits: only the map holds it, and nobody can join while the map is locked.
        if turns
            .get(&self.row)
            .is_some_and(|turn| Arc::strong_count(turn) == 1)
        {
            turns.remove(&self.row);
        }
    }
}

fn hash(route: &str, body: &[u8; 32]) -> String {
    let mut hash = Sha256::new();
    hash.update(route.as_bytes());
    hash.update([0]);
    hash.update(body);
    key::hex(&hash.finalize())
}
