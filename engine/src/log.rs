//! The log of a server: a line on standard error for each thing that its operator should know.
//!
//! It is no record of cases; that is the audit chain. Ids and codes are enough here: names,
//! addresses and sentences that somebody wrote are in no line, at no level. For that reason only
//! what the engine itself writes can be turned up. Libraries say at `debug` what they carry, so
//! that they are heard from `warn` on and never below.

use std::io::{self, IsTerminal};
use std::panic::PanicHookInfo;
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::ValueEnum;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

use crate::exit;

/// Where the level stands when no flag says it.
const VARIABLE: &str = "CASEWRIGHT_LOG";
/// What every target of ours begins with; the binary's own are nothing else.
const OURS: &str = "casewright";
/// Parts that can have a level of their own: the crates that write lines.
const PARTS: [&str; 4] = ["web", "runtime", "store", "host"];
/// Libraries.
const OTHERS: LevelFilter = LevelFilter::WARN;
const LEVELS: &str = "off, error, warn, info, debug, trace";

#[derive(Debug, Clone, clap::Args)]
// The command that takes these has a group of this name.
#[group(skip)]
pub(crate) struct Arguments {
    /// How much the server writes about itself: off, error, warn, info, debug or trace, and for
    /// single parts as in `info,store=debug` (web, runtime, store, host). `CASEWRIGHT_LOG`
    /// otherwise, `info` without either.
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
    /// Lines for people, or a JSON object each for programs.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log_format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// How it is written, once it is.
static STARTED: OnceLock<Format> = OnceLock::new();

/// Begins to write; the code to end with when nobody can tell what was asked for.
pub(crate) fn start(arguments: &Arguments) -> Result<(), ExitCode> {
    let variable = std::env::var(VARIABLE).ok();
    let (place, asked) = match (&arguments.log, &variable) {
        (Some(asked), _) => ("--log", asked.as_str()),
        (None, Some(asked)) if !asked.is_empty() => (VARIABLE, asked.as_str()),
        (None, _) => ("--log", "info"),
    };
    let targets = targets(asked).map_err(|problem| exit::usage(&format!("{place}: {problem}")))?;
    let format = arguments.log_format;
    let layer = fmt::layer().with_writer(io::stderr);
    let registry = tracing_subscriber::registry().with(targets);
    match format {
        Format::Text => {
            let plain = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
            let coloured = io::stderr().is_terminal() && !plain;
            registry.with(layer.with_ansi(coloured)).init();
        }
        Format::Json => registry
            .with(layer.json().flatten_event(true).with_current_span(false))
            .init(),
    }
    let _ = STARTED.set(format);
    std::panic::set_hook(Box::new(panicked));
    Ok(())
}

/// Whether what is said to whoever started the server must be a line of the log as well: one
/// reader cannot take both.
pub(crate) fn is_for_programs() -> bool {
    STARTED.get() == Some(&Format::Json)
}

/// Where it was and not what it said: a panic's text may quote a value of a case.
fn panicked(found: &PanicHookInfo<'_>) {
    let place = found.location().map(ToString::to_string);
    tracing::error!(place, "the engine made a mistake");
}

fn targets(asked: &str) -> Result<Targets, String> {
    let mut targets = Targets::new()
        .with_default(OTHERS)
        .with_target(OURS, LevelFilter::INFO);
    for directive in asked.split(',').map(str::trim) {
        let (part, level) = match directive.split_once('=') {
            Some((part, level)) => (Some(part.trim()), level.trim()),
            None => (None, directive),
        };
        let known = part.is_none_or(|part| PARTS.contains(&part));
        if !known {
            return Err(format!(
                "`{directive}` names no part of the engine; the parts are {}, and no library can \
                 be turned up: what it says may be of a case",
                PARTS.join(", ")
            ));
        }
        let found = level_of(level).ok_or_else(|| {
            format!("`{level}` is no level; write one of {LEVELS}, or `info,store=debug`")
        })?;
        targets = match part {
            Some(part) => targets.with_target(format!("{OURS}_{part}"), found),
            // Nothing at all was asked for: libraries are quiet as well.
            None if found == LevelFilter::OFF => {
                targets.with_default(found).with_target(OURS, found)
            }
            None => targets.with_target(OURS, found),
        };
    }
    Ok(targets)
}

fn level_of(word: &str) -> Option<LevelFilter> {
    [
        ("off", LevelFilter::OFF),
        ("error", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("info", LevelFilter::INFO),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
    ]
    .into_iter()
    .find_map(|(name, level)| (name == word).then_some(level))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_level_is_for_all_of_ours_and_a_part_may_have_its_own() {
        let some = targets("warn,store=debug").unwrap();
        assert!(some.would_enable("casewright", &Level::WARN));
        assert!(!some.would_enable("casewright_web::guard", &Level::INFO));
        assert!(some.would_enable("casewright_store::durable", &Level::DEBUG));
        assert!(!some.would_enable("casewright_store::durable", &Level::TRACE));
    }

    #[test]
    fn nothing_turns_libraries_up() {
        let all = targets("trace").unwrap();
        assert!(all.would_enable("casewright_host::imports", &Level::TRACE));
        assert!(all.would_enable("hyper::client", &Level::WARN));
        assert!(!all.would_enable("hyper::client", &Level::INFO));
        let refused = targets("info,hyper=debug").unwrap_err();
        assert!(refused.contains("`hyper=debug`"), "{refused}");
        assert!(!targets("off").unwrap().would_enable("hyper", &Level::ERROR));
    }

    #[test]
    fn what_is_no_level_is_said_with_those_there_are() {
        for wrong in ["loud", "", "info,", "store=", "INFO"] {
            let refused = targets(wrong).unwrap_err();
            assert!(refused.contains(LEVELS), "{wrong}: {refused}");
        }
    }
}
