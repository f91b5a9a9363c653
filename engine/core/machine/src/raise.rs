//! `raise`: a problem of the author's own. Its `instance` is this task, whatever the document says.

use casewright_language::Template;
use casewright_language::workflow::Problem;

use crate::Fault;
use crate::position::{Progress, State};
use crate::run::{Run, Stop, kind_of};
use crate::task::Here;

pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    problem: &Problem,
) -> Result<Progress<State>, Stop> {
    let sight = here.sight(run);
    let text = |template: &Option<Template>, what| {
        let evaluate = |template| run.text(template, what, here.input, &sight);
        template.as_ref().map(evaluate).transpose()
    };
    let status = run.value(&problem.status, here.input, &sight)?;
    let Some(status) = status.as_i64() else {
        let detail = format!(
            "the status of an error must be a whole number, but is {}",
            kind_of(&status)
        );
        return Err(Fault::validation(here.place(), detail).into());
    };
    Err(Stop::from(Fault {
        kind: run.text(&problem.kind, "the type of an error", here.input, &sight)?,
        status,
        title: text(&problem.title, "the title of an error")?,
        detail: text(&problem.detail, "the detail of an error")?,
        instance: here.place().to_owned(),
        details: None,
    }))
}
