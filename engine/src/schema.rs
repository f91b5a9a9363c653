//! `casewright schema`: what an editor needs to complete and check documents while they are typed:
//! workflows, and what else belongs to a pack.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use casewright_language::{Surroundings, editor};
use serde_json::Value;

use crate::{exit, folder, test, validate};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What is typed
    #[arg(long, value_enum, default_value = "workflow")]
    kind: Kind,
    /// Pack whose forms, roles, funds and workflows are offered; without it any name will do
    #[arg(long, value_name = "DIR")]
    pack: Option<PathBuf>,
    /// Folder of built plugins, whose functions are offered; `target/plugins` of the checkout
    /// otherwise
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
}

/// A kind of document.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Kind {
    /// A workflow
    Workflow,
    /// What a person is asked: `forms/*.yaml`
    Form,
    /// What follows from what: `decisions/*.yaml`
    Decision,
    /// What is sent to people of a case: `messages/*.yaml`
    Message,
    /// `pack.yaml`
    Pack,
    /// Tests of a pack: `tests/*.test.yaml`
    Test,
}

impl Kind {
    /// With the names around it.
    pub(crate) fn schema(self, around: &Surroundings) -> Value {
        match self {
            Self::Workflow => editor::schema(around),
            Self::Decision => editor::decision::schema(),
            Self::Form => editor::form::schema(),
            Self::Message => editor::message::schema(),
            Self::Pack => editor::pack::schema(around),
            Self::Test => editor::test::schema(&test::named(around)),
        }
    }
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
    let schema = arguments.kind.schema(&around);
    let text = serde_json::to_string_pretty(&schema).map_err(io::Error::other)?;
    exit::say(&text);
    Ok(ExitCode::SUCCESS)
}
