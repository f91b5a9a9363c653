//! Which instances want which events: an index by agency, type and, where an instance says so from
//! its start, a value that the event must carry.
//!
//! Keys hold no personal data: types and values are hashed with a secret of the agency. Shapes
//! (where in an event a value is found) come with the deployment; an instance adds its lines when
//! it starts and takes them back when it ends.

use std::collections::BTreeSet;

use casewright_machine::{Interest, Shape, envelope, shapes};
use casewright_store::{Batch, Put, Table, Under};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Refused;
use super::draft::Draft;
use super::shared::{Shared, unreadable};
use crate::deployment::Deployment;
use crate::{id, key, record};

/// Bytes of a hash in a key: nobody meets another by chance.
const TAG_BYTES: usize = 16;

/// In place of what an interest does not say.
const ANY: &str = "-";

#[derive(Serialize, Deserialize)]
struct SecretRow {
    secret: String,
}

#[derive(Serialize, Deserialize)]
struct ShapeRow {
    from: String,
}

/// What keys of one agency are hashed with.
struct Secret(String);

impl Secret {
    fn tag(&self, kind: &str, text: &str) -> String {
        let mut hash = Sha256::new();
        for part in [self.0.as_str(), kind] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.update(text.as_bytes());
        key::hex(&hash.finalize()[..TAG_BYTES])
    }

    fn of_kind(&self, kind: Option<&str>) -> String {
        kind.map_or_else(|| ANY.to_owned(), |kind| self.tag("type", kind))
    }

    fn line(&self, agency: &str, interest: &Interest, instance: &str) -> Vec<u8> {
        let Interest { shape, value } = interest;
        let kind = self.of_kind(shape.kind.as_deref());
        let (from, value) = match (&shape.from, value) {
            (Some(from), Some(value)) => (self.tag("from", from), self.tag("value", value)),
            (_, _) => (ANY.to_owned(), ANY.to_owned()),
        };
        key::join(&["for", agency, &kind, &from, &value, instance])
    }
}

impl Shared {
    /// Instances of the agency that want the event, as far as the index can tell.
    pub(super) fn interested(
        &self,
        agency: &str,
        event: &Value,
    ) -> Result<BTreeSet<String>, Refused> {
        let mut found = BTreeSet::new();
        let Some(secret) = self.secret(agency)? else {
            return Ok(found);
        };
        for kind in [Some(envelope::kind(event)), None] {
            let kind = secret.of_kind(kind);
            self.lines(&["for", agency, &kind, ANY, ANY], &mut found)?;
            let prefix = key::prefix(&["shape", agency, &kind]);
            let store = &self.parts.store;
            let rows = store.scan(
                Table::Subscription,
                &prefix,
                &key::after(&prefix),
                usize::MAX,
            );
            for (_, row) in rows.map_err(unreadable)? {
                let ShapeRow { from } = record::decode("a subscription", &row.value)?;
                let Some(value) = envelope::correlation(&from, event) else {
                    continue;
                };
                let (from, value) = (secret.tag("from", &from), secret.tag("value", &value));
                self.lines(&["for", agency, &kind, &from, &value], &mut found)?;
            }
        }
        Ok(found)
    }

    fn lines(&self, parts: &[&str], found: &mut BTreeSet<String>) -> Result<(), Refused> {
        let prefix = key::prefix(parts);
        let end = key::after(&prefix);
        let store = &self.parts.store;
        let rows = store.scan(Table::Subscription, &prefix, &end, usize::MAX);
        let instance = |key: &[u8]| String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
        found.extend(
            rows.map_err(unreadable)?
                .iter()
                .map(|(key, _)| instance(key)),
        );
        Ok(())
    }

    fn secret(&self, agency: &str) -> Result<Option<Secret>, Refused> {
        let key = key::join(&["secret", agency]);
        let row = self.pending::<SecretRow>(Table::Subscription, &key, "a subscription")?;
        Ok(row.map(|(row, _)| Secret(row.secret)))
    }

    /// What a deployment's instances will need. Rows that are there stay as they are.
    pub(super) fn establish_shapes(
        &self,
        deployment: &Deployment,
        batch: &mut Batch,
    ) -> Result<(), Refused> {
        let all = deployment.workflows.values().flat_map(shapes);
        let all: BTreeSet<Shape> = all.collect();
        if all.is_empty() {
            return Ok(());
        }
        let agency = &deployment.pack.namespace;
        let secret = if let Some(secret) = self.secret(agency)? {
            secret
        } else {
            let secret = id::secret("", &*self.parts.entropy);
            let row = SecretRow {
                secret: secret.clone(),
            };
            let key = key::join(&["secret", agency]);
            // Two deployments are made one after the other, so nobody else writes it meanwhile.
            batch.puts.push(of_agency(agency, key, &row));
            Secret(secret)
        };
        for Shape { kind, from } in all {
            let Some(from) = from else { continue };
            let kind = secret.of_kind(kind.as_deref());
            let key = key::join(&["shape", agency, &kind, &secret.tag("from", &from)]);
            let there = self.parts.store.pending(Table::Subscription, &key);
            if there.map_err(unreadable)?.is_none() {
                batch.puts.push(of_agency(agency, key, &ShapeRow { from }));
            }
        }
        Ok(())
    }
}

impl Draft<'_> {
    /// Adds or takes back the lines of this instance.
    pub(super) fn subscribe(
        &mut self,
        interests: &[Interest],
        stands: bool,
    ) -> Result<(), Refused> {
        let agency = self.resident.row.agency.clone();
        let secret = self.shared.secret(&agency)?.ok_or_else(|| {
            Refused::Damaged(format!("agency {agency} has no secret for subscriptions"))
        })?;
        let id = self.resident.id.clone();
        for interest in interests {
            let line = secret.line(&agency, interest, &id);
            self.mark(Table::Subscription, line, stands);
        }
        Ok(())
    }
}

fn of_agency<T: Serialize>(agency: &str, key: Vec<u8>, row: &T) -> Put {
    Put {
        table: Table::Subscription,
        key,
        value: Some(record::encode(row)),
        under: Under::Agency(agency.to_owned()),
    }
}
