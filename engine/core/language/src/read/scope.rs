//! What an expression may name at its place: variables by the moment it is evaluated, and the
//! tasks whose outputs it sees.

use std::collections::BTreeSet;

/// When an expression is evaluated; decides what exists besides `.`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// `input.from` of the document.
    WorkflowInput,
    /// `output.as` of the document.
    WorkflowOutput,
    /// `if` of a task.
    Condition,
    /// `input.from` of a task.
    TaskInput,
    /// What the task itself says: `with`, `set`, `when`, ...
    Definition,
    /// `output.as` of a task.
    TaskOutput,
    /// `export.as` of a task.
    Export,
}

impl Moment {
    /// The variables of the engine that exist.
    pub(super) fn variables(self) -> &'static [&'static str] {
        match self {
            Self::WorkflowInput => &["workflow", "runtime", "case"],
            Self::WorkflowOutput => &["context", "workflow", "runtime", "case", "steps"],
            Self::Condition | Self::TaskInput => {
                &["context", "task", "workflow", "runtime", "case", "steps"]
            }
            Self::Definition | Self::TaskOutput => &[
                "context", "input", "task", "workflow", "runtime", "case", "steps",
            ],
            Self::Export => &[
                "context", "input", "output", "task", "workflow", "runtime", "case", "steps",
            ],
        }
    }

    /// What to use where a variable does not exist.
    pub(super) fn instead(self) -> &'static str {
        match self {
            Self::WorkflowInput => "use `.`, the input as the caller sent it",
            Self::WorkflowOutput => "use `.`, the output of the last task, or `$workflow.input`",
            Self::Condition | Self::TaskInput => "use `.`, which is the raw input here",
            Self::Definition => "use `.`, which is the input of the task",
            Self::TaskOutput | Self::Export => "use `.`, which is the output here",
        }
    }

    /// How findings call the place.
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::WorkflowInput => "`input.from` of the workflow",
            Self::WorkflowOutput => "`output.as` of the workflow",
            Self::Condition => "`if`",
            Self::TaskInput => "`input.from`",
            Self::Definition => "the task itself",
            Self::TaskOutput => "`output.as`",
            Self::Export => "`export.as`",
        }
    }
}

/// Where in the tree of tasks an expression stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// Tasks of the same and of enclosing lists.
    pub(super) steps: BTreeSet<String>,
    /// Variables that enclosing constructs bring: the error of a `catch`, the item of a `for`.
    pub(super) brought: BTreeSet<String>,
}

impl Scope {
    /// The scope inside a list of tasks.
    pub(super) fn inside<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut scope = self.clone();
        scope.steps.extend(names.into_iter().map(str::to_owned));
        scope
    }

    /// The scope inside a construct that brings a variable.
    pub(super) fn with_variable(&self, variable: &str) -> Self {
        let mut scope = self.clone();
        scope.brought.insert(variable.to_owned());
        scope
    }
}
