//! Pages for those who look after the agency's runs: what failed and why, all runs, what begins by
//! itself, calendars that changed. They show nothing of a family; whoever may see the case follows
//! the link to the run.

pub(crate) mod calendars;
pub(crate) mod cause;
pub(crate) mod failures;
pub(crate) mod outcomes;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod schedules;

use axum::http::StatusCode;

use crate::console::member::Member;
use crate::problem::Problem;

fn only_administrators(member: &Member) -> Result<(), Problem> {
    if member.administers {
        return Ok(());
    }
    let detail = "none of your roles looks after the agency's runs";
    Err(Problem::new(StatusCode::FORBIDDEN, "not-assigned", detail))
}
