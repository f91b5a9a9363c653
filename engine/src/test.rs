//! `casewright test PATH...`: the tests that the author of a pack writes in `tests/*.test.yaml`.
//!
//! Each test has an engine of its own over a store in memory, with a clock that the test moves:
//! what runs is what `serve` runs, only nobody waits. No server, no network, no data left behind.

mod coverage;
mod find;
mod partner;
mod play;
mod record;
mod rehearsal;
mod report;
mod stage;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use casewright_language::pack_test::{self, Answers, Around, Test};
use casewright_language::{Diagnostic, Severity, Surroundings};
use casewright_runtime::Deployment;
use casewright_runtime::port::Invoke;

use crate::exit;
use crate::folder;
use crate::ports::EvaluatorProcess;
use crate::validate;
use coverage::Reached;
use find::Found;
use play::Listeners;
use record::Target;
pub(crate) use rehearsal::Rehearsal;
use report::{Outcome, Report};
use stage::World;

#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub(crate) struct Arguments {
    /// Packs, folders of packs, files of tests.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print one JSON object: `{passed, failed, tests, diagnostics, coverage}`.
    #[arg(long)]
    json: bool,
    /// Tell as well which tasks, cases, outcomes and handlers no test reaches, and where they are.
    #[arg(long)]
    coverage: bool,
    /// Add to each test that expects nothing yet what holds after each of its steps. Nothing that
    /// is written there is changed.
    #[arg(long, conflicts_with = "coverage")]
    record: bool,
    /// The same into a new file, which must not be there; for one file of tests.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["coverage", "record"])]
    record_to: Option<PathBuf>,
    /// Folder of built plugins; `target/plugins` of the checkout otherwise.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
}

impl Arguments {
    fn target(&self) -> Option<Target> {
        let same = self.record.then_some(Target::Same);
        self.record_to.clone().map(Target::New).or(same)
    }
}

const HELP: &str = "\
A test is a list of steps in a file in the folder `tests` of a pack:

  workflow: brokerage
  begins: 2026-11-25 09:00                 where the agency is
  people:
    casey: case-worker                     a role, or a list of roles
    lee: team-leader
  plugins:
    evidence-check.check: real             the built plugin itself
    payment-issue.pay:                     answers, one after the other; the last one stays
      - error: { code: unavailable, kind: retryable }
      - returns: { paymentId: P-1, state: paid }
  samples:                                 data by name
    bed: { item: A bed, money: { minor: 40000, currency: AUD } }
  tests:
    - test: Nobody approves their own request
      steps:
        - { start: brokerage, as: casey }
        - { complete: request, as: casey, data: bed, but: { item: Two beds } }
        - { complete: decision, as: casey, outcome: approve, refused: self-approval }

Steps that do something:
  start      a workflow: as, input, but, sameCase, calendar, refused, fields
  claim      a task: as, of, refused                release   a task: as, of, refused
  complete   a task: as, of, outcome, data, but, comment, refused, fields
  event      from outside, by its type: subject (else the case's number), data, but, source, id
  wait       `3 business days`, `P3D`, `PT4H`: as long, to the same time of day
  waitUntil  `2026-12-01` or `2026-12-01 09:00`

Steps that expect something:
  task       an open task: of, for, title, due, overdue, outcomes, shows, claimedBy
  noTask     that no such task is open: of
  calls      of a function of a plugin: times, input, returned
  fund       available, reserved, committed, each as { minor, currency }
  ended      completed, faulted or cancelled: of, output, fault
  recorded   an entry in the record of the case, such as refused: times, by, about, detail
  history    the tasks of a run in the order they began, as a list: of

With --record an author writes only what is done, and what holds after each step is added:
tasks, calls, funds, ends, the tasks a run went through, entries of the record.

Expected data names only what matters. Without `begins` it is Monday, 2 March 2026, 09:00.
Exit codes: 0 all passed; 1 a test failed or has mistakes; 2 wrong usage; 3 the environment.";

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match crate::asynchronous(execute(arguments)) {
        Ok(report) => report.show(arguments.json),
        Err(error) => exit::environment(&error),
    }
}

async fn execute(arguments: &Arguments) -> io::Result<Report> {
    if arguments.record_to.is_some()
        && !matches!(arguments.paths.as_slice(), [one] if one.is_file() && is_test(one))
    {
        let sentence = "--record-to needs one file of tests: name it, `tests/*.test.yaml`";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, sentence));
    }
    let plugins = validate::plugins(arguments.plugins.as_deref()).await?;
    let world = World {
        plugins: Arc::new(plugins),
        evaluate: Arc::new(EvaluatorProcess::new()?),
    };
    let mut report = Report::default();
    for path in &arguments.paths {
        for found in find::packs(path)? {
            pack(&world, &found, arguments, &mut report).await?;
        }
    }
    Ok(report)
}

/// All chosen tests of one pack.
async fn pack(
    world: &World,
    found: &Found,
    arguments: &Arguments,
    report: &mut Report,
) -> io::Result<()> {
    let (files, tests) = split(folder::read(&found.root)?);
    let mut installed = Surroundings::default();
    let mut digests = world.plugins.describe(&mut installed);
    installed.functions_known = !digests.is_empty();
    let chosen = tests.iter().filter(|(path, _)| found.chooses(path));
    for (path, text) in chosen {
        partner::stand_in(&answered(path, text), &mut installed, &mut digests);
    }
    let deployment = match Deployment::read(files.clone(), &installed, &digests) {
        Ok(deployment) => deployment,
        Err(diagnostics) => {
            for diagnostic in diagnostics {
                let path = found.root.join(&diagnostic.file).display().to_string();
                let text = files.get(&diagnostic.file).cloned().unwrap_or_default();
                report.texts.insert(path.clone(), text);
                report.diagnostics.push(Diagnostic {
                    file: path,
                    ..diagnostic
                });
            }
            return Ok(());
        }
    };
    // Each test has an engine of its own, and what stands for its plugins knows no grants.
    world.plugins.bind(&deployment.pack);
    let around = around(&deployment);
    let mut listeners = Listeners {
        reached: arguments.coverage.then(Reached::default),
        scribe: None,
    };
    let chosen = tests.into_iter().filter(|(path, _)| found.chooses(path));
    for (path, text) in chosen {
        let file = found.root.join(&path).display().to_string();
        let (tests, diagnostics) = pack_test::read(&file, &text, &around);
        report.texts.insert(file.clone(), text);
        let broken = diagnostics
            .iter()
            .any(|found| found.severity == Severity::Error);
        report.diagnostics.extend(diagnostics);
        if broken {
            continue;
        }
        if let Some(target) = arguments.target() {
            let path = Path::new(&file);
            let text = report.texts.get(&file).cloned().unwrap_or_default();
            let text = text.as_str();
            let read = record::File { path, text, tests };
            let recorded = read.record(world, &deployment, &around, &target).await?;
            report.add_recorded(&file, recorded);
            continue;
        }
        for test in tests {
            let failures = one(world, &deployment, &file, &test, &mut listeners).await?;
            report.outcomes.push(Outcome {
                file: file.clone(),
                line: test.spot.line(),
                test: test.name,
                failures,
            });
        }
    }
    if let Some(reached) = listeners.reached {
        let covered = reached.of_pack(&deployment, &found.root, !found.whole());
        report.coverage.get_or_insert_default().extend(covered);
    }
    Ok(())
}

async fn one(
    world: &World,
    deployment: &Deployment,
    file: &str,
    test: &Test,
    listeners: &mut Listeners,
) -> io::Result<Vec<Diagnostic>> {
    match world.stage(deployment, test).await? {
        Ok(stage) => play::play(stage, file, test, listeners).await,
        Err(sentence) => Ok(vec![test.spot.failure(file, sentence, None)]),
    }
}

/// What the tests of a file answer for functions, read before it is known what else they may name.
fn answered(path: &str, text: &str) -> BTreeMap<String, Answers> {
    let (tests, _) = pack_test::read(path, text, &Around::default());
    let answers = tests.into_iter().flat_map(|test| test.answers);
    answers.collect()
}

/// The pack itself, and the texts of its tests.
pub(crate) fn split(
    files: BTreeMap<String, String>,
) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    files
        .into_iter()
        .partition(|(path, _)| !is_test(Path::new(path)))
}

pub(crate) fn is_test(path: &Path) -> bool {
    path.parent()
        .is_some_and(|parent| parent.ends_with("tests"))
        && path.extension().is_some_and(|found| found == "yaml")
}

/// What tests may name where a pack is known by its names alone.
pub(crate) fn named(around: &Surroundings) -> Around {
    let pack = around.pack.as_ref();
    let workflows = around.workflows.iter().flatten();
    Around {
        roles: pack.map(|pack| pack.roles.clone()).unwrap_or_default(),
        funds: pack.map(|pack| pack.funds.clone()).unwrap_or_default(),
        calendars: pack.map(|pack| pack.calendars.clone()).unwrap_or_default(),
        functions: around
            .functions_known
            .then(|| around.functions.keys().cloned().collect()),
        workflows: workflows
            .map(|(name, _)| (name.clone(), BTreeMap::new()))
            .collect(),
        refusals: find::names_of::<casewright_casework::Code>(),
        actions: find::names_of::<casewright_casework::audit::Action>(),
    }
}

/// What tests of this pack may name.
pub(crate) fn around(deployment: &Deployment) -> Around {
    let tasks =
        |workflow: &casewright_language::Workflow| Around::human_tasks(&workflow.definition);
    Around {
        roles: deployment.pack.roles.keys().cloned().collect(),
        funds: deployment.pack.funds.keys().cloned().collect(),
        calendars: deployment.pack.calendars.keys().cloned().collect(),
        functions: deployment
            .functions_known
            .then(|| deployment.signatures.keys().cloned().collect()),
        workflows: deployment
            .workflows
            .iter()
            .map(|(name, workflow)| (name.clone(), tasks(workflow)))
            .collect(),
        refusals: find::names_of::<casewright_casework::Code>(),
        actions: find::names_of::<casewright_casework::audit::Action>(),
    }
}
