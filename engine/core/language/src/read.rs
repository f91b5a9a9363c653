//! From text to [`Workflow`]: every mistake in one pass.
//!
//! One construct of the language is one file of the same name below. Each reads what it can, notes
//! what it cannot and goes on; whether there is a workflow is decided at the end.

use crate::diagnostic::Findings;
use crate::{Diagnostic, Question, Surroundings, Workflow, yaml};

mod call;
mod copy;
mod data;
mod disclosure;
mod r#do;
mod document;
mod duration;
mod emit;
mod event;
mod extension;
mod flow;
mod r#for;
mod fork;
mod listen;
mod names;
pub mod outline;
mod raise;
mod reusable;
mod run;
mod schedule;
mod scope;
mod set;
mod switch;
mod tasks;
mod r#try;
mod unavailable;
mod value;
mod variable;
mod visible;
mod wait;

use call::function::Functions;
use copy::Copied;
use extension::Extensions;
use names::Names;
use reusable::Reusables;

#[cfg(test)]
mod tests;

pub(crate) use call::BUILT_IN;
pub(crate) use disclosure::RELATIONS;

/// What may stand in a task and at the root, for whoever must keep step.
#[cfg(test)]
pub(crate) use {document::ROOT as ROOT_KEYS, tasks::keys as task_keys};

/// Most tasks of one document, those inside others included: what is checked by comparing tasks
/// with each other stays quick.
const TASKS_MAX: usize = 2000;

/// What reading a document gave.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Present when no diagnostic is an error.
    pub workflow: Option<Workflow>,
    /// In the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// Expressions beyond the simple subset, to be compiled by the evaluator so that `validate` can
    /// report their syntax; each with the place it stands at.
    pub questions: Vec<Doubt>,
}

/// A question about syntax alone, and the diagnostic to report when the answer is that it fails.
#[derive(Debug, Clone)]
pub struct Doubt {
    /// The program, with null for input and for every variable.
    pub question: Question,
    /// To report when the evaluator cannot compile it; its words belong behind the message.
    pub finding: Diagnostic,
}

/// Reads one document. `file` is only used to name the place.
pub fn read(file: &str, text: &str, surroundings: &Surroundings) -> Reading {
    let mut findings = Findings::new(file);
    let Some(root) = yaml::parse(text, &mut findings) else {
        return Reading {
            workflow: None,
            diagnostics: findings.into_list(),
            questions: Vec::new(),
        };
    };
    let names = Names::scan(&root);
    if names.count > TASKS_MAX {
        let message = format!("{} tasks, at most {TASKS_MAX} are read", names.count);
        findings
            .error("CW0002", root.place, message)
            .help("split the document into several workflows");
        return Reading {
            workflow: None,
            diagnostics: findings.into_list(),
            questions: Vec::new(),
        };
    }
    let mut reader = Reader {
        names,
        reusables: Reusables::default(),
        functions: Functions::default(),
        extensions: Extensions::default(),
        copied: Copied::default(),
        questions: Vec::new(),
        findings,
        surroundings,
        namespace: outline::namespace(&root),
    };
    let workflow = document::read(&mut reader, text, &root);
    Reading {
        workflow: workflow.filter(|_| !reader.findings.has_errors()),
        diagnostics: reader.findings.into_list(),
        questions: reader.questions,
    }
}

/// What reading one document needs and gathers.
struct Reader<'a> {
    findings: Findings,
    surroundings: &'a Surroundings,
    questions: Vec<Doubt>,
    names: Names,
    /// Of the document itself; empty when it has none.
    namespace: String,
    reusables: Reusables,
    functions: Functions<'a>,
    extensions: Extensions,
    copied: Copied,
}

/// Absent is well, broken is not: `None` only for what was written and could not be read.
#[expect(clippy::option_option, reason = "absent and broken are different")]
fn flat<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        Some(Some(value)) => Some(Some(value)),
        Some(None) => None,
        None => Some(None),
    }
}
