//! The small file with the epoch keys. It lies apart from the store: whoever holds the store alone
//! can read nothing, and a destroyed epoch key makes old copies of the store unreadable.
//!
//! It is only ever replaced whole: written beside, flushed, renamed, directory flushed.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::seal::KEY_BYTES;

const FORMAT: u32 = 1;

/// Why a store without its key file is not opened.
pub(crate) const MISSING: &str = "is missing, and nothing in the store can be read without it; \
    put back the key file that was made with this store";

/// What the file says.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct EpochKeys {
    /// Which store they belong to.
    pub(crate) store: [u8; 16],
    pub(crate) current: u32,
    pub(crate) epochs: BTreeMap<u32, [u8; KEY_BYTES]>,
}

/// Why the file cannot be used.
#[derive(Debug)]
pub(crate) enum KeyFileError {
    Io(io::Error),
    /// Not ours, cut off, or newer.
    Content(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    casewright_keys: u32,
    store: String,
    current: u32,
    epochs: BTreeMap<u32, String>,
}

impl EpochKeys {
    /// Keys for a new store.
    pub(crate) fn generate() -> Result<Self, getrandom::Error> {
        let (mut store, mut key) = ([0; 16], [0; KEY_BYTES]);
        getrandom::fill(&mut store)?;
        getrandom::fill(&mut key)?;
        Ok(Self {
            store,
            current: 1,
            epochs: BTreeMap::from([(1, key)]),
        })
    }

    /// Another epoch, beside those that still open what was wrapped in them.
    pub(crate) fn begin_epoch(&mut self) -> Result<(), getrandom::Error> {
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key)?;
        self.current = self.epochs.keys().max().copied().unwrap_or(0) + 1;
        self.epochs.insert(self.current, key);
        Ok(())
    }

    /// Only the current epoch stays.
    pub(crate) fn end_epochs(&mut self) {
        let current = self.current;
        self.epochs.retain(|epoch, _| *epoch == current);
    }

    /// `None` when there is no such file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, KeyFileError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map(Some).map_err(KeyFileError::Content),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(KeyFileError::Io(error)),
        }
    }

    /// Writes a file that must not exist yet.
    pub(crate) fn create(&self, path: &Path) -> io::Result<()> {
        let beside = write_beside(path, self.text().as_bytes())?;
        rename_new(&beside, path)
    }

    /// Writes the file in place of the one that is there, which is written over: as far as the
    /// disk allows, nobody reads a destroyed key from it.
    pub(crate) fn replace(&self, path: &Path) -> io::Result<()> {
        let mut former = OpenOptions::new().write(true).open(path)?;
        let length = usize::try_from(former.metadata()?.len()).unwrap_or_default();
        replace(path, self.text().as_bytes())?;
        former.write_all(&vec![0; length])?;
        former.sync_all()
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text: Text = serde_json::from_str(text)
            .map_err(|error| format!("is not a key file (line {})", error.line()))?;
        if text.casewright_keys > FORMAT {
            return Err(format!(
                "was written by a newer engine (format {}, this engine knows {FORMAT})",
                text.casewright_keys
            ));
        }
        let mut epochs = BTreeMap::new();
        for (number, key) in &text.epochs {
            let key = from_hex(key).ok_or_else(|| format!("key {number} is cut off"))?;
            epochs.insert(*number, key);
        }
        if !epochs.contains_key(&text.current) {
            return Err(format!("the current key {} is not in it", text.current));
        }
        Ok(Self {
            store: from_hex(&text.store).ok_or("the store's id is cut off")?,
            current: text.current,
            epochs,
        })
    }

    pub(crate) fn text(&self) -> String {
        let epochs = self.epochs.iter().map(|(n, key)| (*n, to_hex(key)));
        let text = Text {
            casewright_keys: FORMAT,
            store: to_hex(&self.store),
            current: self.current,
            epochs: epochs.collect(),
        };
        serde_json::to_string(&text).expect("numbers and hex text always have a JSON form")
    }
}

/// A private file beside its place, finished and on disk.
pub(crate) fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let beside = with_suffix(path, ".new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(beside)
}

/// Puts a private file in its place, whatever is there, and makes that durable.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What cannot be flushed afterwards is not begun.
    let within = File::open(folder(path))?;
    let beside = write_beside(path, bytes)?;
    fs::rename(&beside, path)?;
    within.sync_all()
}

/// Puts a finished file in its place, unless something is there already, and makes that durable.
pub(crate) fn rename_new(beside: &Path, path: &Path) -> io::Result<()> {
    rustix::fs::renameat_with(
        rustix::fs::CWD,
        beside,
        rustix::fs::CWD,
        path,
        rustix::fs::RenameFlags::NOREPLACE,
    )?;
    File::open(folder(path))?.sync_all()
}

/// The folder that holds a file; its entries are durable only after it was flushed itself.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0f])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]));
    digits.collect()
}

pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.as_bytes();
    if text.len() != N * 2 {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_file_is_private_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        assert!(EpochKeys::read(&path).unwrap().is_none());
        let keys = EpochKeys::generate().unwrap();
        keys.create(&path).unwrap();
        assert!(EpochKeys::read(&path).unwrap() == Some(keys.clone()));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = EpochKeys::generate().unwrap().create(&path);
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(EpochKeys::read(&path).unwrap() == Some(keys));
    }

    #[test]
    fn a_foreign_cut_or_newer_file_is_refused_with_the_reason() {
        let check = |text: &str, reason: &str| {
            let found = EpochKeys::parse(text).err().unwrap();
            assert!(found.contains(reason), "{found}");
        };
        let whole = EpochKeys::generate().unwrap().text();
        check("hello", "is not a key file");
        check(&whole[..whole.len() / 2], "is not a key file");
        check(&whole.replace("keys\":1", "keys\":2"), "a newer engine");
        check(
            &whole.replace("current\":1", "current\":7"),
            "current key 7",
        );
    }
}
