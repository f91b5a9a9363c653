//! One task around its construct: `if`, input, timeout, output, export, in the order of the
//! specification. What happens in between is the construct's own file.

use std::sync::Arc;

use casewright_language::Task;
use casewright_language::workflow::Kind;
use jiff::Timestamp;
use serde_json::Value;

use crate::position::{Data, Entry, Position, Progress, Signal, State};
use crate::run::{Run, Stop};
use crate::scope::{Scope, Sight, TaskSight, list_of};
use crate::{
    Fault, Status, call, child, r#do, emit, extension, r#for, fork, function, http, human, listen,
    openapi, raise, set, switch, r#try, wait,
};

/// A task whose construct is at work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Here<'a> {
    pub(crate) scope: &'a Scope<'a>,
    pub(crate) task: &'a Task,
    pub(crate) raw: &'a Data,
    /// Transformed.
    pub(crate) input: &'a Data,
    pub(crate) entry: &'a Entry,
}

impl<'a> Here<'a> {
    /// What the construct's own expressions see.
    pub(crate) fn sight<'b>(&self, run: &'b Run<'_>) -> Sight<'b>
    where
        'a: 'b,
    {
        let started_at = self.entry.started_at;
        Sight {
            input: Some(self.input),
            ..outside(run, self.scope, self.task, self.raw, started_at)
        }
    }

    /// What errors name.
    pub(crate) fn place(&self) -> &'a str {
        self.task.pointer()
    }
}

/// Begins a task, unless its `if` says no: then it is finished without a word of where to go on.
pub(crate) fn enter(
    run: &mut Run<'_>,
    scope: &Scope<'_>,
    task: &Task,
    raw: &Data,
) -> Result<Progress<Position>, Stop> {
    let condition = task.condition.as_ref().map_or(Ok(true), |condition| {
        let sight = outside(run, scope, task, raw, run.now);
        run.holds(condition, raw, &sight)
    });
    if matches!(condition, Ok(false)) {
        return Ok(Progress::Finished {
            output: Arc::clone(raw),
            then: None,
        });
    }
    let mut entry = run.begin(task);
    let progress = condition.and_then(|_| open(run, scope, task, raw, &mut entry));
    settle(run, scope, task, raw, entry, progress)
}

/// Goes on with a task that waited; the signal answers to something open in it.
pub(crate) fn resume(
    run: &mut Run<'_>,
    scope: &Scope<'_>,
    task: &Task,
    raw: &Data,
    position: Position,
    signal: &Signal<'_>,
) -> Result<Progress<Position>, Stop> {
    let Position { mut entry, state } = position;
    if entry.reference != task.reference {
        return Err(Stop::Torn(format!(
            "an instance at {} where the workflow has {}",
            entry.reference, task.reference
        )));
    }
    let timed_out = entry
        .timeout
        .take_if(|timer| matches!(signal, Signal::Fired(fired) if *fired == timer.timer));
    let progress = if timed_out.is_some() {
        let mut open = Vec::new();
        state.open(&entry.reference, &mut open);
        run.withdraw(&open, "time ran out");
        let detail = format!("task `{}` took longer than its timeout allows", task.name);
        Err(Fault::timeout(task.pointer(), detail).into())
    } else {
        run.mark(entry.number, Status::Running);
        let input = entry.input.clone().unwrap_or_else(|| Arc::clone(raw));
        let here = Here {
            scope,
            task,
            raw,
            input: &input,
            entry: &entry,
        };
        resume_construct(run, &here, state, signal)
    };
    settle(run, scope, task, raw, entry, progress)
}

/// Input, timeout, construct.
fn open(
    run: &mut Run<'_>,
    scope: &Scope<'_>,
    task: &Task,
    raw: &Data,
    entry: &mut Entry,
) -> Result<Progress<State>, Stop> {
    Run::check(task.input.schema.as_ref(), raw, task.pointer())?;
    if let Some(from) = &task.input.from {
        let sight = outside(run, scope, task, raw, entry.started_at);
        entry.input = Some(Arc::new(run.value(from, raw, &sight)?));
    }
    let input = entry.input.clone().unwrap_or_else(|| Arc::clone(raw));
    if let Some(timeout) = &task.timeout {
        let here = Here {
            scope,
            task,
            raw,
            input: &input,
            entry,
        };
        let millis = run.span(timeout, &input, &here.sight(run))?;
        let at = run.after(millis, task.pointer())?;
        entry.timeout = Some(run.set_timer(at));
    }
    let here = Here {
        scope,
        task,
        raw,
        input: &input,
        entry,
    };
    if task.extensions.is_empty() {
        enter_construct(run, &here)
    } else {
        extension::enter(run, &here)
    }
}

/// Without what extends it.
pub(crate) fn enter_construct(run: &mut Run<'_>, here: &Here<'_>) -> Result<Progress<State>, Stop> {
    match &here.task.kind {
        Kind::Do(tasks) => r#do::enter(run, here, tasks),
        Kind::For(r#for) => r#for::enter(run, here, r#for),
        Kind::Fork(fork) => fork::enter(run, here, fork),
        Kind::Set(template) => set::enter(run, here, template),
        Kind::Switch(cases) => switch::enter(run, here, cases),
        Kind::Call(call) => call::enter(run, here, call),
        Kind::Function(function) => function::enter(run, here, function),
        Kind::Http(http) => http::enter(run, here, http),
        Kind::OpenApi(openapi) => openapi::enter(run, here, openapi),
        Kind::Human(human) => human::enter(run, here, human),
        Kind::Raise(problem) => raise::enter(run, here, problem),
        Kind::Run(child) => child::enter(run, here, child),
        Kind::Try(r#try) => r#try::enter(run, here, r#try),
        Kind::Wait(span) => wait::enter(run, here, span),
        Kind::Emit(emission) => emit::enter(run, here, emission),
        Kind::Listen(listen) => listen::enter(run, here, listen),
    }
}

pub(crate) fn resume_construct(
    run: &mut Run<'_>,
    here: &Here<'_>,
    state: State,
    signal: &Signal<'_>,
) -> Result<Progress<State>, Stop> {
    match (&here.task.kind, state) {
        (_, State::Extended(extending)) => extension::resume(run, here, *extending, signal),
        (Kind::Do(tasks), State::Do(list)) => r#do::resume(run, here, tasks, list, signal),
        (Kind::Function(function), State::Do(list)) => {
            function::resume(run, here, function, list, signal)
        }
        (Kind::For(r#for), State::For(looping)) => {
            r#for::resume(run, here, r#for, *looping, signal)
        }
        (Kind::Fork(fork), State::Fork(forking)) => fork::resume(run, here, fork, *forking, signal),
        (Kind::Call(_) | Kind::Http(_), State::Call(calling)) => {
            call::resume(run, here, calling, signal)
        }
        (Kind::OpenApi(_), State::Call(calling)) => openapi::resume(run, here, calling, signal),
        (Kind::Human(_), State::Human(offer)) => human::resume(run, offer, signal),
        (Kind::Run(_), State::Child(child)) => child::resume(run, here, child, signal),
        (Kind::Try(r#try), State::Try(trying)) => r#try::resume(run, here, r#try, trying, signal),
        (Kind::Wait(_), State::Wait(timer)) => Ok(wait::resume(here, timer, signal)),
        (Kind::Listen(listen), State::Listen(listening)) => {
            listen::resume(run, here, listen, listening, signal)
        }
        (_, _) => Err(Stop::Torn(format!(
            "an instance in the middle of another construct at {}",
            here.task.reference
        ))),
    }
}

/// What the construct came to becomes what the task came to.
fn settle(
    run: &mut Run<'_>,
    scope: &Scope<'_>,
    task: &Task,
    raw: &Data,
    entry: Entry,
    progress: Result<Progress<State>, Stop>,
) -> Result<Progress<Position>, Stop> {
    let closed = match progress {
        Ok(Progress::Parked(state)) => {
            run.mark(entry.number, state.status());
            return Ok(Progress::Parked(Position { entry, state }));
        }
        Ok(Progress::Ended(output)) => Ok(Progress::Ended(output)),
        Ok(Progress::Finished { output, then }) => close(run, scope, task, raw, &entry, &output)
            .map(|output| Progress::Finished {
                output,
                then: Some(then.unwrap_or(task.then)),
            }),
        Err(stop) => Err(stop),
    };
    run.cancel_timer(entry.timeout);
    if !scope.kept {
        run.record.forget(&task.reference);
    }
    match &closed {
        Ok(_) => run.end(entry.number, Status::Completed),
        Err(Stop::Fault(fault)) => run.fail(entry.number, fault),
        // Nothing of this has happened.
        Err(Stop::Ask(_) | Stop::Torn(_)) => {}
    }
    closed
}

/// Output, export, `$steps`.
fn close(
    run: &mut Run<'_>,
    scope: &Scope<'_>,
    task: &Task,
    raw: &Data,
    entry: &Entry,
    raw_output: &Data,
) -> Result<Data, Stop> {
    let input = entry.input.as_ref().unwrap_or(raw);
    let sight = |run| Sight {
        input: Some(input),
        task: Some(TaskSight {
            task,
            input: raw,
            output: Some(raw_output),
            started_at: entry.started_at,
        }),
        ..outside(run, scope, task, raw, entry.started_at)
    };
    let output = match &task.output.transform {
        Some(transform) => Arc::new(run.value(transform, raw_output, &sight(run))?),
        None => Arc::clone(raw_output),
    };
    Run::check(task.output.schema.as_ref(), &output, task.pointer())?;
    if let Some(export) = &task.export {
        let sight = Sight {
            output: Some(&output),
            ..sight(run)
        };
        let context = run.value(&export.transform, &output, &sight)?;
        Run::check(export.schema.as_ref(), &context, task.pointer())?;
        run.record.context = Arc::new(context);
    }
    // A branch of a fork stands in no list: nothing may name its output.
    if !scope.tasks.is_empty() {
        let list = list_of(&task.reference);
        run.record.keep_output(list, &task.name, &output);
    }
    Ok(output)
}

/// What `if` and `input.from` see: neither `$input` nor `$output`.
fn outside<'b>(
    run: &'b Run<'_>,
    scope: &'b Scope<'b>,
    task: &'b Task,
    raw: &'b Value,
    started_at: Timestamp,
) -> Sight<'b> {
    Sight {
        workflow: run.workflow,
        record: &run.record,
        place: task.pointer(),
        scope: Some(scope),
        context: true,
        input: None,
        output: None,
        task: Some(TaskSight {
            task,
            input: raw,
            output: None,
            started_at,
        }),
    }
}
