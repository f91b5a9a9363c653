//! `casewright dev [PACK]`: validates and tests a pack each time one of its files is saved, until
//! it is interrupted.
//!
//! It looks at the files twice a second instead of asking the system: an editor may save in many
//! ways, and on network drives nobody is told. Both commands run as processes of their own, as an
//! author would run them.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use crate::exit;
use crate::folder;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Folder of the pack; by default the one around the current folder
    #[arg(value_name = "PACK")]
    pack: Option<PathBuf>,
    /// Folder of built plugins; `target/plugins` of the checkout otherwise
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
}

const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let given = arguments.pack.as_deref().unwrap_or(Path::new("."));
    let Some(pack) = folder::pack_around(given) else {
        return exit::usage(&format!(
            "{} is in no pack: there is no pack.yaml in it or above; `casewright init` makes one",
            given.display()
        ));
    };
    match watch(&pack, arguments.plugins.as_deref()) {
        Ok(never) => match never {},
        Err(error) => exit::environment(&error),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "it waits for a person, and nothing else goes on in this process"
)]
fn watch(pack: &Path, plugins: Option<&Path>) -> io::Result<Infallible> {
    let mut before = None;
    loop {
        match folder::read(pack) {
            Ok(now) if before.as_ref() != Some(&now) => {
                before = Some(now);
                let well = command("validate", pack, plugins)? && command("test", pack, plugins)?;
                let word = if well { "all well" } else { "not well yet" };
                exit::say(&format!(
                    "{word}; waiting for a file of the pack to be saved"
                ));
            }
            // An editor may put a file aside and another in its place.
            Err(error) if before.is_none() || !pack.is_dir() => return Err(error),
            Ok(_) | Err(_) => thread::sleep(LOOK_EVERY),
        }
    }
}

/// Whether it ended well; what it found it has told.
fn command(name: &str, pack: &Path, plugins: Option<&Path>) -> io::Result<bool> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(name).arg(pack);
    if let Some(plugins) = plugins {
        command.arg("--plugins").arg(plugins);
    }
    Ok(command.status()?.success())
}
