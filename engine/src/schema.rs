//! `casewright schema`: what an editor needs to complete and check workflow documents while they
//! are typed.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::exit;
use crate::validate;

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
    if let Some(pack) = arguments.pack.as_deref().filter(|pack| !is_pack(pack)) {
        return exit::usage(&format!(
            "{} is no pack: it has no pack.yaml; `casewright init` makes one",
            pack.display()
        ));
    }
    match crate::asynchronous(schema(arguments)) {
        Ok(code) => code,
        Err(error) => exit::environment(&error),
    }
}

fn is_pack(pack: &Path) -> bool {
    pack.join("pack.yaml").is_file()
}

async fn schema(arguments: &Arguments) -> io::Result<ExitCode> {
    let pack = arguments.pack.as_deref();
    let around = validate::surroundings(pack, arguments.plugins.as_deref()).await?;
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
