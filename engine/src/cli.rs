//! The command line: names, flags and help. What a command does stands in the file of its name.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(AnsiColor::Cyan.on_default());

/// A durable workflow engine for agencies that support families.
#[derive(Debug, Parser)]
#[command(name = "casewright", version, styles = STYLES, arg_required_else_help = true)]
#[command(after_help = "\
Exit codes: 0 well; 1 the thing asked about is not well; 2 wrong usage; 3 the environment \
(port, disk, file, plugin, toolchain); 4 `run` ended waiting; 70 a bug.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything on loopback: sample agency, plugins, staff; prints the address and sign-ins.
    Demo(crate::demo::Arguments),
    /// Serve an agency from a configuration file.
    Serve(crate::serve::Arguments),
    /// Make the folder of a new agency: a workflow, its form and tests, a configuration.
    Init(crate::init::Arguments),
    /// Run one workflow document in a temporary store and print what became of it.
    Run(crate::run::Arguments),
    /// Check workflow documents, packs, forms and decision tables; every mistake in one pass.
    Validate(crate::validate::Arguments),
    /// Draw a workflow document as a picture.
    Graph(crate::graph::Arguments),
    /// Print what an editor needs to complete and check documents while they are typed.
    Schema(crate::schema::Arguments),
    /// Validate and test a pack each time one of its files is saved.
    Dev(crate::dev::Arguments),
    /// Tell what a change of a workflow or of a pack changes, in words and as a picture.
    Diff(crate::diff::Arguments),
    /// Write a pack as a page for those who approve it, who need not know its language.
    Docs(crate::docs::Arguments),
    /// Run the tests of packs, with time moved by hand and answers given for plugins.
    Test(crate::test::Arguments),
    /// Explain the code of a diagnostic, such as CW0103.
    Explain(crate::explain::Arguments),
    /// Make, build and check plugins.
    Plugin(crate::plugin::Arguments),
    /// Ask a server for cases and what happened in them.
    Case(crate::client::Arguments<crate::client::Case>),
    /// Ask a server to start, show or cancel runs of workflows.
    Instance(crate::client::Arguments<crate::client::Instance>),
    /// Ask a server for tasks of people: list, take, finish.
    Task(crate::client::Arguments<crate::client::Task>),
    /// Ask a server for calendars that changed under open deadlines, and decide.
    Calendar(crate::client::Arguments<crate::client::Calendar>),
    /// Ask a server for funds: balances, ledgers, payments taken back.
    Fund(crate::client::Arguments<crate::client::Fund>),
    /// Tell a server who is away, and who stands in.
    Absence(crate::client::Arguments<crate::client::Absence>),
    /// Tell a server what happened outside.
    Event(crate::client::Arguments<crate::client::Event>),
    /// Ask a server how the work of the agency ended.
    Report(crate::client::Arguments<crate::client::Report>),
    /// Put a pack in force on a server; runs under way keep the one they began with.
    Deploy(crate::client::deploy::Arguments),
    /// Move runs under way to another version of their workflow, or say what that would do.
    Migrate(crate::client::migrate::Arguments),
    /// Write everything a server keeps to one sealed file, while it goes on.
    Backup(crate::backup::Arguments),
    /// Make a server's data from a backup and its key file.
    Restore(crate::backup::RestoreArguments),
    /// Make a recovery secret, export the keys of a server, roll them.
    Keys(crate::keys::Arguments),
    /// Check that nothing was changed or taken away since it was written.
    Audit(crate::audit::Arguments),
    /// Measure what the engine must reach, beside its limits.
    Bench(crate::bench::Arguments),
    /// Print what a shell needs to complete commands, flags and files.
    Completions(crate::completions::Arguments),
    /// Look for what would keep the engine from working here.
    Doctor(crate::doctor::Arguments),
    /// The fake partners of the demo, for tests.
    #[command(hide = true)]
    Partner(crate::partner::Arguments),
}
