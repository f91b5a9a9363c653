//! The killer's side: life after life, the kills chosen by a seed, the checks between them, and
//! what is said at the end.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::injection::Injections;
use super::journey;
use super::life::{Host, Plan};
use super::receiver::Receiver;
use super::world::{Asker, Over, Phase, World};
use crate::seed::Seed;

/// Clients that ask at the same time.
const CLIENTS: usize = 6;
/// A life is killed at random some moments after so many acknowledgements: how much happens in it
/// does not depend on how fast the machine is.
const LIFE_ACKNOWLEDGED: u64 = 60;
const MOMENTS_US: u64 = 20_000;
/// An injection that is not reached by then is none.
const INJECTED_ACKNOWLEDGED: u64 = 120;
/// How often the killer looks how much was acknowledged.
const LOOK: Duration = Duration::from_millis(2);
/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_mins(2);
/// As long as a start may take when nothing is known yet.
const START_FIRST: Duration = Duration::from_millis(200);
/// Runs on a page of the list.
const PAGE: usize = 200;

pub(crate) struct Settings {
    pub(crate) cycles: u64,
    /// After so many lives, one comes to rest and everything is reckoned up.
    pub(crate) reckon_every: u64,
    /// Whether the partner's answers suffer faults.
    pub(crate) faults: bool,
    pub(crate) injections: Option<Injections>,
}

/// Something was not as it must be.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) cycle: u64,
    pub(crate) what: String,
}

/// What was done to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    pub(crate) seed: u64,
    pub(crate) cycles: u64,
    pub(crate) random: u64,
    /// Kind of call to (kills, of which before it was ready).
    pub(crate) injected: BTreeMap<&'static str, (u64, u64)>,
    /// All kills before it was ready.
    pub(crate) in_recovery: u64,
    /// Lives in which nothing was acknowledged, though it became ready.
    pub(crate) idle: u64,
    pub(crate) acknowledged: u64,
    pub(crate) in_doubt: u64,
    pub(crate) checked: u64,
    pub(crate) races: u64,
    pub(crate) refused: u64,
    pub(crate) runs: usize,
    pub(crate) payments: usize,
    pub(crate) requests: u64,
    pub(crate) took: Duration,
    /// Mean time to ready.
    pub(crate) start: Duration,
    /// The longest that the system took to end a killed process.
    pub(crate) dying: Duration,
}

/// Kills it `cycles` times under load. Afterwards it lives, at rest, and everything was found.
pub(crate) fn run(
    host: &mut dyn Host,
    receiver: &mut Receiver,
    world: &World,
    settings: Settings,
    seed: &mut Seed,
) -> Result<Told, Wrong> {
    std::thread::scope(|scope| {
        // Whatever ends this, the clients end too.
        let over = Ends(world);
        for number in 0..CLIENTS {
            let mut dice = seed.clone();
            let first = dice.next(u64::MAX) ^ (number as u64) << 32;
            dice = Seed::of(first);
            scope.spawn(move || {
                let _fails = Fails(world);
                journey::tell(world, number, dice)
            });
        }
        scope.spawn(|| {
            let _fails = Fails(world);
            journey::look(world)
        });
        let mut killer = Killer {
            host,
            receiver,
            world,
            reckon_every: settings.reckon_every,
            faults: settings.faults,
            injections: settings.injections,
            seed,
            told: Told::default(),
            starts: 0,
            started: Duration::ZERO,
        };
        let outcome = killer.all(settings.cycles);
        drop(over);
        outcome
    })
}

pub(crate) fn clients() -> usize {
    CLIENTS
}

struct Ends<'w>(&'w World);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.turn(Phase::Over);
    }
}

/// A client that breaks ends the campaign.
struct Fails<'w>(&'w World);

impl Drop for Fails<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.wrong("a client broke");
        }
    }
}

struct Killer<'a> {
    host: &'a mut dyn Host,
    receiver: &'a mut Receiver,
    world: &'a World,
    reckon_every: u64,
    faults: bool,
    injections: Option<Injections>,
    seed: &'a mut Seed,
    told: Told,
    starts: u32,
    started: Duration,
}

impl Killer<'_> {
    fn all(&mut self, cycles: u64) -> Result<Told, Wrong> {
        let began = Instant::now();
        for cycle in 1..=cycles {
            self.cycle(cycle).map_err(|what| self.wrong(cycle, what))?;
        }
        self.last().map_err(|what| self.wrong(cycles, what))?;
        Ok(self.told(cycles, began))
    }

    fn told(&self, cycles: u64, began: Instant) -> Told {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = &self.world.counts;
        Told {
            seed: self.seed.number(),
            cycles,
            acknowledged: count(&counts.acknowledged),
            in_doubt: count(&counts.in_doubt),
            checked: count(&counts.checked),
            races: count(&counts.races),
            refused: count(&counts.refused),
            runs: self.world.ledger.runs_count(),
            payments: self.receiver.payments(),
            requests: self.receiver.requests,
            took: began.elapsed(),
            start: self.mean_start(),
            ..self.told.clone()
        }
    }

    /// What a client found comes before what the killer makes of it.
    fn wrong(&self, cycle: u64, what: String) -> Wrong {
        let what = self.world.found_wrong().unwrap_or(what);
        Wrong { cycle, what }
    }

    fn mean_start(&self) -> Duration {
        self.started.checked_div(self.starts).unwrap_or(START_FIRST)
    }

    /// One life and its end.
    fn cycle(&mut self, cycle: u64) -> Result<(), String> {
        let rests = cycle.is_multiple_of(self.reckon_every);
        let plan = if rests { Plan::default() } else { self.plan() };
        if self.faults && self.seed.next(4) == 0 {
            self.receiver.order_fault(self.seed);
        }
        let before = self.world.counts.acknowledged.load(Ordering::Relaxed);
        let began = Instant::now();
        self.world.note_killer(format!("starts, {plan:?}"));
        let Some(url) = self.host.start(&plan)? else {
            self.note_kill(&plan, true, true);
            return self.receiver.look().map(drop);
        };
        if plan.injection.is_none() && plan.in_recovery.is_none() {
            self.starts += 1;
            self.started += began.elapsed();
        }
        self.world.begin_life(url);
        if rests {
            self.world.come_to_rest()?;
            self.reckon()?;
            self.world.turn(Phase::Load);
        }
        let reached = self.live(&plan)?;
        let killed = Instant::now();
        self.world.note_killer(format!("kills, {plan:?}"));
        self.host.kill()?;
        self.told.dying = self.told.dying.max(killed.elapsed());
        self.world.end_life();
        self.note_kill(&plan, reached, false);
        if self.world.counts.acknowledged.load(Ordering::Relaxed) == before {
            self.told.idle += 1;
        }
        if let Some(wrong) = self.world.found_wrong() {
            return Err(wrong);
        }
        self.receiver.look().map(drop)
    }

    /// Until it is to be killed; whether it was, by the injection.
    fn live(&mut self, plan: &Plan) -> Result<bool, String> {
        let some = self.seed.next(LIFE_ACKNOWLEDGED + 1);
        let some = plan
            .injection
            .as_ref()
            .map_or(some, |_| INJECTED_ACKNOWLEDGED);
        let acknowledged = || self.world.counts.acknowledged.load(Ordering::Relaxed);
        let (enough, until) = (acknowledged() + some, Instant::now() + PATIENCE);
        while acknowledged() < enough && self.world.found_wrong().is_none() {
            if self.host.live(LOOK)? {
                return Ok(true);
            }
            if Instant::now() > until {
                return Err("it lives, and acknowledges nothing any more".to_owned());
            }
        }
        self.host
            .live(Duration::from_micros(self.seed.next(MOMENTS_US)))
    }

    fn plan(&mut self) -> Plan {
        let mut plan = Plan::default();
        match self.seed.next(10) {
            0 => {
                // As likely just after it was ready as at any moment before.
                let start = u64::try_from(self.mean_start().as_millis()).unwrap_or(u64::MAX);
                let moment = self.seed.next(start + start / 8 + 1);
                plan.in_recovery = Some(Duration::from_millis(moment));
            }
            1..=4 => {
                let injections = self.injections.as_mut();
                plan.injection = injections.map(|some| some.draw(self.seed));
            }
            _ => {}
        }
        plan
    }

    fn note_kill(&mut self, plan: &Plan, reached: bool, in_recovery: bool) {
        if in_recovery {
            self.told.in_recovery += 1;
        }
        let Some(injection) = &plan.injection else {
            self.told.random += 1;
            return;
        };
        if let Some(injections) = &mut self.injections {
            injections.learn(injection, reached);
        }
        if reached {
            let (kills, early) = self.told.injected.entry(injection.kind).or_default();
            *kills += 1;
            *early += u64::from(in_recovery);
        } else {
            self.told.random += 1;
        }
    }

    /// A last kill, so that what the last life told is looked for too; then everything.
    fn last(&mut self) -> Result<(), String> {
        let url = self.host.start(&Plan::default())?;
        self.world
            .begin_life(url.ok_or("the last start did not come up")?);
        self.world.come_to_rest()?;
        self.reckon()?;
        let mut asker = Asker::new(self.world);
        let over = |_: Over| "the campaign was over".to_owned();
        for fact in self.world.ledger.kept() {
            fact.check(&asker.get("u-casey", &fact.path()).map_err(over)?)?;
        }
        self.list(&mut asker).map_err(over)?
    }

    /// Nothing is under way: money and payments are exactly what was decided.
    fn reckon(&mut self) -> Result<(), String> {
        let paid = self.receiver.look()?;
        self.world.ledger.check_paid(paid)?;
        let mut asker = Asker::new(self.world);
        let funds = asker.get("u-casey", "/api/v1/funds");
        let funds = funds.map_err(|Over| "the campaign was over".to_owned())?;
        self.world.ledger.check_funds(&funds.body)
    }

    /// Every run of the list was acknowledged, ended, and stands there once.
    fn list(&self, asker: &mut Asker<'_>) -> Result<Result<(), String>, Over> {
        let mut listed = 0;
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/instances?limit={PAGE}{cursor}");
            let page = asker.get("u-ada", &path)?.body;
            for run in page["items"].as_array().map_or(&[][..], Vec::as_slice) {
                let id = run["id"].as_str().unwrap_or_default();
                if run["status"] != "completed" || !self.world.ledger.knows_run(id) {
                    let what = format!(
                        "twice or stuck: nobody knows of this run, or it does not end: {run}"
                    );
                    return Ok(Err(what));
                }
                listed += 1;
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let known = self.world.ledger.runs_count();
        Ok((listed == known).then_some(()).ok_or_else(|| {
            format!("lost or twice: {known} runs were acknowledged, {listed} are there")
        }))
    }
}

impl Told {
    /// What was done to several, all of the same campaign; of starts and ends the slowest.
    pub(crate) fn sum(all: &[Self], seed: u64, took: Duration) -> Self {
        let mut sum = Self {
            seed,
            took,
            ..Self::default()
        };
        for one in all {
            sum.cycles += one.cycles;
            sum.random += one.random;
            for (kind, (kills, early)) in &one.injected {
                let (all, all_early) = sum.injected.entry(kind).or_default();
                *all += kills;
                *all_early += early;
            }
            sum.in_recovery += one.in_recovery;
            sum.idle += one.idle;
            sum.acknowledged += one.acknowledged;
            sum.in_doubt += one.in_doubt;
            sum.checked += one.checked;
            sum.races += one.races;
            sum.refused += one.refused;
            sum.runs += one.runs;
            sum.payments += one.payments;
            sum.requests += one.requests;
            sum.start = sum.start.max(one.start);
            sum.dying = sum.dying.max(one.dying);
        }
        sum
    }

    /// A campaign in which hardly anything happened proves nothing.
    pub(crate) fn check_progress(&self, injects: bool) -> Result<(), String> {
        let Self { cycles, .. } = *self;
        let enough = [
            ("acknowledged", self.acknowledged, cycles * 4),
            ("in doubt", self.in_doubt, cycles / 4),
            ("looked for", self.checked, cycles * 2),
            ("payments", self.payments as u64, cycles / 4),
            ("races", self.races, cycles / 10),
            ("refused by a fund", self.refused, cycles / 50),
            ("killed in recovery", self.in_recovery, cycles / 50),
            (
                "killed by injection",
                self.injected.values().map(|(kills, _)| kills).sum(),
                if injects { cycles / 20 } else { 0 },
            ),
            (
                "lives with something acknowledged",
                cycles - self.idle,
                cycles / 2,
            ),
        ];
        let scarce = enough.into_iter().find(|(_, found, wanted)| found < wanted);
        match scarce {
            Some((what, found, wanted)) => Err(format!(
                "hardly anything happened: {what} {found} of at least {wanted}"
            )),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (milliseconds, dying) = (self.start.as_millis(), self.dying.as_millis());
        writeln!(
            f,
            "{} kills in {} s, seed {}; mean time to ready {milliseconds} ms, gone at \
             most {dying} ms after a kill",
            self.cycles,
            self.took.as_secs(),
            self.seed
        )?;
        write!(f, "killed at random {}", self.random)?;
        for (kind, (kills, early)) in &self.injected {
            write!(f, ", at a {kind} {kills} ({early} before ready)")?;
        }
        writeln!(f, "; before it was ready {}", self.in_recovery)?;
        writeln!(
            f,
            "{} changes acknowledged, {} in doubt and repeated, {} looked for after a restart; {} \
             races, {} refused by an empty fund",
            self.acknowledged, self.in_doubt, self.checked, self.races, self.refused
        )?;
        write!(
            f,
            "{} runs and {} payments ({} requests to pay): 0 lost, 0 twice, 0 doubled; {} lives \
             acknowledged nothing",
            self.runs, self.payments, self.requests, self.idle
        )
    }
}
