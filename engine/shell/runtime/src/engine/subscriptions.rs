//! Which instances want which events: an index by agency, type and, where an instance says so from
//! its start, a value that the event must carry.
//!
//! Keys hold no personal data: types and values are hashed with a secret of the agency. Shapes
//! (where in an event a value is found) come with the deployment and are kept in memory; an
//! instance adds its lines when it starts and takes them back when it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

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

/// What is known of the events of one agency, as it lies on disk.
struct Known {
    secret: Secret,
    /// By hashed type: where the value is found, and the hash of that.
    shapes: BTreeMap<String, Vec<(String, String)>>,
}

/// By agency, until another pack is in force there. `None`: it has no secret yet.
#[derive(Default)]
pub(crate) struct Subscriptions(Mutex<BTreeMap<String, Option<Arc<Known>>>>);

impl Subscriptions {
    /// To be called after what changed is on disk.
    pub(crate) fn forget(&self, agency: &str) {
        self.known().remove(agency);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Option<Arc<Known>>>> {
        // The map is whole after every operation, also when a holder panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
        let Some(known) = self.known(agency)? else {
            return Ok(found);
        };
        let Known { secret, shapes } = &*known;
        for kind in [Some(envelope::kind(event)), None] {
            let kind = secret.of_kind(kind);
            self.lines(&["for", agency, &kind, ANY, ANY], &mut found)?;
            for (from, tag) in shapes.get(&kind).into_iter().flatten() {
                let Some(value) = envelope::correlation(from, event) else {
                    continue;
                };
                let value = secret.tag("value", &value);
                self.lines(&["for", agency, &kind, tag, &value], &mut found)?;
            }
        }
        Ok(found)
    }

    /// Read under the lock: what is read before a change is forgotten after it.
    fn known(&self, agency: &str) -> Result<Option<Arc<Known>>, Refused> {
        let mut all = self.subscriptions.known();
        if let Some(known) = all.get(agency) {
            return Ok(known.clone());
        }
        let known = self.read_known(agency)?.map(Arc::new);
        all.insert(agency.to_owned(), known.clone());
        Ok(known)
    }

    fn read_known(&self, agency: &str) -> Result<Option<Known>, Refused> {
        let key = key::join(&["secret", agency]);
        let row = self.read::<SecretRow>(Table::Subscription, &key, "a subscription")?;
        let Some(row) = row else { return Ok(None) };
        let secret = Secret(row.secret);
        let prefix = key::prefix(&["shape", agency]);
        let end = key::after(&prefix);
        let store = &self.parts.store;
        let rows = store.scan(Table::Subscription, &prefix, &end, usize::MAX);
        let mut shapes: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for (key, row) in rows.map_err(unreadable)? {
            let ShapeRow { from } = record::decode("a subscription", &row.value)?;
            let mut parts = key[prefix.len()..].split(|byte| *byte == 0);
            let kind = parts.next().map(String::from_utf8_lossy);
            let kind = kind.unwrap_or_default().into_owned();
            let tag = secret.tag("from", &from);
            shapes.entry(kind).or_default().push((from, tag));
        }
        Ok(Some(Known { secret, shapes }))
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
        let known = self.shared.known(&agency)?.ok_or_else(|| {
            Refused::Damaged(format!("agency {agency} has no secret for subscriptions"))
        })?;
        let id = self.resident.id.clone();
        for interest in interests {
            let line = known.secret.line(&agency, interest, &id);
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
