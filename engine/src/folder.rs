//! Reads a pack from its folder into texts by path; finds the pack around a file.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A pack has tens of files; more means that something else was pointed at.
const FILES_MAX: usize = 2_000;
/// As for one document.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
const DEPTH_MAX: usize = 8;

/// The folder that holds `pack.yaml`, upward from a file or folder.
pub(crate) fn pack_around(path: &Path) -> Option<PathBuf> {
    let path = path.canonicalize().ok()?;
    path.ancestors()
        .find(|folder| folder.join("pack.yaml").is_file())
        .map(Path::to_path_buf)
}

/// The folder of the pack; its `pack.yaml` stands for it too.
pub(crate) fn root(path: &Path) -> io::Result<&Path> {
    let kind = fs::metadata(path).map_err(|error| at(path, &error))?;
    if kind.is_file() && path.file_name().is_some_and(|name| name == "pack.yaml") {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        return Ok(folder.unwrap_or(Path::new(".")));
    }
    if path.join("pack.yaml").is_file() {
        return Ok(path);
    }
    let sentence = format!(
        "{} is no pack: name a folder with pack.yaml in it, or make one with `casewright init`",
        path.display()
    );
    Err(io::Error::new(io::ErrorKind::NotFound, sentence))
}

/// All texts of a pack, by path with `/`. Hidden files and what is neither YAML nor iCalendar are
/// not part of it.
pub(crate) fn read(root: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    collect(root, "", 0, &mut files)?;
    Ok(files)
}

fn collect(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut BTreeMap<String, String>,
) -> io::Result<()> {
    if depth > DEPTH_MAX {
        return Err(too_much(folder, "folders within folders"));
    }
    for entry in fs::read_dir(folder).map_err(|error| at(folder, &error))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if name.starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            collect(&entry.path(), &format!("{path}/"), depth + 1, files)?;
        } else if kind.is_file() && is_part(&name) {
            files.insert(path, text(&entry.path())?);
        }
        if files.len() > FILES_MAX {
            return Err(too_much(folder, "files"));
        }
    }
    Ok(())
}

fn is_part(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "ics")
}

/// A text file of bounded size; the error names the file.
pub(crate) fn text(path: &Path) -> io::Result<String> {
    let length = fs::metadata(path).map_err(|error| at(path, &error))?.len();
    if length > FILE_BYTES_MAX {
        return Err(too_much(path, "bytes: a document may have 1 MiB"));
    }
    fs::read_to_string(path).map_err(|error| at(path, &error))
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("cannot read {}: {error}", path.display()),
    )
}

fn too_much(path: &Path, of: &str) -> io::Error {
    io::Error::other(format!("{} has too many {of}", path.display()))
}

/// A secret is the content of its file without the line's end.
pub(crate) fn secret(path: &Path) -> io::Result<String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot read {}: {error}", path.display()),
        )
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
