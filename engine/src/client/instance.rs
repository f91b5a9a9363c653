//! `casewright instance`: start a workflow, see where runs stand and why, cancel one, have a
//! failed one go on.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Answer, Ask, Client, Failure, at, escaped, input, table};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Start a workflow, in a new case or in one that is there.
    Start {
        workflow: String,
        /// Id of the case.
        #[arg(long)]
        case: Option<String>,
        /// The calendar of the pack that a new case counts its days by.
        #[arg(long, conflicts_with = "case")]
        calendar: Option<String>,
        /// Input as JSON; `-` for standard input.
        #[arg(long, value_name = "FILE")]
        input: Option<PathBuf>,
    },
    /// Runs of the agency, latest first; for administrators.
    List {
        /// `running`, `waiting`, `faulted`, `completed` or `cancelled`.
        #[arg(long)]
        status: Option<String>,
        /// Name of a workflow.
        #[arg(long)]
        workflow: Option<String>,
    },
    /// Have a run go on from the step that failed; for administrators.
    Retry {
        id: String,
        /// What was done about the cause; it stays in the record.
        #[arg(long)]
        reason: String,
        /// You have made sure that what is in doubt did not happen.
        #[arg(long)]
        certain: bool,
    },
    /// Where a run stands, what it waits for, and why it failed if it did.
    Show { id: String },
    /// Everything that happened to a run, oldest first.
    History { id: String },
    /// End a run; what it has open is taken back.
    Cancel {
        id: String,
        /// Everybody who works on the case can read it.
        #[arg(long)]
        reason: Option<String>,
    },
}

impl Ask for Command {
    fn ask(&self, client: &Client) -> Result<Answer, Failure> {
        match self {
            Self::Start {
                workflow,
                case,
                calendar,
                input: path,
            } => {
                let mut body = json!({ "workflow": workflow });
                if let Some(case) = case {
                    body["case"] = json!(case);
                }
                if let Some(calendar) = calendar {
                    body["calendar"] = json!(calendar);
                }
                if let Some(path) = path {
                    body["input"] = input(path)?;
                }
                let started = client.post("/api/v1/instances", &body)?;
                let text = format!(
                    "started {} in case {}",
                    at(&started, "/id"),
                    at(&started, "/case")
                );
                Ok(Answer::new(started, text))
            }
            Self::List { status, workflow } => {
                let given = [("status", status), ("workflow", workflow)];
                let query: Vec<_> = given
                    .iter()
                    .filter_map(|(name, value)| Some((*name, value.as_deref()?)))
                    .collect();
                let runs = client.all("/api/v1/instances", &query)?;
                let text = listed(&runs);
                Ok(Answer::new(json!({ "items": runs }), text))
            }
            Self::Retry {
                id,
                reason,
                certain,
            } => {
                let body = json!({ "reason": reason, "certain": certain });
                let path = format!("/api/v1/instances/{}/retry", escaped(id));
                let found = client.post(&path, &body)?;
                let text = format!("tried again: {}", shown(&found));
                Ok(Answer::new(found, text))
            }
            Self::Show { id } => {
                let found = client.get(&format!("/api/v1/instances/{}", escaped(id)))?;
                let text = shown(&found);
                Ok(Answer::new(found, text))
            }
            Self::History { id } => {
                let path = format!("/api/v1/instances/{}/history", escaped(id));
                let entries = client.all(&path, &[])?;
                let rows: Vec<_> = entries
                    .iter()
                    .map(|one| [at(one, "/sequence"), at(one, "/at"), at(one, "/event")])
                    .collect();
                let text = table(["NUMBER", "WHEN", "WHAT"], &rows);
                Ok(Answer::new(json!({ "items": entries }), text))
            }
            Self::Cancel { id, reason } => {
                let body = json!({ "reason": reason });
                let path = format!("/api/v1/instances/{}/cancel", escaped(id));
                let found = client.post(&path, &body)?;
                let text = shown(&found);
                Ok(Answer::new(found, text))
            }
        }
    }
}

fn listed(runs: &[Value]) -> String {
    let head = [
        "RUN", "CASE", "WORKFLOW", "STATUS", "STARTED", "STEP", "CAUSE",
    ];
    let row = |run: &Value| {
        let of = |place: &str| at(run, place);
        [
            of("/id"),
            of("/caseNumber"),
            of("/workflow"),
            of("/status"),
            of("/started"),
            of("/failure/task"),
            of("/failure/code"),
        ]
    };
    let rows: Vec<_> = runs.iter().map(row).collect();
    table(head, &rows)
}

fn shown(instance: &Value) -> String {
    let (workflow, status) = (at(instance, "/workflow"), at(instance, "/status"));
    let mut text = format!("{workflow} is {status}\n");
    for one in instance["waiting"].as_array().into_iter().flatten() {
        let _ = write!(text, "  waits for `{}`", at(one, "/task"));
        let until = at(one, "/until");
        if !until.is_empty() {
            let _ = write!(text, " until {until}");
        }
        text.push('\n');
    }
    if instance["error"].is_object() {
        let of = |key: &str| at(&instance["error"], key);
        let (title, detail, place) = (of("/title"), of("/detail"), of("/instance"));
        let _ = writeln!(text, "  failed at {place}: {title} {detail}");
        if instance["retryable"] == true {
            let id = at(instance, "/id");
            let _ = writeln!(
                text,
                "  once the cause is mended: casewright instance retry {id} --reason '...'"
            );
        }
    }
    text
}
