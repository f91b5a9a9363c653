//! Where the flow goes: targets of `then`, tasks that nothing reaches, loops that never wait.

use super::Reader;
use crate::diagnostic::similar;
use crate::workflow::Then;
use crate::yaml::{Entry, Place};

/// Words of `then` that are no task.
pub(super) const DIRECTIVES: [&str; 3] = ["continue", "exit", "end"];

/// What the flow of one list needs to know of one task.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    pub(super) name: String,
    pub(super) place: Place,
    /// Ways out, each with where it is written.
    pub(super) ways: Vec<(Then, Place)>,
    /// Whether people, time or something outside hold the flow up here.
    pub(super) waits: bool,
}

/// Reads `then`; `names` are the tasks of the same list.
pub(super) fn then(reader: &mut Reader<'_>, entry: &Entry, names: &[&str]) -> Option<Then> {
    let Some(word) = entry.value.as_text() else {
        reader
            .findings
            .error("CW0103", entry.place(), "`then` must be the name of a task")
            .help("write a task of this list, or `continue`, `exit` or `end`");
        return None;
    };
    match word {
        "continue" => Some(Then::Continue),
        "exit" => Some(Then::Exit),
        "end" => Some(Then::End),
        name => {
            let index = names.iter().position(|known| *known == name);
            if index.is_none() {
                unknown(reader, entry.place(), name, names);
            }
            index.map(Then::Task)
        }
    }
}

fn unknown(reader: &mut Reader<'_>, place: Place, name: &str, names: &[&str]) {
    if let Some(known) = reader.names.get(name) {
        let (line, around) = (known.line, known.inside.clone());
        let there = around.map_or_else(
            || "the list of the workflow".to_owned(),
            |around| format!("the list of `{around}`"),
        );
        reader
            .findings
            .error(
                "CW0202",
                place,
                format!("the task `{name}` is in another list"),
            )
            .help(format!(
                "it stands in {there} (line {line}); `then` reaches only tasks of its own list: \
                 `exit` leaves this list, `then` of the task around it goes on from there"
            ));
        return;
    }
    let near = similar(name, names.iter().copied().chain(DIRECTIVES));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "write a task of this list ({}), or `continue`, `exit` or `end`",
            crate::diagnostic::listed(names.iter().copied())
        ),
    };
    reader
        .findings
        .error(
            "CW0201",
            place,
            format!("there is no task `{name}` in this list"),
        )
        .help(help);
}

/// Warns of tasks that nothing reaches and of loops without a pause.
pub(super) fn check(reader: &mut Reader<'_>, outlines: &[Outline]) {
    unreachable(reader, outlines);
    endless(reader, outlines);
}

fn unreachable(reader: &mut Reader<'_>, outlines: &[Outline]) {
    let mut reached = vec![false; outlines.len()];
    let mut open = vec![0];
    while let Some(at) = open.pop() {
        if at < outlines.len() && !reached[at] {
            reached[at] = true;
            open.extend(targets(outlines, at).map(|(to, _)| to));
        }
    }
    for (at, outline) in outlines.iter().enumerate() {
        let first_of_run = !reached[at] && (at == 0 || reached[at - 1]);
        if first_of_run {
            reader
                .findings
                .warning(
                    "CW0205",
                    outline.place,
                    format!("nothing leads to `{}`", outline.name),
                )
                .help("name it in a `then`, or remove it");
        }
    }
}

/// A cycle of tasks of which none waits runs without end and without anybody seeing it.
fn endless(reader: &mut Reader<'_>, outlines: &[Outline]) {
    for at in 0..outlines.len() {
        if outlines[at].waits {
            continue;
        }
        for (to, place) in targets(outlines, at).filter(|(to, _)| *to <= at) {
            if returns(outlines, to, at) {
                let name = &outlines[to].name;
                reader
                    .findings
                    .warning(
                        "CW0206",
                        place,
                        format!("going back to `{name}` may never end"),
                    )
                    .help("put human work, a `wait` or a call between, or leave the loop");
            }
        }
    }
}

/// Whether `to` is reached from `from` without passing a task that waits.
fn returns(outlines: &[Outline], from: usize, to: usize) -> bool {
    let mut seen = vec![false; outlines.len()];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at >= outlines.len() || seen[at] || outlines[at].waits {
            continue;
        }
        if at == to {
            return true;
        }
        seen[at] = true;
        open.extend(targets(outlines, at).map(|(to, _)| to));
    }
    false
}

fn targets(outlines: &[Outline], at: usize) -> impl Iterator<Item = (usize, Place)> + '_ {
    outlines[at]
        .ways
        .iter()
        .filter_map(move |(then, place)| match then {
            Then::Continue => Some((at + 1, *place)),
            Then::Task(index) => Some((*index, *place)),
            Then::Exit | Then::End => None,
        })
}
