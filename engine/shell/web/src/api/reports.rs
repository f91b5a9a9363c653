//! `/reports/outcomes`: how the work with families ended, in numbers that name nobody.

use axum::Json;
use axum::extract::State;
use casewright_runtime::Engine;
use casewright_runtime::engine::OutcomesView;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::query::Checked;
use crate::problem::Problem;
use crate::visitor::Visitor;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Days {
    /// The first day that counts.
    #[param(value_type = String, format = Date, example = "2026-07-01")]
    from: Date,
    /// The last day that counts.
    #[param(value_type = String, format = Date, example = "2027-06-30")]
    to: Date,
}

/// Episodes that ended, not cases. The figure is `achieved` of `denominator`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OutcomesReport {
    #[schema(value_type = String, format = Date)]
    from: Date,
    #[schema(value_type = String, format = Date)]
    to: Date,
    /// All that ended.
    closed: u64,
    /// Those in which the family had agreed to be worked with.
    consent_given: u64,
    /// Of those with consent, the ones that count neither for nor against.
    excluded: u64,
    /// Consent given, less excluded.
    denominator: u64,
    /// Of those with consent, the ones in which the goals were reached.
    achieved: u64,
    /// Of those with consent, the ones in which a part was reached; not in the figure.
    partly: u64,
    /// Achieved of the denominator in tenths of a percent; null where there is none.
    achieved_permille: Option<u64>,
    reasons: Vec<ReasonLine>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReasonLine {
    reason: String,
    title: Option<String>,
    /// `achieved`, `partly`, `not` or `excluded`.
    counts: &'static str,
    closed: u64,
    consent_given: u64,
}

/// How the work with families ended on these days. Needs a role that administers, or one with
/// `reports: true`.
#[utoipa::path(
    get, operation_id = "getOutcomes",
    path = "/reports/outcomes", tag = "reports", params(Days),
    responses(
        (status = 200, body = OutcomesReport),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn outcomes(
    State(engine): State<Engine>,
    visitor: Visitor,
    Checked(days): Checked<Days>,
) -> Result<Json<OutcomesReport>, Problem> {
    let who = &visitor.principal;
    let view = engine.outcomes(who, days.from, days.to).await?;
    Ok(Json(OutcomesReport::of(view)))
}

impl OutcomesReport {
    fn of(view: OutcomesView) -> Self {
        let OutcomesView { outcomes, titles } = view;
        Self {
            from: outcomes.from,
            to: outcomes.to,
            closed: outcomes.closed,
            consent_given: outcomes.consent_given,
            excluded: outcomes.excluded,
            denominator: outcomes.denominator(),
            achieved: outcomes.achieved,
            partly: outcomes.partly,
            achieved_permille: outcomes.permille(),
            reasons: outcomes
                .reasons
                .into_iter()
                .map(|(reason, line)| ReasonLine {
                    title: titles.get(&reason).cloned(),
                    reason,
                    counts: line.counts.as_str(),
                    closed: line.closed,
                    consent_given: line.consent_given,
                })
                .collect(),
        }
    }
}
