//! How far a store has come, kept apart from it beside its keys: an older file of the store that
//! was put in the newer one's place does not come as far, or came there by another way.
//!
//! ```text
//! point   position, and a hash over the seals of everything committed before it, in order
//! store   its point; the mark: the point last kept or about to be kept, and the one kept before
//! kept    one point: the store's own after a clean end, otherwise one that its mark names;
//!         when the store went on from elsewhere on purpose
//! ```
//!
//! The mark is committed with a group, and kept only after that group is on disk: a crash at any
//! moment leaves the kept point among the three that the store names. What was committed since the
//! last mark can be taken back unnoticed; after a clean end nothing can. While a restored store is
//! put in its place, its point is kept beside that of the store that was there.
//!
//! It reads and writes no store, and knows nothing of what was committed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::backend::Op;
use crate::key_file::{self, folder, to_hex, with_suffix};
use crate::keys::Keyring;
use crate::seal::{Nonces, TAG_BYTES};

const FORMAT: u32 = 1;

/// Name under which a kept point is sealed: no row of a store has it.
const KEPT: &[u8] = b"checkpoint";

/// A moment of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Point {
    /// The next position it gives.
    pub(crate) position: u64,
    head: [u8; 32],
}

/// What a store says of points that were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) this: Point,
    pub(crate) before: Option<Point>,
}

/// What a store on disk says of how far it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named {
    pub(crate) point: Point,
    pub(crate) mark: Option<Mark>,
}

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// The store came this far.
    pub(crate) point: Point,
    /// A restored store that is just being put in its place may be there instead.
    pub(crate) or: Option<Point>,
    /// From the first to the last.
    pub(crate) turns: Vec<Turn>,
}

/// That a store went on, and not from where it had come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Seconds since 1970.
    pub at: u64,
    pub why: Why,
    /// The position that had been kept, if that was known.
    pub from: Option<u64>,
    /// The position that it went on from.
    pub to: u64,
}

/// The names are a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// A backup was restored.
    Restored,
    /// The operator said that this file is to go on.
    Accepted,
    /// The checkpoint was gone: nobody knows whether this was the newest file.
    Missing,
}

/// Where a checkpoint is kept. One place holds one.
pub trait Witness: Send + Sync + 'static {
    /// Its name in messages.
    fn place(&self) -> String;

    /// What it gives stays, also after a power cut.
    fn read(&self) -> io::Result<Option<Vec<u8>>>;

    /// All or nothing; durable when it returns `Ok`, unknown when it returns `Err`.
    fn replace(&self, bytes: &[u8]) -> io::Result<()>;
}

/// A file beside the key file; one for each place that a store of these keys lies at.
pub(crate) struct WitnessFile(PathBuf);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    casewright_checkpoint: u32,
    sealed: Vec<u8>,
}

impl Point {
    /// A new store, or one of an engine that kept no points.
    pub(crate) fn new(position: u64) -> Self {
        let head = [0; 32];
        Self { position, head }
    }

    /// After more was committed: what was sealed in it, in order.
    pub(crate) fn after<'v>(&self, position: u64, sealed: impl Iterator<Item = &'v [u8]>) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.head);
        for value in sealed {
            // A seal's tag stands for its key, its place and all that is in it.
            hash.update(&value[value.len().saturating_sub(TAG_BYTES)..]);
        }
        Self {
            position,
            head: hash.finalize().into(),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [&self.position.to_be_bytes()[..], &self.head].concat()
    }

    /// Also of the position alone, as it was stored before there were points.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (position, head) = bytes.split_first_chunk()?;
        let mut point = Self::new(u64::from_be_bytes(*position));
        if !head.is_empty() {
            point.head = head.try_into().ok()?;
        }
        Some(point)
    }
}

impl Named {
    /// Which of what is kept the store says it came to; `None` is another store, or an older one.
    pub(crate) fn found_in(&self, kept: &Kept) -> Option<Point> {
        let mark = self.mark.as_ref();
        let own = [Some(self.point), mark.map(|mark| mark.this), self.before()];
        let kept = [Some(kept.point), kept.or];
        kept.into_iter()
            .flatten()
            .find(|point| own.contains(&Some(*point)))
    }

    /// What was kept for certain when the store said so.
    pub(crate) fn before(&self) -> Option<Point> {
        self.mark.as_ref().and_then(|mark| mark.before)
    }
}

impl Turn {
    /// Now.
    pub(crate) fn new(why: Why, from: Option<Point>, to: Point) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            at: since.map_or(0, |since| since.as_secs()),
            why,
            from: from.map(|from| from.position),
            to: to.position,
        }
    }
}

impl Mark {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let before = self.before.as_ref().map(Point::bytes);
        [self.this.bytes(), before.unwrap_or_default()].concat()
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (this, before) = bytes.split_at_checked(40)?;
        let this = Point::read(this)?;
        let before = match before {
            [] => None,
            before => Some(Point::read(before)?),
        };
        Some(Self { this, before })
    }
}

/// What a change seals.
pub(crate) fn sealed_by(op: &Op) -> Option<&[u8]> {
    match op {
        Op::Put { value, .. } => Some(value),
        Op::Delete { .. } | Op::Append { .. } | Op::Trim { .. } => None,
    }
}

pub(crate) fn seal(keyring: &Keyring, nonces: &mut Nonces, kept: &Kept) -> Vec<u8> {
    let plain = serde_json::to_vec(kept).expect("numbers always have a JSON form");
    let text = Text {
        casewright_checkpoint: FORMAT,
        sealed: keyring.seal_meta(KEPT, &nonces.next(), &plain),
    };
    serde_json::to_vec(&text).expect("numbers always have a JSON form")
}

/// Why it cannot be used is a reason for the operator.
pub(crate) fn open(keyring: &Keyring, bytes: &[u8]) -> Result<Kept, String> {
    #[derive(Deserialize)]
    struct Head {
        casewright_checkpoint: u32,
    }
    let foreign = |_| "is no checkpoint".to_owned();
    let head: Head = serde_json::from_slice(bytes).map_err(foreign)?;
    if head.casewright_checkpoint > FORMAT {
        return Err(format!(
            "was written by a newer engine (format {}, this engine knows {FORMAT})",
            head.casewright_checkpoint
        ));
    }
    let text: Text = serde_json::from_slice(bytes).map_err(foreign)?;
    let opened = keyring.open_meta(KEPT, &text.sealed).ok();
    let kept = opened.and_then(|plain| serde_json::from_slice(&plain).ok());
    kept.ok_or_else(|| "was altered, or belongs to other keys".to_owned())
}

impl WitnessFile {
    /// For the store at a path.
    pub(crate) fn of(store: &Path, keys: &Path) -> io::Result<Self> {
        let name = store.file_name().unwrap_or_default();
        let whole = fs::canonicalize(folder(store))?.join(name);
        let digest = Sha256::digest(whole.as_os_str().as_encoded_bytes());
        let suffix = format!(".{}.checkpoint", to_hex(&digest[..6]));
        Ok(Self(with_suffix(keys, &suffix)))
    }
}

impl Witness for WitnessFile {
    fn place(&self) -> String {
        self.0.display().to_string()
    }

    fn read(&self) -> io::Result<Option<Vec<u8>>> {
        // A process that was killed between renaming and flushing left what a power cut takes back.
        // Where nobody can flush, nothing was renamed either.
        match File::open(folder(&self.0)).and_then(|folder| folder.sync_all()) {
            Err(error) if !is_unwritable(error.kind()) => return Err(error),
            _ => {}
        }
        match fs::read(&self.0) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        key_file::replace(&self.0, bytes)
    }
}

fn is_unwritable(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::NotFound
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::InvalidInput
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_file::EpochKeys;

    #[test]
    fn a_point_is_kept_sealed_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let keys = EpochKeys::generate().unwrap();
        let keyring = Keyring::new(&keys);
        let point = Point::new(1).after(9, [&[1; 40][..], &[2; 40]].into_iter());
        let kept = Kept {
            point,
            or: Some(Point::new(3)),
            turns: vec![Turn::new(Why::Restored, Some(point), Point::new(3))],
        };
        let bytes = seal(&keyring, &mut Nonces::new().unwrap(), &kept);
        let witness =
            WitnessFile::of(&folder.path().join("store"), &folder.path().join("keys")).unwrap();
        assert_eq!(witness.read().unwrap(), None);
        witness.replace(b"before").unwrap();
        witness.replace(&bytes).unwrap();
        assert_eq!(witness.read().unwrap(), Some(bytes.clone()));
        assert_eq!(open(&keyring, &bytes), Ok(kept));
        let others = Keyring::new(&EpochKeys::generate().unwrap());
        assert!(open(&others, &bytes).unwrap_err().contains("altered"));
        assert!(
            open(&keyring, b"hello")
                .unwrap_err()
                .contains("no checkpoint")
        );
        let newer = br#"{"casewright_checkpoint": 2, "else": true}"#;
        assert!(open(&keyring, newer).unwrap_err().contains("newer engine"));
    }

    #[test]
    fn while_a_restored_store_is_put_in_its_place_either_may_be_there() {
        let (newest, restored, other) = (Point::new(9), Point::new(5), Point::new(7));
        let kept = |or| Kept {
            point: newest,
            or,
            turns: Vec::new(),
        };
        let store = |point, before| Named {
            point,
            mark: Some(Mark {
                this: point,
                before,
            }),
        };
        for named in [store(restored, None), store(other, Some(restored))] {
            assert_eq!(named.found_in(&kept(Some(restored))), Some(restored));
            assert_eq!(named.found_in(&kept(None)), None);
        }
        for or in [None, Some(restored)] {
            assert_eq!(store(newest, None).found_in(&kept(or)), Some(newest));
            assert_eq!(store(other, None).found_in(&kept(or)), None);
        }
    }

    #[test]
    fn points_differ_by_all_that_came_before() {
        let first = Point::new(1).after(2, [&[1; 40][..]].into_iter());
        let other = Point::new(1).after(2, [&[2; 40][..]].into_iter());
        assert_ne!(first, other);
        let next = |point: Point| point.after(3, [&[3; 40][..]].into_iter());
        assert_ne!(next(first), next(other));
        for point in [first, Point::new(5)] {
            assert_eq!(Point::read(&point.bytes()), Some(point));
            for before in [None, Some(other)] {
                let mark = Mark {
                    this: point,
                    before,
                };
                assert_eq!(Mark::read(&mark.bytes()), Some(mark));
            }
        }
        assert_eq!(Point::read(&5_u64.to_be_bytes()), Some(Point::new(5)));
        assert_eq!(Mark::read(&[0; 41]), None);
    }
}
