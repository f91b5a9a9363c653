//! Compiled code on disk: found by digest, believed only with a valid seal.
//!
//! Native code is run as it lies in the file, so a file that somebody else wrote would be code
//! that somebody else runs. The seal is an HMAC under a key that only the owner of the folder can
//! read; it covers the file's name too, so that no file can stand in for another. On any doubt a
//! component is compiled again.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wasmtime::Engine;

/// Changes when the layout of the files does.
const FORMAT: &str = "casewright-code-1";
const SEAL_BYTES: usize = 32;
const KEY_FILE: &str = "seal.key";

/// A folder of sealed code.
pub(crate) struct Cache {
    folder: PathBuf,
    key: [u8; 32],
    /// What besides the component decides whether code fits this process.
    fit: String,
}

/// Why there is no cache.
#[derive(Debug)]
pub(crate) enum CacheError {
    Folder(PathBuf, io::Error),
    Foreign(PathBuf),
    Key(PathBuf, io::Error),
}

impl std::fmt::Display for CacheError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path, _) => write!(
                f,
                "the code cache {} cannot be made or opened; choose a folder that this user can \
                write",
                path.display()
            ),
            Self::Foreign(path) => write!(
                f,
                "the code cache {} belongs to another user; choose a folder of your own",
                path.display()
            ),
            Self::Key(path, _) => {
                write!(
                    f,
                    "the key of the code cache, {}, cannot be read or made",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for CacheError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Folder(_, error) | Self::Key(_, error) => Some(error),
            Self::Foreign(_) => None,
        }
    }
}

impl Cache {
    /// Makes the folder (0700) and its key (0600) when they are not there.
    pub(crate) fn open(folder: PathBuf, engine: &Engine) -> Result<Self, CacheError> {
        let broken = |error| CacheError::Folder(folder.clone(), error);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(broken)?;
        let facts = fs::symlink_metadata(&folder).map_err(broken)?;
        if !facts.is_dir() || facts.uid() != rustix::process::geteuid().as_raw() {
            return Err(CacheError::Foreign(folder));
        }
        if facts.mode() & 0o077 != 0 {
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).map_err(broken)?;
        }
        let path = folder.join(KEY_FILE);
        let key = key(&path).map_err(|error| CacheError::Key(path, error))?;
        Ok(Self {
            folder,
            key,
            fit: fit(engine),
        })
    }

    /// Code for this component, if it lies here and its seal holds.
    pub(crate) fn get(&self, digest: &str) -> Option<Vec<u8>> {
        let name = self.name(digest);
        let mut file = File::open(self.folder.join(&name)).ok()?;
        let mut seal = [0; SEAL_BYTES];
        file.read_exact(&mut seal).ok()?;
        let mut code = Vec::new();
        file.read_to_end(&mut code).ok()?;
        if self.seal(&name, &code).verify_slice(&seal).is_err() {
            tracing::warn!(digest, "compiled code with a wrong seal is not used");
            return None;
        }
        Some(code)
    }

    /// Keeps code. A failure costs only a compilation at the next start.
    pub(crate) fn put(&self, digest: &str, code: &[u8]) {
        let name = self.name(digest);
        let seal = self.seal(&name, code).finalize().into_bytes();
        if let Err(error) = write_whole(&self.folder, &name, &[&seal, code]) {
            tracing::warn!(digest, %error, "compiled code could not be kept");
        }
    }

    fn name(&self, digest: &str) -> String {
        format!("{digest}-{}.cwasm", self.fit)
    }

    fn seal(&self, name: &str, code: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(FORMAT.as_bytes());
        mac.update(&[0]);
        mac.update(name.as_bytes());
        mac.update(&[0]);
        mac.update(code);
        mac
    }
}

/// Wasmtime's version, its settings and the processor's features; a mismatch only misses.
fn fit(engine: &Engine) -> String {
    let mut hasher = DefaultHasher::new();
    (FORMAT, env!("CARGO_PKG_VERSION")).hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn key(path: &Path) -> io::Result<[u8; 32]> {
    for _ in 0..2 {
        match fs::read(path) {
            Ok(bytes) if bytes.len() == 32 => {
                return Ok(bytes.try_into().expect("its length was looked at"));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        write_whole(folder, KEY_FILE, &[&key])?;
    }
    Err(io::Error::other("it changes under our hands"))
}

/// Temporary file, fsync, rename, fsync of the folder: whole or not at all.
fn write_whole(folder: &Path, name: &str, parts: &[&[u8]]) -> io::Result<()> {
    let mut unique = [0; 8];
    getrandom::fill(&mut unique).map_err(io::Error::other)?;
    let draft = folder.join(format!(".{name}.{:016x}", u64::from_le_bytes(unique)));
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_all()?;
        fs::rename(&draft, folder.join(name))?;
        File::open(folder)?.sync_all()
    })();
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

#[cfg(test)]
mod tests;
