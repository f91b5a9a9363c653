//! The page as plain data: what `templates/docs.html` is filled with.
//!
//! Everything of an author in it is text; the template escapes it.

use std::collections::BTreeMap;

use askama::Template;
use casewright_host::manifest::Manifest;
use casewright_language::Workflow;
use casewright_language::expression::money_text;
use casewright_language::pack::{Counts, PackCalendar};
use casewright_language::pack_test::Test;
use casewright_language::words::humanize;
use casewright_runtime::Deployment;

use super::chapter::{self, Chapter, Known};
use super::kept;
use super::outside::{self, Outside};
use super::plain::Facts;
use super::recurs;
use super::roles::{self, Role};
use super::tables::{self, Table};
use super::wording::Said;

/// What a page is made of; all of it was checked.
pub(super) struct Sources<'a> {
    pub(super) deployment: &'a Deployment,
    pub(super) tests: &'a [Test],
    /// Of the built plugins.
    pub(super) manifests: Vec<&'a Manifest>,
}

#[derive(Template)]
#[template(path = "docs.html")]
pub(super) struct Page {
    title: String,
    name: String,
    /// SHA-256 over its files.
    fingerprint: String,
    time_zone: String,
    case_number: String,
    calendars: Vec<String>,
    teams: Vec<String>,
    funds: Vec<Fund>,
    limits: Vec<Limit>,
    petty_cash: Option<String>,
    /// How long files are kept; empty where nothing is ever erased.
    kept: Vec<kept::Class>,
    erasing: Facts,
    tables: Vec<Table>,
    closing_reasons: Vec<Closing>,
    /// Titles; empty where everybody may start workflows.
    starters: Vec<String>,
    /// Whether a role administers; otherwise whoever starts workflows does.
    administered: bool,
    roles: Vec<Role>,
    chapters: Vec<Chapter>,
    schedules: Vec<Scheduled>,
    outside: Outside,
    tests_count: usize,
    /// Tests that start no workflow themselves.
    other_tests: Vec<String>,
    engine: &'static str,
}

struct Fund {
    title: String,
    allocated: String,
    days: String,
}

/// Why work with a family ends, and what the figures make of it.
struct Closing {
    title: String,
    name: String,
    counts: &'static str,
}

struct Limit {
    title: String,
    rows: Vec<Said>,
}

struct Scheduled {
    workflow: Said,
    when: Said,
    missed: &'static str,
}

impl Page {
    pub(super) fn of(sources: &Sources<'_>) -> Self {
        let Sources {
            deployment, tests, ..
        } = sources;
        let pack = &deployment.pack;
        let mut workflows: Vec<&Workflow> = deployment.workflows.values().collect();
        workflows.sort_by_key(|workflow| chapter::title(workflow).to_lowercase());
        let anchors = workflows
            .iter()
            .enumerate()
            .map(|(index, workflow)| (workflow.document.name.clone(), format!("w{}", index + 1)));
        let known = Known {
            deployment,
            anchors: anchors.collect(),
        };
        let tried = tried(tests);
        let tried_of = |workflow: &Workflow| {
            let found = tried.get(workflow.document.name.as_str());
            found.cloned().unwrap_or_default()
        };
        let chapters: Vec<Chapter> = workflows
            .iter()
            .map(|workflow| Chapter::of(&known, workflow, tried_of(workflow)))
            .collect();
        let other_tests = tests
            .iter()
            .filter(|test| chapter::started(test).is_empty());
        Self {
            title: pack.title.clone(),
            name: pack.namespace.clone(),
            fingerprint: deployment.digest.clone(),
            time_zone: pack.time_zone.clone(),
            case_number: pack.case_number.clone(),
            calendars: calendars(deployment),
            teams: pack.teams.values().cloned().collect(),
            funds: funds(deployment),
            limits: pack
                .policies
                .keys()
                .map(|name| Limit {
                    title: humanize(name),
                    rows: known.limits(name),
                })
                .collect(),
            petty_cash: pack
                .petty_cash
                .as_ref()
                .map(|(minor, currency)| money_text(*minor, currency)),
            kept: kept::told(&known),
            erasing: kept::people(&known),
            tables: tables::told(deployment),
            closing_reasons: closing_reasons(deployment),
            starters: chapter::starters(deployment),
            administered: pack.roles.values().any(|role| role.administers),
            roles: roles::told(&known, &chapters),
            schedules: schedules(&known, &workflows),
            outside: outside::told(&known, &chapters, &sources.manifests),
            tests_count: tests.len(),
            other_tests: other_tests.map(|test| test.name.clone()).collect(),
            chapters,
            engine: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// Workflow to the names of the tests that start it.
fn tried(tests: &[Test]) -> BTreeMap<&str, Vec<String>> {
    let mut tried: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for test in tests {
        for workflow in chapter::started(test) {
            // A test may name the namespace too.
            let name = workflow.rsplit('/').next().unwrap_or(workflow);
            tried.entry(name).or_default().push(test.name.clone());
        }
    }
    tried
}

fn calendars(deployment: &Deployment) -> Vec<String> {
    let pack = &deployment.pack;
    let mark = |(name, calendar): (&String, &PackCalendar)| {
        let mut words = name.clone();
        if pack.calendar.as_ref() == Some(name) {
            words.push_str(" (counts unless a case says otherwise)");
        }
        if let Some(hours) = super::plain::calendar(calendar) {
            words = format!("{words}: {hours}");
        }
        words
    };
    pack.calendars.iter().map(mark).collect()
}

fn funds(deployment: &Deployment) -> Vec<Fund> {
    let funds = deployment.pack.funds.values();
    funds
        .map(|fund| Fund {
            title: fund.title.clone(),
            allocated: money_text(fund.allocated_minor, &fund.currency),
            days: super::plain::days(fund),
        })
        .collect()
}

fn closing_reasons(deployment: &Deployment) -> Vec<Closing> {
    let reasons = deployment.pack.closing_reasons.iter();
    reasons
        .map(|(name, reason)| Closing {
            title: reason.title.clone(),
            name: name.clone(),
            counts: match reason.counts {
                Counts::Achieved => "as reached",
                Counts::Partly => "as partly reached",
                Counts::Not => "as not reached",
                Counts::Excluded => "neither for nor against; it is left out",
            },
        })
        .collect()
}

fn schedules(known: &Known<'_>, workflows: &[&Workflow]) -> Vec<Scheduled> {
    let scheduled = workflows.iter().filter_map(|workflow| {
        let schedule = workflow.schedule.as_ref()?;
        Some(Scheduled {
            workflow: known.workflow(&workflow.document.name),
            when: recurs::words(schedule),
            missed: recurs::missed(schedule),
        })
    });
    scheduled.collect()
}
