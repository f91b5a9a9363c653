//! `decide`: a decision table of the pack answers within the decision that asks it. The run's own
//! pack is asked, so that a run that has begun keeps its tables; nothing outside is read.

use casewright_language::decision::{Day, Unfit};
use casewright_machine::{Call, CallError, ErrorKind};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::funds::permanent;
use crate::Deployment;

/// Whether a call asks a table.
pub(crate) fn asks_table(call: &Call) -> bool {
    call.function == "decide"
}

/// What a table said.
pub(crate) struct Decided {
    /// `{result, table, version, rows}`
    pub(crate) answer: Value,
    /// Table and version, for the record: never what it was asked, nor what it said.
    pub(crate) detail: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    table: String,
    input: Value,
    #[serde(default)]
    at: Option<String>,
}

pub(crate) fn decide(
    deployment: &Deployment,
    now: Timestamp,
    call: &Call,
) -> Result<Decided, CallError> {
    // The library's own words would repeat a value.
    let arguments = Arguments::deserialize(&call.input).map_err(|_| {
        let sentence = "decide takes table, input and perhaps at, a day such as 2026-07-01";
        permanent("invalid-arguments", 400, sentence.to_owned())
    })?;
    let name = &arguments.table;
    let table = deployment.tables.get(name).ok_or_else(|| {
        let sentence = "there is no such decision table in the pack that this run began with";
        business("unknown-table", 404, sentence.to_owned())
    })?;
    let day = day(deployment, now, arguments.at.as_deref())?;
    let decision = table
        .decide(&arguments.input, day)
        .map_err(|unfit| unfitting(name, &unfit))?;
    let version = decision.version.to_string();
    Ok(Decided {
        detail: format!("{name} {version}"),
        answer: json!({
            "result": decision.result,
            "table": name,
            "version": version,
            "rows": decision.rows,
        }),
    })
}

/// The day that is meant, where the agency is.
fn day(deployment: &Deployment, now: Timestamp, at: Option<&str>) -> Result<Day, CallError> {
    let moment = match at {
        None => now,
        Some(text) => match (Day::parse(text), text.parse::<Timestamp>()) {
            (Some(day), _) => return Ok(day),
            (None, Ok(moment)) => moment,
            (None, Err(_)) => {
                let sentence = "`at` must be a day such as 2026-07-01, or a moment such as \
                                2026-07-01T09:00:00Z";
                return Err(permanent("invalid-arguments", 400, sentence.to_owned()));
            }
        },
    };
    let zone = deployment.calendar().zone().clone();
    let day = moment.to_zoned(zone).date().to_string();
    Day::parse(&day).ok_or_else(|| {
        let sentence = "`at` must be a day from the year 0 to 9999";
        permanent("invalid-arguments", 400, sentence.to_owned())
    })
}

fn unfitting(table: &str, unfit: &Unfit) -> CallError {
    business(unfit.code(), 422, format!("the table {table}: {unfit}"))
}

/// The workflow may branch on it.
fn business(code: &str, status: i64, message: String) -> CallError {
    CallError {
        kind: ErrorKind::Business,
        ..permanent(code, status, message)
    }
}
