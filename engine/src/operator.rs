//! What the operator of a running server asks it for, by a socket in the data folder: a backup, a
//! look at every value, an export of the keys or their roll. The folder is the operator's alone, so
//! that whoever reaches the socket may ask.
//!
//! It is no way in for staff: nothing of a case can be read or changed here.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use casewright_store::backup::Attached;
use casewright_store::{ExportTo, RedbStore};

use crate::{audit, exit, keys};

/// Who asks must say so within this time, and take the answer as it comes.
const PATIENCE: Duration = Duration::from_mins(1);
/// Longer than any request.
const REQUEST_BYTES_MAX: u64 = 64;

/// What is asked for, as one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Backup,
    Verify,
    Export,
    Roll,
}

impl Request {
    const ALL: [Self; 4] = [Self::Backup, Self::Verify, Self::Export, Self::Roll];

    fn word(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Verify => "verify",
            Self::Export => "export",
            Self::Roll => "roll",
        }
    }
}

/// First byte of an answer: what follows is what was asked for, or a sentence why not.
const WELL: u8 = b'+';
const REFUSED: u8 = b'-';

fn socket(data: &Path) -> PathBuf {
    data.join("operator.sock")
}

/// Answers at the socket as long as the process lives. The store's lock is held: a socket that
/// lies there was left by a process that is gone.
pub(crate) fn listen(data: &Path, store: Arc<RedbStore>, export: Option<ExportTo>) {
    let path = socket(data);
    let bound = remove(&path).and_then(|()| UnixListener::bind(&path));
    let bound = bound.and_then(|listener| {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    });
    let data = data.to_path_buf();
    let started = bound.and_then(|listener| {
        let answer = move || {
            // One after the other: a second backup at the same time would only cost twice.
            for stream in listener.incoming().flatten() {
                if let Err(error) = answer(stream, &data, &store, export.as_ref()) {
                    tracing::warn!(%error, "an operator's request was not answered to its end");
                }
            }
        };
        let thread = std::thread::Builder::new().name("operator".to_owned());
        thread.spawn(answer)
    });
    // Serving families matters more than backups that can be asked for after a restart.
    if let Err(error) = started {
        let shown = path.display();
        exit::note(&format!(
            "no backup can be asked for while this runs: {shown}: {error}"
        ));
    }
}

fn answer(
    mut stream: UnixStream,
    data: &Path,
    store: &RedbStore,
    export: Option<&ExportTo>,
) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(Read::by_ref(&mut stream).take(REQUEST_BYTES_MAX)).read_line(&mut line)?;
    let asked = Request::ALL
        .into_iter()
        .find(|request| request.word() == line.trim_end());
    match asked {
        Some(Request::Backup) => {
            stream.write_all(&[WELL])?;
            let mut out = io::BufWriter::new(stream);
            let made = store.backup(attached(data), &mut out)?;
            tracing::info!(entries = made.entries, bytes = made.bytes, "backed up");
            Ok(())
        }
        Some(Request::Verify) => match audit::look(store) {
            Ok(report) => {
                stream.write_all(&[WELL])?;
                serde_json::to_writer(stream, &report)?;
                Ok(())
            }
            Err(error) => refuse(stream, &exit::chain(&error)),
        },
        Some(request @ (Request::Export | Request::Roll)) => {
            match keys::done(store, export, request) {
                Ok(done) => {
                    stream.write_all(&[WELL])?;
                    write!(stream, "{done}")
                }
                Err(error) => refuse(stream, &exit::chain(&error)),
            }
        }
        None => refuse(stream, "this server does not know the request"),
    }
}

fn refuse(mut stream: UnixStream, sentence: &str) -> io::Result<()> {
    stream.write_all(&[REFUSED])?;
    stream.write_all(sentence.as_bytes())
}

/// Asks the server that has this data folder open; `None` when none does.
pub(crate) fn ask(data: &Path, request: Request) -> io::Result<Option<UnixStream>> {
    let mut stream = match UnixStream::connect(socket(data)) {
        Ok(stream) => stream,
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(None),
                _ => Err(error),
            };
        }
    };
    writeln!(stream, "{}", request.word())?;
    let mut first = [0];
    stream.read_exact(&mut first)?;
    if first == [WELL] {
        return Ok(Some(stream));
    }
    let mut sentence = String::new();
    stream.read_to_string(&mut sentence)?;
    Err(io::Error::other(sentence))
}

/// Plugins of instances under way lie beside the store, by their digests.
pub(crate) fn attached(data: &Path) -> impl Iterator<Item = io::Result<Attached>> {
    let mut paths = Vec::new();
    let found = files(&data.join("plugins"), "plugins", &mut paths);
    paths.sort();
    let read = paths
        .into_iter()
        .map(|(name, path)| Ok((name, fs::read(path)?)));
    found.err().map(Err).into_iter().chain(read)
}

fn files(folder: &Path, name: &str, into: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let Ok(own) = entry.file_name().into_string() else {
            continue;
        };
        let name = format!("{name}/{own}");
        if entry.file_type()?.is_dir() {
            files(&entry.path(), &name, into)?;
        } else {
            into.push((name, entry.path()));
        }
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
