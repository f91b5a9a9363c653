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
    /// Run one workflow document in a temporary store and print what became of it.
    Run(crate::run::Arguments),
    /// Check workflow documents, packs and forms; every mistake in one pass.
    Validate(crate::validate::Arguments),
    /// Draw a workflow document as a picture.
    Graph(crate::graph::Arguments),
    /// Run the tests of packs, with time moved by hand and answers given for plugins.
    Test(crate::test::Arguments),
    /// Explain the code of a diagnostic, such as CW0103.
    Explain(crate::explain::Arguments),
    /// Make, build and check plugins.
    Plugin(crate::plugin::Arguments),
    /// Look for what would keep the engine from working here.
    Doctor(crate::doctor::Arguments),
    /// The fake partners of the demo, for tests.
    #[command(hide = true)]
    Partner(crate::partner::Arguments),
}
