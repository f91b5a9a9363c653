//! A message for a pending call: kept before it is acknowledged. Whoever has the token may send;
//! what the message means is the plugin's affair.

use std::sync::Arc;

use casewright_casework::audit::{Action as Audit, Entry};
use casewright_store::{AuditAppend, Batch, Guard, Put, SubmitError, Table, Under};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::row::{CALLBACKS_MAX, PendingRow, Stage};
use super::{WHAT, timer_name, token};
use crate::engine::shared::{ENGINE, Shared, not_found, refused};
use crate::engine::{Engine, Refused};
use crate::port::Callback;
use crate::{id, key, record};

#[derive(Serialize, Deserialize)]
struct CallbackRow {
    at: Timestamp,
    headers: Vec<(String, String)>,
    /// Nearly always JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// In base 32 what is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
}

/// (hash of the token, number of the message).
pub(super) fn row_key(hash: &[u8], number: u64) -> Vec<u8> {
    [hash, &number.to_be_bytes()].concat()
}

impl Engine {
    /// Takes a message for the call with this token. After `Ok` it is on disk, or it is known
    /// already, or it came too late to matter; the sender need not know which.
    pub async fn callback(&self, token: &str, callback: Callback) -> Result<(), Refused> {
        let admitted = self.shared.admit()?;
        let hash = token::hash_of_sent(token).ok_or_else(not_found)?;
        let shared = Arc::clone(&self.shared);
        Shared::carry(async move {
            let taken = shared.take_callback(&hash, &callback).await;
            drop(admitted);
            taken
        })
        .await
    }
}

impl Shared {
    async fn take_callback(&self, hash: &[u8], callback: &Callback) -> Result<(), Refused> {
        for _ in 0..self.limits.tries_max {
            let found: Option<(PendingRow, u64)> = self.pending(Table::PendingCall, hash, WHAT)?;
            let (row, version) = found.ok_or_else(not_found)?;
            let digest = digest(&callback.body);
            if row.knows(&digest) {
                return self.repeated(hash).await;
            }
            let Some(taken) = Taken::new(hash, row, digest, callback, self.now())? else {
                return Ok(());
            };
            let (wake, before) = (taken.row.wake, taken.before);
            match self.submit(taken.batch(hash, version)) {
                Ok(ticket) => {
                    ticket.flushed().await.map_err(refused)?;
                    self.changed();
                    if let Some(before) = before.filter(|_| before != wake) {
                        super::disarm(self, before, hash);
                    }
                    if let Some(wake) = wake {
                        super::arm(self, wake, hash);
                    }
                    return Ok(());
                }
                Err(SubmitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }

    /// The message that it repeats may not be on disk yet: acknowledged is only what is.
    async fn repeated(&self, hash: &[u8]) -> Result<(), Refused> {
        let on_disk = self.read::<PendingRow>(Table::PendingCall, hash, WHAT)?;
        let (queued, _): (PendingRow, u64) = self
            .pending(Table::PendingCall, hash, WHAT)?
            .ok_or_else(not_found)?;
        if on_disk.is_some_and(|row| row.arrived == queued.arrived) {
            return Ok(());
        }
        // An empty batch is flushed after everything before it.
        self.commit(Batch::default()).await
    }

    /// The message of this number.
    pub(super) fn callback(&self, hash: &[u8], number: u64) -> Result<Option<Callback>, Refused> {
        let key = row_key(hash, number);
        let found = self.pending::<CallbackRow>(Table::Callback, &key, "a message")?;
        let body = |row: &CallbackRow| match (&row.text, &row.bytes) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(bytes)) => id::decode(bytes).unwrap_or_default(),
            (None, None) => Vec::new(),
        };
        Ok(found.map(|(row, _)| Callback {
            body: body(&row),
            headers: row.headers,
        }))
    }
}

/// A message that is going to be written.
struct Taken {
    row: PendingRow,
    /// The timer that was set.
    before: Option<Timestamp>,
    message: Option<Put>,
    audit: AuditAppend,
}

impl Taken {
    /// `None`: nothing more is to be kept of it.
    fn new(
        hash: &[u8],
        mut row: PendingRow,
        digest: String,
        callback: &Callback,
        at: Timestamp,
    ) -> Result<Option<Self>, Refused> {
        let before = row.wake;
        let (action, message) = match row.stage {
            Stage::Calling | Stage::Waiting(_) => {
                if row.arrived - row.handled >= CALLBACKS_MAX {
                    return Err(Refused::Busy);
                }
                let put = Put {
                    table: Table::Callback,
                    key: row_key(hash, row.arrived),
                    value: Some(record::encode(&kept(callback, at))),
                    under: Under::Case(row.case.clone()),
                };
                row.arrived += 1;
                (Audit::CallbackArrived, Some(put))
            }
            // Each that is different is written down, up to a bound: the sender may be anybody who
            // has found the token.
            Stage::GivenUp(_) | Stage::Closed => {
                if row.digests.len() as u64 > CALLBACKS_MAX {
                    return Ok(None);
                }
                (Audit::CallbackIgnored, None)
            }
        };
        row.digests.push(digest);
        row.wake = row.next(at).map(key::rounded_up);
        let audit = AuditAppend {
            case: row.case.clone(),
            entry: Entry {
                at,
                who: ENGINE.to_owned(),
                action,
                instance: Some(row.instance.clone()),
                subject: Some(row.key.clone()),
                detail: Some(row.function.clone()),
            },
        };
        Ok(Some(Self {
            row,
            before,
            message,
            audit,
        }))
    }

    fn batch(self, hash: &[u8], version: u64) -> Batch {
        let under = Under::Case(self.row.case.clone());
        let mut puts = Vec::from_iter(self.message);
        if self.before != self.row.wake {
            for (moment, value) in [(self.before, None), (self.row.wake, Some(Vec::new()))] {
                puts.extend(moment.map(|moment| Put {
                    table: Table::Timer,
                    key: key::timer(moment, &timer_name(hash), 0),
                    value,
                    under: under.clone(),
                }));
            }
        }
        puts.push(Put {
            table: Table::PendingCall,
            key: hash.to_vec(),
            value: Some(record::encode(&self.row)),
            under,
        });
        Batch {
            guards: vec![Guard::Row {
                table: Table::PendingCall,
                key: hash.to_vec(),
                version,
            }],
            puts,
            audit: vec![self.audit],
            ..Batch::default()
        }
    }
}

fn kept(callback: &Callback, at: Timestamp) -> CallbackRow {
    let text = String::from_utf8(callback.body.clone()).ok();
    let bytes = text.is_none().then(|| {
        let mut bytes = String::new();
        id::encode(&callback.body, &mut bytes);
        bytes
    });
    CallbackRow {
        at,
        headers: callback.headers.clone(),
        text,
        bytes,
    }
}

fn digest(body: &[u8]) -> String {
    key::hex(&Sha256::digest(body))
}
