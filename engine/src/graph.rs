//! `casewright graph FILE`: a workflow document as a picture, without running it.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use casewright_language::picture::{Marks, Picture};

use crate::exit;
use crate::validate::{Drawable, drawable};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The workflow document.
    file: PathBuf,
    /// What to write to standard output.
    #[arg(long, value_enum, default_value = "svg")]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// A complete image.
    Svg,
    /// Text that Markdown pages draw.
    Mermaid,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match crate::asynchronous(draw(arguments)) {
        Ok(code) => code,
        Err(error) => exit::environment(&error),
    }
}

async fn draw(arguments: &Arguments) -> io::Result<ExitCode> {
    let workflow = match drawable(&arguments.file).await? {
        Drawable::Workflow(workflow) => workflow,
        // The mistakes were shown.
        Drawable::Invalid => return Ok(exit::unwell()),
    };
    let picture = Picture::of(&workflow);
    let text = match arguments.format {
        Format::Svg => picture.svg("workflow", &Marks::new(), &|_| None),
        Format::Mermaid => picture.mermaid(&Marks::new()),
    };
    exit::say(text.trim_end());
    Ok(ExitCode::SUCCESS)
}
