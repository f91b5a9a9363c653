//! What lies where in a checked document: lists within tasks, tasks by their pointer, and what
//! somewhere in it is of some kind. Nothing is evaluated.

use super::{Document, EventFilter, Kind, Listen, Strategy, Task, Until, Workflow};
use crate::read::BUILT_IN;
use crate::{Expression, Template};

impl Strategy {
    /// Every filter, those of `until` included.
    pub fn filters(&self) -> Vec<&EventFilter> {
        match self {
            Self::One(filter) => vec![filter],
            Self::All(filters) => filters.iter().collect(),
            Self::Any { filters, until } => {
                let stops = match until {
                    Some(Until::Events(strategy)) => strategy.filters(),
                    Some(Until::Condition(_)) | None => Vec::new(),
                };
                filters.iter().chain(stops).collect()
            }
        }
    }

    /// Every expression in it.
    pub fn expressions(&self) -> Vec<&Expression> {
        let mut found = Vec::new();
        for filter in self.filters() {
            let values = filter.with.iter().map(|(_, value)| value);
            let expected = filter
                .correlate
                .iter()
                .filter_map(|one| one.expect.as_ref());
            found.extend(values.chain(expected).flat_map(Template::expressions));
            found.extend(filter.correlate.iter().map(|one| &one.from));
        }
        if let Self::Any {
            until: Some(Until::Condition(condition)),
            ..
        } = self
        {
            found.push(condition);
        }
        found
    }

    /// Whether some event fits whatever it is.
    pub fn takes_all(&self) -> bool {
        match self {
            Self::One(_) | Self::All(_) => false,
            Self::Any { filters, until } => {
                let stops = match until {
                    Some(Until::Events(strategy)) => strategy.takes_all(),
                    Some(Until::Condition(_)) | None => false,
                };
                filters.is_empty() || stops
            }
        }
    }
}

/// The lists of tasks within a task, to be looked at or to be changed.
macro_rules! own_lists {
    ($task:expr, $as_ref:ident $(, $mutable:ident)?) => {
        match &$($mutable)? $task.kind {
            Kind::Do(tasks) => vec![tasks],
            Kind::Function(function) => vec![&$($mutable)? function.tasks],
            Kind::For(r#for) => vec![&$($mutable)? r#for.tasks],
            Kind::Listen(listen) => {
                let each = listen.foreach.$as_ref();
                each.map(|each| &$($mutable)? each.tasks).into_iter().collect()
            }
            Kind::Fork(fork) => vec![&$($mutable)? fork.branches],
            Kind::Try(attempt) => {
                let handler = attempt.catch.tasks.$as_ref();
                std::iter::once(&$($mutable)? attempt.tasks).chain(handler).collect()
            }
            Kind::Set(_)
            | Kind::Switch(_)
            | Kind::Call(_)
            | Kind::Http(_)
            | Kind::OpenApi(_)
            | Kind::Human(_)
            | Kind::Raise(_)
            | Kind::Run(_)
            | Kind::Wait(_)
            | Kind::Emit(_) => Vec::new(),
        }
    };
}

impl Workflow {
    /// Every `listen`, in the order of the text.
    pub fn listens(&self) -> Vec<&Listen> {
        let mut found = Vec::new();
        listens(&self.tasks, &mut found);
        found
    }

    /// Whether some task runs another workflow.
    pub fn runs_others(&self) -> bool {
        runs_others(&self.tasks)
    }

    /// Whether some task asks people for an amount of money.
    pub fn asks_for_money(&self) -> bool {
        asks_for_money(&self.tasks)
    }

    /// Whether some task calls a function of a plugin.
    pub fn calls_plugins(&self) -> bool {
        calls_plugins(&self.tasks)
    }

    /// Whether some task sends a message.
    pub fn sends_messages(&self) -> bool {
        sends_messages(&self.tasks)
    }

    /// `namespace/name:version`, as people and logs name a workflow.
    pub fn identity(&self) -> String {
        let Document {
            namespace,
            name,
            version,
            ..
        } = &self.document;
        format!("{namespace}/{name}:{version}")
    }

    /// The task at this JSON pointer.
    pub fn task(&self, reference: &str) -> Option<&Task> {
        find(&self.tasks, reference)
    }
}

impl Task {
    /// Lists of tasks within this one.
    pub fn lists(&self) -> Vec<&[Task]> {
        let around = self.extensions.iter();
        let around = around.flat_map(|extension| [&extension.before[..], &extension.after]);
        self.own_lists().into_iter().chain(around).collect()
    }

    /// The same without what extensions add.
    pub fn own_lists(&self) -> Vec<&[Task]> {
        let lists = own_lists!(self, as_ref).into_iter();
        lists.map(Vec::as_slice).collect()
    }

    /// The same for whoever is still making the task.
    pub(crate) fn own_lists_mut(&mut self) -> Vec<&mut Vec<Task>> {
        own_lists!(self, as_mut, mut)
    }

    /// The name of the first work for people that it is or has within.
    pub(crate) fn asks_people(&self) -> Option<&str> {
        if matches!(self.kind, Kind::Human(_)) {
            return Some(&self.name);
        }
        let within = self.lists().into_iter().flatten();
        within.into_iter().find_map(Self::asks_people)
    }
}

fn find<'a>(tasks: &'a [Task], reference: &str) -> Option<&'a Task> {
    let around = |task: &&Task| {
        let rest = reference.strip_prefix(task.reference.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let task = tasks.iter().find(around)?;
    if task.reference == reference {
        return Some(task);
    }
    task.lists()
        .into_iter()
        .find_map(|list| find(list, reference))
}

fn runs_others(tasks: &[Task]) -> bool {
    tasks
        .iter()
        .any(|task| matches!(task.kind, Kind::Run(_)) || task.lists().into_iter().any(runs_others))
}

fn asks_for_money(tasks: &[Task]) -> bool {
    tasks.iter().any(|task| {
        let own = matches!(&task.kind, Kind::Human(human) if human.limit.is_some());
        own || task.lists().into_iter().any(asks_for_money)
    })
}

fn calls_plugins(tasks: &[Task]) -> bool {
    tasks.iter().any(|task| {
        let own = matches!(&task.kind, Kind::Call(call) if !BUILT_IN.contains(&&*call.function));
        own || task.lists().into_iter().any(calls_plugins)
    })
}

fn sends_messages(tasks: &[Task]) -> bool {
    tasks.iter().any(|task| {
        let own = matches!(&task.kind, Kind::Call(call) if call.function == "notify");
        own || task.lists().into_iter().any(sends_messages)
    })
}

fn listens<'a>(tasks: &'a [Task], found: &mut Vec<&'a Listen>) {
    for task in tasks {
        if let Kind::Listen(listen) = &task.kind {
            found.push(listen);
        }
        for list in task.lists() {
            listens(list, found);
        }
    }
}
