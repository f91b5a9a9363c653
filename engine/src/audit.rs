//! `casewright audit verify`: whether anything in a store was changed, swapped or taken away since
//! it was written. Every value is opened, the chain of every case is followed link by link, that of
//! an erased one up to what its skeleton says, and the ledger of every fund is added up.
//! `casewright audit accept`: going on with a store that is not the newest, on purpose.

use std::fmt;
use std::io::{self, Read};
use std::process::ExitCode;

use casewright_casework::audit;
use casewright_runtime::engine::{Skeleton, Unbalanced, skeletons, unbalanced};
use casewright_store::{ReadError, RedbStore, Store, Table, Turn, Why};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::exit;
use crate::operator::{self, Request};
use crate::place::{self, Place};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Open every value, follow the chain of every case and add up the ledger of every fund; a
    /// running server goes on meanwhile.
    Verify(Verify),
    /// Go on with a store that its checkpoint says is not the newest.
    Accept(Accept),
}

#[derive(Debug, clap::Args)]
struct Verify {
    #[command(flatten)]
    place: Place,
    /// Print `{opened, erased, cases, erasedCases, entries, broken: [{case, reason}], funds,
    /// unbalanced: [{agency, fund, reason}], turns: [{at, why, from, to}]}`.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
A store is refused when its checkpoint, which lies beside the key file, says that more was \
committed: somebody put an older file in its place. Look for the newest file first, then for the \
newest backup. What was decided after the file was made is not in it: no payment, no approval, no \
note. The checkpoint keeps a record that it was accepted; `audit verify` shows it.")]
struct Accept {
    #[command(flatten)]
    place: Place,
    /// Print `{accepted, from, to}`.
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Values that open.
    opened: u64,
    /// Values of erased cases, which nobody can open.
    erased: u64,
    cases: u64,
    /// Cases that were erased: their chains stay.
    #[serde(default, rename = "erasedCases")]
    erased_cases: u64,
    /// Of all chains.
    entries: u64,
    broken: Vec<Broken>,
    #[serde(default)]
    funds: u64,
    /// Funds that are not what their ledgers add up to.
    #[serde(default)]
    unbalanced: Vec<Unbalanced>,
    /// When the store went on from elsewhere than where it had come to.
    #[serde(default)]
    turns: Vec<Turn>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Broken {
    case: String,
    reason: String,
}

/// Cases read at a time.
const CASES: usize = 256;

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        Command::Verify(verify) => match found(verify) {
            Ok(report) => tell(&report, verify.json),
            Err(error) => exit::environment(&exit::chain(&error)),
        },
        Command::Accept(accept) => match accepted(accept) {
            Ok(turn) => {
                tell_accepted(turn.as_ref(), accept.json);
                ExitCode::SUCCESS
            }
            Err(error) => exit::environment(&exit::chain(&error)),
        },
    }
}

fn accepted(accept: &Accept) -> io::Result<Option<Turn>> {
    let (data, keys) = accept.place.find()?;
    let database = place::database(&data)?;
    let accepted = RedbStore::accept(&database, &keys);
    accepted.map_err(|error| io::Error::other(exit::chain(&error)))
}

fn tell_accepted(turn: Option<&Turn>, json: bool) {
    if json {
        let (from, to) = (turn.and_then(|turn| turn.from), turn.map(|turn| turn.to));
        let told = json!({"accepted": turn.is_some(), "from": from, "to": to});
        exit::say(&told.to_string());
    } else if let Some(turn) = turn {
        exit::say(&described(turn));
    } else {
        exit::say("the store is what its checkpoint says; there was nothing to accept");
    }
}

/// For the operator.
fn described(turn: &Turn) -> String {
    let at = i64::try_from(turn.at).ok();
    let at = at.and_then(|at| Timestamp::from_second(at).ok());
    let at = at.unwrap_or_default().strftime("%Y-%m-%d %H:%M UTC");
    let what = match turn.why {
        Why::Restored => "a backup was restored",
        Why::Accepted => "a store that was not the newest was accepted",
        Why::Missing => "the checkpoint was gone",
    };
    let from = turn.from.map_or_else(
        || "how far the store had come is not known".to_owned(),
        |from| format!("the store had come to position {from}"),
    );
    format!("{at}: {what}; {from}, and went on from {}", turn.to)
}

fn found(verify: &Verify) -> io::Result<Report> {
    let (data, keys) = verify.place.find()?;
    if let Some(mut stream) = operator::ask(&data, Request::Verify)? {
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        return serde_json::from_str(&text).map_err(io::Error::other);
    }
    look(&place::open(&data, &keys)?)
}

/// An error is a value that does not open: its place cannot be told apart from what it was.
pub(crate) fn look(store: &RedbStore) -> io::Result<Report> {
    let sound = store.verify().map_err(io::Error::other)?;
    let (funds, unbalanced) = unbalanced(store).map_err(io::Error::other)?;
    let mut report = Report {
        opened: sound.opened,
        erased: sound.erased,
        funds,
        unbalanced,
        turns: store.turns(),
        ..Report::default()
    };
    follow(store, &mut report).map_err(io::Error::other)?;
    follow_erased(store, &mut report).map_err(io::Error::other)?;
    Ok(report)
}

/// The chain of every case that was erased, against what its skeleton says of it.
fn follow_erased(store: &RedbStore, report: &mut Report) -> Result<(), ReadError> {
    for skeleton in skeletons(store)? {
        let chain = store.audit(&skeleton.case)?;
        report.erased_cases += 1;
        report.entries += chain.len() as u64;
        let case = skeleton.case.clone();
        report
            .broken
            .extend(fault(&skeleton, &chain).map(|reason| Broken { case, reason }));
    }
    Ok(())
}

fn fault(skeleton: &Skeleton, chain: &[audit::Link]) -> Option<String> {
    if let Err(index) = audit::verify(&skeleton.case, chain) {
        return Some(unlinked(index));
    }
    let (count, wanted) = (chain.len() as u64, skeleton.entries);
    if count != wanted {
        return Some(format!(
            "it was erased with {wanted} entries, and {count} are there"
        ));
    }
    let last = chain.last().map(|link| link.hash.as_str());
    let other = last != Some(skeleton.last.as_str());
    other.then(|| "its last entry is not that of its erasure".to_owned())
}

fn unlinked(index: u64) -> String {
    format!("entry {index} does not follow from the one before it")
}

/// The chain of every case.
fn follow(store: &RedbStore, report: &mut Report) -> Result<(), ReadError> {
    let mut from = Vec::new();
    loop {
        let cases = store.scan(Table::Case, &from, &[0xff; 64], CASES)?;
        let Some((last, _)) = cases.last() else {
            return Ok(());
        };
        from.clone_from(last);
        from.push(0);
        for (key, _) in &cases {
            let case = String::from_utf8_lossy(key).into_owned();
            let chain = store.audit(&case)?;
            report.cases += 1;
            report.entries += chain.len() as u64;
            if let Err(index) = audit::verify(&case, &chain) {
                let reason = unlinked(index);
                report.broken.push(Broken { case, reason });
            }
        }
    }
}

fn tell(report: &Report, json: bool) -> ExitCode {
    if json {
        exit::say(&serde_json::to_string(report).expect("numbers and texts have a JSON form"));
    } else {
        exit::say(&report.to_string());
    }
    if report.broken.is_empty() && report.unbalanced.is_empty() {
        ExitCode::SUCCESS
    } else {
        exit::unwell()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            opened,
            cases,
            erased_cases,
            entries,
            funds,
            ..
        } = self;
        for Broken { case, reason } in &self.broken {
            writeln!(f, "BROKEN  case {case}: {reason}")?;
        }
        for Unbalanced {
            agency,
            fund,
            reason,
        } in &self.unbalanced
        {
            writeln!(f, "BROKEN  fund {fund} of {agency}: {reason}")?;
        }
        for turn in &self.turns {
            writeln!(f, "NOTE    {}", described(turn))?;
        }
        let chains = match self.broken.len() {
            0 => "every chain is whole".to_owned(),
            count => format!("{count} chains are broken"),
        };
        let ledgers = match self.unbalanced.len() {
            0 => "every balance is what its ledger adds up to".to_owned(),
            count => format!("{count} are not what their ledgers add up to"),
        };
        let gone = match erased_cases {
            0 => String::new(),
            count => format!(" and {count} erased ones"),
        };
        write!(
            f,
            "{opened} values open; {entries} entries of {cases} cases{gone}: {chains}; \
             {funds} funds: {ledgers}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(count: u64) -> Vec<audit::Link> {
        let mut previous = audit::genesis("c1");
        let links = (0..count).map(|index| {
            let entry = audit::Entry {
                at: Timestamp::UNIX_EPOCH,
                who: "u-a".to_owned(),
                action: audit::Action::CaseRead,
                instance: None,
                subject: None,
                detail: None,
            };
            let link = audit::link(&previous, index, &entry);
            previous.clone_from(&link.hash);
            link
        });
        links.collect()
    }

    #[test]
    fn the_record_of_an_erased_case_ends_as_its_skeleton_says() {
        let whole = chain(4);
        let skeleton = |entries, last: &str| Skeleton {
            case: "c1".to_owned(),
            entries,
            last: last.to_owned(),
        };
        let told = skeleton(4, &whole[3].hash);
        assert_eq!(fault(&told, &whole), None);
        assert!(fault(&told, &whole[..3]).is_some(), "its end was cut off");
        assert!(fault(&told, &[]).is_some(), "it is gone");
        assert!(fault(&skeleton(4, &whole[2].hash), &whole).is_some());
        let mut edited = whole.clone();
        edited[1].entry.who = "u-b".to_owned();
        assert!(fault(&told, &edited).is_some());
    }
}
