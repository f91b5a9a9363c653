//! Engines with a bug, to see that the net catches it.
//!
//! The shipped binary has no switch for a bug, and gets none: what could be switched on by a test
//! could be switched on by accident. So the engine runs in this process, whole and behind its real
//! HTTP API, on a real file; the bug sits in what is fitted into its ports, the store and the
//! caller of plugins. Load, kills and checks are those that the binary meets. A kill is the store
//! stopping at a flush, before or after it reached the disk, and everything else dropped.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use casewright_casework::audit;
use casewright_language::pack::Pack;
use casewright_language::{Answer, Question, Schema, Signature, Surroundings};
use casewright_machine::{CallError, ErrorKind};
use casewright_runtime::Engine;
use casewright_runtime::engine::Parts;
use casewright_runtime::identity::NewUser;
use casewright_runtime::port::{
    Boxed, Clock, EffectKind, Entropy, Evaluate, Invocation, Invoke, Reply, Resumption,
};
use casewright_store::{
    Batch, Committed, Faults, Guard, History, Moment, ReadError, RedbStore, Row, Settings, Store,
    SubmitError, Table, Ticket,
};
use jiff::Timestamp;
use serde_json::json;

use super::home::{NAMESPACE, STAFF, pack};
use super::life::{Host, Plan};
use crate::seed::Seed;

/// Longer than an engine needs to be dropped.
const PATIENCE: Duration = Duration::from_mins(1);
/// A store that nobody writes to never comes to the flush at which it is to stop.
const FLUSH_MS: u64 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    None,
    /// A change is acknowledged when it is queued, not when it is on disk.
    AcknowledgedBeforeFlush,
    /// Each attempt of a call mints an idempotency key of its own.
    KeyPerAttempt,
    /// Nobody checks whether the balance that was decided on still stands.
    GuardNotChecked,
}

/// An engine in this process, killed and started again.
pub(crate) struct Planted {
    bug: Bug,
    folder: PathBuf,
    partner: String,
    seed: Seed,
    running: Option<Running>,
}

struct Running {
    runtime: tokio::runtime::Runtime,
    store: Weak<RedbStore>,
    faults: Arc<Faults>,
    stopped: Receiver<()>,
}

impl Planted {
    pub(crate) fn new(bug: Bug, folder: &Path, partner: &str, seed: &Seed) -> Self {
        Self {
            bug,
            folder: folder.to_path_buf(),
            partner: partner.to_owned(),
            seed: seed.clone(),
            running: None,
        }
    }

    /// Seeds the staff; their tokens.
    pub(crate) fn first_start(&mut self) -> Vec<(&'static str, String)> {
        let (running, engine, _) = self.open();
        let seeded = running.runtime.block_on(async {
            let mut tokens = Vec::new();
            for (id, role) in STAFF {
                let user = NewUser {
                    agency: NAMESPACE.to_owned(),
                    id: id.to_owned(),
                    sign_in: id.to_owned(),
                    display_name: "Example".to_owned(),
                    roles: [role.to_owned()].into(),
                    passphrase: "a passphrase of the tests alone".to_owned(),
                };
                engine.put_user(user).await.unwrap();
                tokens.push((id, engine.mint_token(id, "tests").await.unwrap().0));
            }
            tokens
        });
        drop(engine);
        self.running = Some(running);
        self.kill().unwrap();
        seeded
    }

    fn open(&self) -> (Running, Engine, String) {
        let (say, stopped) = mpsc::channel();
        let faults = Arc::<Faults>::default();
        let settings = Settings {
            faults: Some(Arc::clone(&faults)),
            on_fatal: Some(Arc::new(move |_: &str| {
                // Nobody listens when it stops of itself after a kill.
                let _ = say.send(());
            })),
            ..Settings::default()
        };
        let (file, keys) = (
            self.folder.join("store.redb"),
            self.folder.join("epoch.json"),
        );
        let store = Arc::new(RedbStore::open(&file, &keys, settings).unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let parts = Parts {
            store: Arc::new(Buggy {
                inner: Arc::clone(&store),
                bug: self.bug,
            }),
            invoke: Arc::new(Payer {
                partner: self.partner.clone(),
                bug: self.bug,
            }),
            evaluate: Arc::new(NoEvaluator),
            clock: Arc::new(Machine),
            entropy: Arc::new(Machine),
        };
        let (engine, url) = runtime.block_on(async {
            let engine = Engine::open(parts).await.unwrap();
            engine
                .deploy_configured(pack().into_iter().collect())
                .await
                .unwrap();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let secure_cookies = false;
            let settings = casewright_web::Settings { secure_cookies };
            let app = casewright_web::router(engine.clone(), settings);
            let app = app.into_make_service_with_connect_info::<SocketAddr>();
            tokio::spawn(async move { axum::serve(listener, app).await });
            (engine, url)
        });
        let store = Arc::downgrade(&store);
        let running = Running {
            runtime,
            store,
            faults,
            stopped,
        };
        (running, engine, url)
    }
}

impl Host for Planted {
    fn start(&mut self, _: &Plan) -> Result<Option<String>, String> {
        let (running, _, url) = self.open();
        self.running = Some(running);
        Ok(Some(url))
    }

    fn live(&mut self, moment: Duration) -> Result<bool, String> {
        let running = self.running.as_ref().expect("it was started");
        match running.stopped.recv_timeout(moment) {
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                Err("the store stopped, and nobody asked it to".to_owned())
            }
        }
    }

    fn kill(&mut self) -> Result<(), String> {
        let Some(running) = self.running.take() else {
            return Ok(());
        };
        let side = [Moment::BeforeFlush, Moment::AfterFlush];
        let side = side[usize::try_from(self.seed.next(2)).unwrap()];
        running.faults.stop_at(1, side);
        // Without a flush there is nothing to stop at, and nothing is lost by ending here.
        let _ = running
            .stopped
            .recv_timeout(Duration::from_millis(FLUSH_MS));
        running.runtime.shutdown_timeout(PATIENCE);
        let until = Instant::now() + PATIENCE;
        while running.store.strong_count() > 0 {
            if Instant::now() > until {
                return Err("the engine was dropped and holds its store".to_owned());
            }
            std::thread::yield_now();
        }
        Ok(())
    }
}

/// A store that keeps its promises as far as the bug lets it.
struct Buggy {
    inner: Arc<RedbStore>,
    bug: Bug,
}

impl Store for Buggy {
    fn submit(&self, mut batch: Batch) -> Result<Ticket, SubmitError> {
        match self.bug {
            Bug::None | Bug::KeyPerAttempt => self.inner.submit(batch),
            Bug::GuardNotChecked => {
                let of_fund = |guard: &Guard| {
                    matches!(
                        guard,
                        Guard::Row {
                            table: Table::Fund,
                            ..
                        }
                    )
                };
                batch.guards.retain(|guard| !of_fund(guard));
                self.inner.submit(batch)
            }
            Bug::AcknowledgedBeforeFlush => {
                self.inner.submit(batch)?;
                let (tell, ticket) = Ticket::new();
                let _ = tell.send(Committed { position: 0 });
                Ok(ticket)
            }
        }
    }

    fn pending(&self, table: Table, key: &[u8]) -> Result<Option<Row>, ReadError> {
        match self.bug {
            // Decided on what is on disk, whoever is queued: guards would catch it.
            Bug::GuardNotChecked if table == Table::Fund => self.inner.get(table, key),
            Bug::None
            | Bug::KeyPerAttempt
            | Bug::GuardNotChecked
            | Bug::AcknowledgedBeforeFlush => self.inner.pending(table, key),
        }
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>, ReadError> {
        match self.bug {
            // What is acknowledged too early is shown too early: only a kill brings it out.
            Bug::AcknowledgedBeforeFlush => self.inner.pending(table, key),
            Bug::None | Bug::KeyPerAttempt | Bug::GuardNotChecked => self.inner.get(table, key),
        }
    }

    fn scan(
        &self,
        table: Table,
        start: &[u8],
        end: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, ReadError> {
        self.inner.scan(table, start, end, limit)
    }

    fn history(&self, instance: &str) -> Result<Option<History>, ReadError> {
        self.inner.history(instance)
    }

    fn events(&self, instance: &str) -> Result<Vec<Vec<u8>>, ReadError> {
        self.inner.events(instance)
    }

    fn audit(&self, case: &str) -> Result<Vec<audit::Link>, ReadError> {
        self.inner.audit(case)
    }

    fn unsettled(&self) -> Result<Vec<String>, ReadError> {
        self.inner.unsettled()
    }

    fn unfolded(&self) -> (u64, Vec<String>) {
        self.inner.unfolded()
    }

    fn close(&self) {
        self.inner.close();
    }
}

/// Pays at the partner, as the plugin does.
struct Payer {
    partner: String,
    bug: Bug,
}

impl Payer {
    fn key(&self, invocation: &Invocation) -> String {
        match self.bug {
            Bug::KeyPerAttempt => {
                let mut minted = [0; 8];
                Machine.fill(&mut minted);
                format!("{}-{}", invocation.key, u64::from_le_bytes(minted))
            }
            Bug::None | Bug::AcknowledgedBeforeFlush | Bug::GuardNotChecked => {
                invocation.key.clone()
            }
        }
    }
}

impl Invoke for Payer {
    fn effect(&self, _: &str, _: &str) -> Option<EffectKind> {
        Some(EffectKind::Keyed)
    }

    fn describe(&self, surroundings: &mut Surroundings) -> Vec<(String, String)> {
        let any = || Schema::new(json!({})).unwrap();
        let signature = Signature {
            title: "Pay".to_owned(),
            input: any(),
            output: any(),
            errors: Vec::new(),
            pays: None,
            discloses: Vec::new(),
        };
        let name = "payment-issue.pay".to_owned();
        surroundings.functions.insert(name, signature);
        surroundings.functions_known = true;
        vec![("payment-issue".to_owned(), "d1".to_owned())]
    }

    fn bind(&self, _: &Pack) {}

    fn discloses(&self, _: &str, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn resumes(&self, _: &str, _: &str) -> bool {
        false
    }

    fn invoke(&self, invocation: Invocation) -> Boxed<'_, Result<Reply, CallError>> {
        let key = self.key(&invocation);
        let url = format!("{}/pay/payments", self.partner);
        let pay = move || {
            let request = ureq::post(url).header("idempotency-key", key);
            let request = request.header("content-type", "application/json");
            let mut answer = request.send(invocation.input.to_string()).ok()?;
            serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()
        };
        Box::pin(async move {
            let answer = tokio::task::spawn_blocking(pay).await;
            answer.ok().flatten().map(Reply::Done).ok_or(CallError {
                kind: ErrorKind::Retryable,
                code: "payment-issue.lost".to_owned(),
                status: 503,
                message: "no answer".to_owned(),
                details: None,
                retry_after_ms: None,
            })
        })
    }

    fn resume(&self, resumption: Resumption) -> Boxed<'_, Result<Reply, CallError>> {
        unreachable!("{} never answers later", resumption.of.function)
    }
}

/// The pack asks nothing beyond the simple subset.
struct NoEvaluator;

impl Evaluate for NoEvaluator {
    fn evaluate(&self, _: Question) -> Boxed<'_, Answer> {
        Box::pin(async { Answer::Failed("there is no evaluator here".to_owned()) })
    }

    fn compile(&self, _: Question) -> Boxed<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

/// Clock and randomness of the machine.
struct Machine;

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now().as_millisecond();
        Timestamp::from_millisecond(now).unwrap()
    }

    fn wait_until(&self, at: Timestamp) -> Boxed<'_, ()> {
        let left = self.now().duration_until(at);
        Box::pin(async move {
            if left.is_positive() {
                tokio::time::sleep(left.unsigned_abs()).await;
            }
        })
    }
}

impl Entropy for Machine {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}
