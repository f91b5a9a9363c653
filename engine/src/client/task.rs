//! `casewright task`: the tasks of people: find them, take them, finish them.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Answer, Ask, Client, Failure, at, escaped, input, table};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Open tasks, the soonest due first.
    List {
        /// Only those that should have been done by this time.
        #[arg(long)]
        overdue: bool,
        /// Only those that the asking person has taken.
        #[arg(long)]
        mine: bool,
        #[arg(long)]
        role: Option<String>,
        #[arg(long)]
        team: Option<String>,
        /// Id of a case.
        #[arg(long)]
        case: Option<String>,
    },
    /// One task: what is asked, what it shows, who may decide.
    Show { id: String },
    /// Take a task.
    Claim { id: String },
    /// Give a task back.
    Release { id: String },
    /// Let a task that the asking person has taken wait.
    Hold {
        id: String,
        /// Others read it.
        #[arg(long)]
        reason: String,
        /// A day or a moment on which it comes back by itself.
        #[arg(long)]
        until: Option<String>,
    },
    /// Go on with a task that was put on hold.
    Resume { id: String },
    /// Hand a task that the asking person has taken to a colleague for a while.
    Delegate {
        id: String,
        /// Id or sign-in name of the colleague, who acts for the asking person.
        #[arg(long)]
        to: String,
        /// A day or a moment on which it comes back by itself.
        #[arg(long)]
        until: String,
        /// Others read it.
        #[arg(long)]
        reason: String,
    },
    /// Give a task that nobody has to a colleague who might take it; for roles that arrange.
    Assign {
        id: String,
        /// Id or sign-in name.
        #[arg(long)]
        to: String,
        /// Others read it.
        #[arg(long)]
        reason: String,
    },
    /// Give a task to others, whoever has it; for roles that arrange.
    Reassign {
        id: String,
        #[command(flatten)]
        to: Recipient,
        /// Others read it.
        #[arg(long)]
        reason: String,
    },
    /// End a task without an answer, where its workflow allows it.
    Skip {
        id: String,
        /// Others read it.
        #[arg(long)]
        reason: String,
    },
    /// Finish a task that the asking person has taken.
    Complete {
        id: String,
        /// One of its outcomes; not needed where there is only one.
        #[arg(long)]
        outcome: Option<String>,
        /// What the form asks, as JSON; `-` for standard input.
        #[arg(long, value_name = "FILE")]
        data: Option<PathBuf>,
        /// The reason, which an approval that is not given needs; everybody who works on the case
        /// can read it.
        #[arg(long)]
        comment: Option<String>,
    },
}

/// To whom a task goes: exactly one.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Recipient {
    /// Id or sign-in name.
    #[arg(long)]
    person: Option<String>,
    #[arg(long)]
    role: Option<String>,
    #[arg(long)]
    team: Option<String>,
}

impl Recipient {
    fn body(&self) -> Value {
        let named = [
            ("person", &self.person),
            ("role", &self.role),
            ("team", &self.team),
        ];
        let mut named = named
            .into_iter()
            .filter_map(|(kind, name)| Some((kind, name.as_ref()?)));
        named
            .next()
            .map_or(Value::Null, |(kind, name)| json!({ kind: name }))
    }
}

impl Ask for Command {
    fn ask(&self, client: &Client) -> Result<Answer, Failure> {
        match self {
            Self::List {
                overdue,
                mine,
                role,
                team,
                case,
            } => {
                let words = [("role", role), ("team", team), ("case", case)];
                let words = words.into_iter();
                let mut query: Vec<(&str, &str)> = words
                    .filter_map(|(key, value)| Some((key, value.as_deref()?)))
                    .collect();
                query.extend(overdue.then_some(("overdue", "true")));
                query.extend(mine.then_some(("claimed_by", "me")));
                query.push(("limit", "200"));
                let items = client.all("/api/v1/work-items", &query)?;
                let text = table(
                    ["DUE", "TITLE", "FOR", "WITH", "CASE", "ID"],
                    &items.iter().map(row).collect::<Vec<_>>(),
                );
                Ok(Answer::new(json!({ "items": items }), text))
            }
            Self::Show { id } => {
                let item = client.get(&place(id, ""))?;
                let text = shown(&item);
                Ok(Answer::new(item, text))
            }
            Self::Claim { id } => {
                let item = client.post(&place(id, "/claim"), &json!({}))?;
                Ok(Answer::new(item, format!("{id} is yours")))
            }
            Self::Release { id } => {
                let item = client.post(&place(id, "/release"), &json!({}))?;
                Ok(Answer::new(item, format!("{id} is free again")))
            }
            Self::Hold { id, reason, until } => {
                let body = json!({ "reason": reason, "until": until });
                let item = client.post(&place(id, "/hold"), &body)?;
                let until = at(&item, "/hold/until");
                let text = match until.as_str() {
                    "" => format!("{id} is on hold"),
                    until => format!("{id} is on hold until {until}"),
                };
                Ok(Answer::new(item, text))
            }
            Self::Resume { id } => {
                let item = client.post(&place(id, "/resume"), &json!({}))?;
                Ok(Answer::new(item, format!("{id} is off hold")))
            }
            Self::Delegate {
                id,
                to,
                until,
                reason,
            } => {
                let body = json!({ "to": to, "until": until, "reason": reason });
                let item = client.post(&place(id, "/delegate"), &body)?;
                let with = at(&item, "/claimedBy/displayName");
                let until = at(&item, "/actingUntil");
                Ok(Answer::new(item, format!("{with} has {id} until {until}")))
            }
            Self::Assign { id, to, reason } => {
                let body = json!({ "to": to, "reason": reason });
                let item = client.post(&place(id, "/assign"), &body)?;
                let with = at(&item, "/claimedBy/displayName");
                Ok(Answer::new(item, format!("{with} has {id}")))
            }
            Self::Reassign { id, to, reason } => {
                let body = json!({ "to": to.body(), "reason": reason });
                let item = client.post(&place(id, "/reassign"), &body)?;
                let text = format!("{id} is {}, for {}", at(&item, "/state"), whom(&item));
                Ok(Answer::new(item, text))
            }
            Self::Skip { id, reason } => {
                let body = json!({ "reason": reason });
                let item = client.post(&place(id, "/skip"), &body)?;
                Ok(Answer::new(item, format!("{id} is skipped")))
            }
            Self::Complete {
                id,
                outcome,
                data,
                comment,
            } => {
                let outcome = match outcome {
                    Some(outcome) => outcome.clone(),
                    None => only_outcome(&client.get(&place(id, ""))?)?,
                };
                let mut body = json!({ "outcome": outcome, "comment": comment });
                if let Some(path) = data {
                    body["data"] = input(path)?;
                }
                let item = client.post(&place(id, "/complete"), &body)?;
                let text = format!("{id} is {}: {outcome}", at(&item, "/state"));
                Ok(Answer::new(item, text))
            }
        }
    }
}

fn place(id: &str, what: &str) -> String {
    format!("/api/v1/work-items/{}{what}", escaped(id))
}

fn only_outcome(item: &Value) -> Result<String, Failure> {
    let outcomes = item["outcomes"].as_array().into_iter().flatten();
    let outcomes: Vec<_> = outcomes.filter_map(Value::as_str).collect();
    match outcomes[..] {
        [only] => Ok(only.to_owned()),
        _ => Err(Failure::Usage(format!(
            "which outcome? give --outcome with one of: {}",
            outcomes.join(", ")
        ))),
    }
}

fn whom(item: &Value) -> String {
    let assigned = item["assigned"].as_object();
    let name = assigned.and_then(|assigned| assigned.values().next());
    name.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn row(item: &Value) -> [String; 6] {
    let mut due = at(item, "/due");
    if item["overdue"] == json!(true) {
        due.push_str(" overdue");
    }
    let (title, case) = (at(item, "/title"), at(item, "/case"));
    let with = at(item, "/claimedBy/displayName");
    [due, title, whom(item), with, case, at(item, "/id")]
}

fn shown(item: &Value) -> String {
    let (title, state) = (at(item, "/title"), at(item, "/state"));
    let mut text = format!("{title}\n  {state}, for {}", whom(item));
    let with = at(item, "/claimedBy/displayName");
    if !with.is_empty() {
        let _ = write!(text, ", with {with}");
    }
    let stead = at(item, "/actingFor/displayName");
    if !stead.is_empty() {
        let _ = write!(text, " for {stead}");
    }
    let attempt = item["attempt"].as_u64().unwrap_or(1);
    if attempt > 1 {
        let _ = write!(text, ", attempt {attempt}");
    }
    let due = at(item, "/due");
    if !due.is_empty() {
        let _ = write!(text, ", due {due}");
    }
    let (rule, from) = (at(item, "/deadline/rule"), at(item, "/deadline/from"));
    if !rule.is_empty() {
        let calendar = at(item, "/deadline/calendar");
        let _ = write!(text, "\n  {rule} from {from}, calendar {calendar}");
    }
    let outcomes = item["outcomes"].as_array().into_iter().flatten();
    let outcomes: Vec<_> = outcomes.filter_map(Value::as_str).collect();
    let _ = write!(text, "\n  outcomes: {}", outcomes.join(", "));
    if let Value::Object(show) = &item["show"] {
        for (name, value) in show {
            let _ = write!(text, "\n  {name}: {value}");
        }
    }
    text
}
