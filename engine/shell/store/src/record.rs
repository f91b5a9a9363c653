//! What stands inside sealed values: journal records, segments, parts of audit chains, snapshots.
//! Only layout; nothing here is stored or sealed.

use casewright_casework::audit::Link;

use crate::backend::{JOURNAL_CODE, Space};
use crate::codec::{Decoder, Encoder};
use crate::key_file::{from_hex, to_hex};
use crate::seal::{Place, damaged};
use crate::{ReadError, Table};

/// For messages.
pub(crate) const RECORD: &str = "a record of the journal";

/// A journal record: what one batch adds to one case.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) events: Vec<RecordEvent>,
    pub(crate) links: Vec<Link>,
}

pub(crate) struct RecordEvent {
    pub(crate) instance: String,
    /// From 0, within the instance.
    pub(crate) sequence: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Record {
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.links.is_empty()
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let events = self.events.iter().map(|event| event.bytes.len() + 64);
        let length = events.sum::<usize>() + self.links.len() * 256 + 8;
        let mut out = Encoder(Vec::with_capacity(length));
        out.number(self.events.len() as u64);
        for event in &self.events {
            out.bytes(event.instance.as_bytes());
            out.number(event.sequence);
            out.bytes(&event.bytes);
        }
        out.number(self.links.len() as u64);
        for link in &self.links {
            write_link(&mut out, link);
        }
        out.0
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let mut input = Decoder(bytes);
        let read = (|| {
            let events = many(&mut input, |input| {
                Some(RecordEvent {
                    instance: input.text()?.to_owned(),
                    sequence: input.number()?,
                    bytes: input.bytes()?.to_vec(),
                })
            })?;
            let links = many(&mut input, read_link)?;
            input.is_done().then_some(Self { events, links })
        })();
        read.ok_or_else(|| damaged(RECORD))
    }
}

/// Events of an instance, moved out of the journal.
pub(crate) fn write_segment(events: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Encoder::default();
    out.number(events.len() as u64);
    for event in events {
        out.bytes(event);
    }
    out.0
}

pub(crate) fn read_segment(bytes: &[u8]) -> Result<Vec<Vec<u8>>, ReadError> {
    let mut input = Decoder(bytes);
    many(&mut input, |input| input.bytes().map(<[u8]>::to_vec))
        .filter(|_| input.is_done())
        .ok_or_else(|| damaged(Space::Segments.what()))
}

/// Audit links of a case, moved out of the journal.
pub(crate) fn write_links(links: &[Link]) -> Vec<u8> {
    let mut out = Encoder::default();
    out.number(links.len() as u64);
    for link in links {
        write_link(&mut out, link);
    }
    out.0
}

pub(crate) fn read_links(bytes: &[u8]) -> Result<Vec<Link>, ReadError> {
    let mut input = Decoder(bytes);
    many(&mut input, read_link)
        .filter(|_| input.is_done())
        .ok_or_else(|| damaged(Space::Audit.what()))
}

/// How an instance was folded; its version is the number of events that were. One byte says
/// whether it is active and whether a snapshot of all of them follows.
pub(crate) fn write_stream(active: bool, snapshot: Option<&[u8]>) -> Vec<u8> {
    let length = snapshot.map_or(0, <[u8]>::len);
    let mut out = Encoder(Vec::with_capacity(length + 1));
    out.byte(u8::from(active) | if snapshot.is_some() { 0 } else { WITHOUT });
    out.raw(snapshot.unwrap_or_default());
    out.0
}

/// Whether it is active, and its snapshot.
pub(crate) fn read_stream(bytes: &[u8]) -> Result<(bool, Option<&[u8]>), ReadError> {
    match bytes.split_first() {
        Some((active @ (0 | 1), snapshot)) => Ok((*active == 1, Some(snapshot))),
        Some((&WITHOUT, [])) => Ok((false, None)),
        Some((&WITHOUT_ACTIVE, [])) => Ok((true, None)),
        _ => Err(damaged(Space::Streams.what())),
    }
}

/// Its events are all there is.
const WITHOUT: u8 = 2;
const WITHOUT_ACTIVE: u8 = WITHOUT | 1;

/// Key of a part (segment, piece of an audit chain): parts of one id lie together, in order.
pub(crate) fn part_key(id: &str, first: u64) -> Vec<u8> {
    let mut out = part_prefix(id);
    out.raw(&first.to_be_bytes());
    out.0
}

/// Start and end of the keys of all parts of an id.
pub(crate) fn part_range(id: &str) -> (Vec<u8>, Vec<u8>) {
    let mut end = part_prefix(id);
    end.raw(&[0xff; 9]);
    (part_key(id, 0), end.0)
}

/// The first sequence that a part's key names.
pub(crate) fn part_first(key: &[u8]) -> Option<u64> {
    let bytes = key.last_chunk::<8>()?;
    Some(u64::from_be_bytes(*bytes))
}

/// Key of a row in the one space that holds all tables.
pub(crate) fn row_key(table: Table, key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len() + 1);
    out.push(table.code());
    out.extend_from_slice(key);
    out
}

pub(crate) fn journal_place(position: &[u8; 8]) -> Place<'_> {
    Place {
        code: JOURNAL_CODE,
        key: position,
        what: RECORD,
    }
}

fn part_prefix(id: &str) -> Encoder {
    let mut out = Encoder(Vec::with_capacity(id.len() + 12));
    out.bytes(id.as_bytes());
    out
}

fn write_link(out: &mut Encoder, link: &Link) {
    let hash: [u8; 32] = from_hex(&link.hash).expect("casework writes hashes as hex SHA-256");
    let entry = serde_json::to_vec(&link.entry).expect("an entry has only text and numbers");
    out.number(link.index);
    out.raw(&hash);
    out.bytes(&entry);
}

fn read_link(input: &mut Decoder<'_>) -> Option<Link> {
    Some(Link {
        index: input.number()?,
        hash: to_hex(input.take(32)?),
        entry: serde_json::from_slice(input.bytes()?).ok()?,
    })
}

/// Grows with what is really there: a count alone allocates nothing.
fn many<T>(
    input: &mut Decoder<'_>,
    mut one: impl FnMut(&mut Decoder<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let count = input.number()?;
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(one(input)?);
    }
    Some(all)
}
