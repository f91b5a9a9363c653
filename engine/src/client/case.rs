//! `casewright case`: cases of the agency, and what happened in one.

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
    /// Messages that went out of a case: to whom and how, without content.
    Messages { id: String },
    /// What happened in a case, oldest first.
    Timeline { id: String },
}

impl Ask for Command {
    fn ask(&self, client: &Client) -> Result<Answer, Failure> {
        match self {
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

/// A list of words in one cell.
fn words(one: &serde_json::Value, key: &str) -> String {
    let all = one[key].as_array().into_iter().flatten();
    let all: Vec<_> = all.filter_map(serde_json::Value::as_str).collect();
    all.join(", ")
}
