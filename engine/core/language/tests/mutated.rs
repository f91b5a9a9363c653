//! No text whatever makes reading or drawing panic: documents with lines and signs lost, doubled,
//! moved and replaced. None takes long, and none takes much memory.
//!
//! `CASEWRIGHT_DOCUMENTS` says how many; see `tests/campaign documents`.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read their data from files, and a clock; the crate itself may not"
)]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use casewright_language::diagnostic::draw;
use casewright_language::{Surroundings, read};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// One change to a text.
#[derive(Debug, Clone)]
enum Change {
    DropLine(Index),
    DoubleLine(Index),
    SwapLines(Index, Index),
    Indent(Index, usize),
    DropSign(Index),
    Insert(Index, &'static str),
    Cut(Index),
}

/// What authors and attackers put where it does not belong.
const PIECES: [&str; 24] = [
    "${",
    "}",
    "{",
    "[",
    "]",
    ": ",
    "- ",
    "'",
    "\"",
    "\t",
    "\n",
    "&a ",
    "*a",
    "!t ",
    "|",
    "\\(",
    "#",
    "é",
    "\u{feff}",
    "\0",
    "---",
    "$steps.a-b",
    "9999999999999999999",
    "\r\n",
];

/// The longest that reading and drawing one document may take.
const TIME_MAX: Duration = Duration::from_secs(1);

/// The most memory that the whole test may have taken.
const MEMORY_KIB_MAX: u64 = 256 * 1024;

fn count() -> u32 {
    let given = std::env::var("CASEWRIGHT_DOCUMENTS");
    given.map_or(1_500, |count| {
        count.parse().expect("CASEWRIGHT_DOCUMENTS is a number")
    })
}

/// Peak of this process, where the system tells it.
fn memory_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().trim_end_matches(" kB").parse().ok()
}

fn seeds() -> Vec<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pack = here.join("../../../workflows/intensive-family-support");
    let mut seeds: Vec<_> = [here.join("tests/messages"), pack]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("the folder is part of the repository"))
        .map(|entry| entry.expect("the folder is readable").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "yaml"))
        .collect();
    seeds.sort();
    seeds
        .iter()
        .map(|path| fs::read_to_string(path).expect("the documents are text"))
        .collect()
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        any::<Index>().prop_map(Change::DropLine),
        any::<Index>().prop_map(Change::DoubleLine),
        any::<(Index, Index)>().prop_map(|(one, other)| Change::SwapLines(one, other)),
        (any::<Index>(), 0..12_usize).prop_map(|(at, by)| Change::Indent(at, by)),
        any::<Index>().prop_map(Change::DropSign),
        (any::<Index>(), select(&PIECES[..])).prop_map(|(at, piece)| Change::Insert(at, piece)),
        any::<Index>().prop_map(Change::Cut),
    ]
}

fn apply(text: &str, change: &Change) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut signs: Vec<char> = text.chars().collect();
    if lines.is_empty() || signs.is_empty() {
        return "a".to_owned();
    }
    match change {
        Change::DropLine(at) => drop(lines.remove(at.index(lines.len()))),
        Change::DoubleLine(at) => {
            let at = at.index(lines.len());
            lines.insert(at, lines[at]);
        }
        Change::SwapLines(one, other) => {
            let (one, other) = (one.index(lines.len()), other.index(lines.len()));
            lines.swap(one, other);
        }
        Change::Indent(at, by) => {
            let at = at.index(lines.len());
            let line = format!("{}{}", " ".repeat(*by), lines[at].trim_start_matches(' '));
            lines[at] = &line;
            return lines.concat();
        }
        Change::DropSign(at) => {
            signs.remove(at.index(signs.len()));
            return signs.into_iter().collect();
        }
        Change::Insert(at, piece) => {
            let at = at.index(signs.len());
            let (before, after) = signs.split_at(at);
            let text = |signs: &[char]| signs.iter().collect::<String>();
            return format!("{}{piece}{}", text(before), text(after));
        }
        Change::Cut(at) => {
            signs.truncate(at.index(signs.len()));
            return signs.into_iter().collect();
        }
    }
    lines.concat()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: count(),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_mutated_document_never_panics(
        seed in select(seeds()),
        changes in vec(change(), 1..6),
        known in any::<bool>(),
    ) {
        let text = changes.iter().fold(seed, |text, change| apply(&text, change));
        let surroundings = Surroundings { functions_known: known, ..Surroundings::default() };
        let began = Instant::now();
        let reading = read("mutated.yaml", &text, &surroundings);
        let refused = reading.diagnostics.iter().any(|found| {
            found.severity == casewright_language::Severity::Error
        });
        prop_assert_eq!(reading.workflow.is_none(), refused);
        for found in &reading.diagnostics {
            prop_assert!(found.line >= 1 && found.column >= 1);
            let (start, end) = ((found.line, found.column), (found.end_line, found.end_column));
            prop_assert!(start <= end, "{found:?}");
        }
        draw(&reading.diagnostics, &text, false);
        let took = began.elapsed();
        prop_assert!(took < TIME_MAX, "{took:?}:\n{text}");
        let taken = memory_kib().unwrap_or(0);
        prop_assert!(taken < MEMORY_KIB_MAX, "{taken} KiB");
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,200}") {
        let reading = read("any.yaml", &text, &Surroundings::default());
        draw(&reading.diagnostics, &text, true);
    }
}
