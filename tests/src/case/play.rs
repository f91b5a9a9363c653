//! Plays a case through the pure machine and writes down what happens.
//!
//! Beside the lines it holds what is true of every instance: `outstanding` is what effects opened
//! and nothing has closed, and notes tell the same story as the task runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use casewright_language::{Answer, Answers, Question, Surroundings, Workflow};
use casewright_machine::event::RuntimeFacts;
use casewright_machine::{
    CaseFacts, Delivery, Effect, Event, Instance, Started, Status, Step, TaskRun, Transition, step,
};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::print::Printer;
use super::{CallName, Case, Happening, Move};

/// A Monday morning.
const BEGINNING: i64 = 1_772_442_000;

/// Rounds of questions that one event may need.
const ROUNDS_MAX: usize = 64;

impl Case {
    /// The checked workflow; panics with the findings when there is none.
    pub fn workflow(&self) -> Workflow {
        let text = self.workflow_text();
        let reading = casewright_language::read("case", &text, &Surroundings::default());
        let findings = || casewright_language::diagnostic::draw(&reading.diagnostics, &text, false);
        match &reading.workflow {
            Some(workflow) => workflow.clone(),
            None => panic!("{}\n{}", self.title, findings()),
        }
    }

    /// Plays all events and gives the text that the case should have. Before each event the
    /// instance goes through `codec` with the event's index.
    pub fn play(&self, mut codec: impl FnMut(usize, Instance) -> Instance) -> String {
        let workflow = self.workflow();
        let mut world = World::new(&workflow);
        for (index, happening) in self.moves.iter().enumerate() {
            let instance = std::mem::replace(&mut world.instance, Instance::pending());
            world.instance = codec(index, instance);
            world.meet(happening);
        }
        world.printer.ending(&world.instance, world.now);
        let head: String = self
            .text
            .lines()
            .take_while(|line| !line.starts_with("> "))
            .flat_map(|line| [line, "\n"])
            .collect();
        head + &world.printer.text
    }
}

/// Everything around the instance.
struct World<'a> {
    workflow: &'a Workflow,
    instance: Instance,
    now: Timestamp,
    printer: Printer,
    /// What effects have opened.
    open: Vec<Effect>,
    /// Latest delivery of each task.
    deliveries: BTreeMap<String, Delivery>,
    /// Latest key of each task that runs a workflow.
    keys: BTreeMap<String, String>,
    /// What notes say about task runs.
    noted: Vec<TaskRun>,
}

impl<'a> World<'a> {
    fn new(workflow: &'a Workflow) -> Self {
        Self {
            workflow,
            instance: Instance::pending(),
            now: Timestamp::from_second(BEGINNING).expect("the beginning is a moment"),
            printer: Printer::default(),
            open: Vec::new(),
            deliveries: BTreeMap::new(),
            keys: BTreeMap::new(),
            noted: Vec::new(),
        }
    }

    fn meet(&mut self, happening: &Move) {
        self.printer.line('>', &happening.line);
        self.now += happening.after;
        let Some(event) = self.event(&happening.happening) else {
            for effect in self.instance.outstanding() {
                self.printer.effect(&effect, self.now);
            }
            return;
        };
        let mut answers = Answers::default();
        for _ in 0..ROUNDS_MAX {
            match step(self.workflow, &self.instance, &event, &answers) {
                Ok(Step::Ask(questions)) => {
                    for question in &questions {
                        let answer = self.answer(question, happening);
                        answers.insert(question, answer);
                    }
                }
                Ok(Step::Done(transition)) => return self.accept(*transition, &event),
                Err(mismatch) => return self.printer.mismatch(&mismatch),
            }
        }
        panic!("{} asks without end", happening.line);
    }

    fn answer(&mut self, question: &Question, happening: &Move) -> Answer {
        let written = happening
            .answers
            .iter()
            .find(|(source, _)| question.program.ends_with(source.as_str()));
        let missing = Answer::Failed("the case has no answer".to_owned());
        let (source, answer) = written.map_or((&question.program, &missing), |(source, answer)| {
            (source, answer)
        });
        self.printer.answer(source, answer);
        answer.clone()
    }

    fn accept(&mut self, transition: Transition, event: &Event) {
        self.close(event);
        for effect in transition.effects {
            self.printer.effect(&effect, self.now);
            self.track(effect);
        }
        self.instance = transition.instance;
        // A yield needs no taking back: whoever comes with a late resumption finds a mismatch.
        if !self.instance.outstanding().contains(&Effect::Yield) {
            self.open.retain(|open| !matches!(open, Effect::Yield));
        }
        for note in transition.notes {
            self.note(note, matches!(event, Event::Retried { .. }));
        }
        self.hold();
    }

    /// What is true of every instance after every event.
    fn hold(&self) {
        let sorted = |mut effects: Vec<String>| {
            effects.sort();
            effects
        };
        let names = |effects: &[Effect]| sorted(effects.iter().map(|e| format!("{e:?}")).collect());
        assert_eq!(
            names(&self.instance.outstanding()),
            names(&self.open),
            "outstanding is what was opened and not closed"
        );
        let runs = self.instance.task_runs();
        let forgotten = self.noted.len() - runs.len();
        for (run, noted) in runs.iter().zip(&self.noted[forgotten..]) {
            let shown = match run.status {
                Status::Waiting => Status::Running,
                status => status,
            };
            assert_eq!(
                (&run.reference, shown),
                (&noted.reference, noted.status),
                "notes"
            );
        }
    }

    /// Beginnings add a run, ends belong to the latest run of that task that has not ended; a retry
    /// takes up runs that had ended.
    fn note(&mut self, note: TaskRun, taken_up: bool) {
        if taken_up {
            let mut runs = self.noted.iter_mut().rev();
            let run = runs.find(|run| run.reference == note.reference);
            run.expect("a task is taken up after it began").status = note.status;
            return;
        }
        if note.status == Status::Running {
            self.noted.push(note);
            return;
        }
        let run = self
            .noted
            .iter_mut()
            .rev()
            .find(|run| run.reference == note.reference && run.status == Status::Running);
        run.expect("a task ends after it began").status = note.status;
    }

    /// What an event closes by itself.
    fn close(&mut self, event: &Event) {
        self.open.retain(|open| match (open, event) {
            (Effect::Call(call), Event::CallReturned { delivery, .. }) => {
                call.delivery != *delivery
            }
            (Effect::Offer(offer), Event::WorkItemCompleted { item, .. }) => offer.item != *item,
            (Effect::SetTimer { timer, .. }, Event::TimerFired { timer: fired, .. }) => {
                timer != fired
            }
            (Effect::StartChild(child), Event::ChildEnded { key, .. }) => child.key != *key,
            (Effect::Yield, Event::Resumed { .. }) => false,
            _ => true,
        });
    }

    fn track(&mut self, effect: Effect) {
        match effect {
            Effect::Call(call) => {
                let task = call.delivery.reference.rsplit('/').next();
                let task = task.unwrap_or_default().to_owned();
                self.deliveries.insert(task, call.delivery.clone());
                self.open.push(Effect::Call(call));
            }
            Effect::StartChild(child) => {
                let task = child.delivery.reference.rsplit('/').next();
                let task = task.unwrap_or_default().to_owned();
                self.keys.insert(task, child.key.clone());
                if child.awaited {
                    self.open.push(Effect::StartChild(child));
                }
            }
            Effect::CancelChild { key, .. } => self
                .open
                .retain(|open| !matches!(open, Effect::StartChild(child) if child.key == key)),
            Effect::Offer(_) | Effect::SetTimer { .. } | Effect::Yield => self.open.push(effect),
            Effect::Abandon(delivery) => self
                .open
                .retain(|open| !matches!(open, Effect::Call(call) if call.delivery == delivery)),
            Effect::Withdraw { item, .. } => self
                .open
                .retain(|open| !matches!(open, Effect::Offer(offer) if offer.item == item)),
            Effect::CancelTimer { timer } => self.open.retain(
                |open| !matches!(open, Effect::SetTimer { timer: set, .. } if *set == timer),
            ),
            Effect::Subscribe(_)
            | Effect::Unsubscribe(_)
            | Effect::Emit(_)
            | Effect::Listen { .. }
            | Effect::LetGo { .. }
            | Effect::Finish(_) => {}
        }
    }

    /// `None` when nothing happens but a look at what is open.
    fn event(&mut self, happening: &Happening) -> Option<Event> {
        if let Happening::Timer(timer) = happening {
            let due = self.open.iter().find_map(|open| match open {
                Effect::SetTimer { timer: set, at } if set == timer => Some(*at),
                _ => None,
            });
            self.now = due.map_or(self.now, |due| due.max(self.now));
        }
        let at = self.now;
        match happening.clone() {
            Happening::Start {
                input,
                by,
                depth,
                worked,
            } => Some(Event::Started(Box::new(Started {
                at,
                id: "i1".to_owned(),
                input,
                started_by: by,
                case: CaseFacts {
                    id: "c1".to_owned(),
                    number: "FS-2026-00001".to_owned(),
                    opened: at - SignedDuration::from_hours(24),
                },
                runtime: RuntimeFacts {
                    name: "casewright".to_owned(),
                    version: "0.0.0".to_owned(),
                },
                depth,
                worked,
            }))),
            Happening::Return { call, result } => Some(Event::CallReturned {
                at,
                delivery: self.delivery(&call),
                result,
            }),
            Happening::Complete {
                item,
                outcome,
                by,
                data,
                comment,
                overdue,
                skipped,
            } => Some(Event::WorkItemCompleted {
                at,
                on: Some(at.to_zoned(TimeZone::UTC).date()),
                item,
                outcome,
                data,
                comment,
                by,
                overdue,
                skipped,
            }),
            Happening::ChildEnded {
                task,
                outcome,
                acted,
                worked,
            } => Some(Event::ChildEnded {
                at,
                key: self.keys.get(&task).cloned().unwrap_or_default(),
                outcome,
                acted,
                worked,
            }),
            Happening::Timer(timer) => Some(Event::TimerFired { at, timer }),
            Happening::Resume => Some(Event::Resumed { at }),
            Happening::Cancel => Some(Event::Cancelled {
                at,
                by: "olga".to_owned(),
                reason: None,
            }),
            Happening::Retry { certain } => Some(Event::Retried {
                at,
                by: "olga".to_owned(),
                reason: None,
                certain,
            }),
            Happening::Arrive(event) => Some(Event::EventReceived {
                at,
                envelope: Arc::new(event),
            }),
            Happening::Recover => None,
        }
    }

    fn delivery(&self, call: &CallName) -> Delivery {
        let latest = self.deliveries.get(&call.task);
        let mut delivery = latest.cloned().unwrap_or_else(|| Delivery {
            reference: call.task.clone(),
            run: 1,
            attempt: 1,
        });
        if let Some((run, attempt)) = call.attempt {
            delivery.run = run;
            delivery.attempt = attempt;
        }
        delivery
    }
}
