//! `casewright report`: how the work of the agency ended, in numbers.

use serde_json::{Value, json};

use super::{Answer, Ask, Client, Failure, at, escaped, table};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// How the work with families ended on these days: goals reached, of those that count.
    Outcomes {
        /// The first day that counts, such as 2026-07-01.
        #[arg(long, value_name = "DAY")]
        from: String,
        /// The last day that counts.
        #[arg(long, value_name = "DAY")]
        to: String,
        /// Print the reasons as comma-separated values.
        #[arg(long)]
        csv: bool,
    },
}

impl Ask for Command {
    fn ask(&self, client: &Client) -> Result<Answer, Failure> {
        let Self::Outcomes { from, to, csv } = self;
        let (from, to) = (escaped(from), escaped(to));
        let path = format!("/api/v1/reports/outcomes?from={from}&to={to}");
        let report = client.get(&path)?;
        let lines = report["reasons"].as_array().cloned().unwrap_or_default();
        let number = |of: &Value, key: &str| of[key].to_string();
        let rows: Vec<_> = lines
            .iter()
            .map(|line| {
                [
                    at(line, "/reason"),
                    at(line, "/counts"),
                    number(line, "closed"),
                    number(line, "consentGiven"),
                ]
            })
            .collect();
        if *csv {
            let rows = rows.iter().map(|row| row.join(","));
            let head = "reason,counts,closed,consent_given".to_owned();
            let text: Vec<_> = std::iter::once(head).chain(rows).collect();
            return Ok(Answer::new(json!(report), text.join("\n")));
        }
        let figure = match report["achievedPermille"].as_u64() {
            Some(permille) => format!("{}.{} %", permille / 10, permille % 10),
            None => "nothing to measure against".to_owned(),
        };
        let text = format!(
            "Goals reached: {figure} ({} of {})\nA part reached, not in the figure: {}\n\
             Ended: {}, with consent {}, of these left out {}\n\n{}",
            number(&report, "achieved"),
            number(&report, "denominator"),
            number(&report, "partly"),
            number(&report, "closed"),
            number(&report, "consentGiven"),
            number(&report, "excluded"),
            table(["REASON", "COUNTS AS", "ENDED", "WITH CONSENT"], &rows)
        );
        Ok(Answer::new(report, text))
    }
}
