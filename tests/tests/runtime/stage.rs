//! What stands around the engine while a case is played: clock, partners, evaluator, people.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use casewright_casework::Principal;
use casewright_casework::principal::Kind;
use casewright_language::pack::Pack;
use casewright_language::{Answer, Question, Schema, Signature, Surroundings};
use casewright_machine::CallError;
use casewright_runtime::engine::{Complete, Parts, Retry, Start};
use casewright_runtime::port::{
    Boxed, Clock, EffectKind, Entropy, Evaluate, Invocation, Invoke, Reply, Resumption,
};
use casewright_runtime::{Deployment, Engine};
use casewright_store::MemoryStore;
use casewright_store::settings::Settings;
use casewright_tests::case::{CallName, Case, Happening, Move};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot, watch};

/// Where the pure play of a case begins, too.
const BEGINNING: i64 = 1_772_442_000;

type Moments = BTreeMap<(usize, u32), Timestamp>;

/// When each timer is due, by the number of the event before which it was last set.
pub(crate) fn timers(case: &Case) -> Moments {
    let mut now = Timestamp::from_second(BEGINNING).unwrap();
    let (mut set, mut moments) = (BTreeMap::new(), Moments::new());
    let mut moves = case.moves.iter().enumerate();
    for line in case.text.lines() {
        if line.starts_with("> ") {
            let (index, one) = moves.next().unwrap();
            now += one.after;
            moments.extend(set.iter().map(|(timer, at)| ((index, *timer), *at)));
            if let Happening::Timer(timer) = one.happening {
                now = set
                    .get(&timer)
                    .copied()
                    .map_or(now, |at: Timestamp| at.max(now));
            }
        } else if let Some(timer) = line.strip_prefix("< timer ")
            && let Some((number, length)) = timer.split_once(" in ")
        {
            let length: SignedDuration = length.parse().unwrap();
            set.insert(number.parse().unwrap(), now + length);
        }
    }
    moments
}

struct HandClock(watch::Sender<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    fn wait_until(&self, at: Timestamp) -> Boxed<'_, ()> {
        let mut now = self.0.subscribe();
        Box::pin(async move {
            now.wait_for(|now| *now >= at).await.unwrap();
        })
    }
}

#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let next = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.fill(0);
        let place = bytes.len() - next.len();
        bytes[place..].copy_from_slice(&next);
    }
}

/// Answers what the case answers, at any moment of it.
struct Evaluator(Vec<(String, Answer)>);

impl Evaluate for Evaluator {
    fn evaluate(&self, question: Question) -> Boxed<'_, Answer> {
        let known = |(source, _): &&(String, Answer)| question.program.ends_with(source.as_str());
        let missing = || Answer::Failed("the case has no answer".to_owned());
        let answer = self
            .0
            .iter()
            .find(known)
            .map_or_else(missing, |(_, answer)| answer.clone());
        Box::pin(async move { answer })
    }

    fn compile(&self, _: Question) -> Boxed<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

/// Calls of one engine wait here until the case says what comes back. A call that is sent again
/// after a crash is the same call: all sendings under one key have one input.
#[derive(Default)]
struct Partner {
    functions: Vec<String>,
    sent: Mutex<Vec<Sent>>,
    changed: Notify,
    /// Over all engines.
    inputs: Arc<Mutex<BTreeMap<String, Value>>>,
}

/// One call as it arrived, and where its answer goes.
struct Sent {
    invocation: Invocation,
    answer: Option<oneshot::Sender<Result<Value, CallError>>>,
}

impl Invoke for Partner {
    fn effect(&self, _: &str, _: &str) -> Option<EffectKind> {
        Some(EffectKind::Keyed)
    }

    fn describe(&self, surroundings: &mut Surroundings) -> Vec<(String, String)> {
        let any = || Schema::new(json!({})).unwrap();
        let mut plugins = BTreeMap::new();
        for function in &self.functions {
            let signature = Signature {
                title: function.clone(),
                input: any(),
                output: any(),
                errors: Vec::new(),
                pays: None,
                discloses: Vec::new(),
            };
            surroundings.functions.insert(function.clone(), signature);
            let plugin = function.split('.').next().unwrap();
            plugins.insert(plugin.to_owned(), "d1".to_owned());
        }
        plugins.into_iter().collect()
    }

    fn bind(&self, _pack: &Pack) {}

    fn discloses(&self, _: &str, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn resumes(&self, _: &str, _: &str) -> bool {
        false
    }

    fn resume(&self, resumption: Resumption) -> Boxed<'_, Result<Reply, CallError>> {
        panic!("{} does not resume", resumption.of.function)
    }

    fn invoke(&self, invocation: Invocation) -> Boxed<'_, Result<Reply, CallError>> {
        let (key, input) = (invocation.key.clone(), invocation.input.clone());
        let before = self.inputs.lock().unwrap().insert(key, input.clone());
        assert!(
            before.is_none_or(|before| before == input),
            "{}",
            invocation.step
        );
        let (answer, answered) = oneshot::channel();
        let answer = Some(answer);
        self.sent.lock().unwrap().push(Sent { invocation, answer });
        self.changed.notify_waiters();
        Box::pin(async move {
            match answered.await {
                Ok(result) => result.map(Reply::Done),
                // The case has no answer for it.
                Err(_) => std::future::pending().await,
            }
        })
    }
}

impl Partner {
    /// Answers the latest sending of a call, once it was sent.
    async fn answer(&self, call: &CallName, result: &Result<Value, CallError>) {
        let mut changed = std::pin::pin!(self.changed.notified());
        loop {
            changed.as_mut().enable();
            if self.try_answer(call, result) {
                return;
            }
            changed.as_mut().await;
            changed.set(self.changed.notified());
        }
    }

    fn try_answer(&self, call: &CallName, result: &Result<Value, CallError>) -> bool {
        let mut sent = self.sent.lock().unwrap();
        let meant = |one: &&mut Sent| {
            let named = one.invocation.step.ends_with(&format!("/{}", call.task));
            let attempt = call
                .attempt
                .is_none_or(|(_, attempt)| attempt == one.invocation.attempt);
            named
                && attempt
                && one
                    .answer
                    .as_ref()
                    .is_some_and(|answer| !answer.is_closed())
        };
        let Some(one) = sent.iter_mut().rev().find(meant) else {
            return false;
        };
        let answer = one.answer.take().expect("it was there a moment ago");
        answer.send(result.clone()).is_ok()
    }
}

/// An engine in the middle of a case.
pub(crate) struct Stage {
    engine: Engine,
    store: Arc<MemoryStore>,
    clock: Arc<HandClock>,
    partner: Arc<Partner>,
    evaluator: Arc<Evaluator>,
    entropy: Arc<Counting>,
    who: Principal,
    id: String,
    events: usize,
}

impl Stage {
    /// Started; `None` when the engine refuses the input at the door, where the machine would
    /// fault.
    pub(crate) async fn open(case: &Case) -> Option<Self> {
        let beginning = Timestamp::from_second(BEGINNING).unwrap();
        let clock = Arc::new(HandClock(watch::Sender::new(beginning)));
        let partner = Arc::new(Partner {
            functions: functions(case),
            ..Partner::default()
        });
        let answers = case.moves.iter().flat_map(|one| one.answers.clone());
        let evaluator = Arc::new(Evaluator(answers.collect()));
        let entropy = Arc::<Counting>::default();
        let store = Arc::new(MemoryStore::new(Settings::default()));
        let engine = engine(&store, &clock, &partner, &evaluator, &entropy).await;
        let mut installed = Surroundings::default();
        let plugins = partner.describe(&mut installed);
        let text = case.workflow_text();
        let read = Deployment::of_document("case.yaml", &text, None, &installed, &plugins);
        engine.deploy(read.unwrap()).await.unwrap();
        let Happening::Start { input, by, .. } = &case.moves[0].happening else {
            unreachable!("a case that is played begins with its start");
        };
        let who = person(by, &[]);
        let name = case.workflow().document.name;
        let start = Start {
            workflow: name,
            version: None,
            case: None,
            calendar: None,
            input: input.clone(),
        };
        let started = engine.start(&who, start, None).await.ok()?;
        Some(Self {
            engine,
            store,
            clock,
            partner,
            evaluator,
            entropy,
            who,
            id: started.id,
            events: 1,
        })
    }

    /// Kills the engine and opens another on what was flushed.
    pub(crate) async fn crash(self) -> Self {
        let store = Arc::new(self.store.crash());
        let partner = Arc::new(Partner {
            functions: self.partner.functions.clone(),
            inputs: Arc::clone(&self.partner.inputs),
            ..Partner::default()
        });
        let (clock, evaluator) = (&self.clock, &self.evaluator);
        let engine = engine(&store, clock, &partner, evaluator, &self.entropy).await;
        Self {
            engine,
            store,
            partner,
            ..self
        }
    }

    /// One event of the case, by the door it comes through.
    pub(crate) async fn meet(&mut self, one: &Move, index: usize, due: &Moments, path: &Path) {
        self.clock.0.send_modify(|now| *now += one.after);
        match &one.happening {
            Happening::Start { .. } => unreachable!("a case has one start"),
            Happening::Recover => return,
            Happening::Resume => unreachable!("yields are left out"),
            Happening::ChildEnded { .. } => unreachable!("other workflows are left out"),
            Happening::Return { call, result } => self.partner.answer(call, result).await,
            Happening::Complete {
                item,
                outcome,
                by,
                data,
                comment,
                ..
            } => {
                let id = format!("{}-{item}", self.id);
                for decider in by {
                    let complete = Complete {
                        outcome: outcome.clone(),
                        data: data.clone(),
                        comment: comment.clone(),
                        revision: None,
                        shown: None,
                    };
                    let who = person(&decider.person, &[&decider.role]);
                    self.engine.claim(&who, &id, None).await.unwrap();
                    self.engine
                        .complete(&who, &id, complete, None)
                        .await
                        .unwrap();
                }
            }
            Happening::Timer(timer) => {
                let at = due[&(index, *timer)];
                self.clock.0.send_modify(|now| *now = at.max(*now));
            }
            Happening::Arrive(event) => {
                let event = event.as_object().unwrap().clone();
                self.engine.publish(&self.who, event, None).await.unwrap();
            }
            Happening::Retry { certain } => {
                let retry = Retry {
                    reason: "the partner is back".to_owned(),
                    certain: *certain,
                };
                self.engine
                    .retry(&self.who, &self.id, retry, None)
                    .await
                    .unwrap();
            }
            Happening::Cancel => {
                self.engine
                    .cancel(&self.who, &self.id, None, None)
                    .await
                    .unwrap();
            }
        }
        self.events += 1;
        self.settle(path).await;
    }

    /// Until the event is in the journal.
    async fn settle(&self, path: &Path) {
        let limit = std::time::Duration::from_mins(1);
        let mut changes = self.engine.changes();
        let reached = async {
            loop {
                changes.borrow_and_update();
                let history = self.engine.history(&self.who, &self.id, 0).await.unwrap();
                assert!(
                    history.len() <= self.events,
                    "{}: too many events",
                    path.display()
                );
                if history.len() == self.events {
                    return;
                }
                changes.changed().await.unwrap();
            }
        };
        let reached = tokio::time::timeout(limit, reached).await;
        assert!(
            reached.is_ok(),
            "{}: event {} does not come",
            path.display(),
            self.events
        );
    }

    /// Where it stands elsewhere than the pure machine ended: what was expected, what was found.
    pub(crate) async fn differences(&self, case: &Case) -> Vec<(String, String)> {
        let view = self.engine.instance(&self.who, &self.id).await.unwrap();
        let finish = match (&view.output, &view.error) {
            (Some(output), _) => Some(format!("finish completed {output}")),
            (_, Some(error)) => Some(format!("finish faulted {error}")),
            (None, None) => (view.status == "cancelled").then(|| "finish cancelled".to_owned()),
        };
        let runs = self.engine.task_runs(&self.who, &self.id).await.unwrap();
        let runs: Vec<String> = runs
            .iter()
            .map(|run| format!("{}:{}", run.name, json!(run.status).as_str().unwrap()))
            .collect();
        let tasks = format!("= tasks {}", runs.join(" "));

        let ending: Vec<&str> = case.ending().collect();
        let finished = case
            .text
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("< "));
        let finished = finished.filter(|line| line.starts_with("finish "));
        let waits = ending
            .iter()
            .filter(|line| !line.starts_with("= tasks"))
            .count()
            - 1;
        let expected = [
            ending[0].to_owned(),
            format!("waits for {waits}"),
            finished.unwrap_or_default().to_owned(),
            (*ending.last().unwrap()).to_owned(),
        ];
        let found = [
            format!("= {}", view.status),
            format!("waits for {}", view.waiting.len()),
            // The case is about an instance `i1` of a case `c1`.
            finish
                .unwrap_or_default()
                .replace(&self.id, "i1")
                .replace(&view.case, "c1"),
            tasks.trim_end().to_owned(),
        ];
        let pairs = expected.into_iter().zip(found);
        pairs
            .filter(|(expected, found)| expected != found)
            .collect()
    }
}

async fn engine(
    store: &Arc<MemoryStore>,
    clock: &Arc<HandClock>,
    partner: &Arc<Partner>,
    evaluator: &Arc<Evaluator>,
    entropy: &Arc<Counting>,
) -> Engine {
    let parts = Parts {
        store: Arc::clone(store) as _,
        invoke: Arc::clone(partner) as _,
        evaluate: Arc::clone(evaluator) as _,
        clock: Arc::clone(clock) as _,
        entropy: Arc::clone(entropy) as _,
    };
    Engine::open(parts).await.unwrap()
}

/// Functions that the case calls.
fn functions(case: &Case) -> Vec<String> {
    let named = |line: &str| {
        let call = line.strip_prefix("< call ")?;
        let function = call.split(' ').nth(1)?;
        let function = function.split('@').next()?;
        Some(function.to_owned())
    };
    case.text.lines().filter_map(named).collect()
}

/// Somebody of the agency that documents without a pack belong to.
fn person(id: &str, roles: &[&str]) -> Principal {
    Principal {
        id: id.to_owned(),
        display_name: id.to_owned(),
        agency: "no-pack".to_owned(),
        roles: roles.iter().map(|&role| role.to_owned()).collect(),
        kind: Kind::Staff,
    }
}
