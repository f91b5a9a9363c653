//! Every `.case` file that people and partners can play, played through the runtime and the memory
//! store, with a crash after every event: it must end as the pure machine ends.
//!
//! Left out are cases that say what only the machine can be told: events that do not fit, ends of
//! a yield that the runtime never shows, and money (`fund.*` is answered by the runtime itself).

#![expect(
    clippy::unwrap_used,
    reason = "a test says best where it broke by breaking there"
)]

#[path = "runtime/stage.rs"]
mod stage;

use std::path::{Path, PathBuf};

use casewright_tests::case::{Case, Happening};
use stage::{Stage, timers};

fn cases() -> Vec<(PathBuf, Case)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let folders = std::fs::read_dir(root).unwrap();
    let mut files: Vec<PathBuf> = folders
        .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|is| is == "case"))
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let case = Case::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        (path, case)
    };
    files.into_iter().map(read).collect()
}

/// Why a case cannot be played at this door; `None` when it can.
fn beyond(case: &Case) -> Option<&'static str> {
    let text = &case.text;
    if text.contains("\n< mismatch") {
        return Some("an event that does not fit");
    }
    if text.contains("call: fund.") {
        return Some("money is answered by the runtime");
    }
    if ["POST", "PATCH"]
        .iter()
        .any(|method| text.contains(&format!("\"method\":\"{method}\"")))
    {
        return Some("a request that must not arrive twice is in doubt after a crash");
    }
    if text.contains("\n< yield") {
        return Some("a yield goes on by itself");
    }
    if text.contains("\n< run ") || text.contains(" below=") {
        return Some("other workflows need a pack");
    }
    if text.contains("$case") || text.contains("$runtime") {
        return Some("number and version are the engine's own");
    }
    if text.contains("emit:") && text.contains("listen:") {
        return Some("what it emits comes back by itself");
    }
    if text.contains("form:") || text.contains("limit:") {
        return Some("forms and policies need a pack");
    }
    let first = case.moves.first().map(|first| &first.happening);
    if !matches!(first, Some(Happening::Start { .. })) {
        return Some("it is not started");
    }
    if text.contains("call: notify") || text.contains("disclosure:") {
        return Some("what is sent about people needs a pack and people");
    }
    if text.contains("skippable:") {
        return Some("nobody here skips");
    }
    let stead = |happening: &Happening| {
        matches!(happening, Happening::Complete { by, .. }
            if by.iter().any(|decider| decider.acting_for.is_some()))
    };
    if case.moves.iter().any(|one| stead(&one.happening)) {
        return Some("nobody here is away");
    }
    let overdue =
        |happening: &Happening| matches!(happening, Happening::Complete { overdue: true, .. });
    let overdue = case.moves.iter().any(|one| overdue(&one.happening));
    overdue.then_some("the calendar says what is overdue")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_ends_the_same_over_crashes() {
    let (mut played, mut left_out, mut differences) = (0, Vec::new(), Vec::new());
    for (path, case) in cases() {
        if let Some(reason) = beyond(&case) {
            left_out.push(format!("{}: {reason}", path.display()));
            continue;
        }
        let Some(mut stage) = Stage::open(&case).await else {
            left_out.push(format!("{}: refused at the door", path.display()));
            continue;
        };
        let moments = timers(&case);
        for (index, one) in case.moves.iter().enumerate().skip(1) {
            stage = stage.crash().await;
            stage.meet(one, index, &moments, &path).await;
        }
        stage = stage.crash().await;
        for (expected, found) in stage.differences(&case).await {
            let place = format!("{}: {}", path.display(), case.title);
            differences.push(format!(
                "{place}\n  expected {expected}\n  found    {found}"
            ));
        }
        played += 1;
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(
        played >= 60 && played > left_out.len(),
        "{played} played, left out:\n{}",
        left_out.join("\n")
    );
}
