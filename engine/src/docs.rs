//! `casewright docs PACK`: the pack as one page for those who must approve it before it is in
//! force.
//!
//! ```text
//! folder ─ validate ─▶ Deployment, tests, manifests ─ page ─▶ Page ─ templates/docs.html ─▶ HTML
//! ```
//!
//! The page says what the checked pack says and nothing else: it runs nothing, asks no server and
//! names no day, so that the same pack always gives the same page.

mod asked;
mod chapter;
mod human;
mod kept;
mod outside;
mod page;
pub(crate) mod plain;
mod recurs;
mod roles;
mod step;
mod tables;
mod wording;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use askama::Template;
use casewright_language::pack_test::{self, Test};
use casewright_language::{Diagnostic, Severity};
use casewright_runtime::Deployment;

use crate::ports::EvaluatorProcess;
use crate::{exit, folder, test, validate};
use page::{Page, Sources};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder of the pack.
    pack: PathBuf,
    /// Where to put the page; standard output otherwise. A file there is replaced by a whole one.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Folder of built plugins, for what they say of themselves; `target/plugins` of the checkout
    /// otherwise.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match crate::asynchronous(produce(arguments)) {
        Ok(code) => code,
        Err(error) => exit::environment(&error),
    }
}

async fn produce(arguments: &Arguments) -> io::Result<ExitCode> {
    let root = folder::root(&arguments.pack)?;
    if let Some(out) = &arguments.out {
        // Said before the work, not after it.
        check_replaceable(out)?;
    }
    let plugins = validate::plugins(arguments.plugins.as_deref()).await?;
    let installed = validate::functions(&plugins);
    let evaluator = EvaluatorProcess::new()?;
    let files = folder::read(root)?;
    let (deployment, mut findings) =
        validate::whole(root, files.clone(), &installed, &evaluator).await;
    let mut tests = Vec::new();
    if let Some(deployment) = &deployment {
        for (path, text) in test::split(files).1 {
            let file = root.join(&path).display().to_string();
            let (read, found) = read_tests(&file, &text, deployment);
            tests.extend(read);
            findings.add_text(file, text, found);
        }
    }
    findings.note();
    let (Some(deployment), false) = (deployment, findings.forbid()) else {
        return Ok(exit::unwell());
    };
    let page = Page::of(&Sources {
        deployment: &deployment,
        tests: &tests,
        manifests: plugins.manifests().collect(),
    });
    let text = page.render().map_err(io::Error::other)?;
    match &arguments.out {
        Some(out) => replace(out, &text)?,
        None => print(&text)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// No test of a file with a mistake: a list with holes would look whole.
fn read_tests(file: &str, text: &str, deployment: &Deployment) -> (Vec<Test>, Vec<Diagnostic>) {
    let (tests, found) = pack_test::read(file, text, &test::around(deployment));
    let broken = found.iter().any(|one| one.severity == Severity::Error);
    (if broken { Vec::new() } else { tests }, found)
}

/// What is no plain file - a folder, a device, a link to somewhere else - is not replaced.
fn check_replaceable(out: &Path) -> io::Result<()> {
    match fs::symlink_metadata(out) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at("cannot write", out, &error)),
        Ok(kind) if kind.is_file() => Ok(()),
        Ok(_) => {
            let sentence = format!("{} is no regular file and was left as it is", out.display());
            Err(io::Error::new(io::ErrorKind::AlreadyExists, sentence))
        }
    }
}

/// A reader that went away is no failure; a full disk behind standard output is one.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let sentence = format!("cannot write the page: {error}");
            Err(io::Error::new(error.kind(), sentence))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Whoever reads the file finds the page before or the page after, never a part of one.
pub(crate) fn replace(out: &Path, text: &str) -> io::Result<()> {
    check_replaceable(out)?;
    let Some(name) = out.file_name() else {
        let error = io::ErrorKind::InvalidInput.into();
        return Err(at("cannot write", out, &error));
    };
    let mut beside = name.to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = out.with_file_name(beside);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&beside)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, out)
        });
    if written.is_err() {
        // What is left is a part; the error that matters is the first.
        let _ = fs::remove_file(&beside);
    }
    written.map_err(|error| at("cannot write", out, &error))
}

fn at(what: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what} {}: {error}", path.display()))
}
