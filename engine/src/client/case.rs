//! `casewright case`: cases of the agency, and what happened in one.

use serde_json::json;

use super::{Answer, Ask, Client, Failure, at, escaped, table};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// All cases, newest first.
    List,
    /// One case and where its workflows stand.
    Show { id: String },
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
