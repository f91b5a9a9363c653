//! `casewright fund`: what the agency can still spend, the ledgers that bear it out, and payments
//! taken back.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Answer, Ask, Client, Failure, at, escaped, table};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// All funds of the agency, with what is left in them.
    List,
    /// One fund as it is, or as it was at the end of a day.
    Balance {
        fund: String,
        /// The end of this day in the agency's time zone, such as 2026-09-30.
        #[arg(long = "at", value_name = "DAY")]
        day: Option<String>,
    },
    /// The ledger of a fund, newest first: who moved what, for which case.
    Entries {
        fund: String,
        /// So many of the newest entries.
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        limit: usize,
    },
    /// The whole ledger of a fund as a file for other programs, oldest first, without reasons.
    Export {
        fund: String,
        /// `csv` as RFC 4180 has it, or `jsonl`: a JSON object a line.
        #[arg(long, default_value = "csv", value_parser = ["csv", "jsonl"])]
        format: String,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Take a payment back, whole or in part, by an entry that names it; what was paid stays in
    /// the ledger. Needs a role with `reverses: true`, and nobody corrects what they worked on.
    Reverse {
        fund: String,
        /// The number of the payment, as `entries` shows it.
        entry: u64,
        /// How much, in minor units: 130000 is 1,300.00. All that still stands otherwise.
        #[arg(long)]
        minor: Option<i64>,
        /// Why; name nobody.
        #[arg(long)]
        reason: String,
    },
}

impl Ask for Command {
    fn ask(&self, client: &Client) -> Result<Answer, Failure> {
        match self {
            Self::List => {
                let funds = client.all("/api/v1/funds", &[])?;
                let rows: Vec<_> = funds.iter().map(balance).collect();
                let text = table(BALANCE, &rows);
                Ok(Answer::new(json!({ "items": funds }), text))
            }
            Self::Balance { fund, day } => {
                let query = day.as_deref().map(escaped);
                let query = query.map_or_else(String::new, |day| format!("?at={day}"));
                let fund = client.get(&format!("{}{query}", place(fund, "")))?;
                let text = table(BALANCE, &[balance(&fund)]);
                Ok(Answer::new(fund, text))
            }
            Self::Entries { fund, limit } => {
                let entries = newest(client, fund, *limit)?;
                let rows: Vec<_> = entries.iter().map(entry).collect();
                let heads = ["NUMBER", "WHEN", "WHAT", "AMOUNT", "LEFT", "CASE", "ABOUT"];
                let text = table(heads, &rows);
                Ok(Answer::new(json!({ "items": entries }), text))
            }
            Self::Export { fund, format, out } => {
                let shown = out.display().to_string();
                let mut file = std::fs::File::create(out)
                    .map_err(|error| Failure::Environment(format!("{shown}: {error}")))?;
                let path = place(fund, &format!("/entries?format={format}"));
                let bytes = client.download(&path, &mut file)?;
                let text = format!("{shown}: {bytes} bytes");
                Ok(Answer::new(json!({ "file": shown, "bytes": bytes }), text))
            }
            Self::Reverse {
                fund,
                entry,
                minor,
                reason,
            } => {
                let paid = client.get(&place(fund, &format!("/entries/{entry}")))?;
                let standing = paid["standing"]["minor"].as_i64();
                let body = json!({
                    "minor": minor.or(standing).unwrap_or_default(),
                    "currency": paid["amount"]["currency"],
                    "reason": reason,
                    "revision": paid["revision"],
                });
                let path = place(fund, &format!("/entries/{entry}/reverse"));
                let written = client.post(&path, &body)?;
                let text = format!(
                    "entry {} takes back {} of entry {entry}; {} left",
                    at(&written, "/number"),
                    money(&written["amount"]),
                    money(&written["availableAfter"]),
                );
                Ok(Answer::new(written, text))
            }
        }
    }
}

const BALANCE: [&str; 7] = [
    "FUND",
    "TITLE",
    "ALLOCATED",
    "RESERVED",
    "SPENT",
    "LEFT",
    "DAYS",
];

/// The most that one page has.
const PAGE: usize = 500;

fn place(fund: &str, rest: &str) -> String {
    format!("/api/v1/funds/{}{rest}", escaped(fund))
}

fn newest(client: &Client, fund: &str, limit: usize) -> Result<Vec<Value>, Failure> {
    let mut entries = Vec::new();
    let mut cursor = String::new();
    while entries.len() < limit {
        let count = PAGE.min(limit - entries.len());
        let rest = format!("/entries?limit={count}{cursor}");
        let mut page = client.get(&place(fund, &rest))?;
        if let Value::Array(found) = page["items"].take() {
            entries.extend(found);
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={}", escaped(next)),
            None => break,
        }
    }
    Ok(entries)
}

fn balance(fund: &Value) -> [String; 7] {
    let day = |key| at(fund, key);
    let (from, until, settle) = (day("/from"), day("/until"), day("/settleUntil"));
    let days = match (from.as_str(), until.as_str()) {
        ("", "") => "always".to_owned(),
        ("", until) => format!("until {until}"),
        (from, "") => format!("from {from}"),
        (from, until) => format!("{from} to {until}"),
    };
    let settle = match settle.as_str() {
        "" => settle,
        settle => format!(", paid until {settle}"),
    };
    [
        at(fund, "/name"),
        at(fund, "/title"),
        money(&fund["allocated"]),
        money(&fund["reserved"]),
        money(&fund["committed"]),
        money(&fund["available"]),
        days + &settle,
    ]
}

fn entry(entry: &Value) -> [String; 7] {
    let reverses = at(entry, "/reverses");
    let about = match reverses.as_str() {
        "" => reverses,
        number => format!("takes back {number}: {}", at(entry, "/reason")),
    };
    [
        at(entry, "/number"),
        at(entry, "/at"),
        at(entry, "/kind"),
        money(&entry["amount"]),
        money(&entry["availableAfter"]),
        at(entry, "/caseNumber"),
        about,
    ]
}

/// `1300.00 AUD`, as documents write it.
fn money(money: &Value) -> String {
    let currency = at(money, "/currency");
    let minor = money["minor"].as_i64().unwrap_or_default();
    casewright_language::expression::money_text(minor, &currency)
}
