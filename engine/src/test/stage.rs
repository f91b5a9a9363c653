//! Everything around one test: a fresh engine in memory, a clock moved by hand, people.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use casewright_casework::principal::Kind;
use casewright_casework::{Calendar, Principal, calendar};
use casewright_language::pack_test::{Moment, Test};
use casewright_language::{Surroundings, Term};
use casewright_runtime::engine::Parts;
use casewright_runtime::port::{Boxed, Clock, Entropy, Invoke};
use casewright_runtime::{Deployment, Engine};
use casewright_store::Settings;
use casewright_store::memory::MemoryStore;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::partner::Partner;
use crate::exit;
use crate::ports::{EvaluatorProcess, Plugins};

/// What all tests share.
pub(super) struct World {
    pub(super) plugins: Arc<Plugins>,
    pub(super) evaluate: Arc<EvaluatorProcess>,
}

/// One test's own engine.
pub(super) struct Stage {
    pub(super) engine: Engine,
    pub(super) partner: Arc<Partner>,
    clock: Arc<HandClock>,
    calendar: Calendar,
    people: BTreeMap<String, Principal>,
    /// Sees what the agency's staff see, and does nothing.
    pub(super) onlooker: Principal,
    /// Opened by the test, in order.
    pub(super) cases: Vec<String>,
    /// Started by the test, in order.
    pub(super) instances: Vec<String>,
    /// How many events the test has sent.
    pub(super) events: u64,
}

struct HandClock(watch::Sender<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    fn wait_until(&self, at: Timestamp) -> Boxed<'_, ()> {
        let mut now = self.0.subscribe();
        Box::pin(async move {
            // An error means that the clock is gone, and with it whoever waited.
            let _ = now.wait_for(|now| *now >= at).await;
        })
    }
}

/// Ids that are different from each other and the same in every run.
#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let next = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.fill(0);
        for (byte, digit) in bytes.iter_mut().rev().zip(next.iter().rev()) {
            *byte = *digit;
        }
    }
}

impl World {
    /// The inner error says why the test cannot begin.
    pub(super) async fn stage(
        &self,
        pack: &Deployment,
        test: &Test,
    ) -> io::Result<Result<Stage, String>> {
        let partner = Partner::new(Arc::clone(&self.plugins), test.answers.clone());
        let partner = Arc::new(partner);
        let mut installed = Surroundings::default();
        let digests = partner.describe(&mut installed);
        // Read again only where the pack was read without what the test answers.
        let known = |function| pack.signatures.contains_key(function);
        let known = installed.functions.keys().all(known);
        let deployment = if known {
            pack.clone()
        } else {
            match Deployment::read(pack.files.clone(), &installed, &digests) {
                Ok(deployment) => deployment,
                Err(findings) => {
                    let first = findings.into_iter().next().map(|first| first.message);
                    let sentence = first.unwrap_or_else(|| "the pack has mistakes".to_owned());
                    return Ok(Err(sentence));
                }
            }
        };
        let calendar = deployment.calendar().clone();
        let begins = match test.begins {
            Some(begins) => local(begins),
            None => jiff::civil::date(2026, 3, 2).at(9, 0, 0, 0),
        };
        let Some(begins) = moment(begins, calendar.zone()) else {
            return Ok(Err("there is no such moment where the agency is".to_owned()));
        };
        let clock = Arc::new(HandClock(watch::Sender::new(begins)));
        let people = test.people.iter().map(|(name, roles)| {
            let person = person(&deployment, name, roles);
            (name.clone(), person)
        });
        let people = people.collect();
        let onlooker = person(&deployment, "the-test", &[]);
        let engine = Engine::open(Parts {
            store: Arc::new(MemoryStore::new(Settings::default())),
            invoke: Arc::clone(&partner) as _,
            evaluate: Arc::clone(&self.evaluate) as _,
            clock: Arc::clone(&clock) as _,
            entropy: Arc::<Counting>::default(),
        });
        let engine = engine.await.map_err(|error| failed(&error))?;
        if let Err(refused) = engine.deploy(deployment).await {
            return Ok(Err(refused.to_string()));
        }
        Ok(Ok(Stage {
            engine,
            partner,
            clock,
            calendar,
            people,
            onlooker,
            cases: Vec::new(),
            instances: Vec::new(),
            events: 0,
        }))
    }
}

impl Stage {
    pub(super) fn person(&self, name: &str) -> &Principal {
        // The reader has seen that everybody named is declared.
        self.people.get(name).unwrap_or(&self.onlooker)
    }

    pub(super) fn zone(&self) -> &TimeZone {
        self.calendar.zone()
    }

    /// What is due happens, in order, each at its own moment.
    pub(super) async fn quiet(&self) -> io::Result<()> {
        self.engine.quiet().await.map_err(|error| failed(&error))
    }

    /// Lets time pass. The inner error says why it cannot.
    pub(super) async fn wait(&self, term: Term) -> io::Result<Result<(), String>> {
        match self.after(term) {
            Ok(until) => self.wait_until(until).await.map(Ok),
            Err(sentence) => Ok(Err(sentence)),
        }
    }

    /// The same up to a local time.
    pub(super) async fn wait_for(&self, to: Moment) -> io::Result<Result<(), String>> {
        match moment(local(to), self.zone()) {
            Some(until) if until >= self.clock.now() => self.wait_until(until).await.map(Ok),
            _ => {
                let now = self.local_time(self.clock.now());
                Ok(Err(format!("time does not go back: it is {now} already")))
            }
        }
    }

    async fn wait_until(&self, until: Timestamp) -> io::Result<()> {
        loop {
            self.quiet().await?;
            let next = self.engine.next_timer().map_err(|error| failed(&error))?;
            match next {
                Some(next) if next <= until => self.clock.0.send_replace(next),
                _ => break,
            };
        }
        self.clock.0.send_replace(until);
        self.quiet().await
    }

    /// Days end at the time of day at which they began: whoever waits three days at nine in the
    /// morning finds it nine in the morning.
    fn after(&self, term: Term) -> Result<Timestamp, String> {
        let now = self.clock.now();
        let term = match term {
            Term::BusinessDays(days) => calendar::Term::BusinessDays(days),
            Term::CalendarDays(days) => calendar::Term::CalendarDays(days),
            Term::BusinessHours(hours) => calendar::Term::BusinessHours(hours),
            Term::Exact(period) => calendar::Term::ExactMs(period.0),
        };
        let due = self.calendar.due(now, term).map_err(|no| no.message)?;
        match term {
            calendar::Term::BusinessDays(_) | calendar::Term::CalendarDays(_) => {
                let day = due.to_zoned(self.zone().clone()).date();
                let time = now.to_zoned(self.zone().clone()).time();
                let until = moment(day.to_datetime(time), self.zone());
                until.ok_or_else(|| "there is no such day".to_owned())
            }
            calendar::Term::BusinessHours(_) | calendar::Term::ExactMs(_) => Ok(due),
        }
    }

    /// `2026-11-25 09:00`, where the agency is.
    pub(super) fn local_time(&self, at: Timestamp) -> String {
        let at = at.to_zoned(self.zone().clone());
        at.strftime("%Y-%m-%d %H:%M").to_string()
    }
}

fn local(moment: Moment) -> DateTime {
    let (hour, minute) = moment.time.unwrap_or((0, 0));
    let day = jiff::civil::Date::new(moment.year, moment.month, moment.day);
    // The reader has seen that it is a day of the calendar.
    day.unwrap_or(jiff::civil::Date::MIN).at(hour, minute, 0, 0)
}

fn moment(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let at = at.to_zoned(zone.clone()).ok()?.timestamp();
    // As the engine's own clock: events are written with milliseconds.
    Some(at - SignedDuration::from_nanos(i64::from(at.subsec_nanosecond()) % 1_000_000))
}

fn person(deployment: &Deployment, name: &str, roles: &[String]) -> Principal {
    let mut held = BTreeSet::new();
    let mut open = roles.to_vec();
    while let Some(role) = open.pop() {
        let included = deployment.pack.roles.get(&role);
        open.extend(
            included
                .into_iter()
                .flat_map(|role| &role.includes)
                .filter(|inner| !held.contains(*inner))
                .cloned(),
        );
        held.insert(role);
    }
    Principal {
        id: name.to_owned(),
        display_name: name.to_owned(),
        agency: deployment.pack.namespace.clone(),
        roles: held,
        kind: Kind::Staff,
    }
}

pub(super) fn failed(error: &casewright_runtime::Refused) -> io::Error {
    io::Error::other(exit::chain(error))
}
