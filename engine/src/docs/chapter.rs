//! A workflow of the pack as a chapter: who may start it, its picture, its steps and its forms.

use std::collections::BTreeMap;

use casewright_language::Workflow;
use casewright_language::expression::money_text;
use casewright_language::pack::PolicyRow;
use casewright_language::picture::{Marks, Picture};
use casewright_language::words::humanize;
use casewright_language::workflow::{Kind, Task};
use casewright_runtime::Deployment;

use super::asked::Asked;
use super::outside::Contact;
use super::recurs;
use super::roles::Duty;
use super::step::{Step, Teller, Told};
use super::tables;
use super::wording::{Said, list, span};

/// What every chapter may name.
pub(super) struct Known<'a> {
    pub(super) deployment: &'a Deployment,
    /// Workflow to the anchor of its chapter.
    pub(super) anchors: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub(super) struct Chapter {
    pub(super) anchor: String,
    pub(super) title: String,
    pub(super) summary: Option<String>,
    pub(super) name: String,
    pub(super) version: String,
    /// How it begins.
    pub(super) begins: Vec<Said>,
    /// An SVG element.
    pub(super) picture: String,
    pub(super) steps: Vec<Step>,
    pub(super) forms: Vec<Asked>,
    /// Names of tests that start it.
    pub(super) tried: Vec<String>,
    pub(super) duties: Vec<Duty>,
    pub(super) contacts: Vec<Contact>,
}

impl Known<'_> {
    pub(super) fn role(&self, name: &str) -> Said {
        let title = self
            .deployment
            .pack
            .roles
            .get(name)
            .map(|role| role.title.as_str());
        match self.role_anchor(name) {
            Some(anchor) => Said::link(title.unwrap_or(name), &anchor),
            None => Said::words(humanize(name)),
        }
    }

    pub(super) fn role_anchor(&self, name: &str) -> Option<String> {
        let index = self
            .deployment
            .pack
            .roles
            .keys()
            .position(|known| known == name)?;
        Some(format!("r{}", index + 1))
    }

    pub(super) fn team(&self, name: &str) -> String {
        let title = self.deployment.pack.teams.get(name);
        title.cloned().unwrap_or_else(|| humanize(name))
    }

    pub(super) fn fund(&self, name: &str) -> Option<&str> {
        let fund = self.deployment.pack.funds.get(name)?;
        Some(&fund.title)
    }

    /// A decision table by its title.
    pub(super) fn table(&self, name: &str) -> Option<Said> {
        let mut tables = self.deployment.tables.values().enumerate();
        let (index, table) = tables.find(|(_, table)| table.name == name)?;
        // Whoever compares two packs has no page to point into.
        Some(if self.anchors.is_empty() {
            Said::words(&table.title)
        } else {
            Said::link(&table.title, &tables::anchor(index))
        })
    }

    pub(super) fn function(&self, name: &str) -> Option<&str> {
        let signature = self.deployment.signatures.get(name)?;
        Some(signature.title.as_str()).filter(|title| !title.is_empty())
    }

    /// A workflow of this pack by its title, or by its name.
    pub(super) fn workflow(&self, name: &str) -> Said {
        match (self.deployment.workflows.get(name), self.anchors.get(name)) {
            (Some(workflow), Some(anchor)) => Said::link(title(workflow), anchor),
            _ => Said::words(humanize(name)),
        }
    }

    /// Who alone may approve up to which amount by this policy.
    pub(super) fn limits(&self, policy: &str) -> Vec<Said> {
        let Some(policy) = self.deployment.pack.policies.get(policy) else {
            return Vec::new();
        };
        let rows = policy.rows.iter().map(|row| {
            let role = self.role(&row.role);
            let words = format!("{} up to {}", role.words, most(row));
            Said { words, ..role }
        });
        let together = policy.together.iter().map(|one| {
            let by: Vec<_> = one
                .by
                .iter()
                .map(|aspect| aspect.as_str().to_owned())
                .collect();
            let days = one.days;
            let by = list(&by);
            Said::words(format!(
                "Requests for the same {by} within {days} days count as one"
            ))
        });
        rows.chain(together).collect()
    }
}

/// `$2,000.00 for vehicle, from 2027-07-01`.
pub(super) fn most(row: &PolicyRow) -> String {
    let mut said = money_text(row.up_to_minor, &row.currency);
    let named: Vec<_> = row.category.iter().chain(&row.fund).cloned().collect();
    if !named.is_empty() {
        said = format!("{said} for {}", list(&named));
    }
    if let Some(day) = &row.from {
        said = format!("{said}, from {day}");
    }
    said
}

pub(super) fn title(workflow: &Workflow) -> String {
    let document = &workflow.document;
    let title = document
        .title
        .clone()
        .filter(|title| !title.trim().is_empty());
    title.unwrap_or_else(|| humanize(&document.name))
}

impl Chapter {
    pub(super) fn of(known: &Known<'_>, workflow: &Workflow, tried: Vec<String>) -> Self {
        let document = &workflow.document;
        let anchor = known.anchors[&document.name].clone();
        let forms = forms(known, workflow, &anchor);
        let places = forms
            .iter()
            .map(|(name, form)| (name.clone(), form.anchor.clone()));
        let mut teller = Teller::new(known, &anchor, places.collect(), &workflow.tasks);
        teller.tell(&workflow.tasks);
        let link = |reference: &str| {
            let spot = teller.spots.get(reference)?;
            Some(format!("#{}", spot.anchor))
        };
        let picture =
            Picture::of(workflow).svg(&anchor, &Marks::new(), &|step| link(&step.reference));
        let begins = begins(known, workflow, &teller.forms);
        let Told {
            steps,
            duties,
            contacts,
        } = teller.told;
        Self {
            title: title(workflow),
            summary: document.summary.clone(),
            name: document.name.clone(),
            version: document.version.clone(),
            begins,
            picture,
            steps,
            forms: forms.into_iter().map(|(_, form)| form).collect(),
            tried,
            duties,
            contacts,
            anchor,
        }
    }
}

fn begins(known: &Known<'_>, workflow: &Workflow, forms: &BTreeMap<String, String>) -> Vec<Said> {
    let mut said = Vec::new();
    if let Some(schedule) = &workflow.schedule {
        said.push(recurs::words(schedule));
        said.push(Said::words(recurs::missed(schedule)));
    }
    let starters = starters(known.deployment);
    let who = if starters.is_empty() {
        "Everybody of the staff".to_owned()
    } else {
        format!("Whoever holds the role {}", starters.join(" or "))
    };
    said.push(Said::words(if workflow.offered() {
        format!("{who} may start it.")
    } else {
        "People are not asked to start it: other workflows do.".to_owned()
    }));
    let seen_by = workflow.visible_to();
    if !seen_by.is_empty() {
        let roles: Vec<_> = seen_by.iter().map(|role| known.role(role).words).collect();
        said.push(Said::words(format!(
            "What it does is seen only by whoever holds the role {}.",
            roles.join(" or ")
        )));
    }
    if workflow.in_closed_case() {
        said.push(Said::words("It is also offered in a case that is closed."));
    }
    if let Some(calendar) = workflow.calendar() {
        said.push(Said::words(format!(
            "Its days are counted by the calendar {calendar}."
        )));
    }
    if let Some(form) = known.deployment.start_form(workflow) {
        let words = format!("It begins with the answers to the form “{}”.", form.title);
        said.push(match forms.get(&form.name) {
            Some(anchor) => Said::link(words, anchor),
            None => Said::words(words),
        });
    }
    if let Some(timeout) = &workflow.timeout {
        said.push(span("All of it may take ", timeout));
    }
    said
}

/// Titles of the roles that start workflows; empty where the pack leaves it to everybody.
pub(super) fn starters(deployment: &Deployment) -> Vec<String> {
    let roles = deployment.pack.roles.values().filter(|role| role.starts);
    roles.map(|role| role.title.clone()).collect()
}

/// The forms of a workflow by name, in the order in which they are met.
fn forms(known: &Known<'_>, workflow: &Workflow, anchor: &str) -> Vec<(String, Asked)> {
    let mut names: Vec<&str> = workflow.start_form().into_iter().collect();
    gather(&workflow.tasks, &mut names);
    let mut found: Vec<(String, Asked)> = Vec::new();
    for name in names {
        let before = found.iter().any(|(known, _)| known == name);
        if let (Some(form), false) = (known.deployment.forms.get(name), before) {
            let anchor = format!("{anchor}-f{}", found.len() + 1);
            found.push((name.to_owned(), Asked::of(form, anchor)));
        }
    }
    found
}

fn gather<'a>(tasks: &'a [Task], names: &mut Vec<&'a str>) {
    for task in tasks {
        if let Kind::Human(human) = &task.kind {
            names.extend(human.form.as_deref());
        }
        for list in task.lists() {
            gather(list, names);
        }
    }
}

/// Workflows that a test starts, each once.
pub(super) fn started(test: &casewright_language::pack_test::Test) -> Vec<&str> {
    use casewright_language::pack_test::Deed;

    let mut found: Vec<&str> = Vec::new();
    for step in &test.steps {
        if let Deed::Start(start) = &step.deed
            && !found.contains(&start.workflow.as_str())
        {
            found.push(&start.workflow);
        }
    }
    found
}
