//! `casewright keys`: the recovery secret, exports of the keys, and rolling them.
//!
//! It shows no key that opens anything but the recovery secret, which goes into a file and never
//! to the screen.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use casewright_store::{ExportTo, RecoveryKey, RecoverySecret, RedbStore, Rolled};
use serde_json::{Value, json};

use crate::operator::{self, Request};
use crate::place::{self, Place};
use crate::{exit, serve};

/// How often the server looks whether a case was erased. What is promised is a day.
const LOOK_EVERY: Duration = Duration::from_hours(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a recovery secret: with it, an export of the keys and a backup a server comes back.
    Recovery(Recovery),
    /// Write an export of the keys, sealed for the recovery secret.
    Export(Exporting),
    /// Wrap every key anew, so that no older copy opens an erased case; writes an export first.
    Roll(Exporting),
}

#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Keep the file in a safe, and not on the server. The key that is printed is no secret: it goes \
under [recovery] of the configuration, with the place of the export.")]
struct Recovery {
    /// Where the secret goes; it must not exist yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print `{key, file}`.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The place of the export and the recovery key are those under [recovery] of the configuration, or \
the two options, while no server runs. The new export takes the place of the one before: whoever \
keeps an older one keeps what was erased since.")]
struct Exporting {
    #[command(flatten)]
    place: Place,
    /// Where the export goes.
    #[arg(long, value_name = "FILE", requires = "recovery_key")]
    export: Option<PathBuf>,
    /// What `casewright keys recovery` printed.
    #[arg(long, value_name = "KEY", requires = "export")]
    recovery_key: Option<RecoveryKey>,
    /// Print `{keys, export}`, and `erased` of a roll.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let done = match &arguments.command {
        Command::Recovery(recovery) => make(recovery),
        Command::Export(exporting) => ask(exporting, Request::Export),
        Command::Roll(exporting) => ask(exporting, Request::Roll),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::environment(&exit::chain(&error)),
    }
}

fn make(recovery: &Recovery) -> io::Result<()> {
    let secret = RecoverySecret::generate();
    let path = &recovery.out;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let written = file.and_then(|mut file| {
        file.write_all(secret.text().as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| named(path, &error))?;
    let key = secret.public().to_string();
    if recovery.json {
        exit::say(&json!({"key": key, "file": path}).to_string());
        return Ok(());
    }
    exit::say(&format!(
        "The recovery secret is in {}; keep it in a safe, and not on the server.\n\
         For the configuration of the server:\n\n\
         [recovery]\nkey = \"{key}\"\nexport = \"keys.export\"   # on another disk, if possible",
        path.display()
    ));
    Ok(())
}

fn ask(exporting: &Exporting, request: Request) -> io::Result<()> {
    let (data, keys) = exporting.place.find()?;
    // Another place than a running server has: it holds the store, and this is refused.
    let named = exporting.named();
    let asked = match named {
        Some(_) => None,
        None => operator::ask(&data, request)?,
    };
    let done = if let Some(mut stream) = asked {
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        serde_json::from_str(&text).map_err(io::Error::other)?
    } else {
        let configured = named.map_or_else(|| exporting.configured(), |to| Ok(Some(to)));
        let to = configured?.ok_or_else(nowhere)?;
        done(&place::open(&data, &keys)?, Some(&to), request)?
    };
    if exporting.json {
        exit::say(&done.to_string());
    } else {
        let (count, export) = (&done["keys"], &done["export"]);
        let export = export.as_str().unwrap_or_default();
        exit::say(&match done.get("erased") {
            Some(erased) => format!(
                "Keys wrapped anew: {count}; destroyed since the roll before: {erased}. The \
                 export is in {export}"
            ),
            None => format!("Keys in the export: {count}. It is in {export}"),
        });
    }
    Ok(())
}

impl Exporting {
    /// What the two options say.
    fn named(&self) -> Option<ExportTo> {
        let (path, key) = (self.export.clone()?, self.recovery_key.clone()?);
        Some(ExportTo { path, key })
    }

    fn configured(&self) -> io::Result<Option<ExportTo>> {
        let configured = self.place.config().map(serve::recovery).transpose()?;
        Ok(configured.flatten())
    }
}

fn nowhere() -> io::Error {
    let sentence = "nothing says where an export of the keys goes and for whom it is sealed: make \
        a recovery secret with `casewright keys recovery`, and write what it prints under \
        [recovery] of the configuration";
    io::Error::new(io::ErrorKind::NotFound, sentence)
}

/// Does what is asked for of an open store; the answer for programs.
pub(crate) fn done(
    store: &RedbStore,
    to: Option<&ExportTo>,
    request: Request,
) -> io::Result<Value> {
    let to = to.ok_or_else(nowhere)?;
    let mut answer = if request == Request::Roll {
        let Rolled { keys, erased } = roll(store, to)?;
        json!({"keys": keys, "erased": erased})
    } else {
        json!({"keys": export(store, to)?})
    };
    answer["export"] = json!(to.path);
    Ok(answer)
}

/// Writes an export now, and rolls the keys whenever a case was erased, as long as the process
/// lives. Without a place for the export nothing is rolled, and it says so.
#[expect(
    clippy::disallowed_methods,
    reason = "hours of this machine, on which nothing of a case hangs"
)]
pub(crate) fn look_after(store: &Arc<RedbStore>, to: Option<ExportTo>) -> io::Result<()> {
    let Some(to) = to else {
        if store.roll_is_due() {
            exit::note(&format!(
                "cases were erased, and older copies of the data still open them: {}",
                nowhere()
            ));
        }
        return Ok(());
    };
    let mut owed = look(store, &to, true);
    let store = Arc::clone(store);
    let looks = move || {
        loop {
            thread::sleep(LOOK_EVERY);
            owed = look(&store, &to, owed);
        }
    };
    let thread = thread::Builder::new().name("roller".to_owned());
    thread.spawn(looks).map(drop)
}

/// Rolls the keys when a case was erased, which writes an export, or writes one that is owed.
/// Whether one is owed still: a place that cannot be written keeps nobody from working.
fn look(store: &RedbStore, to: &ExportTo, owed: bool) -> bool {
    let done = if store.roll_is_due() {
        roll(store, to).map(drop)
    } else if owed {
        export(store, to).map(drop)
    } else {
        return false;
    };
    if let Err(error) = &done {
        tracing::error!(%error, "the keys could not be exported");
    }
    done.is_err()
}

fn roll(store: &RedbStore, to: &ExportTo) -> io::Result<Rolled> {
    let rolled = store.roll(to)?;
    let (keys, erased) = (rolled.keys, rolled.erased);
    tracing::info!(keys, erased, "keys were rolled");
    Ok(rolled)
}

/// How many.
fn export(store: &RedbStore, to: &ExportTo) -> io::Result<u64> {
    let keys = store.export_keys(to)?;
    tracing::info!(keys, "keys were exported");
    Ok(keys)
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
