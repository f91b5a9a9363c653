//! `casewright validate PATH...`: checks packs, workflows, forms and decision tables; every mistake
//! in one pass.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use casewright_language::{Diagnostic, Severity, Workflow, diagnostic};

use crate::exit;
use crate::folder;
use crate::ports::EvaluatorProcess;

mod documents;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Packs, folders of packs, workflow documents, forms, decision tables.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print a list of `{code, severity, message, file, line, column, endLine, endColumn, help}`.
    #[arg(long)]
    json: bool,
    /// Folder of built plugins, to check calls against; `target/plugins` of the checkout otherwise.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let outcome = crate::asynchronous(async {
        let installed = documents::installed(arguments.plugins.as_deref()).await?;
        let evaluator = EvaluatorProcess::new()?;
        let mut findings = Findings::default();
        for path in &arguments.paths {
            findings.add(documents::check(path, &installed, &evaluator).await?);
        }
        Ok((findings, installed.functions_known))
    });
    match outcome {
        Ok((findings, functions_known)) => findings.report(arguments.json, functions_known),
        Err(error) => exit::environment(&error),
    }
}

/// A document as `graph` wants it.
pub(crate) enum Drawable {
    Workflow(Box<Workflow>),
    /// Its mistakes were drawn to standard error.
    Invalid,
}

/// Reads one workflow document with the names of the pack around it.
pub(crate) async fn drawable(file: &Path) -> io::Result<Drawable> {
    let text = folder::text(file)?;
    let installed = documents::installed(None).await?;
    let pack = folder::pack_around(file);
    let around = documents::around(pack.as_deref(), installed)?;
    let name = file.display().to_string();
    let reading = casewright_language::read(&name, &text, &around);
    if let Some(workflow) = reading.workflow {
        return Ok(Drawable::Workflow(Box::new(workflow)));
    }
    report_one(&name, &text, reading.diagnostics, false);
    Ok(Drawable::Invalid)
}

/// Draws findings to standard error; paths are shown below `root`.
pub(crate) fn show(root: &Path, diagnostics: &[Diagnostic]) {
    let mut findings = Findings::default();
    for found in diagnostics {
        let path = root.join(&found.file);
        let file = path.display().to_string();
        findings.texts.entry(file.clone()).or_insert_with(|| {
            // What cannot be read again is drawn without its source.
            folder::text(&path).unwrap_or_default()
        });
        findings.diagnostics.push(Diagnostic {
            file,
            ..found.clone()
        });
    }
    exit::note(&findings.drawn(colour_wanted()));
}

/// All findings of a run, with the texts they point into.
#[derive(Default)]
pub(crate) struct Findings {
    diagnostics: Vec<Diagnostic>,
    /// By the file name that the diagnostics carry.
    texts: BTreeMap<String, String>,
    /// Whether functions of plugins are called, as far as that can be read.
    plugins_called: bool,
}

impl Findings {
    /// Whether there is an error among them.
    pub(crate) fn forbid(&self) -> bool {
        self.errors() > 0
    }

    /// Findings in one more text.
    pub(crate) fn add_text(&mut self, file: String, text: String, found: Vec<Diagnostic>) {
        self.texts.insert(file, text);
        self.diagnostics.extend(found);
    }

    /// Draws them to standard error, if there are any.
    pub(crate) fn note(&self) {
        if !self.diagnostics.is_empty() {
            let what = if self.forbid() {
                "the pack is invalid"
            } else {
                "the pack has warnings"
            };
            exit::note(&format!("{what}\n{}", self.drawn(colour_wanted())));
        }
    }

    fn add(&mut self, other: Self) {
        self.diagnostics.extend(other.diagnostics);
        self.texts.extend(other.texts);
        self.plugins_called |= other.plugins_called;
    }

    fn errors(&self) -> usize {
        self.diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error)
            .count()
    }

    fn drawn(&self, colour: bool) -> String {
        let mut drawn = String::new();
        for (file, text) in &self.texts {
            let of_file: Vec<_> = self
                .diagnostics
                .iter()
                .filter(|found| found.file == *file)
                .cloned()
                .collect();
            if !of_file.is_empty() {
                drawn.push_str(&diagnostic::draw(&of_file, text, colour));
                drawn.push('\n');
            }
        }
        drawn
    }

    fn report(&self, json: bool, functions_known: bool) -> ExitCode {
        let errors = self.errors();
        if json {
            let list = serde_json::to_string_pretty(&self.diagnostics);
            exit::say(&list.expect("findings are text and numbers"));
        } else {
            exit::say(&format!(
                "{}{}",
                self.drawn(colour_wanted()),
                self.summary(errors)
            ));
            if self.plugins_called && !functions_known {
                exit::note(
                    &"plugins are not built, so calls of their functions were not checked; \
                      `casewright plugin build` builds them",
                );
            }
        }
        if errors == 0 {
            ExitCode::SUCCESS
        } else {
            exit::unwell()
        }
    }

    fn summary(&self, errors: usize) -> String {
        let count = |number: usize, word: &str| {
            format!("{number} {word}{}", if number == 1 { "" } else { "s" })
        };
        let files = count(self.texts.len(), "file");
        match (errors, self.diagnostics.len() - errors) {
            (0, 0) => format!("{files} checked, no mistakes"),
            (errors, warnings) => {
                format!(
                    "{} and {} in {files}",
                    count(errors, "error"),
                    count(warnings, "warning")
                )
            }
        }
    }
}

pub(crate) fn colour_wanted() -> bool {
    use std::io::IsTerminal;

    std::env::var_os("NO_COLOR").is_none() && io::stdout().is_terminal()
}

/// The mistakes of one document, for `run`: drawn, or within the one object that `run` prints.
pub(crate) fn report_one(file: &str, text: &str, diagnostics: Vec<Diagnostic>, json: bool) {
    let texts = BTreeMap::from([(file.to_owned(), text.to_owned())]);
    let findings = Findings {
        diagnostics,
        texts,
        plugins_called: false,
    };
    if json {
        let error = serde_json::json!({
            "type": "https://serverlessworkflow.io/spec/1.0.0/errors/configuration",
            "status": 400,
            "title": "the document is invalid",
        });
        let printed = serde_json::json!({
            "status": "faulted",
            "output": null,
            "error": error,
            "waiting": [],
            "tasks": [],
            "diagnostics": findings.diagnostics,
        });
        exit::say(&printed.to_string());
    }
    exit::note(&format!(
        "the document is invalid\n{}",
        findings.drawn(colour_wanted())
    ));
}

pub(crate) use documents::{around, functions, installed, plugin_folder, plugins, whole};
