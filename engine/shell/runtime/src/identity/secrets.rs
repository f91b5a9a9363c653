//! Sessions and service tokens: random secrets, looked up by their hash.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use casewright_casework::Principal;
use casewright_casework::principal::Kind;
use casewright_store::{Batch, Guard, Put, SubmitError, Table, Under};
use jiff::{SignedDuration, Timestamp};

use super::Secret;
use crate::engine::shared::{Shared, not_found, refused};
use crate::engine::{Engine, Refused};
use crate::record::{self, PointerRow, SessionRow, TokenRow, UserRow};
use crate::{id, key};

const SESSION: &str = "cws_";
const TOKEN: &str = "cwt_";

/// A session ends when it was not used for so long, and in any case after so long.
const IDLE_MAX: SignedDuration = SignedDuration::from_mins(30);
const AGE_MAX: SignedDuration = SignedDuration::from_hours(12);

/// How exactly a restart must know when a session was last used: a write per page view would cost
/// more than the page.
const SEEN_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// When open sessions were last used, by row key.
#[derive(Default)]
pub(crate) struct LastSeen(Mutex<BTreeMap<Vec<u8>, Timestamp>>);

impl LastSeen {
    fn note(&self, session: &[u8], now: Timestamp) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(session.to_vec(), now);
    }

    fn of(&self, session: &[u8]) -> Option<Timestamp> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(session).copied()
    }

    fn forget(&self, session: &[u8], now: Timestamp) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(session);
        seen.retain(|_, last| now.duration_since(*last) <= IDLE_MAX);
    }
}

impl Engine {
    /// A new service token acting as this user; all earlier ones with the same label end.
    pub async fn mint_token(&self, user: &str, label: &str) -> Result<Secret, Refused> {
        let shared = &self.shared;
        let _admitted = shared.admit()?;
        let (user, _) = shared.user(user)?.ok_or_else(not_found)?;
        for _ in 0..shared.limits.tries_max {
            let secret = id::secret(TOKEN, &*shared.parts.entropy);
            match shared.submit(shared.token_batch(&user, label, &secret)?) {
                Ok(ticket) => {
                    ticket.flushed().await.map_err(refused)?;
                    return Ok(Secret(secret));
                }
                Err(SubmitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }

    /// Ends a session; an unknown one is ended already.
    pub async fn sign_out(&self, session: &str) -> Result<(), Refused> {
        let shared = &self.shared;
        let key = key::hashed("session", session);
        let found: Option<(SessionRow, u64)> = shared.pending(Table::Session, &key, "a session")?;
        let Some((row, _)) = found else {
            return Ok(());
        };
        shared.doors.last_seen.forget(&key, shared.now());
        let agency = shared.user(&row.user)?.map(|(user, _)| user.agency);
        let put = delete(Table::Session, key, &agency.unwrap_or_default());
        let batch = Batch {
            puts: vec![put],
            // Staff must be able to sign in and look when the disk is full.
            reserve: true,
            ..Batch::default()
        };
        shared.commit(batch).await
    }

    /// A session or a bearer token; `None` when unknown, ended or expired.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn authenticate(&self, secret: &str) -> Result<Option<Principal>, Refused> {
        if secret.starts_with(TOKEN) {
            self.shared.bearer(secret)
        } else {
            self.shared.session(secret)
        }
    }
}

impl Shared {
    pub(super) async fn open_session(
        &self,
        user: &UserRow,
        user_version: u64,
    ) -> Result<Secret, Refused> {
        let secret = id::secret(SESSION, &*self.parts.entropy);
        let now = self.now();
        let row = SessionRow {
            user: user.id.clone(),
            user_version,
            opened: now,
            seen: now,
        };
        let batch = Batch {
            puts: vec![Put {
                table: Table::Session,
                key: key::hashed("session", &secret),
                value: Some(record::encode(&row)),
                under: Under::Agency(user.agency.clone()),
            }],
            // Staff must be able to sign in and look when the disk is full.
            reserve: true,
            ..Batch::default()
        };
        self.commit(batch).await?;
        Ok(Secret(secret))
    }

    fn session(&self, secret: &str) -> Result<Option<Principal>, Refused> {
        let key = key::hashed("session", secret);
        let found: Option<(SessionRow, u64)> = self.pending(Table::Session, &key, "a session")?;
        let Some((row, version)) = found else {
            return Ok(None);
        };
        let Some((user, user_version)) = self.user(&row.user)? else {
            return Ok(None);
        };
        let now = self.now();
        let kept = self.doors.last_seen.of(&key);
        let seen = kept.map_or(row.seen, |kept| kept.max(row.seen));
        let idle = now.duration_since(seen) > IDLE_MAX;
        let old = now.duration_since(row.opened) > AGE_MAX;
        if idle || old || row.user_version != user_version {
            self.doors.last_seen.forget(&key, now);
            self.try_write(delete(Table::Session, key, &user.agency), version);
            return Ok(None);
        }
        self.doors.last_seen.note(&key, now);
        if now.duration_since(row.seen) > SEEN_EVERY {
            let put = Put {
                table: Table::Session,
                key,
                value: Some(record::encode(&SessionRow { seen: now, ..row })),
                under: Under::Agency(user.agency.clone()),
            };
            self.try_write(put, version);
        }
        Ok(Some(self.principal(user, Kind::Staff)))
    }

    fn bearer(&self, secret: &str) -> Result<Option<Principal>, Refused> {
        let key = key::hashed("token", secret);
        let Some(token) = self.read::<TokenRow>(Table::Token, &key, "a token")? else {
            return Ok(None);
        };
        let user = self.user(&token.user)?;
        Ok(user.map(|(user, _)| self.principal(user, Kind::Service)))
    }

    fn token_batch(&self, user: &UserRow, label: &str, secret: &str) -> Result<Batch, Refused> {
        let mut batch = Batch {
            // As users are: a start on a full disk mints the demo's tokens.
            reserve: true,
            ..Batch::default()
        };
        let label_key = key::hashed("token label", &format!("{}\0{label}", user.id));
        let before: Option<(PointerRow, u64)> =
            self.pending(Table::Token, &label_key, "a token's label")?;
        batch.guards.push(Guard::Row {
            table: Table::Token,
            key: label_key.clone(),
            version: before.as_ref().map_or(0, |(_, version)| *version),
        });
        if let Some(earlier) = before.and_then(|(pointer, _)| id::decode(&pointer.to)) {
            batch.puts.push(delete(Table::Token, earlier, &user.agency));
        }
        let token_key = key::hashed("token", secret);
        let mut to = String::new();
        id::encode(&token_key, &mut to);
        let token = TokenRow {
            user: user.id.clone(),
            label: label.to_owned(),
        };
        let pointer = PointerRow {
            to,
            agency: user.agency.clone(),
        };
        for (key, value) in [
            (token_key, record::encode(&token)),
            (label_key, record::encode(&pointer)),
        ] {
            batch.puts.push(Put {
                table: Table::Token,
                key,
                value: Some(value),
                under: Under::Agency(user.agency.clone()),
            });
        }
        Ok(batch)
    }

    /// For what may as well be done next time: nobody waits for it, and it never undoes a
    /// sign-out.
    fn try_write(&self, put: Put, version: u64) {
        let guard = Guard::Row {
            table: put.table,
            key: put.key.clone(),
            version,
        };
        let batch = Batch {
            guards: vec![guard],
            puts: vec![put],
            // Staff must be able to sign in and look when the disk is full.
            reserve: true,
            ..Batch::default()
        };
        if let Err(error) = self.submit(batch) {
            tracing::debug!(%error, "a session's row was not written");
        }
    }
}

fn delete(table: Table, key: Vec<u8>, agency: &str) -> Put {
    Put {
        table,
        key,
        value: None,
        under: Under::Agency(agency.to_owned()),
    }
}
