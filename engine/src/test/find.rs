//! Which packs and which of their tests a path stands for; which names an enum has.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::json;

use crate::folder;

/// A pack, and the part of it that was pointed at.
pub(super) struct Found {
    pub(super) root: PathBuf,
    /// Below the root; empty for the whole pack.
    within: PathBuf,
}

impl Found {
    /// Whether the whole pack was asked for.
    pub(super) fn whole(&self) -> bool {
        self.within.as_os_str().is_empty()
    }

    /// Whether the file of tests, by its path within the pack, was asked for.
    pub(super) fn chooses(&self, path: &str) -> bool {
        Path::new(path).starts_with(&self.within)
    }
}

/// The pack around a path, or the packs in a folder.
pub(super) fn packs(path: &Path) -> io::Result<Vec<Found>> {
    let kind = fs::metadata(path).map_err(|error| {
        let sentence = format!("cannot read {}: {error}", path.display());
        io::Error::new(error.kind(), sentence)
    })?;
    if let Some(found) = around(path) {
        return Ok(vec![found]);
    }
    let mut found = Vec::new();
    if kind.is_dir() {
        for entry in fs::read_dir(path)? {
            let root = entry?.path();
            if root.join("pack.yaml").is_file() {
                let within = PathBuf::new();
                found.push(Found { root, within });
            }
        }
    }
    found.sort_by(|one, other| one.root.cmp(&other.root));
    if found.is_empty() {
        let sentence = format!(
            "{} is neither a pack (a folder with pack.yaml) nor part of one, and holds none",
            path.display()
        );
        return Err(io::Error::new(io::ErrorKind::NotFound, sentence));
    }
    Ok(found)
}

/// Paths stay as they were given where that leads to the pack.
fn around(path: &Path) -> Option<Found> {
    let whole = path.file_name().is_some_and(|name| name == "pack.yaml");
    let as_given = path
        .ancestors()
        .find(|folder| folder.join("pack.yaml").is_file());
    let (root, below) = match as_given {
        Some(root) => (root.to_path_buf(), path.to_path_buf()),
        None => (folder::pack_around(path)?, path.canonicalize().ok()?),
    };
    let within = match below.strip_prefix(&root) {
        Ok(within) if !whole => within.to_path_buf(),
        _ => PathBuf::new(),
    };
    Some(Found { root, within })
}

/// The names that an enum of plain words has, as its reader lists them: no list of ours that could
/// fall behind.
pub(super) fn names_of<T: DeserializeOwned>() -> BTreeSet<String> {
    let Err(error) = serde_json::from_value::<T>(json!("")) else {
        return BTreeSet::new();
    };
    let sentence = error.to_string();
    let (_, listed) = sentence.split_once("expected").unwrap_or_default();
    listed
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_an_enum_are_all_there() {
        let codes = names_of::<casewright_casework::Code>();
        assert!(codes.contains("self-approval") && codes.contains("insufficient-funds"));
        let actions = names_of::<casewright_casework::audit::Action>();
        assert!(actions.contains("refused") && actions.contains("case-opened"));
        for action in actions {
            serde_json::from_value::<casewright_casework::audit::Action>(json!(action)).unwrap();
        }
    }
}
