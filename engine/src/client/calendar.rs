//! `casewright calendar`: calendars that changed under open deadlines, and what becomes of these.

use serde_json::{Value, json};

use super::{Answer, Ask, Client, Failure, at, escaped, table};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Calendars that have changed, with the deadlines that wait for a decision; for
    /// administrators.
    Changes,
    /// Have open deadlines follow a calendar that has changed; for administrators.
    Apply(Decision),
    /// Leave open deadlines as they are; for administrators.
    Keep(Decision),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Decision {
    /// Name of the calendar.
    calendar: String,
    /// Why; it stays in the record.
    #[arg(long)]
    reason: String,
    /// Only if it is still this version that is asked about.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
}

impl Ask for Command {
    fn ask(&self, client: &Client) -> Result<Answer, Failure> {
        match self {
            Self::Changes => changes(client),
            Self::Apply(decision) => decide(client, decision, "apply"),
            Self::Keep(decision) => decide(client, decision, "keep"),
        }
    }
}

fn changes(client: &Client) -> Result<Answer, Failure> {
    let mut all = client.all("/api/v1/calendars/changes", &[])?;
    let mut rows = Vec::new();
    for change in &mut all {
        let name = at(change, "/calendar");
        let mut lines = Vec::new();
        if change["state"] != "settled" {
            let path = format!("/api/v1/calendars/changes/{}", escaped(&name));
            lines = client.all(&path, &[("limit", "200")])?;
        }
        let head = [name, at(change, "/state"), at(change, "/version")];
        if lines.is_empty() {
            rows.push(row(&head, &Value::Null));
        }
        rows.extend(lines.iter().map(|line| row(&head, line)));
        change["items"] = Value::from(lines);
    }
    let heads = ["CALENDAR", "STATE", "VERSION", "TASK", "DUE", "NEW DUE"];
    let text = table(heads, &rows);
    Ok(Answer::new(json!({ "items": all }), text))
}

fn row(head: &[String; 3], line: &Value) -> [String; 6] {
    let mut new = at(line, "/newDue");
    if line["atOnce"] == true {
        new.push_str(" at once");
    }
    let item = at(line, "/workItem");
    let [name, state, version] = head.clone();
    [name, state, version, item, at(line, "/due"), new]
}

fn decide(client: &Client, decision: &Decision, word: &str) -> Result<Answer, Failure> {
    let name = &decision.calendar;
    let path = format!("/api/v1/calendars/changes/{}/{word}", escaped(name));
    let body = json!({ "reason": decision.reason, "version": decision.version });
    let change = client.post(&path, &body)?;
    let text = match word {
        "apply" => format!("open deadlines follow {name} from here on"),
        _ => format!("open deadlines of {name} stay"),
    };
    Ok(Answer::new(change, text))
}
