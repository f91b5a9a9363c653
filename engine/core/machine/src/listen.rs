//! `listen`: waits for events and gathers them. Events that came before it began were kept; they
//! are looked at first, in the order they came.
//!
//! An event goes to every `listen` that waits for it. What none takes is kept for the first later
//! one that does, within bounds. What `foreach` does with each event is in `each`.

use std::collections::BTreeSet;
use std::sync::Arc;

use casewright_language::Expression;
use casewright_language::workflow::{EventFilter, Listen, ReadAs, Strategy, Until};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::filter::Looking;
use crate::interest::literal_type;
use crate::position::{Data, List, Open, Progress, Signal, State};
use crate::run::{Run, Stop};
use crate::step::outside;
use crate::task::Here;
use crate::{Effect, Fault, Status, envelope};

mod each;

use each::Each;

/// Events that one `listen` gathers.
pub(crate) const GATHERED_COUNT_MAX: usize = 1_000;
/// Their bytes: as much as an expression may give.
pub(crate) const GATHERED_BYTES_MAX: usize = 1 << 20;
/// Events kept for a `listen` that has not begun. A snapshot carries them all.
pub(crate) const KEPT_COUNT_MAX: usize = 256;
/// Their bytes, each event as JSON.
pub(crate) const KEPT_BYTES_MAX: usize = 1 << 20;

/// A `listen` at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Listening {
    /// What it waits for, for people.
    pub(crate) types: Vec<String>,
    /// As they are read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gathered: Vec<Data>,
    #[serde(default)]
    gathered_bytes: usize,
    /// Filters of `all` that have their event.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    met: BTreeSet<usize>,
    /// The same in `until`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    until_met: BTreeSet<usize>,
    /// What `foreach` is at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    each: Option<Box<Each>>,
}

/// What an event is to a `listen`.
enum Taken {
    No,
    /// It belongs to it, and more is needed.
    Yes,
    /// It was the last.
    Last,
}

/// The same before anything is done with it.
enum Verdict {
    No,
    /// One of `until`.
    Stops {
        last: bool,
    },
    Fits {
        /// Whether nothing can come after it, whatever a condition says.
        last: bool,
    },
}

pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    listen: &Listen,
) -> Result<Progress<State>, Stop> {
    let mut listening = Listening {
        types: types(listen),
        gathered: Vec::new(),
        gathered_bytes: 0,
        met: BTreeSet::new(),
        until_met: BTreeSet::new(),
        each: None,
    };
    if let Some(foreach) = &listen.foreach {
        return each::enter(run, here, listen, foreach, listening);
    }
    let mut index = 0;
    while let Some(event) = run.record.kept.get(index).map(Arc::clone) {
        match listening.offer(run, here, listen, &event)? {
            Taken::No => index += 1,
            Taken::Yes => {
                run.record.kept.remove(index);
            }
            Taken::Last => {
                run.record.kept.remove(index);
                return Ok(listening.finish());
            }
        }
    }
    run.effects.push(Effect::Listen {
        task: here.task.name.clone(),
        types: listening.types.clone(),
    });
    Ok(Progress::Parked(State::Listen(Box::new(listening))))
}

pub(crate) fn resume(
    run: &mut Run<'_>,
    here: &Here<'_>,
    listen: &Listen,
    mut listening: Box<Listening>,
    signal: &Signal<'_>,
) -> Result<Progress<State>, Stop> {
    if let Some(foreach) = &listen.foreach {
        return each::resume(run, here, listen, foreach, *listening, signal);
    }
    let Signal::Arrived(event) = signal else {
        return Ok(Progress::Parked(State::Listen(listening)));
    };
    match listening.offer(run, here, listen, event)? {
        Taken::No => {}
        Taken::Yes => run.taken = true,
        Taken::Last => {
            run.taken = true;
            return Ok(listening.finish());
        }
    }
    Ok(Progress::Parked(State::Listen(listening)))
}

/// Whether some `listen` of the workflow may ever take the event, as far as can be told before it
/// begins.
pub(crate) fn wanted(run: &Run<'_>, event: &Value) -> Result<bool, Stop> {
    let sight = outside(run, "/");
    let looking = Looking {
        run,
        sight: &sight,
        input: None,
    };
    for listen in run.workflow.listens() {
        if listen.to.takes_all() {
            return Ok(true);
        }
        for filter in listen.to.filters() {
            if looking.fits(filter, event)?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Keeps an event that nobody took.
pub(crate) fn keep(run: &mut Run<'_>, event: &Data) {
    run.record.kept.push(Arc::clone(event));
    bound(&mut run.record.kept, &mut run.effects);
}

/// The oldest make room, and the record says so.
fn bound(kept: &mut Vec<Data>, effects: &mut Vec<Effect>) {
    let weight = |event: &Data| event.to_string().len();
    let mut bytes: usize = kept.iter().map(weight).sum();
    while kept.len() > KEPT_COUNT_MAX || bytes > KEPT_BYTES_MAX {
        let oldest = kept.remove(0);
        bytes -= weight(&oldest);
        effects.push(Effect::LetGo {
            kind: envelope::kind(&oldest).to_owned(),
        });
    }
}

/// What waited for its turn is kept for whoever listens next: it was heard and nothing was done
/// with it.
pub(crate) fn give_back(run: &mut Run<'_>, listening: &Listening) {
    if let Some(each) = &listening.each {
        run.record.kept.splice(0..0, each.queue().iter().cloned());
        bound(&mut run.record.kept, &mut run.effects);
    }
}

impl Listening {
    /// Whether it waits for events at present.
    pub(crate) fn hears(&self) -> bool {
        self.each.as_ref().is_none_or(|each| each.hears())
    }

    pub(crate) fn open<'a>(&'a self, reference: &'a str, found: &mut Vec<Open<'a>>) {
        found.push(Open::Listen {
            listening: self,
            reference,
        });
        if let Some(list) = self.each.as_ref().and_then(|each| each.list()) {
            list.open(found);
        }
    }

    /// The tasks at work on an event, for what must be opened again or put back after reading.
    pub(crate) fn list_mut(&mut self) -> Option<&mut List> {
        self.each.as_mut()?.list_mut()
    }

    pub(crate) fn status(&self) -> Status {
        match self.each.as_ref().and_then(|each| each.list()) {
            Some(_) => Status::Running,
            None => Status::Waiting,
        }
    }

    fn offer(
        &mut self,
        run: &mut Run<'_>,
        here: &Here<'_>,
        listen: &Listen,
        event: &Data,
    ) -> Result<Taken, Stop> {
        match self.judge(run, here, listen, event)? {
            Verdict::No => Ok(Taken::No),
            Verdict::Stops { last } => Ok(Taken::last_if(last)),
            Verdict::Fits { last } => {
                self.gather(here, as_read(listen.read, event))?;
                Ok(Taken::last_if(last || self.enough(run, here, listen)?))
            }
        }
    }

    fn judge(
        &mut self,
        run: &mut Run<'_>,
        here: &Here<'_>,
        listen: &Listen,
        event: &Data,
    ) -> Result<Verdict, Stop> {
        match &listen.to {
            Strategy::One(filter) if fits(run, here, filter, event)? => {
                Ok(Verdict::Fits { last: true })
            }
            Strategy::One(_) => Ok(Verdict::No),
            Strategy::All(filters) => {
                if !meets(run, here, filters, &mut self.met, event)? {
                    return Ok(Verdict::No);
                }
                let last = self.met.len() == filters.len();
                Ok(Verdict::Fits { last })
            }
            Strategy::Any { filters, until } => {
                if let Some(Until::Events(strategy)) = until {
                    match self.stops(run, here, strategy, event)? {
                        Taken::No => {}
                        Taken::Yes => return Ok(Verdict::Stops { last: false }),
                        Taken::Last => return Ok(Verdict::Stops { last: true }),
                    }
                }
                if !any(run, here, filters, event)? {
                    return Ok(Verdict::No);
                }
                let last = until.is_none();
                Ok(Verdict::Fits { last })
            }
        }
    }

    /// Whether the condition of `until` holds on what was gathered so far.
    fn enough(&self, run: &Run<'_>, here: &Here<'_>, listen: &Listen) -> Result<bool, Stop> {
        match until(listen) {
            Some(condition) => run.holds(condition, &self.output(), &here.sight(run)),
            None => Ok(false),
        }
    }

    /// An event of `until`: it is not gathered.
    fn stops(
        &mut self,
        run: &mut Run<'_>,
        here: &Here<'_>,
        strategy: &Strategy,
        event: &Data,
    ) -> Result<Taken, Stop> {
        let (fits, enough) = match strategy {
            Strategy::One(filter) => (fits(run, here, filter, event)?, true),
            Strategy::Any { filters, .. } => (any(run, here, filters, event)?, true),
            Strategy::All(filters) => {
                let fits = meets(run, here, filters, &mut self.until_met, event)?;
                (fits, self.until_met.len() == filters.len())
            }
        };
        Ok(if fits {
            Taken::last_if(enough)
        } else {
            Taken::No
        })
    }

    fn gather(&mut self, here: &Here<'_>, read: Data) -> Result<(), Stop> {
        self.gathered_bytes += read.to_string().len();
        self.gathered.push(read);
        if self.gathered.len() > GATHERED_COUNT_MAX || self.gathered_bytes > GATHERED_BYTES_MAX {
            let detail = format!(
                "a `listen` gathers at most {GATHERED_COUNT_MAX} events and 1 MiB; let `until` \
                 stop it earlier and go back with `then`"
            );
            return Err(Fault::validation(here.place(), detail).into());
        }
        Ok(())
    }

    fn output(&self) -> Value {
        Value::Array(
            self.gathered
                .iter()
                .map(|event| (**event).clone())
                .collect(),
        )
    }

    fn finish(self) -> Progress<State> {
        Progress::finished(self.output())
    }
}

impl Taken {
    fn last_if(last: bool) -> Self {
        if last { Self::Last } else { Self::Yes }
    }
}

/// The condition that stops it, if one does.
fn until(listen: &Listen) -> Option<&Expression> {
    match &listen.to {
        Strategy::Any {
            until: Some(Until::Condition(condition)),
            ..
        } => Some(condition),
        Strategy::Any { .. } | Strategy::One(_) | Strategy::All(_) => None,
    }
}

fn as_read(read: ReadAs, event: &Data) -> Data {
    match read {
        ReadAs::Envelope => Arc::clone(event),
        ReadAs::Data => Arc::new(data(event).clone()),
        ReadAs::Raw => Arc::new(match data(event) {
            Value::Null => Value::Null,
            Value::String(text) => Value::from(text.as_str()),
            data => Value::from(data.to_string()),
        }),
    }
}

fn data(event: &Value) -> &Value {
    let data = event.get("data").or_else(|| event.get("data_base64"));
    data.unwrap_or(&Value::Null)
}

/// A filter at work; what it correlates by is fixed when it fits.
fn fits(
    run: &mut Run<'_>,
    here: &Here<'_>,
    filter: &EventFilter,
    event: &Value,
) -> Result<bool, Stop> {
    let fixed = {
        let sight = here.sight(run);
        let looking = Looking {
            run,
            sight: &sight,
            input: Some(here.input),
        };
        looking.fits(filter, event)?
    };
    let Some(fixed) = fixed else {
        return Ok(false);
    };
    run.record.correlations.extend(fixed);
    Ok(true)
}

fn any(
    run: &mut Run<'_>,
    here: &Here<'_>,
    filters: &[EventFilter],
    event: &Value,
) -> Result<bool, Stop> {
    for filter in filters {
        if fits(run, here, filter, event)? {
            return Ok(true);
        }
    }
    Ok(filters.is_empty())
}

/// Whether it is the event of a filter that had none.
fn meets(
    run: &mut Run<'_>,
    here: &Here<'_>,
    filters: &[EventFilter],
    met: &mut BTreeSet<usize>,
    event: &Value,
) -> Result<bool, Stop> {
    for (index, filter) in filters.iter().enumerate() {
        if !met.contains(&index) && fits(run, here, filter, event)? {
            met.insert(index);
            return Ok(true);
        }
    }
    Ok(false)
}

/// Types written in the document, each once; none when any will do.
fn types(listen: &Listen) -> Vec<String> {
    let filters = listen.to.filters();
    let named: BTreeSet<&str> = filters.into_iter().filter_map(literal_type).collect();
    named.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
