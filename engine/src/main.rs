//! The binary `casewright`: command line, configuration and wiring. Nothing imports it.
//!
//! It decides nothing about cases: it reads files, fits the ports of `runtime` together and says
//! what happened in words and exit codes.

mod audit;
mod backup;
mod bench;
mod cli;
mod client;
mod completions;
mod demo;
mod dev;
mod diff;
mod docs;
mod doctor;
mod exit;
mod explain;
mod folder;
mod graph;
mod init;
mod keys;
mod log;
mod operator;
mod partner;
mod passphrase;
mod place;
mod plugin;
mod ports;
mod ready;
mod run;
mod schema;
mod serve;
mod test;
mod validate;
mod wiring;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use tikv_jemallocator::Jemalloc;

use crate::cli::{Cli, Command};

/// A step takes and gives back memory hundreds of times, on threads that hand it to each other;
/// the C library's allocator took a quarter of all work (decision 0038).
#[global_allocator]
static MEMORY: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    // The evaluator process runs what authors wrote: nothing may be set up before it.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == "evaluator")
    {
        return casewright_host::evaluator::serve();
    }
    match Cli::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Graph(arguments) => graph::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Docs(arguments) => docs::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Plugin(arguments) => plugin::run(arguments),
        Command::Absence(arguments) => client::run(&arguments),
        Command::Case(arguments) => client::run(&arguments),
        Command::Calendar(arguments) => client::run(&arguments),
        Command::Instance(arguments) => client::run(&arguments),
        Command::Task(arguments) => client::run(&arguments),
        Command::Fund(arguments) => client::run(&arguments),
        Command::Event(arguments) => client::run(&arguments),
        Command::Report(arguments) => client::run(&arguments),
        Command::Deploy(arguments) => client::deploy::run(&arguments),
        Command::Migrate(arguments) => client::migrate::run(&arguments),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Keys(arguments) => keys::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Partner(arguments) => partner::run(&arguments),
    }
}

/// Runs a future to its end on a runtime of its own.
fn asynchronous<T>(future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(future)
}
