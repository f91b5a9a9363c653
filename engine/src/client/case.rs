//! `casewright case`: cases of the agency, and what happened in one. Keeping and erasing files is
//! in `case/retention.rs`.

mod retention;

use serde_json::json;

use super::{Answer, Ask, Client, Failure, at, escaped, table};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// All cases, newest first.
    List,
    /// One case and where its workflows stand.
    Show { id: String },
    /// What the people of a case have agreed to.
    Consents { id: String },
    /// What was sent to others about the people of a case, and on what.
    Disclosures { id: String },
    /// Which colleagues stand in a case themselves and may not open it.
    Walls { id: String },
    /// Declare that you, or a colleague, stand in a case: it is closed to them from then on.
    Declare {
        id: String,
        /// Id or sign-in name of the colleague; needs a role that keeps the walls.
        #[arg(long)]
        person: Option<String>,
        /// How they stand in it; everybody who works on the case can read it.
        #[arg(long)]
        reason: String,
    },
    /// Let a colleague who stands in a case read it again up to a day.
    Lift {
        id: String,
        /// Id or sign-in name of the colleague.
        person: String,
        /// The last day, at most 90 days from today: 2026-11-30.
        #[arg(long)]
        until: String,
        /// Why there is nobody else; everybody who works on the case can read it.
        #[arg(long)]
        reason: String,
    },
    /// Have a case count its days by a calendar of the pack; what is open stays.
    Calendar {
        id: String,
        /// Name of the calendar; without one its workflows say it again.
        name: Option<String>,
    },
    /// How the plan of a case stands, and whether the family agrees to it.
    Plan {
        id: String,
        /// Every version, oldest first.
        #[arg(long)]
        versions: bool,
    },
    /// Messages that went out of a case: to whom and how, without content.
    Messages { id: String },
    /// Open a closed case again: its next episode.
    Reopen {
        id: String,
        /// Why; it stands in the record of the case.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// What happened in a case, oldest first.
    Timeline { id: String },
    #[command(flatten)]
    File(retention::Command),
}

impl Ask for Command {
    fn ask(&self, client: &Client) -> Result<Answer, Failure> {
        match self {
            Self::File(command) => command.ask(client),
            Self::List => {
                let cases = client.all("/api/v1/cases", &[])?;
                let rows: Vec<_> = cases
                    .iter()
                    .map(|case| [at(case, "/number"), at(case, "/opened"), at(case, "/id")])
                    .collect();
                let text = table(["NUMBER", "OPENED", "ID"], &rows);
                Ok(Answer::new(json!({ "items": cases }), text))
            }
            Self::Show { id } => {
                let case = client.get(&format!("/api/v1/cases/{}", escaped(id)))?;
                let instances = case["instances"].as_array().cloned().unwrap_or_default();
                let rows: Vec<_> = instances
                    .iter()
                    .map(|one| {
                        let waits = one["waiting"].as_array().into_iter().flatten();
                        let waits: Vec<_> = waits.map(|one| at(one, "/task")).collect();
                        let (workflow, status) = (at(one, "/workflow"), at(one, "/status"));
                        [workflow, status, waits.join(", "), at(one, "/id")]
                    })
                    .collect();
                let number = at(&case, "/number");
                let rows = table(["WORKFLOW", "STATUS", "WAITS FOR", "INSTANCE"], &rows);
                let text = format!("Case {number}, opened {}\n\n{rows}", at(&case, "/opened"));
                Ok(Answer::new(case, text))
            }
            Self::Consents { id } => {
                let path = format!("/api/v1/cases/{}/consents", escaped(id));
                let all = client.all(&path, &[])?;
                let rows: Vec<_> = all
                    .iter()
                    .map(|one| {
                        let (person, standing) = (at(one, "/person"), at(one, "/standing"));
                        let (purposes, to) = (words(one, "purposes"), words(one, "recipients"));
                        [
                            person,
                            standing,
                            purposes,
                            to,
                            at(one, "/expiresOn"),
                            at(one, "/id"),
                        ]
                    })
                    .collect();
                let heads = ["PERSON", "TODAY", "FOR", "TO", "UNTIL", "CONSENT"];
                let text = table(heads, &rows);
                Ok(Answer::new(json!({ "items": all }), text))
            }
            Self::Disclosures { id } => {
                let path = format!("/api/v1/cases/{}/disclosures", escaped(id));
                let all = client.all(&path, &[])?;
                let rows: Vec<_> = all
                    .iter()
                    .map(|one| {
                        let basis = at(one, "/basis/name");
                        let on = match basis.as_str() {
                            "" => words(one, "consents"),
                            _ => basis,
                        };
                        let (when, purpose) = (at(one, "/at"), at(one, "/purpose"));
                        let (to, function) = (at(one, "/to"), at(one, "/function"));
                        [when, to, purpose, words(one, "discloses"), function, on]
                    })
                    .collect();
                let text = table(["WHEN", "TO", "FOR", "WHAT", "BY", "ON"], &rows);
                Ok(Answer::new(json!({ "items": all }), text))
            }
            Self::Walls { id } => {
                let path = format!("/api/v1/cases/{}/walls", escaped(id));
                let all = client.all(&path, &[])?;
                let rows: Vec<_> = all.iter().map(wall).collect();
                let text = table(["WHO", "TODAY", "REASON"], &rows);
                Ok(Answer::new(json!({ "items": all }), text))
            }
            Self::Declare { id, person, reason } => {
                let path = format!("/api/v1/cases/{}/walls", escaped(id));
                let body = json!({ "person": person, "reason": reason });
                let declared = client.post(&path, &body)?;
                let name = at(&declared, "/person/displayName");
                let text = format!("The case is closed to {name}.");
                Ok(Answer::new(declared, text))
            }
            Self::Lift {
                id,
                person,
                until,
                reason,
            } => {
                let (id, person) = (escaped(id), escaped(person));
                let path = format!("/api/v1/cases/{id}/walls/{person}/lift");
                let body = json!({ "until": until, "reason": reason });
                let lifted = client.post(&path, &body)?;
                let name = at(&lifted, "/person/displayName");
                let until = at(&lifted, "/lifted/until");
                let text = format!("{name} may read the case until {until}.");
                Ok(Answer::new(lifted, text))
            }
            Self::Calendar { id, name } => {
                let path = format!("/api/v1/cases/{}/calendar", escaped(id));
                let set = client.post(&path, &json!({ "calendar": name }))?;
                let text = match name {
                    Some(name) => format!("{id} counts its days by {name}"),
                    None => format!("{id} counts its days as its workflows say"),
                };
                Ok(Answer::new(set, text))
            }
            Self::Plan { id, versions: true } => {
                let path = format!("/api/v1/cases/{}/plan/versions", escaped(id));
                let all = client.all(&path, &[])?;
                let rows: Vec<_> = all
                    .iter()
                    .map(|one| {
                        let said = one["said"].as_array().map_or(0, Vec::len).to_string();
                        [
                            at(one, "/version"),
                            at(one, "/at"),
                            said,
                            at(one, "/digest"),
                        ]
                    })
                    .collect();
                let text = table(["VERSION", "WRITTEN", "ANSWERS", "DIGEST"], &rows);
                Ok(Answer::new(json!({ "items": all }), text))
            }
            Self::Plan {
                id,
                versions: false,
            } => {
                let plan = client.get(&format!("/api/v1/cases/{}/plan", escaped(id)))?;
                let mut text = format!(
                    "Version {}: {}",
                    at(&plan, "/version"),
                    at(&plan, "/status")
                );
                if plan["active"].is_object() {
                    let version = at(&plan, "/active/version");
                    text = format!("{text}\nIn force: version {version}");
                }
                for missing in plan["missing"].as_array().into_iter().flatten() {
                    let person = at(missing, "/person");
                    text = format!("{text}\nMissing: {} {person}", at(missing, "/sentence"));
                }
                Ok(Answer::new(plan, text))
            }
            Self::Messages { id } => {
                let path = format!("/api/v1/cases/{}/messages", escaped(id));
                let all = client.all(&path, &[])?;
                let rows: Vec<_> = all
                    .iter()
                    .map(|one| {
                        let (channel, template) = (at(one, "/channel"), at(one, "/template"));
                        let attempt = one["attempt"].to_string();
                        [
                            at(one, "/at"),
                            words(one, "recipients"),
                            channel,
                            template,
                            attempt,
                        ]
                    })
                    .collect();
                let text = table(["WHEN", "TO", "HOW", "WHAT", "ATTEMPT"], &rows);
                Ok(Answer::new(json!({ "items": all }), text))
            }
            Self::Reopen { id, reason } => {
                let path = format!("/api/v1/cases/{}/reopen", escaped(id));
                let case = client.post(&path, &json!({ "reason": reason }))?;
                let episodes = case["episodes"].as_array().map_or(0, Vec::len);
                let text = format!("Case {} is open: episode {episodes}", at(&case, "/number"));
                Ok(Answer::new(case, text))
            }
            Self::Timeline { id } => {
                let path = format!("/api/v1/cases/{}/timeline", escaped(id));
                let entries = client.all(&path, &[])?;
                let rows: Vec<_> = entries
                    .iter()
                    .map(|entry| {
                        let who = at(entry, "/who/displayName");
                        let (at_, action) = (at(entry, "/at"), at(entry, "/action"));
                        [at_, who, action, at(entry, "/title")]
                    })
                    .collect();
                let text = table(["WHEN", "WHO", "WHAT", "ABOUT"], &rows);
                Ok(Answer::new(json!({ "items": entries }), text))
            }
        }
    }
}

fn wall(one: &serde_json::Value) -> [String; 3] {
    let until = at(one, "/lifted/until");
    let today = match until.as_str() {
        "" => "closed".to_owned(),
        _ => format!("may read until {until}"),
    };
    [at(one, "/person/displayName"), today, at(one, "/reason")]
}

/// A list of words in one cell.
fn words(one: &serde_json::Value, key: &str) -> String {
    let all = one[key].as_array().into_iter().flatten();
    let all: Vec<_> = all.filter_map(serde_json::Value::as_str).collect();
    all.join(", ")
}
