//! `/cases/{id}/plan`: how the plan of a case stands, and what the family said to each version.

use axum::Json;
use axum::extract::State;
use casewright_casework::plan::{self, Agrees, Missing, Word};
use casewright_runtime::Engine;
use casewright_runtime::engine::{PlanVersion, PlanView};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::dto::Page;
use crate::api::query::Id;
use crate::problem::Problem;
use crate::visitor::Visitor;

/// How the plan of a case stands today.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CasePlan {
    case: String,
    /// The latest version, from 1.
    version: u32,
    /// Of the latest version's content; who agrees agrees to exactly this.
    digest: String,
    /// `needs-agreement`, `agreed` or `active`.
    #[schema(example = "needs-agreement")]
    status: &'static str,
    /// Whether everybody who is in the case today has had their say to the latest version.
    agreed: bool,
    /// What is missing until the family has agreed.
    missing: Vec<MissingShape>,
    active: Option<ActiveShape>,
    latest: VersionShape,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MissingShape {
    /// Id of the person whom it is about.
    person: Option<String>,
    sentence: &'static str,
}

/// The version that people work by.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ActiveShape {
    version: u32,
    digest: String,
    #[schema(format = DateTime)]
    at: String,
    /// Whether it is the latest, and the family still agrees to it.
    agreed: bool,
}

/// A version of a plan. It never changes; what is said to it is added.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VersionShape {
    version: u32,
    digest: String,
    #[schema(format = DateTime)]
    at: String,
    /// The run that wrote it.
    instance: String,
    plan: Value,
    said: Vec<SaidShape>,
}

/// What one person said, as staff wrote it down.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SaidShape {
    /// Id of a person of the case.
    person: String,
    #[schema(format = DateTime)]
    at: String,
    /// Who of the staff wrote it down.
    by: String,
    /// `yes`, `no` or `in-part`, of whoever was asked.
    agrees: Option<&'static str>,
    goals: Vec<GoalShape>,
    words: Option<String>,
    copy_given: Option<bool>,
    /// Of a child.
    view: Option<String>,
    /// Why they were not asked.
    reason: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GoalShape {
    /// Number of the goal in this version, from 1.
    goal: usize,
    agrees: &'static str,
    words: Option<String>,
}

/// How the plan of a case stands: which version is in force, and whether the family agrees. That
/// you looked is recorded.
#[utoipa::path(
    get, operation_id = "getCasePlan",
    path = "/cases/{id}/plan", tag = "cases", params(("id" = String, Path)),
    responses(
        (status = 200, body = CasePlan),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
) -> Result<Json<CasePlan>, Problem> {
    let view = engine.plan(&visitor.principal, &case).await?;
    Ok(Json(CasePlan::of(case, view)))
}

/// Every version of the plan of a case, oldest first. That you looked is recorded.
#[utoipa::path(
    get, operation_id = "listCasePlanVersions",
    path = "/cases/{id}/plan/versions", tag = "cases", params(("id" = String, Path)),
    responses(
        (status = 200, body = Page<VersionShape>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn versions(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
) -> Result<Json<Page<VersionShape>>, Problem> {
    let all = engine.plan_versions(&visitor.principal, &case).await?;
    Ok(Json(Page::whole(all)))
}

impl CasePlan {
    fn of(case: String, view: PlanView) -> Self {
        let (version, agreed) = (view.latest.version, view.agreed());
        Self {
            case,
            version,
            digest: view.latest.digest.clone(),
            status: view.status.as_str(),
            agreed,
            missing: view.missing.iter().map(MissingShape::of).collect(),
            active: view.active.map(|active| ActiveShape {
                agreed: agreed && active.version == version,
                version: active.version,
                digest: active.digest,
                at: active.at.to_string(),
            }),
            latest: view.latest.into(),
        }
    }
}

impl MissingShape {
    fn of(missing: &Missing) -> Self {
        Self {
            person: missing.person().map(str::to_owned),
            sentence: missing.sentence(),
        }
    }
}

impl From<PlanVersion> for VersionShape {
    fn from(one: PlanVersion) -> Self {
        Self {
            version: one.version,
            digest: one.digest,
            at: one.at.to_string(),
            instance: one.instance,
            plan: one.plan,
            said: one.said.into_iter().map(SaidShape::of).collect(),
        }
    }
}

impl SaidShape {
    fn of(said: plan::Said) -> Self {
        let mut shape = Self {
            person: said.person,
            at: said.at.to_string(),
            by: said.by,
            agrees: None,
            goals: Vec::new(),
            words: None,
            copy_given: None,
            view: None,
            reason: None,
        };
        match said.word {
            Word::Answer {
                agrees,
                goals,
                words,
                copy_given,
            } => {
                let goal = |one: plan::GoalSaid| GoalShape {
                    goal: one.goal,
                    agrees: Agrees::as_str(one.agrees),
                    words: one.words,
                };
                shape.agrees = Some(agrees.as_str());
                shape.goals = goals.into_iter().map(goal).collect();
                shape.words = words;
                shape.copy_given = Some(copy_given);
            }
            Word::View { view } => shape.view = Some(view),
            Word::NotAsked { reason } => shape.reason = Some(reason),
        }
        shape
    }
}
