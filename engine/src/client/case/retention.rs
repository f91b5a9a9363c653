//! `casewright case`, as far as it keeps and erases files: what stands in the way, holds, and the
//! erasure that one asks for and another decides.

use serde_json::{Value, json};

use crate::client::{Answer, Ask, Client, Failure, at, escaped, table};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// How long the file of a case is kept, and what stands in the way of its erasure.
    Retention { id: String },
    /// Hold the file of a case back from erasure.
    HoldFile {
        id: String,
        /// Why; everybody who keeps files can read it.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Lift a hold that another person set.
    LiftHold {
        id: String,
        /// Id of the hold, as `retention` shows it.
        hold: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Write down that the file of a case was handed over.
    HandOverFile {
        id: String,
        /// To whom: a word of `retention.recipients` of the pack.
        to: String,
        /// On which day: 2026-11-30.
        #[arg(long, value_name = "DAY")]
        on: String,
    },
    /// Ask that the file of a case be erased; another person decides.
    Erase {
        id: String,
        /// Why.
        #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
        reason: Option<String>,
        /// Only say what stands in the way: exit code 1 when anything does.
        #[arg(long)]
        dry_run: bool,
    },
    /// Agree to the erasure that another person asked for. There is no way back.
    AgreeErasure {
        id: String,
        /// Id of the request, as `retention` shows it.
        request: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Do not agree: the file stays.
    DeclineErasure {
        id: String,
        /// Id of the request, as `retention` shows it.
        request: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Closed cases whose time is over.
    Due,
    /// What stays of erased cases, latest first.
    Erased,
}

impl Ask for Command {
    fn ask(&self, client: &Client) -> Result<Answer, Failure> {
        let post = |path: String, body: Value| client.post(&path, &body).map(told);
        match self {
            Self::Retention { id } => client.get(&path(id, "")).map(told),
            Self::Erase {
                id, dry_run: true, ..
            } => {
                let found = client.get(&path(id, ""))?;
                let free = obstacles(&found).is_empty();
                let answer = told(found);
                Ok(if free { answer } else { answer.unwell() })
            }
            Self::HoldFile { id, reason } => post(path(id, "/holds"), json!({ "reason": reason })),
            Self::LiftHold { id, hold, reason } => {
                let lift = format!("/holds/{}/lift", escaped(hold));
                post(path(id, &lift), json!({ "reason": reason }))
            }
            Self::HandOverFile { id, to, on } => {
                post(path(id, "/transfers"), json!({ "to": to, "on": on }))
            }
            Self::Erase {
                id,
                reason,
                dry_run: false,
            } => post(path(id, "/erasure"), json!({ "reason": reason })),
            Self::AgreeErasure {
                id,
                request,
                reason,
            } => {
                let body = json!({ "request": request, "reason": reason });
                let erased = client.post(&path(id, "/erasure/agree"), &body)?;
                let text = format!("Case {} is erased.", at(&erased, "/number"));
                Ok(Answer::new(erased, text))
            }
            Self::DeclineErasure {
                id,
                request,
                reason,
            } => {
                let body = json!({ "request": request, "reason": reason });
                post(path(id, "/erasure/decline"), body)
            }
            Self::Due => {
                let all = client.all("/api/v1/retention/due", &[])?;
                let rows: Vec<_> = all.iter().map(due).collect();
                let text = table(["NUMBER", "CLOSED", "KEPT UNTIL", "STANDS", "ID"], &rows);
                Ok(Answer::new(json!({ "items": all }), text))
            }
            Self::Erased => {
                let all = client.all("/api/v1/retention/erased", &[])?;
                let rows: Vec<_> = all.iter().map(erased).collect();
                let heads = [
                    "NUMBER",
                    "ERASED",
                    "ASKED BY",
                    "AGREED BY",
                    "HANDED OVER TO",
                ];
                let text = table(heads, &rows);
                Ok(Answer::new(json!({ "items": all }), text))
            }
        }
    }
}

fn path(case: &str, below: &str) -> String {
    format!("/api/v1/cases/{}/retention{below}", escaped(case))
}

fn each<'a>(one: &'a Value, key: &str) -> &'a [Value] {
    one[key].as_array().map_or(&[], Vec::as_slice)
}

fn obstacles(view: &Value) -> Vec<String> {
    let all = each(view, "inTheWay").iter();
    all.map(|one| at(one, "/sentence")).collect()
}

fn told(view: Value) -> Answer {
    let mut lines = vec![format!("Case {}", at(&view, "/number"))];
    match (at(&view, "/closed").as_str(), at(&view, "/until").as_str()) {
        ("", _) => lines.push("It is open: the file is kept.".to_owned()),
        (closed, "") => lines.push(format!("Closed on {closed}; nobody can say until when.")),
        (closed, until) => lines.push(format!("Closed on {closed}, kept until {until}.")),
    }
    for one in each(&view, "classes") {
        let (name, until) = (at(one, "/name"), at(one, "/until"));
        lines.push(format!("  {name}: {until}, then {}", at(one, "/dispose")));
    }
    for one in each(&view, "holds") {
        let lifted = if one["lifted"].is_null() {
            ""
        } else {
            " (lifted)"
        };
        let (id, reason) = (at(one, "/id"), at(one, "/set/reason"));
        lines.push(format!("Hold {id}{lifted}: {reason}"));
    }
    for one in each(&view, "transfers") {
        lines.push(format!(
            "Handed over to {} on {}",
            at(one, "/to"),
            at(one, "/on")
        ));
    }
    let asked = &view["asked"];
    if asked.is_object() {
        let (id, by) = (at(asked, "/id"), at(asked, "/asked/by/displayName"));
        lines.push(format!("Request {id}: {by} asked for its erasure"));
    }
    let found = obstacles(&view);
    if found.is_empty() {
        lines.push("Nothing stands in the way of its erasure.".to_owned());
    }
    lines.extend(found.into_iter().map(|one| format!("In the way: {one}")));
    Answer::new(view, lines.join("\n"))
}

fn due(one: &Value) -> [String; 5] {
    let found = obstacles(one).join("; ");
    let stands = match (one["asked"].is_object(), found.is_empty()) {
        (true, true) => "asked for".to_owned(),
        (false, true) => "free".to_owned(),
        (_, false) => found,
    };
    let (number, closed) = (at(one, "/number"), at(one, "/closed"));
    [number, closed, at(one, "/until"), stands, at(one, "/case")]
}

fn erased(one: &Value) -> [String; 5] {
    let to: Vec<_> = each(one, "transfers")
        .iter()
        .map(|it| at(it, "/to"))
        .collect();
    [
        at(one, "/number"),
        at(one, "/decidedAt"),
        at(one, "/askedBy/displayName"),
        at(one, "/decidedBy/displayName"),
        to.join(", "),
    ]
}
