//! `casewright schema`: what an editor needs to complete and check workflow documents while they
//! are typed.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::{exit, folder, validate};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Pack whose forms, roles, funds and workflows are offered; without it any name will do
    #[arg(long, value_name = "DIR")]
    pack: Option<PathBuf>,
    /// Folder of built plugins, whose functions are offered; `target/plugins` of the checkout
    /// otherwise
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match crate::asynchronous(schema(arguments)) {
        Ok(code) => code,
        Err(error) => exit::environment(&error),
    }
}

async fn schema(arguments: &Arguments) -> io::Result<ExitCode> {
    let pack = arguments.pack.as_deref().map(folder::root).transpose()?;
    let installed = validate::installed(arguments.plugins.as_deref()).await?;
    let around = validate::around(pack, installed)?;
    if let Some(pack) = pack.filter(|_| around.pack.is_none()) {
        exit::note(&format!(
            "{} has mistakes, so its names are not offered; `casewright validate {0}` shows them",
            pack.display()
        ));
        return Ok(exit::unwell());
    }
    let schema = casewright_language::editor::schema(&around);
    let text = serde_json::to_string_pretty(&schema).map_err(io::Error::other)?;
    exit::say(&text);
    Ok(ExitCode::SUCCESS)
}
