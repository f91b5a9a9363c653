//! `casewright backup` and `casewright restore`: a whole agency's server as one file, and back.
//!
//! A backup is made while the server goes on, and is as sealed as the store: the key file is
//! needed to restore it, and is never in it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use casewright_store::backup::{self, Attached, RestoreError, Summary};
use casewright_store::{Recovered, RecoverySecret, RedbStore};
use serde_json::json;

use crate::operator::{self, Request};
use crate::place::{self, Place};
use crate::{exit, wiring};

#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The server may be running: it goes on meanwhile, and everything that it had acknowledged when the \
backup began is in it. The file is sealed like the store. Keep the key file apart from it: \
together they open everything, and without the key file the backup opens nothing.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Where the backup goes; it must not exist yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print `{entries, bytes, file}`.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Nothing is put in its place before the backup was read whole and every value of it was opened with \
the key file. What happened after the backup was made is not in it; payments that were under way \
are asked for again under the same keys, so that a partner pays them once. With an export of the \
keys, which brings the key file along, a backup of before they were rolled comes back too, without \
the cases that were erased since.")]
pub(crate) struct RestoreArguments {
    /// The backup.
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// The newest export of the keys, where the key file is lost or newer than the backup.
    #[arg(long, value_name = "FILE", requires = "recovery")]
    key_export: Option<PathBuf>,
    /// The recovery secret that `casewright keys recovery` made.
    #[arg(long, value_name = "FILE", requires = "key_export")]
    recovery: Option<PathBuf>,
    /// Print `{entries, bytes, opened, erased}`.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match make(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::environment(&exit::chain(&error)),
    }
}

fn make(arguments: &Arguments) -> io::Result<()> {
    let (data, keys) = arguments.place.find()?;
    let out = &arguments.out;
    if out.try_exists()? {
        let sentence = format!(
            "{} exists already; a backup replaces nothing",
            out.display()
        );
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, sentence));
    }
    let mut beside = out.clone().into_os_string();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(|error| named(&beside, &error))?;
    let made = fill(&file, &data, &keys).and_then(|()| {
        file.sync_all()?;
        // What was not read back is no backup yet.
        let mut written = io::BufReader::new(File::open(&beside)?);
        let summary = backup::check(&mut written);
        let summary = summary.map_err(|error| io::Error::other(exit::chain(&error)))?;
        fs::rename(&beside, out)?;
        Ok(summary)
    });
    if made.is_err() {
        // What is left is a half; the error that matters is the first.
        let _ = fs::remove_file(&beside);
    }
    let Summary { entries, bytes } = made?;
    if arguments.json {
        exit::say(&json!({"entries": entries, "bytes": bytes, "file": out}).to_string());
    } else {
        let shown = out.display();
        exit::say(&format!(
            "backed up {entries} entries, {bytes} bytes, to {shown}"
        ));
    }
    Ok(())
}

fn fill(mut file: &File, data: &Path, keys: &Path) -> io::Result<()> {
    if let Some(mut stream) = operator::ask(data, Request::Backup)? {
        return io::copy(&mut stream, &mut file).map(drop);
    }
    let store = place::open(data, keys)?;
    let mut out = io::BufWriter::new(file);
    store.backup(operator::attached(data), &mut out)?;
    out.flush()
}

pub(crate) fn restore(arguments: &RestoreArguments) -> ExitCode {
    match put_back(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Unrestored::Backup(error)) => {
            exit::note(&exit::chain(&error));
            exit::unwell()
        }
        Err(Unrestored::Environment(error)) => exit::environment(&exit::chain(&error)),
    }
}

enum Unrestored {
    /// It is the backup, or its key file.
    Backup(RestoreError),
    Environment(io::Error),
}

impl From<io::Error> for Unrestored {
    fn from(error: io::Error) -> Self {
        Self::Environment(error)
    }
}

fn put_back(arguments: &RestoreArguments) -> Result<(), Unrestored> {
    let (data, keys) = arguments.place.find()?;
    let file = File::open(&arguments.file).map_err(|error| named(&arguments.file, &error))?;
    let recovered = recovered(arguments)?;
    wiring::private_folder(&data)?;
    if let Some(folder) = keys.parent().filter(|_| recovered.is_some()) {
        wiring::private_folder(folder)?;
    }
    let database = wiring::database(&data);
    let mut take = |(name, content): Attached| write_attached(&data, &name, &content);
    let mut from = io::BufReader::new(file);
    let restored = RedbStore::restore(&mut from, &database, &keys, recovered.as_ref(), &mut take);
    let (summary, sound) = restored.map_err(|error| match error {
        RestoreError::Io(error) => Unrestored::Environment(error),
        error => Unrestored::Backup(error),
    })?;
    if arguments.json {
        let told = json!({
            "entries": summary.entries,
            "bytes": summary.bytes,
            "opened": sound.opened,
            "erased": sound.erased,
        });
        exit::say(&told.to_string());
    } else {
        let (entries, opened, shown) = (summary.entries, sound.opened, data.display());
        let erased = match sound.erased {
            0 => String::new(),
            erased => format!("; {erased} are of erased cases and open for nobody"),
        };
        exit::say(&format!(
            "restored {entries} entries to {shown}; each of {opened} values opens with the key \
             file{erased}"
        ));
    }
    Ok(())
}

/// The export of the keys, opened.
fn recovered(arguments: &RestoreArguments) -> Result<Option<Recovered>, Unrestored> {
    let (Some(export), Some(secret)) = (&arguments.key_export, &arguments.recovery) else {
        return Ok(None);
    };
    let unusable = |error| Unrestored::Backup(RestoreError::Export(error));
    let text = fs::read_to_string(secret).map_err(|error| named(secret, &error))?;
    let secret = RecoverySecret::parse(&text).map_err(unusable)?;
    let bytes = fs::read(export).map_err(|error| named(export, &error))?;
    Recovered::open(&bytes, &secret).map(Some).map_err(unusable)
}

/// Names come from a file that anybody may have made: nothing leads out of the folder of plugins.
fn write_attached(data: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let path = Path::new(name);
    let plain = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !plain || !path.starts_with("plugins") {
        let sentence = "the backup holds a file that does not belong to a store";
        return Err(io::Error::new(io::ErrorKind::InvalidData, sentence));
    }
    let path = data.join(path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create(&path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
