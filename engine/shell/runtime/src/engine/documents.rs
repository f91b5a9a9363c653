//! Documents of a case: taken in part by part, so that no document lies in memory whole, and given
//! out in the same way.
//!
//! ```text
//! parts, 8 to a batch, the first with a mark that something arrives ─▶ flush ─▶ ...
//!   ├─ all there ─▶ last parts, the document's row, its audit entry; the mark goes ─▶ acknowledged
//!   └─ refused, broken off, or a crash ─▶ the parts go, then the mark
//! ```
//!
//! A document is there with its row or not at all. Its name is in that sealed row and nowhere
//! else: ids stand in addresses, logs and the audit chain.

use std::sync::Arc;

use casewright_casework::audit::Action;
use casewright_casework::document::{self, DOCUMENTS_MAX, Document, Format, Kind};
use casewright_casework::{Case, Principal, Refusal};
use casewright_store::{Batch, Guard, Put, SubmitError, Table, Under};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::case_file::filed;
use super::requests::Asked;
use super::shared::{Shared, not_found, refused, unreadable};
use super::{Engine, Refused, RequestKey};
use crate::{id, key, record};

/// With key, seal and header just under sixteen pages of redb, which rounds up to powers of two.
const PART_BYTES: usize = (64 << 10) - 512;

/// Parts in one batch: half a MiB, a flush of a few milliseconds.
const PARTS_AT_ONCE: usize = 8;

/// Each holds a batch in memory and writes as fast as the disk takes it.
pub(crate) const ARRIVING_MAX: usize = 16;

const WHAT: &str = "a document";

/// What arrives of a document. A channel that closes before the end says that the sender is gone.
#[derive(Debug)]
pub enum Arriving {
    /// The next bytes.
    Bytes(Vec<u8>),
    /// That was all.
    End,
}

/// What the sender says of a document.
#[derive(Debug, Clone)]
pub struct NewDocument {
    pub kind: Kind,
    /// As it was called there.
    pub name: String,
}

/// A document whose content is being given out.
pub struct OpenDocument {
    shared: Arc<Shared>,
    document: Document,
    next: u32,
}

/// Says that parts lie there which no document has yet.
#[derive(Serialize, Deserialize)]
struct ArrivalRow {
    case: String,
    document: String,
}

impl Engine {
    /// Documents of a case, oldest first. Audited like opening the case.
    pub async fn documents(&self, who: &Principal, case: &str) -> Result<Vec<Document>, Refused> {
        self.shared.seen_case(who, case)?;
        self.shared.note_read(who, case).await?;
        self.shared.rows_of(Table::Document, case, WHAT)
    }

    /// What is known of one. Part of the case page, which is audited.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn document(
        &self,
        who: &Principal,
        case: &str,
        id: &str,
    ) -> Result<Document, Refused> {
        self.shared.seen_case(who, case)?;
        self.shared.document(case, id)
    }

    /// Takes a document in. It is on disk, with all its parts, when this returns. The key counts
    /// for what was sent: the same content, name and kind.
    pub async fn add_document(
        &self,
        who: &Principal,
        case: &str,
        new: NewDocument,
        arriving: mpsc::Receiver<Arriving>,
        key: Option<String>,
    ) -> Result<Document, Refused> {
        let case = self.shared.seen_case(who, case)?;
        if self.shared.stopping() {
            return Err(Refused::Stopping);
        }
        let place = Arc::clone(&self.shared.arriving).try_acquire_owned();
        let place = place.map_err(|_| Refused::Busy)?;
        let kept: Vec<Document> = self.shared.rows_of(Table::Document, &case.id, WHAT)?;
        if kept.len() >= DOCUMENTS_MAX {
            return Err(wrong(format!(
                "This case has {DOCUMENTS_MAX} documents; no more can be added"
            )));
        }
        let (shared, who) = (Arc::clone(&self.shared), who.clone());
        Shared::carry(async move {
            let mut arrival = Arrival::new(shared, who, case);
            let added = arrival.take_in(arriving, new, key).await;
            if added.is_err() {
                arrival.let_go().await;
            }
            drop(place);
            added
        })
        .await
    }

    /// Begins to give out a document; that it was asked for is on disk before any of it is.
    pub async fn open_document(
        &self,
        who: &Principal,
        case: &str,
        id: &str,
    ) -> Result<OpenDocument, Refused> {
        let _admitted = self.shared.admit()?;
        let file = self.shared.seen_case(who, case)?;
        let document = self.shared.document(case, id)?;
        let action = Action::DocumentOpened;
        let batch = Batch {
            audit: vec![filed(&self.shared, who, &file, action, id, None)],
            reserve: true,
            ..Batch::default()
        };
        self.shared.commit(batch).await?;
        Ok(OpenDocument {
            shared: Arc::clone(&self.shared),
            document,
            next: 0,
        })
    }
}

impl OpenDocument {
    /// What is given out.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The next part; `None` after the last.
    pub fn part(&mut self) -> Option<Result<Vec<u8>, Refused>> {
        if self.next == self.document.parts {
            return None;
        }
        let key = part_key(&self.document.case, &self.document.id, self.next);
        self.next += 1;
        let found = self.shared.parts.store.get(Table::DocumentPart, &key);
        let missing = || Refused::Damaged("a part of a document is missing".to_owned());
        let part = found
            .map_err(unreadable)
            .and_then(|row| row.ok_or_else(missing));
        Some(part.map(|row| row.value))
    }
}

/// A document that is being taken in.
struct Arrival {
    shared: Arc<Shared>,
    who: Principal,
    case: Case,
    id: String,
    hash: Sha256,
    bytes: u64,
    format: Option<Format>,
    /// What is not a whole part yet.
    rest: Vec<u8>,
    /// Parts that wait for the next batch.
    puts: Vec<Put>,
    parts: u32,
    /// Parts that were given to the store, and the mark with them.
    sent: u32,
}

impl Arrival {
    fn new(shared: Arc<Shared>, who: Principal, case: Case) -> Self {
        let id = id::timed('d', shared.now(), &*shared.parts.entropy);
        Self {
            shared,
            who,
            case,
            id,
            hash: Sha256::new(),
            bytes: 0,
            format: None,
            rest: Vec::new(),
            puts: Vec::new(),
            parts: 0,
            sent: 0,
        }
    }

    async fn take_in(
        &mut self,
        mut arriving: mpsc::Receiver<Arriving>,
        new: NewDocument,
        key: Option<String>,
    ) -> Result<Document, Refused> {
        loop {
            match arriving.recv().await {
                Some(Arriving::Bytes(bytes)) => self.take(&bytes).await?,
                Some(Arriving::End) => return self.finish(new, key).await,
                None => {
                    return Err(Refused::Invalid {
                        code: "incomplete",
                        status: 400,
                        message: "the document broke off before its end".to_owned(),
                    });
                }
            }
        }
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        let bytes_max = self.shared.limits.document_bytes_max;
        if self.bytes > bytes_max {
            return Err(Refused::Invalid {
                code: "too-large",
                status: 413,
                message: format!("a document may have {bytes_max} bytes at most"),
            });
        }
        self.hash.update(bytes);
        self.rest.extend_from_slice(bytes);
        // Refused at once: nobody uploads ten MiB to hear that it is of the wrong kind.
        if self.format.is_none() && self.rest.len() >= document::START_BYTES {
            self.recognize()?;
        }
        while self.rest.len() >= PART_BYTES {
            let later = self.rest.split_off(PART_BYTES);
            let part = std::mem::replace(&mut self.rest, later);
            self.part(part);
            if self.puts.len() == PARTS_AT_ONCE {
                self.send().await?;
            }
        }
        Ok(())
    }

    fn recognize(&mut self) -> Result<Format, Refused> {
        let format = match self.format {
            Some(format) => format,
            None => Format::of(&self.rest).ok_or_else(|| {
                wrong("Choose a PDF or a photo (JPEG, PNG, WebP or HEIC)".to_owned())
            })?,
        };
        self.format = Some(format);
        Ok(format)
    }

    fn part(&mut self, bytes: Vec<u8>) {
        self.puts.push(Put {
            table: Table::DocumentPart,
            key: part_key(&self.case.id, &self.id, self.parts),
            value: Some(bytes),
            under: self.under(),
        });
        self.parts += 1;
    }

    async fn send(&mut self) -> Result<(), Refused> {
        let mut puts = std::mem::take(&mut self.puts);
        if self.sent == 0 {
            let row = ArrivalRow {
                case: self.case.id.clone(),
                document: self.id.clone(),
            };
            puts.push(mark(&self.case.id, &self.id, Some(record::encode(&row))));
        }
        self.sent = self.parts;
        let batch = Batch {
            puts,
            ..Batch::default()
        };
        self.shared.commit(batch).await
    }

    async fn finish(&mut self, new: NewDocument, key: Option<String>) -> Result<Document, Refused> {
        if self.bytes == 0 {
            return Err(wrong("Choose a document; this one is empty".to_owned()));
        }
        let format = self.recognize()?;
        let rest = std::mem::take(&mut self.rest);
        if !rest.is_empty() {
            self.part(rest);
        }
        let document = Document {
            id: self.id.clone(),
            case: self.case.id.clone(),
            kind: new.kind,
            name: document::name(&new.name, format),
            format,
            bytes: self.bytes,
            sha256: key::hex(&self.hash.clone().finalize()),
            parts: self.parts,
            at: self.shared.now(),
            by: self.who.id.clone(),
        };
        let _admitted = self.shared.admit()?;
        let key = key.map(|key| RequestKey {
            key,
            body_hash: sent_hash(&document),
        });
        let route = format!("document {}", self.case.id);
        let ask = match self.shared.ask(&self.who, &route, key).await? {
            Asked::Before(before) => {
                self.let_go().await;
                return Ok(before);
            }
            Asked::Now(ask) => ask,
        };
        let guards = self.shared.door(&self.who, &self.case.id)?;
        let mut batch = self.last(&document);
        batch.guards.extend(guards);
        if let Some(ask) = ask {
            ask.record(&document, self.under(), &mut batch);
        }
        let ticket = self.shared.submit(batch).map_err(|error| match error {
            SubmitError::Guard { .. } => Refused::Busy,
            other => refused(other),
        })?;
        let flushed = ticket.flushed().await;
        self.shared.changed();
        flushed.map(|_| document).map_err(refused)
    }

    /// What makes the document be there.
    fn last(&mut self, document: &Document) -> Batch {
        let mut puts = std::mem::take(&mut self.puts);
        let row = key::join(&[&self.case.id, &self.id]);
        puts.push(Put {
            table: Table::Document,
            key: row.clone(),
            value: Some(record::encode(document)),
            under: self.under(),
        });
        if self.sent > 0 {
            puts.push(mark(&self.case.id, &self.id, None));
        }
        let (action, kind) = (Action::DocumentAdded, Some(document.kind.as_str()));
        let entry = filed(&self.shared, &self.who, &self.case, action, &self.id, kind);
        Batch {
            guards: vec![Guard::Row {
                table: Table::Document,
                key: row,
                version: 0,
            }],
            puts,
            audit: vec![entry],
            ..Batch::default()
        }
    }

    /// Nothing of it stays. Where that cannot be, the mark stays with it, for the next start.
    async fn let_go(&mut self) {
        if self.sent == 0 {
            return;
        }
        let keys = (0..self.sent).map(|number| part_key(&self.case.id, &self.id, number));
        let batch = without(&self.case.id, &self.id, keys);
        if let Err(refused) = self.shared.commit(batch).await {
            tracing::warn!(
                document = self.id,
                refused = refused.in_log(),
                "parts of a document stay for now"
            );
        }
    }

    fn under(&self) -> Under {
        Under::Case(self.case.id.clone())
    }
}

impl Shared {
    fn document(&self, case: &str, id: &str) -> Result<Document, Refused> {
        let row = key::join(&[case, id]);
        let found = self.read(Table::Document, &row, WHAT)?;
        found.ok_or_else(not_found)
    }

    /// What was arriving at the last stop or crash never will. One that cannot be removed keeps
    /// nobody from starting.
    pub(super) async fn let_arrivals_go(&self) {
        let prefix = key::prefix(&[ARRIVING]);
        let end = key::after(&prefix);
        let rows = match self
            .parts
            .store
            .scan(Table::Document, &prefix, &end, usize::MAX)
        {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(error = %unreadable(error), "marks of documents cannot be read");
                return;
            }
        };
        for (_, row) in rows {
            let gone = match record::decode::<ArrivalRow>("a mark", &row.value) {
                Ok(arrival) => self.forget_parts(&arrival).await,
                Err(refused) => Err(refused),
            };
            if let Err(refused) = gone {
                tracing::warn!(
                    refused = refused.in_log(),
                    "parts of a document stay for now"
                );
            }
        }
    }

    async fn forget_parts(&self, arrival: &ArrivalRow) -> Result<(), Refused> {
        let ArrivalRow { case, document } = arrival;
        let prefix = key::prefix(&[case, document]);
        let rows = self.parts.store.scan(
            Table::DocumentPart,
            &prefix,
            &key::after(&prefix),
            usize::MAX,
        );
        let keys = rows.map_err(unreadable)?.into_iter().map(|(key, _)| key);
        self.commit(without(case, document, keys)).await
    }
}

/// Begins the keys of marks; ids of cases are letters and digits.
const ARRIVING: &str = "~arriving";

fn mark(case: &str, document: &str, value: Option<Vec<u8>>) -> Put {
    Put {
        table: Table::Document,
        key: key::join(&[ARRIVING, case, document]),
        value,
        under: Under::Case(case.to_owned()),
    }
}

fn without(case: &str, document: &str, keys: impl Iterator<Item = Vec<u8>>) -> Batch {
    let gone = |key| Put {
        table: Table::DocumentPart,
        key,
        value: None,
        under: Under::Case(case.to_owned()),
    };
    Batch {
        puts: keys.map(gone).chain([mark(case, document, None)]).collect(),
        ..Batch::default()
    }
}

/// Keys of all parts of a document: nobody need read what is in them.
pub(super) fn parts_of(case: &str, document: &Document) -> Vec<Vec<u8>> {
    let parts = document.bytes.div_ceil(PART_BYTES as u64);
    let numbers = 0..u32::try_from(parts).unwrap_or(u32::MAX);
    let keys = numbers.map(|number| part_key(case, &document.id, number));
    keys.collect()
}

fn part_key(case: &str, document: &str, number: u32) -> Vec<u8> {
    let mut key = key::prefix(&[case, document]);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// What must be equal for two requests under one key to be one.
fn sent_hash(document: &Document) -> [u8; 32] {
    let parts = [document.kind.as_str(), &document.name, &document.sha256];
    Sha256::digest(key::join(&parts)).into()
}

fn wrong(sentence: String) -> Refused {
    Refused::Rule(Refusal::mistake("file", sentence))
}
