//! `casewright run FILE`: one document in a temporary store, printed as it ends.
//!
//! It skips nothing and never waits for a person, nor for an event that `--event` did not give: it
//! ends with status `waiting` and says for what. A document that begins with events begins with
//! those of `--event`, unless it is given an input.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use casewright_casework::Principal;
use casewright_casework::principal::Kind;
use casewright_host::grant::OperatorSide;
use casewright_language::Surroundings;
use casewright_language::read::outline::outline;
use casewright_language::schedule::Recurs;
use casewright_runtime::engine::Start;
use casewright_runtime::port::Invoke;
use casewright_runtime::view::{InstanceView, RunFilter, WaitingView};
use casewright_runtime::{Deployment, Engine, Refused};
use casewright_store::Settings;
use casewright_store::memory::MemoryStore;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::exit;
use crate::folder;
use crate::ports::Plugins;
use crate::ports::http::{self, Side};
use crate::ports::plugins::{Sources, user_cache};
use crate::{validate, wiring};

/// A wait longer than this is reported instead of waited for.
const WAIT_MAX: SignedDuration = SignedDuration::from_secs(60);
/// How often the instance is looked at while functions are under way.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(5);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The workflow document.
    file: PathBuf,
    /// The input as JSON; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// An event that arrives while it runs, as CloudEvents JSON; may be given several times. What
    /// it leaves out of `specversion`, `id` and `source` is filled in.
    #[arg(long, value_name = "FILE")]
    event: Vec<PathBuf>,
    /// Print one JSON object: `{status, output, error, waiting, tasks}`.
    #[arg(long)]
    json: bool,
    /// A host and port that plugins and `call: http` may reach; may be given several times.
    #[arg(long, value_name = "HOST:PORT")]
    allow_host: Vec<String>,
    /// A secret of `use.secrets` and the file that holds its value; may be given several times.
    #[arg(long, value_name = "NAME=FILE")]
    secret: Vec<String>,
    /// Folder of built plugins; `target/plugins` of the checkout otherwise.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let side = operator_side(arguments);
    if let Some(problem) = side.problems().into_iter().next() {
        return exit::usage(&format!("--allow-host: {problem}"));
    }
    if arguments
        .secret
        .iter()
        .any(|given| named_file(given).is_none())
    {
        // Whoever mixes it up may have typed the secret itself: it is not repeated.
        return exit::usage(&"--secret takes a name and a file: `--secret homes-token=token.txt`");
    }
    match crate::asynchronous(execute(arguments)) {
        Ok(Some(ended)) => ended.report(arguments.json),
        Ok(None) => exit::unwell(),
        Err(error) => exit::environment(&error),
    }
}

/// `None` when the document is invalid; its mistakes were shown.
async fn execute(arguments: &Arguments) -> io::Result<Option<Ended>> {
    let text = folder::text(&arguments.file)?;
    let input = input(arguments.input.as_deref())?;
    let events = events(&arguments.event)?;
    let plugins = Arc::new(plugins(arguments).await?);
    let Some(deployment) = deployment(arguments, &text, &plugins)? else {
        return Ok(None);
    };
    let pack = deployment.pack.clone();
    let workflow = outline(&text).map(|(name, _)| name).unwrap_or_default();
    let begun_by = begun_by(&deployment, &workflow).filter(|_| arguments.input.is_none());
    let deployment = match begun_by {
        Some(_) => deployment.awaiting_events(&workflow),
        None => deployment,
    };
    let engine = wiring::engine(Arc::new(MemoryStore::new(Settings::default())), plugins).await?;
    engine
        .deploy(deployment)
        .await
        .map_err(|error| failed(&error))?;
    let who = Principal {
        id: "u-run".to_owned(),
        display_name: "run".to_owned(),
        agency: pack.namespace.clone(),
        roles: pack.roles.keys().cloned().collect(),
        kind: Kind::Staff,
    };
    let mut started = None;
    if begun_by.is_none() {
        let start = Start {
            workflow,
            version: None,
            case: None,
            calendar: None,
            input,
        };
        match engine.start(&who, start, None).await {
            Ok(begun) => started = Some(begun.id),
            Err(error) => {
                exit::note(&error);
                return Ok(None);
            }
        }
    }
    for event in events {
        if let Err(error) = engine.publish(&who, event, None).await {
            exit::note(&error);
            return Ok(None);
        }
        if started.is_none() {
            started = begun(&engine, &who).await?;
        }
    }
    let ended = match started {
        Some(id) => {
            let others = match begun_by {
                Some(_) => also_begun(&engine, &who, &id).await?,
                None => 0,
            };
            let ended = follow(&engine, &who, &id).await?;
            Ended { others, ..ended }
        }
        None => Ended::unbegun(begun_by.unwrap_or_default()),
    };
    engine.stop().await;
    Ok(Some(ended))
}

/// The events that the document begins with, where it says so.
fn begun_by(deployment: &Deployment, workflow: &str) -> Option<Vec<String>> {
    match &deployment
        .workflows
        .get(workflow)?
        .schedule
        .as_ref()?
        .recurs
    {
        Recurs::On(trigger) => Some(trigger.types()),
        Recurs::After(_) | Recurs::Every(_) | Recurs::Cron(_) => None,
    }
}

/// The instance that began with the events so far, once they have been looked at.
async fn begun(engine: &Engine, who: &Principal) -> io::Result<Option<String>> {
    while !engine.events_settled().map_err(|error| failed(&error))? {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let runs = engine.runs(who, RunFilter::default()).await;
    let runs = runs.map_err(|error| failed(&error))?.items;
    Ok(runs.into_iter().map(|run| run.id).next())
}

/// How many others began with the events: what is reported is the first alone.
async fn also_begun(engine: &Engine, who: &Principal, first: &str) -> io::Result<usize> {
    begun(engine, who).await?;
    let filter = RunFilter {
        limit: Some(usize::MAX),
        ..RunFilter::default()
    };
    let runs = engine.runs(who, filter).await;
    let runs = runs.map_err(|error| failed(&error))?.items;
    // What a run runs itself is its own affair.
    let others = runs
        .iter()
        .filter(|run| run.id != first && run.parent.is_none());
    Ok(others.count())
}

/// What became of the instance.
struct Ended {
    /// Runs that began with events after this one.
    others: usize,
    status: String,
    output: Option<Value>,
    error: Option<Value>,
    waiting: Vec<WaitingView>,
    tasks: Vec<Value>,
}

/// Looks on until nothing more will happen by itself within [`WAIT_MAX`].
async fn follow(engine: &Engine, who: &Principal, id: &str) -> io::Result<Ended> {
    let changes = engine.changes();
    loop {
        let before = *changes.borrow();
        let view = engine
            .instance(who, id)
            .await
            .map_err(|error| failed(&error))?;
        let soon = Timestamp::now() + WAIT_MAX;
        let moves = |waiting: &casewright_runtime::view::WaitingView| match waiting.kind.as_str() {
            "work-item" | "event" => false,
            // One that is under way shows the instance running; this one waits for a partner.
            "call" => waiting.until.is_some_and(|until| until <= soon),
            _ => waiting.until.is_none_or(|until| until <= soon),
        };
        let over = matches!(view.status.as_str(), "completed" | "faulted" | "cancelled");
        let still = view.status == "waiting" && !view.waiting.iter().any(moves);
        // An event on its way, given or emitted, may still bring it on.
        let still = still
            && engine.events_settled().map_err(|error| failed(&error))?
            && *changes.borrow() == before;
        if over || still {
            let tasks = engine
                .task_runs(who, id)
                .await
                .map_err(|error| failed(&error))?;
            let tasks = tasks.iter().map(|run| json!(run)).collect();
            return Ok(Ended::of(view, tasks));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl Ended {
    fn of(view: InstanceView, tasks: Vec<Value>) -> Self {
        Self {
            status: view.status,
            output: view.output,
            error: view.error,
            waiting: view.waiting,
            tasks,
            others: 0,
        }
    }

    /// The events that it begins with did not come.
    fn unbegun(types: Vec<String>) -> Self {
        Self {
            status: "waiting".to_owned(),
            output: None,
            error: None,
            waiting: vec![WaitingView {
                kind: "event".to_owned(),
                task: "schedule.on".to_owned(),
                title: None,
                work_item: None,
                instance: None,
                until: None,
                events: types,
            }],
            tasks: Vec::new(),
            others: 0,
        }
    }

    fn report(&self, as_json: bool) -> ExitCode {
        if as_json {
            let mut printed = json!({
                "status": self.status,
                "output": self.output,
                "error": self.error,
                "waiting": self.waiting,
                "tasks": self.tasks,
            });
            if self.others > 0 {
                printed["others"] = self.others.into();
            }
            exit::say(&printed.to_string());
        } else {
            self.tell();
        }
        if self.others > 0 {
            let (runs, they) = match self.others {
                1 => ("one more run".to_owned(), "it"),
                more => (format!("{more} more runs"), "them"),
            };
            exit::note(&format!(
                "this is the first run; {runs} began with these events: give the events of one \
                 run alone to see {they}"
            ));
        }
        match self.status.as_str() {
            "completed" => ExitCode::SUCCESS,
            "waiting" => exit::waiting(),
            _ => exit::unwell(),
        }
    }

    fn tell(&self) {
        for task in &self.tasks {
            let text = |key: &str| task[key].as_str().unwrap_or_default().to_owned();
            exit::note(&format!("{:<10} {}", text("status"), text("reference")));
        }
        let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
        exit::note(&self.status);
        if let Some(output) = &self.output {
            exit::say(&pretty(output));
        }
        if let Some(error) = &self.error {
            exit::say(&pretty(error));
        }
        for waiting in &self.waiting {
            let until = waiting
                .until
                .map(|until| format!(" until {until}"))
                .unwrap_or_default();
            let types = waiting.events.join(" or ");
            let types = if types.is_empty() {
                types
            } else {
                format!(" {types}")
            };
            exit::note(&format!(
                "waiting for {}{types} of task `{}`{until}",
                waiting.kind, waiting.task
            ));
        }
    }
}

fn input(path: Option<&Path>) -> io::Result<Value> {
    let text = match path {
        None => return Ok(json!({})),
        Some(path) if path == Path::new("-") => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text)?;
            text
        }
        Some(path) => folder::text(path)?,
    };
    serde_json::from_str(&text).map_err(|error| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the input is not JSON: {error}"),
        )
    })
}

/// Each file is one event.
fn events(paths: &[PathBuf]) -> io::Result<Vec<Map<String, Value>>> {
    let read = |(index, path): (usize, &PathBuf)| {
        let text = folder::text(path)?;
        let mut event: Map<String, Value> = serde_json::from_str(&text).map_err(|error| {
            let sentence = format!("{}: the event is no JSON object: {error}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, sentence)
        })?;
        for (name, value) in [
            ("specversion", "1.0".to_owned()),
            ("id", format!("event-{}", index + 1)),
            ("source", "urn:casewright:run".to_owned()),
        ] {
            event.entry(name).or_insert_with(|| value.into());
        }
        Ok(event)
    };
    paths.iter().enumerate().map(read).collect()
}

async fn plugins(arguments: &Arguments) -> io::Result<Plugins> {
    let side = operator_side(arguments);
    let everybody = Side {
        hosts: arguments.allow_host.clone(),
        secrets: secrets(&arguments.secret)?,
    };
    let folder = validate::plugin_folder(arguments.plugins.as_deref());
    Plugins::load(Sources {
        folders: folder.into_iter().collect(),
        operator: BTreeMap::from([("*".to_owned(), side)]),
        http: http::Operator {
            everybody,
            // A document outside a pack has nobody to bind hosts for it.
            alone: folder::pack_around(&arguments.file).is_none(),
            ..http::Operator::default()
        },
        cache: user_cache(),
        ..Sources::default()
    })
    .await
}

fn operator_side(arguments: &Arguments) -> OperatorSide {
    OperatorSide {
        hosts: arguments.allow_host.clone(),
        ..OperatorSide::default()
    }
}

fn named_file(given: &str) -> Option<(&str, &Path)> {
    let (name, path) = given.split_once('=')?;
    (!name.is_empty()).then_some((name, Path::new(path)))
}

fn secrets(given: &[String]) -> io::Result<BTreeMap<String, String>> {
    let read = |(name, path): (&str, &Path)| Ok((name.to_owned(), folder::secret(path)?));
    let named = given.iter().filter_map(|given| named_file(given));
    named.map(read).collect()
}

/// The document alone, with the forms, tables and names of the pack around it.
fn deployment(
    arguments: &Arguments,
    text: &str,
    plugins: &Plugins,
) -> io::Result<Option<Deployment>> {
    let mut installed = Surroundings::default();
    let digests = plugins.describe(&mut installed);
    installed.functions_known = !digests.is_empty();
    let file = arguments.file.display().to_string();
    let pack = match folder::pack_around(&arguments.file) {
        Some(root) => Some(folder::read(&root)?),
        None => None,
    };
    match Deployment::of_document(&file, text, pack, &installed, &digests) {
        Ok(deployment) => Ok(Some(deployment)),
        Err(diagnostics) => {
            validate::report_one(&file, text, diagnostics, arguments.json);
            Ok(None)
        }
    }
}

fn failed(error: &Refused) -> io::Error {
    io::Error::other(exit::chain(error))
}
