//! What a path stands for - a pack, a folder of packs, a document, a form - and what is wrong in
//! it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use casewright_language::read::Doubt;
use casewright_language::{Diagnostic, Severity, Surroundings, Workflow, pack};
use casewright_runtime::Deployment;
use casewright_runtime::deployment::outlines;
use casewright_runtime::port::Invoke;

use super::Findings;
use crate::folder;
use crate::ports::plugins::{Sources, user_cache};
use crate::ports::{EvaluatorProcess, Plugins};

/// The folder of built plugins: as given, or that of the checkout around the current folder.
pub(crate) fn plugin_folder(given: Option<&Path>) -> Option<PathBuf> {
    if let Some(given) = given {
        return Some(given.to_path_buf());
    }
    let here = std::env::current_dir().ok()?;
    let built = crate::plugin::find_checkout(&here)?.join("target/plugins");
    built.is_dir().then_some(built)
}

/// The built plugins; none when nothing is built.
pub(crate) async fn plugins(given: Option<&Path>) -> io::Result<Plugins> {
    let sources = Sources {
        folders: plugin_folder(given).into_iter().collect(),
        cache: user_cache(),
        ..Sources::default()
    };
    Plugins::load(sources).await
}

/// What documents may call of these plugins; not known when there are none.
pub(crate) fn functions(plugins: &Plugins) -> Surroundings {
    let mut surroundings = Surroundings::default();
    surroundings.functions_known = !plugins.describe(&mut surroundings).is_empty();
    surroundings
}

/// The functions of built plugins; none known when nothing is built.
pub(crate) async fn installed(given: Option<&Path>) -> io::Result<Surroundings> {
    if plugin_folder(given).is_none() {
        return Ok(Surroundings::default());
    }
    Ok(functions(&plugins(given).await?))
}

/// Checks whatever lies at the path.
pub(super) async fn check(
    path: &Path,
    installed: &Surroundings,
    evaluator: &EvaluatorProcess,
) -> io::Result<Findings> {
    let kind = fs::metadata(path).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot read {}: {error}", path.display()),
        )
    })?;
    let name = path.file_name().unwrap_or_default();
    if name == "pack.yaml" {
        let root = path.parent().unwrap_or(Path::new("."));
        return pack_folder(root, installed, evaluator).await;
    }
    if kind.is_file() {
        return document(path, installed, evaluator).await;
    }
    if path.join("pack.yaml").is_file() {
        return pack_folder(path, installed, evaluator).await;
    }
    folder_of_things(path, installed, evaluator).await
}

async fn folder_of_things(
    path: &Path,
    installed: &Surroundings,
    evaluator: &EvaluatorProcess,
) -> io::Result<Findings> {
    let mut inside = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        let yaml = path
            .extension()
            .is_some_and(|extension| extension == "yaml");
        if path.join("pack.yaml").is_file() || (path.is_file() && yaml) {
            inside.push(path);
        }
    }
    inside.sort();
    if inside.is_empty() {
        let sentence = format!(
            "{} holds neither a pack (a folder with pack.yaml) nor a document (*.yaml)",
            path.display()
        );
        return Err(io::Error::new(io::ErrorKind::NotFound, sentence));
    }
    let mut findings = Findings::default();
    for path in inside {
        findings.add(Box::pin(check(&path, installed, evaluator)).await?);
    }
    Ok(findings)
}

async fn pack_folder(
    root: &Path,
    installed: &Surroundings,
    evaluator: &EvaluatorProcess,
) -> io::Result<Findings> {
    Ok(whole(root, folder::read(root)?, installed, evaluator)
        .await
        .1)
}

/// A pack from the texts of its files, if it can be read, with everything that is wrong in it.
pub(crate) async fn whole(
    root: &Path,
    files: BTreeMap<String, String>,
    installed: &Surroundings,
    evaluator: &EvaluatorProcess,
) -> (Option<Deployment>, Findings) {
    let (deployment, diagnostics, doubts) = match Deployment::read(files.clone(), installed, &[]) {
        Ok(mut deployment) => {
            let doubts = std::mem::take(&mut deployment.doubts);
            let warnings = deployment.warnings.clone();
            (Some(deployment), warnings, doubts)
        }
        Err(diagnostics) => (None, diagnostics, Vec::new()),
    };
    let texts = files
        .into_iter()
        .filter(|(path, _)| {
            Path::new(path)
                .extension()
                .is_some_and(|found| found == "yaml")
        })
        .map(|(path, text)| (root.join(path).display().to_string(), text))
        .collect();
    let all = diagnostics
        .into_iter()
        .chain(settled(doubts, evaluator).await);
    let diagnostics = all
        .map(|found| Diagnostic {
            file: root.join(&found.file).display().to_string(),
            ..found
        })
        .collect();
    // What cannot be read may call one.
    let plugins_called = deployment.as_ref().is_none_or(|deployment| {
        let mut workflows = deployment.workflows.values();
        workflows.any(Workflow::calls_plugins)
    });
    let findings = Findings {
        diagnostics,
        texts,
        plugins_called,
    };
    (deployment, findings)
}

async fn document(
    path: &Path,
    installed: &Surroundings,
    evaluator: &EvaluatorProcess,
) -> io::Result<Findings> {
    let text = folder::text(path)?;
    let file = path.display().to_string();
    let pack = folder::pack_around(path);
    let lies_in = |folder| path.parent().is_some_and(|parent| parent.ends_with(folder));
    let mut findings = Findings::default();
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    if lies_in("decisions") && pack.is_some() {
        findings.diagnostics = pack::read_table(&name, &file, &text).1;
    } else if lies_in("messages") && pack.is_some() {
        findings.diagnostics = pack::read_message(&name, &file, &text).1;
    } else if lies_in("forms") && pack.is_some() {
        findings.diagnostics = pack::read_form(&name, &file, &text).1;
    } else {
        let around = around(pack.as_deref(), installed.clone())?;
        let reading = casewright_language::read(&file, &text, &around);
        findings.diagnostics = reading.diagnostics;
        let workflow = reading.workflow.as_ref();
        findings.plugins_called = workflow.is_none_or(Workflow::calls_plugins);
        findings
            .diagnostics
            .extend(settled(reading.questions, evaluator).await);
    }
    findings.texts.insert(file, text);
    Ok(findings)
}

/// The names a document may use: those of the pack around it and of the installed functions.
pub(crate) fn around(pack: Option<&Path>, installed: Surroundings) -> io::Result<Surroundings> {
    let Some(pack) = pack else {
        return Ok(installed);
    };
    let mut files = folder::read(pack)?;
    let workflows = Some(outlines(&files));
    // Only the names are wanted here: other documents of the pack have a check of their own.
    files.retain(|path, _| path == "pack.yaml" || path.contains('/'));
    Ok(match Deployment::read(files, &installed, &[]) {
        Ok(deployment) => Surroundings {
            workflows,
            ..deployment.surroundings()
        },
        Err(_) => installed,
    })
}

/// Puts the syntax of the expressions beyond the simple subset to the evaluator.
async fn settled(doubts: Vec<Doubt>, evaluator: &EvaluatorProcess) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for doubt in doubts {
        if let Err(sentence) = evaluator.check(&doubt.question).await {
            let message = format!("{}: {sentence}", doubt.finding.message);
            findings.push(Diagnostic {
                severity: Severity::Error,
                message,
                ..doubt.finding
            });
        }
    }
    findings
}
