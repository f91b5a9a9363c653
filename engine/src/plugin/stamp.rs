//! Whether a built plugin still matches its sources, by their contents: a fresh clone has the same
//! contents and other times.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::build::BuildError;
use super::sources::Sources;

/// A digest of all that goes into a plugin, in lower-case hexadecimal.
pub(super) fn of(sources: &Sources) -> Result<String, BuildError> {
    let mut digest = Sha256::new();
    digest.update(env!("CARGO_PKG_VERSION"));
    digest.update(&sources.name);
    add(&mut digest, &sources.workspace)?;
    if let Some(sdk) = &sources.sdk {
        add(&mut digest, sdk)?;
        if let Some(wit) = sdk
            .parent()
            .map(|sdk| sdk.join("wit"))
            .filter(|wit| wit.is_dir())
        {
            add(&mut digest, &wit)?;
        }
    }
    let bytes: Vec<_> = digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(bytes.concat())
}

fn add(digest: &mut Sha256, folder: &Path) -> Result<(), BuildError> {
    let mut files = Vec::new();
    walk(folder, &mut files).map_err(|source| BuildError::io(folder, source))?;
    files.sort();
    for file in files {
        let bytes = fs::read(&file).map_err(|source| BuildError::io(&file, source))?;
        let path = file
            .strip_prefix(folder)
            .unwrap_or(&file)
            .to_string_lossy()
            .into_owned();
        for part in [path.as_bytes(), &bytes] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
    }
    Ok(())
}

/// Everything but what builds leave behind and what is hidden.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == "target" || name.to_string_lossy().starts_with('.') {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}
