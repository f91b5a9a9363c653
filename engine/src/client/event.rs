//! `casewright event`: something that happened outside, told to whoever waits for it; and what
//! happens to runs, for whoever watches them.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Answer, Ask, Client, Failure, at, escaped, input, table};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Send a CloudEvents 1.0 event. One with the same source and id is the same event: sending it
    /// again does nothing more.
    Send {
        /// The event as JSON, such as `{"specversion": "1.0", "id": "a-1", "source": "urn:partner",
        /// "type": "org.partner.answered", "data": {}}`; `-` for standard input.
        file: PathBuf,
    },
    /// Lifecycle events of all runs of the agency (for administrators), or of one run with those
    /// of its tasks. They hold ids and moments, nothing of a case.
    Lifecycle {
        /// Only of this run.
        #[arg(long, value_name = "ID")]
        run: Option<String>,
        /// Only what came after this; the last line, or `next`, says what to give here later.
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
    },
}

impl Ask for Command {
    fn ask(&self, client: &Client) -> Result<Answer, Failure> {
        match self {
            Self::Send { file } => {
                let event = input(file)?;
                let kind = "application/cloudevents+json";
                let taken = client.post_as(kind, "/api/v1/events", &event)?;
                let text = format!("{} is taken in", at(&taken, "/id"));
                Ok(Answer::new(taken, text))
            }
            Self::Lifecycle { run, after } => {
                let path = match run {
                    Some(id) => format!("/api/v1/instances/{}/lifecycle", escaped(id)),
                    None => "/api/v1/lifecycle".to_owned(),
                };
                let (events, next) = followed(client, &path, after.clone())?;
                let text = listed(&events, &next);
                let whole = json!({ "items": events, "next": next });
                Ok(Answer::new(whole, text))
            }
        }
    }
}

/// Everything there is by now, and from where to ask later.
fn followed(
    client: &Client,
    path: &str,
    after: Option<String>,
) -> Result<(Vec<Value>, String), Failure> {
    let mut events = Vec::new();
    let mut cursor = after;
    loop {
        let query = cursor.as_deref().map(escaped);
        let query = query.map_or_else(String::new, |cursor| format!("?cursor={cursor}"));
        let mut page = client.get(&format!("{path}{query}"))?;
        let next = at(&page, "/next");
        let found = match page["items"].take() {
            Value::Array(found) => found,
            _ => Vec::new(),
        };
        // A page may be empty because all it had is erased: the cursor says whether it went on.
        if cursor.as_deref() == Some(&next) || next.is_empty() {
            return Ok((events, next));
        }
        events.extend(found);
        cursor = Some(next);
    }
}

fn listed(events: &[Value], next: &str) -> String {
    let rows: Vec<_> = events
        .iter()
        .map(|one| {
            let kind = at(one, "/type");
            let kind = kind.trim_start_matches("io.serverlessworkflow.");
            [
                at(one, "/time"),
                at(one, "/subject"),
                kind.trim_end_matches(".v1").to_owned(),
                at(one, "/data/task"),
            ]
        })
        .collect();
    let table = table(["WHEN", "RUN", "WHAT", "STEP"], &rows);
    format!("{}\nlater: --after {next}", table.trim_end())
}
