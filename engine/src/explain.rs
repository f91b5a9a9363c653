//! `casewright explain CODE`: the page of a diagnostic.

use std::process::ExitCode;

use crate::exit;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// For example CW0103.
    code: String,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let code = arguments.code.to_ascii_uppercase();
    match casewright_language::diagnostic::explain(&code) {
        Some(page) => {
            exit::say(page.trim_end());
            ExitCode::SUCCESS
        }
        None => exit::usage(&format!(
            "there is no code `{}`; codes are printed by `casewright validate`, such as CW0103",
            arguments.code
        )),
    }
}
