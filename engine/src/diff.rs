//! `casewright diff OLD NEW`: what a change of a workflow or of a pack changes, in plain words and
//! as one picture, for whoever must approve it.
//!
//! It compares what is written, and says of both sides what `docs` would say. It runs nothing.

mod page;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use casewright_language::picture::Picture;
use casewright_language::{Surroundings, Workflow, diff};
use casewright_runtime::Deployment;

use crate::ports::EvaluatorProcess;
use crate::{exit, folder, test, validate};
use told::Told;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The version before: a workflow document, or the folder of a pack.
    old: PathBuf,
    /// The version after, of the same kind.
    new: PathBuf,
    /// What to write to standard output.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Of two packs only this workflow, without what the packs say beside it.
    #[arg(long, value_name = "NAME")]
    workflow: Option<String>,
    /// Print one JSON object: `{workflows, pack}`.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Folder of built plugins; `target/plugins` of the checkout otherwise.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A list in plain words.
    Text,
    /// A page with the list and the pictures.
    Html,
    /// A picture of one workflow, with what is new, changed and taken out marked.
    Svg,
    /// The same as text that Markdown pages draw.
    Mermaid,
}

/// One side.
struct Side {
    deployment: Deployment,
    /// Whether it is a whole pack.
    pack: bool,
}

/// A workflow that both sides have or one of them.
struct Pair<'a> {
    name: &'a str,
    before: Option<&'a Workflow>,
    after: Option<&'a Workflow>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match crate::asynchronous(execute(arguments)) {
        Ok(code) => code,
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => exit::usage(&error),
        Err(error) => exit::environment(&error),
    }
}

async fn execute(arguments: &Arguments) -> io::Result<ExitCode> {
    let installed = validate::installed(arguments.plugins.as_deref()).await?;
    let old = side(&arguments.old, &installed).await?;
    let new = side(&arguments.new, &installed).await?;
    let (Some(old), Some(new)) = (old, new) else {
        // The mistakes were drawn.
        return Ok(exit::unwell());
    };
    if old.pack != new.pack {
        return Err(usage(
            "compare two documents or two packs, not one with the other",
        ));
    }
    let pairs = pairs(&old, &new, arguments.workflow.as_deref())?;
    match arguments.format {
        Format::Svg | Format::Mermaid => {
            let (before, after) = one(&pairs)?;
            let compared = diff::diff(before, after);
            let (picture, marks) = Picture::of_both(before, after, &compared);
            let text = match arguments.format {
                Format::Mermaid => picture.mermaid(&marks),
                Format::Svg | Format::Text | Format::Html => {
                    picture.svg("workflow", &marks, &|_| None)
                }
            };
            exit::say(text.trim_end());
        }
        Format::Text | Format::Html => {
            let whole = old.pack && arguments.workflow.is_none();
            let told = Told::of(&old, &new, &pairs, whole);
            if arguments.json {
                exit::say(&told.json().to_string());
            } else if arguments.format == Format::Html {
                exit::say(page::write(&told, &pairs).trim_end());
            } else {
                exit::say(told.text().trim_end());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads one side. `None`: it has mistakes, which were drawn.
async fn side(path: &Path, installed: &Surroundings) -> io::Result<Option<Side>> {
    if path.is_dir() {
        let root = folder::root(path)?;
        let (files, _) = test::split(folder::read(root)?);
        let evaluator = EvaluatorProcess::new()?;
        let (deployment, findings) = validate::whole(root, files, installed, &evaluator).await;
        let broken = findings.forbid();
        if broken {
            findings.note();
        }
        let deployment = deployment.filter(|_| !broken);
        return Ok(deployment.map(|deployment| Side {
            deployment,
            pack: true,
        }));
    }
    let text = folder::text(path)?;
    let file = path.display().to_string();
    let around = match folder::pack_around(path) {
        Some(root) => Some(test::split(folder::read(&root)?).0),
        None => None,
    };
    match Deployment::of_document(&file, &text, around, installed, &[]) {
        Ok(deployment) => Ok(Some(Side {
            deployment,
            pack: false,
        })),
        Err(diagnostics) => {
            validate::report_one(&file, &text, diagnostics, false);
            Ok(None)
        }
    }
}

fn pairs<'a>(old: &'a Side, new: &'a Side, only: Option<&str>) -> io::Result<Vec<Pair<'a>>> {
    let (before, after) = (&old.deployment.workflows, &new.deployment.workflows);
    if !old.pack {
        // Documents are compared whatever they are called; those they run are not.
        let first = |side: &'a Deployment| {
            let alone = side.alone_workflow();
            alone.ok_or_else(|| usage("there is no workflow in the document"))
        };
        let (before, after) = (first(&old.deployment)?, first(&new.deployment)?);
        return Ok(vec![Pair {
            name: &after.document.name,
            before: Some(before),
            after: Some(after),
        }]);
    }
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    if let Some(only) = only.filter(|only| !names.iter().any(|name| name == only)) {
        return Err(usage(&format!("neither pack has a workflow `{only}`")));
    }
    let wanted = names
        .into_iter()
        .filter(|name| only.is_none_or(|only| only == name.as_str()));
    Ok(wanted
        .map(|name| Pair {
            name,
            before: before.get(name),
            after: after.get(name),
        })
        .collect())
}

/// The only workflow that both sides have and that changed.
fn one<'a>(pairs: &[Pair<'a>]) -> io::Result<(&'a Workflow, &'a Workflow)> {
    let both: Vec<_> = pairs
        .iter()
        .filter_map(|pair| Some((pair.name, pair.before?, pair.after?)))
        .collect();
    let changed: Vec<_> = both
        .iter()
        .filter(|(_, before, after)| before.digest != after.digest)
        .collect();
    match (changed.as_slice(), both.as_slice()) {
        ([(_, before, after)], _) | ([], [(_, before, after)]) => Ok((before, after)),
        ([], _) => Err(usage("no workflow changed; name one with --workflow")),
        (several, _) => {
            let names: Vec<_> = several.iter().map(|(name, ..)| *name).collect();
            let sentence = format!(
                "several workflows changed; name one with --workflow: {}",
                names.join(", ")
            );
            Err(usage(&sentence))
        }
    }
}

fn usage(sentence: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, sentence.to_owned())
}

/// Texts of documents by the name of their workflow.
fn sources(deployment: &Deployment) -> BTreeMap<String, String> {
    let files = deployment.files.iter();
    let named = files.filter_map(|(path, text)| {
        let (name, _) = casewright_language::read::outline::outline(text)?;
        Some((name, path.clone()))
    });
    named.collect()
}
