//! `casewright migrate WORKFLOW`: runs under way into another version of their workflow, or first
//! what that would do to each.
//!
//! The server decides for each run by itself; one that cannot be moved keeps no other.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Answer, Ask, Client, Failure, Server, at, escaped};

#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub(crate) struct Arguments {
    /// Name of the workflow.
    workflow: String,
    /// The version that is in force; another one is refused.
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// Only say what it would do.
    #[arg(long, conflicts_with = "reason")]
    preview: bool,
    /// Back to the version that each was moved away from last.
    #[arg(long, conflicts_with = "to")]
    undo: bool,
    /// Only this run; may be given more than once. All that are under way otherwise.
    #[arg(long, value_name = "ID")]
    instance: Vec<String>,
    /// Why; it stays in the history of each run.
    #[arg(long, required_unless_present = "preview")]
    reason: Option<String>,
    #[command(flatten)]
    server: Server,
}

const HELP: &str = "\
Runs keep the version they began with until somebody moves them. For those who put packs in force:

  casewright deploy pack
  casewright migrate brokerage --preview
  casewright migrate brokerage --to 1.1.0 --reason 'the new law counts for all'

A run that waits for people, events or time goes on at the task of the same name. Open tasks stay as
they were offered; keys, decisions and who may not decide stay. What keeps a run where it is is
told, and nothing of it is moved: its task is gone or renamed, an open task's form, outcomes or
rules changed, a loop, fork or retry around it changed, a step would be done twice, an approval
would be lost. --undo goes back under the same conditions.

Exit codes: 0 all were moved, or can be; 1 some cannot; 2 wrong usage; 3 the environment.";

/// Nothing is left to do: it runs this version.
const THERE: &str = "same-version";

/// Words for runs that wait and for those that do not.
const UNDER_WAY: [&str; 2] = ["waiting", "running"];

pub(crate) fn run(arguments: &Arguments) -> std::process::ExitCode {
    super::answer(&arguments.server, arguments)
}

impl Ask for Arguments {
    fn ask(&self, client: &Client) -> Result<Answer, Failure> {
        let mut all = Vec::new();
        for id in self.runs(client)? {
            let answer = if self.preview {
                client.get(&self.preview_path(&id))
            } else {
                client.post(&path(&id, "migrate"), &self.body())
            };
            match answer {
                Ok(one) => all.push(one),
                // The others go on: each is a decision of its own.
                Err(Failure::Refused(problem)) if about_one(&problem) => {
                    let told = json!({
                        "id": id,
                        "possible": problem["code"] == THERE,
                        "moved": false,
                        "code": problem["code"],
                        "obstacles": [ { "message": problem["detail"] } ],
                    });
                    all.push(told);
                }
                Err(failure) => return Err(failure),
            }
        }
        let well = all.iter().all(|one| one["possible"] == true);
        let text = told(&all, self.preview);
        let answer = Answer::new(json!({ "items": all }), text);
        Ok(if well { answer } else { answer.unwell() })
    }
}

impl Arguments {
    fn runs(&self, client: &Client) -> Result<Vec<String>, Failure> {
        if !self.instance.is_empty() {
            return Ok(self.instance.clone());
        }
        let mut ids = Vec::new();
        for status in UNDER_WAY {
            let query = [("status", status), ("workflow", self.workflow.as_str())];
            let runs = client.all("/api/v1/instances", &query)?;
            ids.extend(runs.iter().map(|run| at(run, "/id")));
        }
        Ok(ids)
    }

    fn preview_path(&self, id: &str) -> String {
        let path = path(id, "migration-preview");
        match (&self.to, self.undo) {
            (Some(to), _) => format!("{path}?to={}", escaped(to)),
            (None, true) => format!("{path}?undo=true"),
            (None, false) => path,
        }
    }

    fn body(&self) -> Value {
        let mut body = json!({ "reason": self.reason, "undo": self.undo });
        if let Some(to) = &self.to {
            body["to"] = json!(to);
        }
        body
    }
}

fn path(id: &str, what: &str) -> String {
    format!("/api/v1/instances/{}/{what}", escaped(id))
}

/// Whether other runs may be asked about all the same.
fn about_one(problem: &Value) -> bool {
    let codes = ["not-migratable", THERE, "not-migrated", "not-found"];
    codes.iter().any(|code| problem["code"] == *code)
}

fn told(all: &[Value], preview: bool) -> String {
    if all.is_empty() {
        return "no run of this workflow is under way".to_owned();
    }
    let mut text = String::new();
    for one in all {
        let (from, to) = (at(one, "/from"), at(one, "/to"));
        let word = match (one["possible"] == true, preview) {
            _ if one["code"] == THERE => "is there already".to_owned(),
            (true, true) => format!("can be moved, {from} to {to}"),
            (true, false) => format!("moved, {from} to {to}"),
            (false, _) => "stays".to_owned(),
        };
        let _ = writeln!(text, "{}: {word}", at(one, "/id"));
        for stand in one["stands"].as_array().into_iter().flatten() {
            let place = stand["after"].as_str().unwrap_or("not there");
            let (task, before) = (at(stand, "/task"), at(stand, "/before"));
            let _ = writeln!(text, "  stands at `{task}`: {before} -> {place}");
        }
        for (sign, key) in [('!', "obstacles"), ('-', "notes")] {
            for found in one[key].as_array().into_iter().flatten() {
                let _ = writeln!(text, "  {sign} {}", at(found, "/message"));
            }
        }
    }
    let moved = |one: &&Value| one["possible"] == true && one["code"] != THERE;
    let moved = all.iter().filter(moved).count();
    let word = if preview { "can be moved" } else { "moved" };
    let _ = write!(text, "{moved} of {} {word}", all.len());
    text
}
