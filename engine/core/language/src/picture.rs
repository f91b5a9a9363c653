//! A workflow as a picture: its steps, the arrows between them, and how they are drawn.
//!
//! ```text
//! Workflow ─ flow ─▶ Picture ─ place ─▶ svg       Picture ─▶ mermaid
//! ```
//!
//! The picture tells what may happen; where an instance stands is laid over it by [`Marks`]. It
//! is for people, so names are written as words, and every step is also in [`Picture::steps`] in
//! the order of the document, for those who do not see pictures. Nothing here reads data of a
//! case: titles with expressions in them are not evaluated.

mod both;
mod flow;
mod mermaid;
mod place;
mod svg;

use std::collections::BTreeMap;

use crate::Workflow;
use crate::diff::Diff;

/// A drawing of a workflow, not yet placed.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// What the workflow is called.
    pub title: String,
    /// The start, then the tasks in the order of the document, then the end if anything leads to
    /// it.
    pub steps: Vec<Step>,
    pub arrows: Vec<Arrow>,
    /// Groups of steps: the bodies of `do`, `for`, `fork` and `try`. An outer one stands before its
    /// inner ones.
    pub frames: Vec<Frame>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// JSON pointer of the task; empty for the start and the end.
    pub reference: String,
    /// The name as words.
    pub label: String,
    /// Who does it, or which function.
    pub detail: Option<String>,
    pub shape: Shape,
    /// Index of the innermost frame around it.
    pub frame: Option<usize>,
    /// Whether it has an `if`, and is passed over when that does not hold.
    pub conditional: bool,
}

/// What kind of step it is; each has a form of its own, so that colour is not needed to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    Start,
    End,
    /// A person does something.
    Person,
    /// A person decides.
    Approval,
    /// The flow parts.
    Question,
    /// The engine or a plugin does something.
    System,
    /// Time passes.
    Pause,
    /// The workflow gives up.
    Problem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrow {
    /// Index of a step.
    pub from: usize,
    /// Index of a step.
    pub to: usize,
    pub label: Option<String>,
    /// Whether it is taken only when something went wrong.
    pub problem: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub reference: String,
    pub label: String,
    /// Index of the frame around it.
    pub outer: Option<usize>,
}

/// Where an instance stands, or what a version changed, by JSON pointer of the task.
pub type Marks = BTreeMap<String, Mark>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// It was done.
    Done,
    /// It is under way, or waited for.
    Here,
    /// It ended in a problem that nothing caught.
    Stopped,
    /// The version before did not have it.
    Added,
    /// It is written otherwise than before, or stands elsewhere.
    Changed,
    /// It was there before.
    Removed,
}

impl Mark {
    /// The word that stands in the picture beside the colour.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "Done",
            Self::Here => "Here now",
            Self::Stopped => "Stopped here",
            Self::Added => "New",
            Self::Changed => "Changed",
            Self::Removed => "Taken out",
        }
    }
}

impl Picture {
    pub fn of(workflow: &Workflow) -> Self {
        flow::draw(workflow)
    }

    /// Two versions in one picture, with marks for what is different.
    pub fn of_both(before: &Workflow, after: &Workflow, diff: &Diff) -> (Self, Marks) {
        both::draw(before, after, diff)
    }

    /// The mark of a step; a step within a task that is marked has none of its own.
    pub fn mark(&self, step: usize, marks: &Marks) -> Option<Mark> {
        marks.get(&self.steps.get(step)?.reference).copied()
    }

    /// A complete `<svg>` element. `id` tells several pictures of a page apart; `link` gives the
    /// address behind a step.
    pub fn svg(&self, id: &str, marks: &Marks, link: &dyn Fn(&Step) -> Option<String>) -> String {
        svg::write(self, &place::place(self, marks), id, marks, link)
    }

    /// The text of a Mermaid flowchart, for documents that draw it themselves.
    pub fn mermaid(&self, marks: &Marks) -> String {
        mermaid::write(self, marks)
    }
}

#[cfg(test)]
mod tests;
