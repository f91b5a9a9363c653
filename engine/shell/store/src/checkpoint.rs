//! How far a store has come, kept apart from it beside its keys: an older file of the store that
//! was put in the newer one's place does not come as far, or came there by another way.
//!
//! ```text
//! point   position, and a hash over the seals of everything committed before it, in order
//! store   its point; the mark: the point last kept or about to be kept, and the one kept before
//! kept    one point: the store's own after a clean end, otherwise one that its mark names
//! ```
//!
//! The mark is committed with a group, and kept only after that group is on disk: a crash at any
//! moment leaves the kept point among the three that the store names. What was committed since the
//! last mark can be taken back unnoticed; after a clean end nothing can.
//!
//! It reads and writes no store, and knows nothing of what was committed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::backend::Op;
use crate::key_file::{folder, to_hex, with_suffix};
use crate::keys::Keyring;
use crate::seal::{Nonces, TAG_BYTES};

const FORMAT: u32 = 1;

/// Name under which a kept point is sealed: no row of a store has it.
const KEPT: &[u8] = b"checkpoint";

/// A moment of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Where a point is kept. One place holds one.
pub trait Witness: Send + Sync + 'static {
    /// Its name in messages.
    fn place(&self) -> String;

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

pub(crate) fn seal(keyring: &Keyring, nonces: &mut Nonces, point: &Point) -> Vec<u8> {
    let text = Text {
        casewright_checkpoint: FORMAT,
        sealed: keyring.seal_meta(KEPT, &nonces.next(), &point.bytes()),
    };
    serde_json::to_vec(&text).expect("numbers always have a JSON form")
}

/// Why it cannot be used is a reason for the operator.
pub(crate) fn open(keyring: &Keyring, bytes: &[u8]) -> Result<Point, String> {
    let text: Text = serde_json::from_slice(bytes).map_err(|_| "is no checkpoint".to_owned())?;
    if text.casewright_checkpoint > FORMAT {
        return Err(format!(
            "was written by a newer engine (format {}, this engine knows {FORMAT})",
            text.casewright_checkpoint
        ));
    }
    let opened = keyring.open_meta(KEPT, &text.sealed).ok();
    let point = opened.and_then(|bytes| Point::read(&bytes));
    point.ok_or_else(|| "was altered, or belongs to other keys".to_owned())
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
        match fs::read(&self.0) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let beside = with_suffix(&self.0, ".new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, &self.0)?;
        File::open(folder(&self.0))?.sync_all()
    }
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
        let bytes = seal(&keyring, &mut Nonces::new().unwrap(), &point);
        let witness =
            WitnessFile::of(&folder.path().join("store"), &folder.path().join("keys")).unwrap();
        assert_eq!(witness.read().unwrap(), None);
        witness.replace(b"before").unwrap();
        witness.replace(&bytes).unwrap();
        assert_eq!(witness.read().unwrap(), Some(bytes.clone()));
        assert_eq!(open(&keyring, &bytes), Ok(point));
        let others = Keyring::new(&EpochKeys::generate().unwrap());
        assert!(open(&others, &bytes).unwrap_err().contains("altered"));
        assert!(
            open(&keyring, b"hello")
                .unwrap_err()
                .contains("no checkpoint")
        );
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
