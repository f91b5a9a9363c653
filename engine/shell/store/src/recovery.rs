//! The export of the keys: every key as it is wrapped now, and what they are wrapped with, sealed
//! so that only the holder of the recovery secret opens it. With it and any backup a store comes
//! back, without what was erased before the export was made.
//!
//! ```text
//! magic, format ─ public key 32 ─ sealed box: key file, count, owner and row of each key
//! ```
//!
//! A newer export replaces the one before; who keeps an older one keeps what was erased since. The
//! box is libsodium's `crypto_box_seal`, so that other programs open it too.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crypto_box::aead::OsRng;
use crypto_box::{PublicKey, SecretKey};

use crate::codec::{Decoder, Encoder};
use crate::durable::KeyRow;
use crate::key_file::{self, EpochKeys, from_hex, to_hex};

const MAGIC: &[u8; 16] = b"casewright-keys\n";
const FORMAT: u32 = 1;
const HEAD_BYTES: usize = MAGIC.len() + 4 + 32;

/// What a file with a recovery secret begins with.
const SECRET: &str = "casewright-recovery-secret-1";

/// What exports are sealed for. No secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryKey([u8; 32]);

/// What opens exports. It belongs in a safe, and never on the server.
pub struct RecoverySecret(SecretKey);

/// Where exports go.
#[derive(Debug, Clone)]
pub struct ExportTo {
    pub path: PathBuf,
    pub key: RecoveryKey,
}

/// An export that was opened.
pub struct Recovered {
    pub(crate) keys: EpochKeys,
    pub(crate) rows: std::collections::BTreeMap<Vec<u8>, Vec<u8>>,
}

/// Why an export, a recovery key or a recovery secret cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportError {
    NotAnExport,
    Newer {
        found: u32,
    },
    /// Sealed for another recovery key.
    Foreign,
    /// Cut off or altered.
    Changed,
    /// Of another store, or older than the key file.
    OtherStore,
    NotASecret,
    NotAKey,
}

impl RecoverySecret {
    pub fn generate() -> Self {
        Self(SecretKey::generate(&mut OsRng))
    }

    pub fn public(&self) -> RecoveryKey {
        RecoveryKey(*self.0.public_key().as_bytes())
    }

    /// The content of its file.
    pub fn text(&self) -> String {
        format!("{SECRET} {}\n", to_hex(&self.0.to_bytes()))
    }

    pub fn parse(text: &str) -> Result<Self, ExportError> {
        let hex = text.trim_end().strip_prefix(SECRET).map(str::trim);
        let bytes: Option<[u8; 32]> = hex.and_then(from_hex);
        let bytes = bytes.ok_or(ExportError::NotASecret)?;
        Ok(Self(SecretKey::from(bytes)))
    }
}

impl std::str::FromStr for RecoveryKey {
    type Err = ExportError;

    fn from_str(text: &str) -> Result<Self, ExportError> {
        from_hex(text).map(Self).ok_or(ExportError::NotAKey)
    }
}

impl fmt::Display for RecoveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl ExportTo {
    /// Puts an export in the place of the one before.
    pub(crate) fn write(&self, keys: &EpochKeys, rows: &[KeyRow]) -> io::Result<()> {
        let mut plain = Encoder::default();
        plain.bytes(keys.text().as_bytes());
        plain.number(rows.len() as u64);
        for (owner, row) in rows {
            plain.bytes(owner);
            plain.bytes(row);
        }
        let key = PublicKey::from(self.key.0);
        let sealed = key.seal(&mut OsRng, &plain.0);
        let sealed = sealed.map_err(|_| io::Error::other("the keys cannot be sealed"))?;
        let head = [&MAGIC[..], &FORMAT.to_be_bytes(), &self.key.0];
        let bytes = [head.concat(), sealed].concat();
        key_file::replace(&self.path, &bytes).map_err(|error| {
            let shown = self.path.display();
            io::Error::new(error.kind(), format!("{shown}: {error}"))
        })
    }
}

impl Recovered {
    pub fn open(bytes: &[u8], secret: &RecoverySecret) -> Result<Self, ExportError> {
        let (head, sealed) = bytes
            .split_at_checked(HEAD_BYTES)
            .ok_or(ExportError::NotAnExport)?;
        let rest = head.strip_prefix(MAGIC).ok_or(ExportError::NotAnExport)?;
        let (format, key) = rest.split_at(4);
        match format.try_into().map(u32::from_be_bytes) {
            Ok(FORMAT) => {}
            Ok(found) if found > FORMAT => return Err(ExportError::Newer { found }),
            _ => return Err(ExportError::Changed),
        }
        if key != secret.public().0 {
            return Err(ExportError::Foreign);
        }
        let plain = secret.0.unseal(sealed).map_err(|_| ExportError::Changed)?;
        let mut input = Decoder(&plain);
        read(&mut input).ok_or(ExportError::Changed)
    }
}

fn read(input: &mut Decoder<'_>) -> Option<Recovered> {
    let keys = EpochKeys::parse(std::str::from_utf8(input.bytes()?).ok()?).ok()?;
    let mut rows = std::collections::BTreeMap::new();
    for _ in 0..input.number()? {
        rows.insert(input.bytes()?.to_vec(), input.bytes()?.to_vec());
    }
    Some(Recovered { keys, rows })
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnExport => f.write_str("this is no export of keys"),
            Self::Newer { found } => write!(
                f,
                "the export of the keys was made by a newer engine (format {found}, this engine \
                 knows {FORMAT}); use that engine"
            ),
            Self::Foreign => f.write_str(
                "the export of the keys was sealed for another recovery secret; use that one",
            ),
            Self::Changed => f.write_str("the export of the keys is not as it was made"),
            Self::OtherStore => f.write_str(
                "the key file that lies there is not the one of the export; move it away if the \
                 export is newer, or use the newest export",
            ),
            Self::NotASecret => f.write_str("this is no recovery secret"),
            Self::NotAKey => f.write_str(
                "a recovery key has 64 hexadecimal digits, as `casewright keys recovery` shows it",
            ),
        }
    }
}

impl std::error::Error for ExportError {}
