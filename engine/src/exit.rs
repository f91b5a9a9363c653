//! Exit codes and how messages reach a person. The codes are API: listed in the help.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use crate::log;

/// The thing asked about is not well: invalid, faulted, failing.
pub(crate) fn unwell() -> ExitCode {
    ExitCode::from(1)
}

/// Wrong usage.
pub(crate) fn usage(message: &dyn Display) -> ExitCode {
    note(message);
    ExitCode::from(2)
}

/// The environment: port, disk, file, plugin, toolchain.
pub(crate) fn environment(message: &dyn Display) -> ExitCode {
    if log::is_for_programs() {
        tracing::error!("{message}");
    } else {
        note(message);
    }
    ExitCode::from(3)
}

/// `run` ended waiting.
pub(crate) fn waiting() -> ExitCode {
    ExitCode::from(4)
}

/// A result, on standard output. A reader that went away is no failure of ours.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Talk, on standard error.
pub(crate) fn note(text: &dyn Display) {
    if log::is_for_programs() {
        tracing::warn!("{text}");
        return;
    }
    let _ = writeln!(std::io::stderr(), "casewright: {text}");
}

/// An error with all its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
