//! `schedule.on`: the events that a workflow begins with.
//!
//! They are gathered as a `listen` gathers them, only that no instance is there yet. So a trigger
//! is a workflow of one `listen`, and what it comes to is the input of the instance that begins.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::workflow::{EventFilter, Kind, Listen, Strategy};
use crate::{Template, Workflow};

/// Events that a workflow begins with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Trigger {
    /// Its one task is the `listen`; its digest is that of `schedule` alone, so that another
    /// version of the document goes on with what was gathered.
    pub gathers: Box<Workflow>,
}

impl Trigger {
    /// What is listened to.
    pub fn listen(&self) -> Option<&Listen> {
        match &self.gathers.tasks.first()?.kind {
            Kind::Listen(listen) => Some(listen),
            Kind::Do(_)
            | Kind::For(_)
            | Kind::Fork(_)
            | Kind::Set(_)
            | Kind::Switch(_)
            | Kind::Call(_)
            | Kind::Function(_)
            | Kind::Http(_)
            | Kind::OpenApi(_)
            | Kind::Human(_)
            | Kind::Raise(_)
            | Kind::Run(_)
            | Kind::Try(_)
            | Kind::Wait(_)
            | Kind::Emit(_) => None,
        }
    }

    /// Types of events that are written out, each once; none when others will do as well.
    pub fn types(&self) -> Vec<String> {
        let strategy = self.listen().map(|listen| &listen.to);
        let filters = strategy.map(Strategy::filters).unwrap_or_default();
        let written = |filter: &EventFilter| {
            let kind = filter.with.iter().find(|(name, _)| name == "type");
            match kind?.1 {
                Template::Literal(Value::String(ref kind)) => Some(kind.clone()),
                _ => None,
            }
        };
        let types: Option<BTreeSet<String>> = filters.into_iter().map(written).collect();
        types.unwrap_or_default().into_iter().collect()
    }
}

impl PartialEq for Trigger {
    fn eq(&self, other: &Self) -> bool {
        self.gathers.digest == other.gathers.digest
    }
}

impl Eq for Trigger {}
