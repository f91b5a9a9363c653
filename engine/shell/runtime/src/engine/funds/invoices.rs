//! Invoices that were paid, a row for each, guarded by whoever pays: of two at once one is first.
//!
//! Keys are hashes with a secret of the agency, made when the first invoice is paid. Rows belong to
//! the agency, so that an invoice stays paid when its case is erased.

use std::collections::BTreeMap;

use casewright_casework::Money;
use casewright_casework::fund::invoice::{Invoice, Settled};
use casewright_store::{Batch, Guard, Put, Table, Under};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::engine::Refused;
use crate::engine::shared::Shared;
use crate::{id, key, record};

/// Bytes of a hash in a key: nobody meets another by chance.
const TAG_BYTES: usize = 16;

const WHAT: &str = "a paid invoice";

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct SecretRow {
    secret: String,
}

/// Rows that one decision has looked at.
#[derive(Default)]
pub(super) struct Invoices {
    secret: Option<Open<SecretRow>>,
    open: BTreeMap<String, Open<Settled>>,
}

struct Open<T> {
    version: u64,
    before: Option<T>,
    now: Option<T>,
}

impl Invoices {
    /// Under what it is kept, and by what it was paid.
    pub(super) fn find(
        &mut self,
        shared: &Shared,
        agency: &str,
        invoice: &Invoice,
        money: &Money,
    ) -> Result<(String, Option<Settled>), Refused> {
        let tag = self.tag(shared, agency, &invoice.print(money))?;
        let settled = self.settled(shared, agency, &tag)?.now.clone();
        Ok((tag, settled))
    }

    /// It was paid by this.
    pub(super) fn settle(&mut self, tag: &str, by: Settled) {
        if let Some(open) = self.open.get_mut(tag) {
            open.now = Some(by);
        }
    }

    /// What was paid by this reservation was taken back as a whole: it may be paid again.
    pub(super) fn free(
        &mut self,
        shared: &Shared,
        agency: &str,
        tag: &str,
        reservation: &str,
    ) -> Result<(), Refused> {
        let open = self.settled(shared, agency, tag)?;
        open.now.take_if(|by| by.reservation == reservation);
        Ok(())
    }

    pub(super) fn write(self, agency: &str, batch: &mut Batch) {
        if let Some(secret) = self.secret {
            secret.write(secret_key(agency), agency, batch);
        }
        for (tag, open) in self.open {
            open.write(paid_key(agency, &tag), agency, batch);
        }
    }

    fn settled(
        &mut self,
        shared: &Shared,
        agency: &str,
        tag: &str,
    ) -> Result<&mut Open<Settled>, Refused> {
        if !self.open.contains_key(tag) {
            let found = shared.pending::<Settled>(Table::Invoice, &paid_key(agency, tag), WHAT)?;
            self.open.insert(tag.to_owned(), Open::of(found));
        }
        Ok(self
            .open
            .entry(tag.to_owned())
            .or_insert_with(|| Open::of(None)))
    }

    fn tag(&mut self, shared: &Shared, agency: &str, text: &str) -> Result<String, Refused> {
        if self.secret.is_none() {
            let found = shared.pending::<SecretRow>(Table::Invoice, &secret_key(agency), WHAT)?;
            let mut open = Open::of(found);
            open.now.get_or_insert_with(|| SecretRow {
                secret: id::secret("", &*shared.parts.entropy),
            });
            self.secret = Some(open);
        }
        let row = self.secret.as_ref().and_then(|open| open.now.as_ref());
        let secret = row.map_or("", |row| &row.secret);
        let mut hash = Sha256::new();
        hash.update(secret.as_bytes());
        hash.update([0]);
        hash.update(text.as_bytes());
        Ok(key::hex(&hash.finalize()[..TAG_BYTES]))
    }
}

impl<T: Clone + PartialEq + Serialize> Open<T> {
    fn of(found: Option<(T, u64)>) -> Self {
        let (row, version) = found.map_or((None, 0), |(row, version)| (Some(row), version));
        Self {
            version,
            before: row.clone(),
            now: row,
        }
    }

    /// What was only looked at is guarded as well: the decision rests on it.
    fn write(self, key: Vec<u8>, agency: &str, batch: &mut Batch) {
        batch.guards.push(Guard::Row {
            table: Table::Invoice,
            key: key.clone(),
            version: self.version,
        });
        if self.now != self.before {
            batch.puts.push(Put {
                table: Table::Invoice,
                key,
                value: self.now.as_ref().map(record::encode),
                under: Under::Agency(agency.to_owned()),
            });
        }
    }
}

fn secret_key(agency: &str) -> Vec<u8> {
    key::join(&["secret", agency])
}

fn paid_key(agency: &str, tag: &str) -> Vec<u8> {
    key::join(&["paid", agency, tag])
}
