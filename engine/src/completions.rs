//! `casewright completions SHELL`: what a shell reads to complete commands, flags and files.

use std::io;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the text is put is the shell's affair: for bash
    /// ~/.local/share/bash-completion/completions/casewright
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let mut text = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Cli::command(),
        "casewright",
        &mut text,
    );
    // A reader that has gone away wants no more.
    let _ = io::Write::write_all(&mut io::stdout(), &text);
    ExitCode::SUCCESS
}
