//! `set`: its value replaces the data; nothing is merged.

use casewright_language::Template;

use crate::position::{Progress, State};
use crate::run::{Run, Stop};
use crate::task::Here;

pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    template: &Template,
) -> Result<Progress<State>, Stop> {
    let value = run.value(template, here.input, &here.sight(run))?;
    Ok(Progress::finished(value))
}
