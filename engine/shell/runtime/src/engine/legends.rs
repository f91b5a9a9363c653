//! How the codes and names of a work item read in words: told from its own version of the workflow
//! and its forms. Nothing is decided by it.

use std::collections::BTreeMap;

use casewright_casework::Principal;
use casewright_language::workflow::Task;
use casewright_language::{Form, Origin};

use super::shared::no_workflow;
use super::work_lists::seen_item;
use super::{Engine, Refused};

/// The words for a work item.
#[derive(Debug, Clone)]
pub struct Legend {
    /// Where what it shows comes from.
    pub show: Origin,
    /// Its own form.
    pub form: Option<Form>,
    /// What people call the tasks of its workflow, by name.
    pub titles: BTreeMap<String, String>,
}

impl Engine {
    /// Part of the page of a work item, which the principal may see.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn legend(&self, who: &Principal, work_item: &str) -> Result<Legend, Refused> {
        let item = seen_item(&self.shared, who, work_item)?;
        let row = self.shared.seen_instance(who, &item.instance)?;
        let deployment = self.shared.deployment(&row.deployment)?;
        let workflow = deployment.workflows.get(&row.workflow);
        let workflow = workflow.ok_or_else(|| no_workflow(&item.instance))?;
        let mut titles = BTreeMap::new();
        name(&workflow.tasks, &mut titles);
        Ok(Legend {
            show: Origin::of_show(workflow, &item.reference, &deployment.forms),
            form: item
                .form
                .and_then(|name| deployment.forms.get(&name).cloned()),
            titles,
        })
    }
}

fn name(tasks: &[Task], titles: &mut BTreeMap<String, String>) {
    for task in tasks {
        titles.insert(task.name.clone(), task.title());
        for list in task.lists() {
            name(list, titles);
        }
    }
}
