//! One file of tests: what is added to it, and that it holds when everything is played again.

use std::io;
use std::path::{Path, PathBuf};

use casewright_language::pack_test::{self, Around, Test};
use casewright_language::{Diagnostic, Severity};
use casewright_runtime::Deployment;

use super::insert::{Addition, insert};
use super::{Scribe, wants};
use crate::docs::replace;
use crate::test::one;
use crate::test::play::Listeners;
use crate::test::stage::World;

/// Where what is recorded goes.
#[derive(Debug, Clone)]
pub(in crate::test) enum Target {
    /// Into the file itself.
    Same,
    /// Into a new one; it must not be there.
    New(PathBuf),
}

/// What became of a file.
pub(in crate::test) enum Recorded {
    /// A sentence.
    Done(String),
    /// These tests do not pass, so nothing was written.
    Failed(Vec<(Test, Vec<Diagnostic>)>),
}

/// A file of tests that was read without a mistake.
pub(in crate::test) struct File<'a> {
    pub(in crate::test) path: &'a Path,
    pub(in crate::test) text: &'a str,
    pub(in crate::test) tests: Vec<Test>,
}

impl File<'_> {
    pub(in crate::test) async fn record(
        self,
        world: &World,
        deployment: &Deployment,
        around: &Around,
        target: &Target,
    ) -> io::Result<Recorded> {
        let name = self.path.display().to_string();
        let (wanting, others): (Vec<_>, Vec<_>) = self.tests.into_iter().partition(wants);
        if wanting.is_empty() {
            let sentence = "every test expects something already; nothing was written";
            return Ok(Recorded::Done(format!("{name}: {sentence}")));
        }
        let (mut additions, mut failed) = (Vec::<Addition>::new(), Vec::new());
        for test in &wanting {
            let mut listeners = Listeners {
                scribe: Some(Scribe::new(test)),
                ..Listeners::default()
            };
            let failures = one(world, deployment, &name, test, &mut listeners).await?;
            if failures.is_empty() {
                let written = listeners.scribe.map(|scribe| scribe.written);
                additions.extend(written.unwrap_or_default());
            } else {
                failed.push((test.clone(), failures));
            }
        }
        if !failed.is_empty() {
            return Ok(Recorded::Failed(failed));
        }
        let text = insert(self.text, &additions).map_err(|line| {
            let sentence = format!(
                "{name}:{line}: nothing can be added behind this step: write each step of the \
                 test on lines of its own, `- {{ start: ... }}`"
            );
            io::Error::new(io::ErrorKind::InvalidInput, sentence)
        })?;
        again(world, deployment, around, &name, &text).await?;
        write(self.path, self.text, &text, target)?;
        let count: usize = additions.iter().map(|(_, steps)| steps.len()).sum();
        let out = match target {
            Target::Same => name,
            Target::New(path) => path.display().to_string(),
        };
        let left = match others.len() {
            0 => String::new(),
            1 => "; 1 test expects something already and is as it was".to_owned(),
            count => format!("; {count} tests expect something already and are as they were"),
        };
        let tests = match wanting.len() {
            1 => "1 test".to_owned(),
            count => format!("{count} tests"),
        };
        Ok(Recorded::Done(format!(
            "{out}: {count} expectations added to {tests}{left}"
        )))
    }
}

/// What holds once and not a second time is no expectation.
async fn again(
    world: &World,
    deployment: &Deployment,
    around: &Around,
    name: &str,
    text: &str,
) -> io::Result<()> {
    let (tests, findings) = pack_test::read(name, text, around);
    let mut amiss = findings
        .into_iter()
        .find(|found| found.severity == Severity::Error);
    for test in &tests {
        if amiss.is_some() {
            break;
        }
        let failures = one(world, deployment, name, test, &mut Listeners::default()).await?;
        amiss = failures.into_iter().next();
    }
    let Some(found) = amiss else { return Ok(()) };
    Err(io::Error::other(format!(
        "{name}: what was recorded does not hold when it is played again, so nothing was written; \
         line {} of it: {}",
        found.line, found.message
    )))
}

fn write(path: &Path, before: &str, text: &str, target: &Target) -> io::Result<()> {
    match target {
        Target::Same => {
            if std::fs::read_to_string(path)? != before {
                let sentence = format!("{} was changed meanwhile; try again", path.display());
                return Err(io::Error::other(sentence));
            }
            replace(path, text)
        }
        Target::New(out) => {
            let file = std::fs::File::create_new(out);
            let written =
                file.and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()));
            written.map_err(|error| {
                let sentence = format!("cannot write {}: {error}", out.display());
                io::Error::new(error.kind(), sentence)
            })
        }
    }
}
