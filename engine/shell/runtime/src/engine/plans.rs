//! The plan of a case for those who look at it: how it stands today, and every version with what
//! was said to it. What changes it are functions of runs, decided in `draft/plans.rs`.

use std::collections::BTreeMap;

use casewright_casework::plan::{Active, Missing, Said, Status};
use casewright_casework::{Plan, Principal};
use casewright_machine::Call;
use casewright_store::Table;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::shared::{Shared, not_found};
use super::{Engine, Refused};
use crate::key;

/// What a run does with the plan of its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanStep {
    Propose,
    Agree,
    Activate,
}

impl PlanStep {
    /// None where a call is about something else.
    pub(crate) fn of(call: &Call) -> Option<Self> {
        match call.function.as_str() {
            "plan.propose" => Some(Self::Propose),
            "plan.agree" => Some(Self::Agree),
            "plan.activate" => Some(Self::Activate),
            _ => None,
        }
    }
}

/// A version as it lies in the store. What is said to it is added; nothing else changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanVersion {
    pub version: u32,
    pub digest: String,
    pub at: Timestamp,
    /// The run that wrote it.
    pub instance: String,
    pub plan: Value,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<Said>,
}

/// How the plan of a case stands today.
#[derive(Debug, Clone)]
pub struct PlanView {
    /// The latest version.
    pub latest: PlanVersion,
    pub status: Status,
    pub missing: Vec<Missing>,
    pub active: Option<Active>,
    /// Names of the people of the case by id.
    pub names: BTreeMap<String, String>,
}

impl PlanView {
    /// Whether the version in force is the latest, and nothing is missing.
    pub fn agreed(&self) -> bool {
        self.status != Status::NeedsAgreement
    }
}

impl Engine {
    /// How the plan of a case stands; `None` where none was written. Part of the case page, which
    /// is audited.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn plan_of(&self, who: &Principal, case: &str) -> Result<Option<PlanView>, Refused> {
        self.shared.seen_case(who, case)?;
        self.shared.plan_view(case, self.today(who))
    }

    /// The same for others than the case page. Audited like opening the case.
    pub async fn plan(&self, who: &Principal, case: &str) -> Result<PlanView, Refused> {
        self.shared.seen_case(who, case)?;
        self.shared.note_read(who, case).await?;
        let view = self.shared.plan_view(case, self.today(who))?;
        view.ok_or_else(not_found)
    }

    /// Every version, oldest first. Audited like opening the case.
    pub async fn plan_versions(
        &self,
        who: &Principal,
        case: &str,
    ) -> Result<Vec<PlanVersion>, Refused> {
        self.shared.seen_case(who, case)?;
        self.shared.note_read(who, case).await?;
        self.shared.rows_of(Table::Plan, case, WHAT)
    }
}

impl Shared {
    fn plan_view(&self, case: &str, today: Date) -> Result<Option<PlanView>, Refused> {
        let Some(plan) = self.read::<Plan>(Table::Index, &head(case), WHAT)? else {
            return Ok(None);
        };
        let latest = self.read(Table::Plan, &version_key(case, plan.version), WHAT)?;
        let people: Vec<casewright_casework::Person> =
            self.rows_of(Table::Person, case, "a person")?;
        Ok(Some(PlanView {
            status: plan.status(&people, today),
            missing: plan.missing(&people, today),
            latest: latest.ok_or_else(not_found)?,
            active: plan.active,
            names: people
                .into_iter()
                .map(|person| (person.id, person.details.name))
                .collect(),
        }))
    }
}

pub(super) const WHAT: &str = "a plan";

/// Row of how the plan of a case stands.
pub(super) fn head(case: &str) -> Vec<u8> {
    key::join(&["plan", case])
}

pub(super) fn version_key(case: &str, version: u32) -> Vec<u8> {
    key::join(&[case, &format!("{version:08}")])
}
