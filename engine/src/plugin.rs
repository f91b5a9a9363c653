//! `casewright plugin new|build|check`: the whole loop of a plugin's author.
//!
//! Cargo compiles; what is added here is finding a WebAssembly toolchain, turning cargo's module
//! into a component, and saying what is wrong before the engine would. Running a plugin is the
//! business of `casewright_host`.

mod build;
mod check;
mod checkout;
mod component;
mod new;
mod sources;
mod stamp;
mod toolchain;

#[cfg(test)]
mod sandboxed;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::ProgressBar;

pub(crate) use build::{BuildError, build_all, build_one};
pub(crate) use checkout::find as find_checkout;
pub(crate) use toolchain::{
    can_install as can_install_toolchain, describe as describe_toolchain,
    install as install_toolchain,
};

/// The thing asked about is not well.
const EXIT_UNWELL: u8 = 1;
/// Wrong usage.
const EXIT_USAGE: u8 = 2;
/// The environment does not allow it.
const EXIT_ENVIRONMENT: u8 = 3;

/// `casewright plugin ...`
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Start a plugin: a folder with a function and its test
    New(new::Arguments),
    /// Build plugins into components the engine loads
    Build(build::Arguments),
    /// Check a built plugin as the engine would at deployment
    Check(check::Arguments),
}

/// Runs the command; says on standard error what went wrong.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let outcome = match arguments.command {
        Command::New(arguments) => new::run(&arguments),
        Command::Build(arguments) => build::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {}", failure.message);
            ExitCode::from(failure.exit)
        }
    }
}

/// Why a command ended: for people, and for scripts.
#[derive(Debug)]
struct Failure {
    message: String,
    exit: u8,
}

impl Failure {
    fn unwell(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            exit: EXIT_UNWELL,
        }
    }

    fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            exit: EXIT_USAGE,
        }
    }

    fn environment(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            exit: EXIT_ENVIRONMENT,
        }
    }
}

/// Writes the result of a command.
fn say(text: &str) -> Result<(), Failure> {
    writeln!(io::stdout(), "{text}").map_err(|error| Failure::environment(error.to_string()))
}

/// Runs long work with a moving line on a terminal and plain lines elsewhere.
pub(crate) fn with_progress<T>(work: impl FnOnce(&dyn Fn(&str)) -> T) -> T {
    if !io::stderr().is_terminal() {
        return work(&|line| eprintln!("{line}"));
    }
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(100));
    let value = work(&|line| bar.set_message(line.to_owned()));
    bar.finish_and_clear();
    value
}
