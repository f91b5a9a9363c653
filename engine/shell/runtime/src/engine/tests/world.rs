//! Everything around an engine in a test: store, clock, partner, people, packs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use casewright_casework::Principal;
use casewright_casework::principal::Kind;
use casewright_language::pack::Pack;
use casewright_language::{Answer, Question, Schema, Signature, Surroundings};
use casewright_machine::{CallError, ErrorKind};
use casewright_store::settings::Settings;
use casewright_store::{Faults, MemoryStore};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

use super::meanwhile::{Meanwhile, Rivals};
use crate::Deployment;
use crate::engine::{Complete, Engine, Limits, Parts, Refused, RequestKey, Start};
use crate::port::{
    Boxed, Clock, EffectKind, Entropy, Evaluate, Invocation, Invoke, Pending, Reason, Reply,
    Resumption,
};
use crate::view::{InstanceView, StartedView, WorkItemFilter, WorkItemView};

/// Moved by hand.
pub(super) struct HandClock(pub(super) watch::Sender<Timestamp>);

impl HandClock {
    fn new() -> Self {
        Self(watch::Sender::new(moment("2026-08-03T01:00:00Z")))
    }

    pub(super) fn forward(&self, by: SignedDuration) {
        self.0.send_modify(|now| *now += by);
    }

    pub(super) fn set(&self, to: Timestamp) {
        self.0.send_replace(to);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    fn wait_until(&self, at: Timestamp) -> Boxed<'_, ()> {
        let mut now = self.0.subscribe();
        Box::pin(async move {
            let reached = now.wait_for(|now| *now >= at).await.is_ok();
            assert!(reached, "the clock outlives whoever waits for it");
        })
    }
}

/// Counts: every id is different, and the same in every run.
#[derive(Default)]
pub(super) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let next = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.fill(0);
        let place = bytes.len() - next.len();
        bytes[place..].copy_from_slice(&next);
    }
}

/// Answers the few programs that the tests ask beyond the simple subset.
#[derive(Default)]
pub(super) struct Evaluator {
    pub(super) asked: AtomicU64,
    /// Where decisions that ask for `[range(2)]` wait for each other.
    pub(super) meeting: Mutex<Option<Arc<tokio::sync::Barrier>>>,
}

impl Evaluate for Evaluator {
    fn evaluate(&self, question: Question) -> Boxed<'_, Answer> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let meeting = self.meeting.lock().unwrap().clone();
        Box::pin(async move {
            match question.program.trim() {
                "[range(2)]" => {
                    if let Some(meeting) = meeting {
                        meeting.wait().await;
                    }
                    Answer::One(json!([0, 1]))
                }
                "[range(3)]" => Answer::One(json!([0, 1, 2])),
                other => Answer::Failed(format!("no test answers {other}")),
            }
        })
    }

    fn compile(&self, question: Question) -> Boxed<'_, Result<(), String>> {
        let known = !question.program.contains("range(4)");
        Box::pin(async move { known.then_some(()).ok_or("not this one".to_owned()) })
    }
}

/// A partner outside: pays once per key, remembers every request.
pub(super) struct Partner {
    pub(super) journal: Mutex<Vec<Invocation>>,
    pub(super) paid: Mutex<BTreeMap<String, Value>>,
    pub(super) faults: Mutex<Vec<CallError>>,
    pub(super) gate: Semaphore,
    pub(super) effect: EffectKind,
    /// What `housing.apply` answers at first; it pays nothing.
    pub(super) pending: Mutex<Option<Pending>>,
    /// Why it went on, with the tokens it was given.
    pub(super) resumed: Mutex<Vec<Reason>>,
    /// What going on comes to, in order; without one a message is the answer, and everything else
    /// waits on.
    pub(super) replies: Mutex<VecDeque<Result<Reply, CallError>>>,
}

/// More than any test calls.
const OPEN: usize = 100_000;

impl Partner {
    pub(super) fn new(effect: EffectKind) -> Arc<Self> {
        Arc::new(Self {
            journal: Mutex::default(),
            paid: Mutex::default(),
            faults: Mutex::default(),
            gate: Semaphore::new(OPEN),
            effect,
            pending: Mutex::default(),
            resumed: Mutex::default(),
            replies: Mutex::default(),
        })
    }

    /// Calls arrive and are not answered until [`Partner::open`].
    pub(super) fn hold(&self) {
        self.gate.forget_permits(OPEN);
    }

    pub(super) fn open(&self) {
        self.gate.add_permits(OPEN);
    }

    pub(super) fn payments(&self) -> usize {
        self.paid.lock().unwrap().len()
    }

    pub(super) fn requests(&self) -> usize {
        self.journal.lock().unwrap().len()
    }
}

impl Invoke for Partner {
    fn effect(&self, _: &str, digest: &str) -> Option<EffectKind> {
        (digest == "d1").then_some(self.effect)
    }

    fn describe(&self, surroundings: &mut Surroundings) -> Vec<(String, String)> {
        let money = json!({
            "type": "object",
            "required": ["minor", "currency"],
            "properties": {"minor": {"type": "integer"}, "currency": {"type": "string"}},
        });
        let input = json!({
            "type": "object", "required": ["money"], "properties": {"money": money},
        });
        let output = json!({
            "type": "object", "required": ["receipt"],
            "properties": {"receipt": {"type": "string"}},
        });
        let signature = Signature {
            title: "Pay a supplier".to_owned(),
            input: Schema::new(input).unwrap(),
            output: Schema::new(output).unwrap(),
            errors: vec!["declined".to_owned()],
            pays: None,
            discloses: Vec::new(),
        };
        let paying = Signature {
            pays: Some("/money".to_owned()),
            ..signature.clone()
        };
        surroundings
            .functions
            .insert("payment-issue.transfer".to_owned(), paying);
        surroundings
            .functions
            .insert("payment-issue.pay".to_owned(), signature);
        let signature = Signature {
            title: "Apply for a home".to_owned(),
            input: Schema::new(json!({"type": "object"})).unwrap(),
            output: Schema::new(json!({"type": "object", "required": ["state"]})).unwrap(),
            errors: Vec::new(),
            pays: None,
            discloses: Vec::new(),
        };
        surroundings
            .functions
            .insert("housing.apply".to_owned(), signature);
        let signature = Signature {
            title: "Send a referral".to_owned(),
            input: Schema::new(json!({"type": "object"})).unwrap(),
            output: Schema::new(json!({"type": "object"})).unwrap(),
            errors: Vec::new(),
            pays: None,
            discloses: vec!["household".to_owned()],
        };
        surroundings
            .functions
            .insert("referral.send".to_owned(), signature);
        surroundings.functions_known = true;
        let plugin = |name: &str| (name.to_owned(), "d1".to_owned());
        vec![
            plugin("payment-issue"),
            plugin("housing"),
            plugin("referral"),
        ]
    }

    fn bind(&self, _pack: &Pack) {}

    fn discloses(&self, function: &str, _: &str) -> Vec<String> {
        let referral = function == "referral.send";
        referral
            .then(|| "household".to_owned())
            .into_iter()
            .collect()
    }

    fn resumes(&self, function: &str, _: &str) -> bool {
        function == "housing.apply"
    }

    fn resume(&self, resumption: Resumption) -> Boxed<'_, Result<Reply, CallError>> {
        Box::pin(async move {
            let place = self.gate.acquire().await.expect("the gate is never closed");
            drop(place);
            self.resumed.lock().unwrap().push(resumption.reason.clone());
            if let Some(reply) = self.replies.lock().unwrap().pop_front() {
                return reply;
            }
            let pending = self.pending.lock().unwrap().clone();
            match resumption.reason {
                Reason::Callback(callback) => Ok(Reply::Done(
                    serde_json::from_slice(&callback.body).expect("tests send JSON"),
                )),
                Reason::Poll | Reason::Expired | Reason::Cancelled => {
                    Ok(Reply::Pending(pending.expect("it was pending before")))
                }
            }
        })
    }

    fn invoke(&self, invocation: Invocation) -> Boxed<'_, Result<Reply, CallError>> {
        Box::pin(async move {
            let key = invocation.key.clone();
            // A service whose operations are named as their methods.
            let asked = invocation.input["operationId"].as_str();
            let offered = asked.map(|method| {
                let method = method.to_ascii_uppercase();
                json!({"method": method, "server": "https://homes.example", "path": "/"})
            });
            let offered = offered.filter(|_| invocation.function == "openapi");
            self.journal.lock().unwrap().push(invocation);
            let place = self.gate.acquire().await.expect("the gate is never closed");
            drop(place);
            if let Some(fault) = self.faults.lock().unwrap().pop() {
                return Err(fault);
            }
            if let Some(offered) = offered {
                return Ok(Reply::Done(offered));
            }
            if let Some(pending) = self.pending.lock().unwrap().clone() {
                return Ok(Reply::Pending(pending));
            }
            let mut paid = self.paid.lock().unwrap();
            let number = paid.len() + 1;
            let receipt = json!({"receipt": format!("R-{number}")});
            Ok(Reply::Done(paid.entry(key).or_insert(receipt).clone()))
        })
    }
}

pub(super) fn fault(kind: ErrorKind, code: &str) -> CallError {
    CallError {
        kind,
        code: code.to_owned(),
        status: 503,
        message: "planted".to_owned(),
        details: None,
        retry_after_ms: None,
    }
}

/// An engine with its surroundings.
pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) store: Arc<MemoryStore>,
    pub(super) faults: Arc<Faults>,
    pub(super) rivals: Arc<Rivals>,
    pub(super) clock: Arc<HandClock>,
    pub(super) partner: Arc<Partner>,
    pub(super) evaluator: Arc<Evaluator>,
    entropy: Arc<Counting>,
    pub(super) limits: Limits,
}

impl World {
    /// With the brokerage pack in force.
    pub(super) async fn new() -> Self {
        Self::within(Limits::default(), EffectKind::Keyed).await
    }

    pub(super) async fn within(limits: Limits, effect: EffectKind) -> Self {
        let world = Self::empty(limits, effect, Settings::default()).await;
        world.deploy(pack("100000")).await.unwrap();
        world
    }

    pub(super) async fn empty(limits: Limits, effect: EffectKind, settings: Settings) -> Self {
        let faults = Arc::<Faults>::default();
        let settings = Settings {
            faults: Some(Arc::clone(&faults)),
            ..settings
        };
        let store = Arc::new(MemoryStore::new(settings));
        let (clock, partner) = (Arc::new(HandClock::new()), Partner::new(effect));
        let (entropy, evaluator) = (Arc::default(), Arc::default());
        let rivals = Arc::default();
        let around = around(&store, &rivals);
        let engine = open(around, &clock, &partner, &entropy, &evaluator, limits).await;
        Self {
            engine,
            store,
            faults,
            rivals,
            clock,
            partner,
            evaluator,
            entropy,
            limits,
        }
    }

    /// Kills the engine and opens another on what was flushed.
    pub(super) async fn crash(self) -> Self {
        let store = Arc::new(self.store.crash());
        let engine = open(
            around(&store, &self.rivals),
            &self.clock,
            &self.partner,
            &self.entropy,
            &self.evaluator,
            self.limits,
        )
        .await;
        Self {
            engine,
            store,
            ..self
        }
    }

    /// Waits until no instance is in memory and what they left behind is on disk.
    pub(super) async fn all_parked(&self) {
        within_reason(async {
            while self.engine.resident_count() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        // Nobody waits for the flush of a parked instance; what is flushed after it tells.
        let after =
            casewright_store::Store::submit(&*self.store, casewright_store::Batch::default());
        after.unwrap().flushed().await.unwrap();
    }

    pub(super) async fn deploy(&self, files: BTreeMap<String, String>) -> Result<(), Refused> {
        self.engine.deploy(read(&self.partner, files)).await
    }

    pub(super) async fn start(&self, workflow: &str, input: Value) -> StartedView {
        let who = worker();
        let start = start_of(workflow, input);
        self.engine.start(&who, start, None).await.unwrap()
    }

    /// Waits until the instance is as wanted: nothing is asked between two commits.
    pub(super) async fn instance(
        &self,
        id: &str,
        wanted: impl Fn(&InstanceView) -> bool,
    ) -> InstanceView {
        let mut changes = self.engine.changes();
        within_reason(async {
            loop {
                changes.borrow_and_update();
                let view = self.engine.instance(&worker(), id).await.unwrap();
                if wanted(&view) {
                    return view;
                }
                changes.changed().await.unwrap();
            }
        })
        .await
    }

    /// The open work item of this task; waits for it.
    pub(super) async fn item(&self, instance: &str, task: &str) -> WorkItemView {
        let filter = WorkItemFilter {
            instance: Some(instance.to_owned()),
            ..WorkItemFilter::default()
        };
        let mut changes = self.engine.changes();
        within_reason(async {
            loop {
                changes.borrow_and_update();
                let page = self.engine.work_items(&worker(), filter.clone()).await;
                let found = page
                    .unwrap()
                    .items
                    .into_iter()
                    .find(|item| item.task == task);
                if let Some(item) = found {
                    return item;
                }
                changes.changed().await.unwrap();
            }
        })
        .await
    }

    /// Claims and completes.
    pub(super) async fn decide(
        &self,
        who: &Principal,
        item: &str,
        outcome: &str,
        data: Value,
    ) -> Result<WorkItemView, Refused> {
        self.engine.claim(who, item, None).await?;
        let complete = complete(outcome, data);
        self.engine.complete(who, item, complete, None).await
    }
}

fn around(store: &Arc<MemoryStore>, rivals: &Arc<Rivals>) -> Arc<Meanwhile> {
    Arc::new(Meanwhile {
        store: Arc::clone(store),
        rivals: Arc::clone(rivals),
    })
}

async fn open(
    store: Arc<Meanwhile>,
    clock: &Arc<HandClock>,
    partner: &Arc<Partner>,
    entropy: &Arc<Counting>,
    evaluator: &Arc<Evaluator>,
    limits: Limits,
) -> Engine {
    let parts = Parts {
        store: store as _,
        invoke: Arc::clone(partner) as _,
        evaluate: Arc::clone(evaluator) as _,
        clock: Arc::clone(clock) as _,
        entropy: Arc::clone(entropy) as _,
    };
    Engine::open_within(parts, limits).await.unwrap()
}

pub(super) fn read(partner: &Partner, files: BTreeMap<String, String>) -> Deployment {
    let mut surroundings = Surroundings::default();
    let plugins = partner.describe(&mut surroundings);
    match Deployment::read(files, &surroundings, &plugins) {
        Ok(deployment) => deployment,
        Err(findings) => panic!("{findings:#?}"),
    }
}

/// A test that waits for what never comes fails with a word instead of hanging.
pub(super) async fn within_reason<T>(wait: impl Future<Output = T>) -> T {
    let limit = std::time::Duration::from_mins(1);
    let came = tokio::time::timeout(limit, wait).await;
    came.expect("what a test waits for comes within a minute")
}

pub(super) fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn start_of(workflow: &str, input: Value) -> Start {
    Start {
        workflow: workflow.to_owned(),
        version: None,
        case: None,
        calendar: None,
        input,
    }
}

pub(super) fn complete(outcome: &str, data: Value) -> Complete {
    Complete {
        outcome: outcome.to_owned(),
        data,
        comment: Some(format!("because of {outcome}")),
        revision: None,
        shown: None,
    }
}

pub(super) fn request(key: &str) -> RequestKey {
    RequestKey {
        key: key.to_owned(),
        body_hash: [1; 32],
    }
}

pub(super) fn staff(id: &str, roles: &[&str]) -> Principal {
    Principal {
        id: id.to_owned(),
        display_name: id.to_uppercase(),
        agency: "family-support".to_owned(),
        roles: roles
            .iter()
            .map(|&role| role.to_owned())
            .collect::<BTreeSet<_>>(),
        kind: Kind::Staff,
    }
}

/// Asks for brokerage.
pub(super) fn worker() -> Principal {
    staff("u-casey", &["case-worker"])
}

/// May approve up to $2,000.
pub(super) fn leader() -> Principal {
    staff("u-lee", &["team-leader"])
}

/// May approve up to $10,000, and is a team leader too.
pub(super) fn manager() -> Principal {
    staff("u-sam", &["service-manager", "team-leader"])
}

pub(super) fn aud(minor: i64) -> Value {
    json!({"minor": minor, "currency": "AUD"})
}

/// The brokerage pack with this allocation of its fund.
pub(super) fn pack(allocated: &str) -> BTreeMap<String, String> {
    let files = [
        ("pack.yaml", include_str!("pack/pack.yaml")),
        ("brokerage.yaml", include_str!("pack/brokerage.yaml")),
        ("both-sign.yaml", include_str!("pack/both-sign.yaml")),
        ("grab.yaml", include_str!("pack/grab.yaml")),
        ("grab-each.yaml", include_str!("pack/grab-each.yaml")),
        ("grab-twice.yaml", include_str!("pack/grab-twice.yaml")),
        ("pay.yaml", include_str!("pack/pay.yaml")),
        ("apply.yaml", include_str!("pack/apply.yaml")),
        ("wait.yaml", include_str!("pack/wait.yaml")),
        ("ask.yaml", include_str!("pack/ask.yaml")),
        ("team.yaml", include_str!("pack/team.yaml")),
        ("pause.yaml", include_str!("pack/pause.yaml")),
        ("late.yaml", include_str!("pack/late.yaml")),
        (
            "calendars/au-qld.ics",
            include_str!("pack/calendars/au-qld.ics"),
        ),
    ];
    let text = |text: &str| text.replace("ALLOCATED", allocated);
    files
        .into_iter()
        .map(|(path, file)| (path.to_owned(), text(file)))
        .collect()
}
