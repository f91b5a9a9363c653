//! Users: created, replaced, signed in.

use casewright_casework::Principal;
use casewright_casework::principal::Kind;
use casewright_store::{Batch, Guard, Put, SubmitError, Table, Under};

use super::{NewUser, Secret};
use crate::engine::shared::{ENGINE, Shared, refused, unreadable};
use crate::engine::{Engine, Refused};
use crate::key;
use crate::record::{self, PointerRow, UserRow};

impl Engine {
    /// Creates or replaces a user (and ends their sessions).
    pub async fn put_user(&self, user: NewUser) -> Result<(), Refused> {
        let shared = &self.shared;
        let _admitted = shared.admit()?;
        if user.id.is_empty() || user.id == ENGINE || user.sign_in.trim().is_empty() {
            return Err(Refused::Invalid {
                code: "user-invalid",
                status: 422,
                message: "a user needs an id and a sign-in name of their own".to_owned(),
            });
        }
        let mut salt = [0; 16];
        shared.parts.entropy.fill(&mut salt);
        let passphrase = shared
            .doors
            .passphrases
            .hash(&user.passphrase, salt)
            .await?;
        let row = UserRow {
            agency: user.agency,
            id: user.id,
            sign_in: user.sign_in,
            display_name: user.display_name,
            roles: user.roles,
            passphrase,
        };
        for _ in 0..shared.limits.tries_max {
            match shared.submit(shared.user_batch(&row)?) {
                Ok(ticket) => return ticket.flushed().await.map(drop).map_err(refused),
                Err(SubmitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }

    /// Takes as long for an unknown name as for a wrong passphrase.
    pub async fn sign_in(&self, name: &str, passphrase: &str) -> Result<Option<Secret>, Refused> {
        let shared = &self.shared;
        let _admitted = shared.admit()?;
        let door = door(name);
        if !shared.doors.attempts.admit(&door, shared.now()) {
            return Err(Refused::Invalid {
                code: "too-many-attempts",
                status: 429,
                message: "too many tries for this account; wait a minute".to_owned(),
            });
        }
        let found = shared.user_at(&door)?;
        let stored = found.as_ref().map(|(user, _)| user.passphrase.clone());
        let right = shared.doors.passphrases.verify(passphrase, stored).await?;
        let (Some((user, version)), true) = (found, right) else {
            return Ok(None);
        };
        shared.doors.attempts.forget(&door);
        shared.open_session(&user, version).await.map(Some)
    }
}

/// Names differ in more than case and space around them.
fn door(sign_in: &str) -> Vec<u8> {
    key::hashed("sign-in", &sign_in.trim().to_lowercase())
}

impl Shared {
    fn user_batch(&self, row: &UserRow) -> Result<Batch, Refused> {
        let under = Under::Agency(row.agency.clone());
        // Without users nobody signs in, and the engine seeds them at its start: they are written
        // from the reserve, as sessions are.
        let mut batch = Batch {
            reserve: true,
            ..Batch::default()
        };
        let before: Option<(UserRow, u64)> =
            self.pending(Table::User, row.id.as_bytes(), "a user")?;
        batch.guards.push(Guard::Row {
            table: Table::User,
            key: row.id.clone().into_bytes(),
            version: before.as_ref().map_or(0, |(_, version)| *version),
        });
        let new_door = door(&row.sign_in);
        let taken: Option<(PointerRow, u64)> =
            self.pending(Table::SignIn, &new_door, "a sign-in name")?;
        if let Some((taken, _)) = &taken
            && taken.to != row.id
        {
            return Err(Refused::Invalid {
                code: "sign-in-taken",
                status: 409,
                message: "another user signs in under this name".to_owned(),
            });
        }
        batch.guards.push(Guard::Row {
            table: Table::SignIn,
            key: new_door.clone(),
            version: taken.map_or(0, |(_, version)| version),
        });
        let mut put = |table, key, value| {
            let under = under.clone();
            batch.puts.push(Put {
                table,
                key,
                value,
                under,
            });
        };
        let old_door = before.map(|(before, _)| door(&before.sign_in));
        if let Some(old_door) = old_door.filter(|old| *old != new_door) {
            put(Table::SignIn, old_door, None);
        }
        let pointer = PointerRow {
            to: row.id.clone(),
            agency: row.agency.clone(),
        };
        put(Table::SignIn, new_door, Some(record::encode(&pointer)));
        let key = row.id.clone().into_bytes();
        put(Table::User, key, Some(record::encode(row)));
        Ok(batch)
    }

    /// The user with this sign-in name, in any agency.
    pub(crate) fn user_named(&self, sign_in: &str) -> Result<Option<UserRow>, Refused> {
        Ok(self.user_at(&door(sign_in))?.map(|(user, _)| user))
    }

    fn user_at(&self, door: &[u8]) -> Result<Option<(UserRow, u64)>, Refused> {
        match self.read::<PointerRow>(Table::SignIn, door, "a sign-in name")? {
            Some(pointer) => self.user(&pointer.to),
            None => Ok(None),
        }
    }

    /// A user with the version of their row.
    pub(crate) fn user(&self, id: &str) -> Result<Option<(UserRow, u64)>, Refused> {
        let row = self.parts.store.get(Table::User, id.as_bytes());
        let row = row.map_err(unreadable)?;
        row.map(|row| Ok((record::decode("a user", &row.value)?, row.version)))
            .transpose()
    }

    pub(crate) fn principal(&self, user: UserRow, kind: Kind) -> Principal {
        self.with_included_roles(Principal {
            id: user.id,
            display_name: user.display_name,
            agency: user.agency,
            roles: user.roles,
            kind,
        })
    }
}
