//! `casewright absence`: who is away, and who stands in.

use serde_json::json;

use super::{Answer, Ask, Client, Failure, at, escaped, table};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Absences of the agency, the latest written down first.
    List,
    /// Write down that the asking person is away, or a colleague for roles that arrange.
    Record {
        /// Id or sign-in name; the asking person when it is left out.
        #[arg(long)]
        person: Option<String>,
        /// Id or sign-in name of who stands in.
        #[arg(long)]
        substitute: String,
        /// First day, such as 2026-12-01.
        #[arg(long)]
        from: String,
        /// Last day; at most 90 days in all.
        #[arg(long)]
        to: String,
    },
    /// Take an absence back at once.
    End { id: String },
}

impl Ask for Command {
    fn ask(&self, client: &Client) -> Result<Answer, Failure> {
        match self {
            Self::List => {
                let all = client.all("/api/v1/absences", &[])?;
                let rows: Vec<_> = all
                    .iter()
                    .map(|one| {
                        let (from, to) = (at(one, "/from"), at(one, "/to"));
                        let who = at(one, "/person/displayName");
                        let substitute = at(one, "/substitute/displayName");
                        [who, from, to, substitute, at(one, "/ended"), at(one, "/id")]
                    })
                    .collect();
                let heads = ["WHO", "FROM", "TO", "STANDS IN", "TAKEN BACK", "ID"];
                Ok(Answer::new(json!({ "items": all }), table(heads, &rows)))
            }
            Self::Record {
                person,
                substitute,
                from,
                to,
            } => {
                let mut body = json!({ "substitute": substitute, "from": from, "to": to });
                if let Some(person) = person {
                    body["person"] = json!(person);
                }
                let absence = client.post("/api/v1/absences", &body)?;
                let text = format!(
                    "{} stands in for {} from {from} to {to}: {}",
                    at(&absence, "/substitute/displayName"),
                    at(&absence, "/person/displayName"),
                    at(&absence, "/id")
                );
                Ok(Answer::new(absence, text))
            }
            Self::End { id } => {
                let path = format!("/api/v1/absences/{}/end", escaped(id));
                let absence = client.post(&path, &json!({}))?;
                Ok(Answer::new(absence, format!("{id} is taken back")))
            }
        }
    }
}
