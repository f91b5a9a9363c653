//! `emit`: an event of the author's own. Its id comes from the intent, so that a retried `try`
//! emits the same event and not another; its output is the event.

use casewright_language::workflow::Emission;
use serde_json::{Map, Value};

use crate::position::{Progress, State};
use crate::run::{Run, Stop};
use crate::task::Here;
use crate::{Effect, Emit, Fault, call, envelope};

pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    emission: &Emission,
) -> Result<Progress<State>, Stop> {
    let with = run.value(&emission.with, here.input, &here.sight(run))?;
    let (key, since) = call::intend(run, here, &with)?;
    let mut event = Map::new();
    let mut put = |name: &str, value: Value| event.insert(name.to_owned(), value);
    put("specversion", "1.0".into());
    put("id", key.into());
    put("time", since.to_string().into());
    if with.get("data").is_some() {
        put("datacontenttype", "application/json".into());
    }
    for (name, value) in with.as_object().into_iter().flatten() {
        // An attribute that an expression leaves open is not there.
        if name == "data" || !value.is_null() {
            event.insert(name.clone(), value.clone());
        }
    }
    if let Err(sentence) = envelope::check(&event) {
        let detail = format!("the event is none: {sentence}");
        return Err(Fault::validation(here.place(), detail).into());
    }
    let event = Value::Object(event);
    run.effects.push(Effect::Emit(Emit {
        task: here.task.name.clone(),
        event: event.clone(),
        reach: emission.reach,
    }));
    Ok(Progress::finished(event))
}
