//! What clients, killer and checks share: which life it is, whether the load runs or comes to
//! rest, and the first thing that was wrong.
//!
//! A request that got no answer is in doubt: it is repeated under its key in the next life, until
//! somebody knows.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;

use super::ledger::Ledger;
use crate::client::{Client, Gone, Reply};

/// Longer than everything the killer waits for, who knows better what is wrong.
const PATIENCE: Duration = Duration::from_mins(10);

/// The campaign is over, well or not: whoever gets this stops.
#[derive(Debug)]
pub(crate) struct Over;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Stories are begun.
    Load,
    /// What was begun comes to its end, and nothing new is begun.
    Calm,
    Over,
}

#[derive(Debug)]
struct State {
    /// Counts up with each life that is ready.
    life: u64,
    /// Where it is reached, while it lives.
    url: Option<String>,
    phase: Phase,
    /// Clients with something under way.
    busy: usize,
    wrong: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Changes that were answered with 2xx.
    pub(crate) acknowledged: AtomicU64,
    /// Changes without an answer, repeated later.
    pub(crate) in_doubt: AtomicU64,
    /// Acknowledged things looked for in a later life.
    pub(crate) checked: AtomicU64,
    /// Requests of two who wanted the same, of whom one may get it.
    pub(crate) races: AtomicU64,
    /// Runs that found the fund empty.
    pub(crate) refused: AtomicU64,
}

pub(crate) struct World {
    state: Mutex<State>,
    changed: Condvar,
    tokens: Mutex<BTreeMap<String, String>>,
    /// What the killer is at.
    doing: Mutex<String>,
    pub(crate) counts: Counts,
    pub(crate) ledger: Ledger,
}

impl World {
    pub(crate) fn new(clients: usize) -> Self {
        Self {
            state: Mutex::new(State {
                life: 0,
                url: None,
                phase: Phase::Load,
                busy: clients,
                wrong: None,
            }),
            changed: Condvar::new(),
            tokens: Mutex::default(),
            doing: Mutex::default(),
            counts: Counts::default(),
            ledger: Ledger::default(),
        }
    }

    pub(crate) fn give_token(&self, who: &str, token: String) {
        self.tokens.lock().unwrap().insert(who.to_owned(), token);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    /// For who finds that nothing goes on.
    pub(crate) fn note_killer(&self, doing: String) {
        *self.doing.lock().unwrap() = doing;
    }

    /// A server is ready.
    pub(crate) fn begin_life(&self, url: String) {
        self.change(|state| {
            state.life += 1;
            state.url = Some(url);
        });
    }

    pub(crate) fn end_life(&self) {
        self.change(|state| state.url = None);
    }

    pub(crate) fn life(&self) -> u64 {
        self.state.lock().unwrap().life
    }

    pub(crate) fn turn(&self, phase: Phase) {
        self.change(|state| {
            if state.phase != Phase::Over {
                state.phase = phase;
            }
        });
    }

    pub(crate) fn phase(&self) -> Phase {
        self.state.lock().unwrap().phase
    }

    /// Something is not as it must be; the first of them is reported.
    pub(crate) fn wrong(&self, what: impl Into<String>) -> Over {
        self.change(|state| {
            state.wrong.get_or_insert(what.into());
            state.phase = Phase::Over;
        });
        Over
    }

    pub(crate) fn found_wrong(&self) -> Option<String> {
        self.state.lock().unwrap().wrong.clone()
    }

    /// A client has nothing under way, and waits until stories are begun again.
    pub(crate) fn rest(&self) -> Result<(), Over> {
        self.change(|state| state.busy -= 1);
        let state = self.state.lock().unwrap();
        let mut state = self
            .changed
            .wait_while(state, |state| state.phase == Phase::Calm)
            .unwrap();
        state.busy += 1;
        match state.phase {
            Phase::Load | Phase::Calm => Ok(()),
            Phase::Over => Err(Over),
        }
    }

    /// Waits until all clients rest and everything acknowledged in earlier lives was looked for.
    pub(crate) fn come_to_rest(&self) -> Result<(), String> {
        self.turn(Phase::Calm);
        let state = self.state.lock().unwrap();
        let unrested = |state: &mut State| {
            let life = state.life;
            state.phase == Phase::Calm && (state.busy > 0 || self.ledger.has_facts_before(life))
        };
        let waited = self.changed.wait_timeout_while(state, PATIENCE, unrested);
        let (state, waited) = waited.unwrap();
        match &state.wrong {
            Some(wrong) => Err(wrong.clone()),
            None if waited.timed_out() => Err(format!(
                "what was begun does not come to its end: {} clients wait",
                state.busy
            )),
            None => Ok(()),
        }
    }

    /// Told after a fact was looked for, so that who waits for rest looks again.
    pub(crate) fn checked_one(&self) {
        self.counts.checked.fetch_add(1, Ordering::Relaxed);
        self.change(|_| {});
    }

    /// Waits until there is something to be looked for that an earlier life acknowledged.
    pub(crate) fn wait_for_facts(&self) -> Result<(), Over> {
        let state = self.state.lock().unwrap();
        let idle = |state: &mut State| {
            state.phase != Phase::Over && !self.ledger.has_facts_before(state.life)
        };
        let state = self.changed.wait_while(state, idle).unwrap();
        match state.phase {
            Phase::Load | Phase::Calm => Ok(()),
            Phase::Over => Err(Over),
        }
    }

    /// A life other than `than`, once it is there.
    fn next_life(&self, than: Option<u64>) -> Result<(u64, String), Over> {
        let state = self.state.lock().unwrap();
        let without = |state: &mut State| {
            state.phase != Phase::Over && (state.url.is_none() || Some(state.life) == than)
        };
        let waited = self.changed.wait_timeout_while(state, PATIENCE, without);
        let (state, waited): (MutexGuard<'_, State>, _) = waited.unwrap();
        if waited.timed_out() {
            let lives = state.url.is_some();
            drop(state);
            let doing = self.doing.lock().unwrap().clone();
            let what = format!("no other life began (this one lives: {lives}); killer: {doing}");
            return Err(self.wrong(what));
        }
        match (&state.url, state.phase) {
            (Some(url), Phase::Load | Phase::Calm) => Ok((state.life, url.clone())),
            (None, _) | (_, Phase::Over) => Err(Over),
        }
    }
}

/// Asks the server of the life that is, for several members of staff.
pub(crate) struct Asker<'w> {
    world: &'w World,
    life: u64,
    url: String,
    clients: BTreeMap<&'static str, Client>,
}

impl<'w> Asker<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        Self {
            world,
            life: 0,
            url: String::new(),
            clients: BTreeMap::new(),
        }
    }

    pub(crate) fn get(&mut self, who: &'static str, path: &str) -> Result<Reply, Over> {
        loop {
            match self.client(who)?.get(path) {
                Ok(reply) if !stopping(&reply) => return Ok(reply),
                Ok(_) | Err(Gone) => self.die()?,
            }
        }
    }

    /// Under a key, so that it may be repeated.
    pub(crate) fn post(
        &mut self,
        who: &'static str,
        path: &str,
        body: &Value,
        key: &str,
    ) -> Result<Reply, Over> {
        self.post_as("application/json", who, path, body, key)
    }

    pub(crate) fn post_as(
        &mut self,
        kind: &str,
        who: &'static str,
        path: &str,
        body: &Value,
        key: &str,
    ) -> Result<Reply, Over> {
        let counts = &self.world.counts;
        loop {
            match self.client(who)?.post_as(kind, path, body, Some(key)) {
                Ok(reply) if !stopping(&reply) => {
                    if (200..300).contains(&reply.status) {
                        counts.acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                    return Ok(reply);
                }
                Ok(_) | Err(Gone) => {
                    counts.in_doubt.fetch_add(1, Ordering::Relaxed);
                    self.die()?;
                }
            }
        }
    }

    fn client(&mut self, who: &'static str) -> Result<&Client, Over> {
        if self.life == 0 {
            self.move_on(None)?;
        }
        let (world, url) = (self.world, &self.url);
        Ok(self.clients.entry(who).or_insert_with(|| {
            let token = world.tokens.lock().unwrap().get(who).cloned();
            Client::keeping(url, token)
        }))
    }

    /// This life is over.
    fn die(&mut self) -> Result<(), Over> {
        self.move_on(Some(self.life))
    }

    fn move_on(&mut self, than: Option<u64>) -> Result<(), Over> {
        self.clients.clear();
        (self.life, self.url) = self.world.next_life(than)?;
        Ok(())
    }
}

/// An engine whose disk has failed says so, if it lives on for a moment.
fn stopping(reply: &Reply) -> bool {
    reply.status == 503 && reply.body["code"] == "stopping"
}
