//! Two versions of a workflow in one picture: the new one, with the steps that are gone standing
//! beside it and the arrows that led to and from them.

use std::collections::BTreeMap;

use super::{Arrow, Mark, Marks, Picture, Shape, Step};
use crate::Workflow;
use crate::diff::{Diff, Names};

/// Before the label of an arrow that is no longer there.
const WAS: &str = "before";

pub(super) fn draw(before: &Workflow, after: &Workflow, diff: &Diff) -> (Picture, Marks) {
    let (old, mut both) = (Picture::of(before), Picture::of(after));
    let known = Known::new(before, after, diff);
    let places: BTreeMap<String, usize> = both
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| (key(step), index))
        .collect();
    let frames: BTreeMap<String, usize> = both
        .frames
        .iter()
        .enumerate()
        .map(|(index, frame)| (frame.reference.clone(), index))
        .collect();
    let mut marks = known.marks();
    // Index in the old picture to that in the one that is drawn.
    let mut meets = BTreeMap::new();
    let mut gone = Vec::new();
    for (index, step) in old.steps.iter().enumerate() {
        let after = known.after(&step.reference);
        let place = if step.reference.is_empty() {
            places.get(&key(step))
        } else {
            after.and_then(|reference| places.get(&format!("task {reference}")))
        };
        match place {
            Some(place) => drop(meets.insert(index, *place)),
            None if step.reference.is_empty() => {}
            None => {
                let around = step.frame.and_then(|frame| old.frames.get(frame));
                let around = around.and_then(|frame| known.after(&frame.reference));
                meets.insert(index, both.steps.len());
                gone.push(index);
                // Its pointer may be another task's in the new version.
                let reference = format!("before {}", step.reference);
                marks.insert(reference.clone(), Mark::Removed);
                both.steps.push(Step {
                    reference,
                    frame: around.and_then(|around| frames.get(around).copied()),
                    ..step.clone()
                });
            }
        }
    }
    for arrow in &old.arrows {
        let (Some(from), Some(to)) = (meets.get(&arrow.from), meets.get(&arrow.to)) else {
            continue;
        };
        if gone.contains(&arrow.from) || gone.contains(&arrow.to) {
            let label = match &arrow.label {
                Some(label) => format!("{WAS}: {label}"),
                None => WAS.to_owned(),
            };
            both.arrows.push(Arrow {
                from: *from,
                to: *to,
                label: Some(label),
                problem: arrow.problem,
            });
        }
    }
    (both, marks)
}

fn key(step: &Step) -> String {
    match step.shape {
        Shape::Start => "start".to_owned(),
        Shape::End => "end".to_owned(),
        Shape::Person
        | Shape::Approval
        | Shape::Question
        | Shape::System
        | Shape::Pause
        | Shape::Problem => format!("task {}", step.reference),
    }
}

/// What is known of tasks of both versions.
struct Known<'a> {
    diff: &'a Diff,
    old: Names,
    new: Names,
}

impl<'a> Known<'a> {
    fn new(before: &Workflow, after: &Workflow, diff: &'a Diff) -> Self {
        Self {
            diff,
            old: Names::of(before),
            new: Names::of(after),
        }
    }

    /// The pointer in the new version of a task of the old one.
    fn after(&self, reference: &str) -> Option<&str> {
        let mut tasks = self.diff.tasks.iter();
        match tasks.find(|one| one.before.as_deref() == Some(reference)) {
            Some(one) => one.after.as_deref(),
            None => self.new.place(self.old.way(reference)?),
        }
    }

    fn marks(&self) -> Marks {
        let tasks = self.diff.tasks.iter();
        let marks = tasks.filter_map(|one| {
            let mark = match &one.before {
                None => Mark::Added,
                Some(_) => Mark::Changed,
            };
            Some((one.after.clone()?, mark))
        });
        marks.collect()
    }
}
