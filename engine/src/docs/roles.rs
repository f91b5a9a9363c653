//! The roles of an agency, and what each may do in which workflow.
//!
//! What a role may do because it includes another is said by naming that other role, not by
//! repeating its list.

use super::chapter::{Chapter, Known, most};
use super::step::Spot;
use super::wording::{Said, list};

/// Work that a step gives to a role.
#[derive(Debug, Clone)]
pub(super) struct Duty {
    /// Name of the role; `None` where it is a team, a person, or worked out.
    pub(super) who: Option<String>,
    pub(super) deed: Deed,
    pub(super) at: Spot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Does,
    Decides,
    WhenLate,
}

#[derive(Debug, Clone)]
pub(super) struct Role {
    pub(super) anchor: String,
    pub(super) title: String,
    /// What it may do beside tasks.
    pub(super) may: Vec<String>,
    pub(super) lists: Vec<Duties>,
}

/// Duties of one kind.
#[derive(Debug, Clone)]
pub(super) struct Duties {
    pub(super) title: &'static str,
    /// Title of a workflow, and steps in it.
    pub(super) rows: Vec<(Said, Vec<Said>)>,
}

pub(super) fn told(known: &Known<'_>, chapters: &[Chapter]) -> Vec<Role> {
    let pack = &known.deployment.pack;
    let named = pack.roles.iter().enumerate();
    named
        .map(|(index, (name, role))| Role {
            anchor: format!("r{}", index + 1),
            title: role.title.clone(),
            may: may(known, name),
            lists: [
                ("Does", Deed::Does),
                ("Decides", Deed::Decides),
                ("Is asked as well when others are late", Deed::WhenLate),
            ]
            .into_iter()
            .map(|(title, deed)| Duties {
                title,
                rows: rows(chapters, name, deed),
            })
            .filter(|duties| !duties.rows.is_empty())
            .collect(),
        })
        .collect()
}

fn may(known: &Known<'_>, name: &str) -> Vec<String> {
    let pack = &known.deployment.pack;
    let role = &pack.roles[name];
    let mut may = Vec::new();
    if role.starts {
        may.push("May start workflows.".to_owned());
    }
    if role.administers {
        may.push(
            "Looks after the engine: sees what failed, tries it again, and puts workflows in \
             force. This frees nobody from any rule."
                .to_owned(),
        );
    }
    if role.walls {
        may.push(
            "Keeps the walls: says which colleagues stand in a case and may not open it, and lets \
             them read it for a time. Never for themselves."
                .to_owned(),
        );
    }
    if role.reverses {
        may.push(
            "Corrects payments: moves money that was spent by mistake back into its fund. Nobody \
             corrects a payment that they worked on."
                .to_owned(),
        );
    }
    if role.reports {
        may.push(
            "Sees how the work of the agency ends, in numbers: nobody is named in them.".to_owned(),
        );
    }
    if role.arranges {
        may.push(
            "Arranges the work of others: gives it to colleagues, and says who is away and who \
             stands in. This frees nobody from any rule."
                .to_owned(),
        );
    }
    let included: Vec<String> = role
        .includes
        .iter()
        .map(|name| known.role(name).words)
        .collect();
    if !included.is_empty() {
        may.push(format!("May also do what these may: {}.", list(&included)));
    }
    for (policy, read) in &pack.policies {
        for row in read.rows.iter().filter(|row| row.role == name) {
            let most = most(row);
            let policy = casewright_language::words::humanize(policy);
            may.push(format!("Alone may approve up to {most} ({policy})."));
        }
    }
    may
}

fn rows(chapters: &[Chapter], name: &str, deed: Deed) -> Vec<(Said, Vec<Said>)> {
    let mut rows = Vec::new();
    for chapter in chapters {
        let mut steps: Vec<Said> = Vec::new();
        for duty in &chapter.duties {
            let said = Said::link(&duty.at.title, &duty.at.anchor);
            let own = duty.who.as_deref() == Some(name) && duty.deed == deed;
            if own && !steps.contains(&said) {
                steps.push(said);
            }
        }
        if !steps.is_empty() {
            rows.push((Said::link(&chapter.title, &chapter.anchor), steps));
        }
    }
    rows
}
