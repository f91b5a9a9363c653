//! The calendar of a case, chosen on its page by whoever may start workflows. A refusal is the page
//! of any other: what is chosen comes from a list.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use casewright_runtime::Engine;

use crate::console::address::encoded;
use crate::console::member::Submission;
use crate::console::notice::Notice;
use crate::problem::Problem;

pub(crate) async fn set(
    State(engine): State<Engine>,
    Path(case): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let named = submission.value("calendar").unwrap_or_default();
    let calendar = Some(named.to_owned()).filter(|name| !name.is_empty());
    let (who, key) = (&submission.member.principal, submission.key.clone());
    engine.set_case_calendar(who, &case, calendar, key).await?;
    let word = Notice::CalendarSet.word();
    let address = format!("/cases/{}?done={word}", encoded(&case));
    Ok(Redirect::to(&address).into_response())
}
