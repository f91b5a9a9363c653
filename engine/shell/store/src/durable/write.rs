//! The writer: the one thread that changes the backend. It takes what is queued as one group,
//! flushes it once, shows it, and tells those who wait. A flush that failed is never tried again:
//! nobody knows what reached the disk, so the store stops and the process should.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::Shared;
use super::accept::{accept, weigh};
use super::index::Holder;
use super::keep::Marking;
use super::recover::{CHECK_ROW, MARK, POSITION};
use super::room::Need;
use super::state::{Queued, State};
use crate::backend::{Backend, Failure, Op, Snapshot, Space};
use crate::checkpoint::{Mark, Point, sealed_by};
use crate::chunk;
use crate::fault::Moment;
use crate::seal::{Nonces, Sealed};
use crate::{Batch, Committed, SubmitError};

/// Journal records removed at once: removing each as it is folded would rewrite a page for each.
const TRIM_MIN: u64 = 512;

/// A group of so many was not alone: the next one waits for company.
const COMPANY_MIN: usize = 8;
/// It waits while more keeps coming in such a time, which is much less than a flush takes,
const COMING: Duration = Duration::from_micros(300);
/// and goes at the latest after this time, when many a flush would have shared the processors with
/// those who bring the work.
const COMPANY_WAIT_MAX: Duration = Duration::from_millis(4);

/// How long the writer looks for the next batch before it sleeps, when it was alone: waking it
/// costs a lone run a tenth of its step, and so much is seldom lost.
const WATCH: Duration = Duration::from_micros(400);

/// Cases whose audit links the writer folds by itself before one group.
const CHAINS_MAX: usize = 32;

/// How many holders of the oldest records it looks at for them.
const HOLDERS_MAX: usize = 1_024;

/// What only the writer knows.
pub(super) struct Writer {
    /// The journal is removed below this position.
    pub(super) trimmed: u64,
    /// How far the store has come on disk.
    pub(super) point: Point,
    pub(super) marking: Marking,
    pub(super) nonces: Nonces,
    /// The row of this opening, to be written with the first group.
    pub(super) opening: Option<Op>,
    /// How many batches the latest group held.
    pub(super) grouped: usize,
    /// What the store says of kept checkpoints.
    pub(super) mark: Option<Mark>,
    /// The epoch that its facts are sealed in.
    pub(super) epoch: u32,
    /// Which store it is.
    pub(super) store: [u8; 16],
}

/// What a group changes beside its rows.
struct Own {
    ops: Vec<Op>,
    /// Where the store is with it.
    point: Point,
    is_marked: bool,
}

struct Group {
    queued: Vec<Queued>,
    /// The oldest unfolded position after it, if it folds.
    trim: Option<u64>,
    stamp: u64,
}

pub(super) fn spawn<B: Backend>(
    shared: Arc<Shared<B>>,
    mut writer: Writer,
) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || {
            let run = || shared.write_all(&mut writer);
            let ended = catch_unwind(AssertUnwindSafe(run))
                .unwrap_or_else(|_| Err("the writer panicked".to_owned()));
            if let Err(reason) = ended {
                shared.fail(&reason);
            }
        })
}

impl<B: Backend> Shared<B> {
    fn write_all(&self, writer: &mut Writer) -> Result<(), String> {
        loop {
            self.fold_chains()?;
            let Some(group) = self.take(writer.grouped)? else {
                return Ok(());
            };
            writer.grouped = group.queued.len();
            // The store stops before those who wait are told: none of them may go on with it.
            let flushed = self.flush(writer, &group);
            let flushed = flushed.inspect_err(|_| self.latch())?;
            let stamp = group.stamp;
            for (ticket, position) in self.show(group, flushed)? {
                // Nobody may wait any more: that changes nothing.
                let _ = ticket.send(Committed { position });
            }
            tracing::trace!(position = stamp, "group on disk");
        }
    }

    fn flush(&self, writer: &mut Writer, group: &Group) -> Result<B::Snapshot, String> {
        let own = self.own_changes(writer, group)?;
        self.fault(Moment::BeforeFlush)?;
        let queued = group.queued.iter().flat_map(|queued| &queued.ops);
        let all = &mut queued.chain(&own.ops);
        self.backend.apply(all).map_err(told)?;
        writer.point = own.point;
        if let Some(keeper) = &self.keeper {
            keeper.reached(own.point, own.is_marked);
        }
        self.fault(Moment::AfterFlush)?;
        self.backend.snapshot().map_err(told)
    }

    /// The journal, how far the store comes, and the mark of a checkpoint now and then.
    fn own_changes(&self, writer: &mut Writer, group: &Group) -> Result<Own, String> {
        let sealed = group.queued.iter().flat_map(|queued| {
            let records = queued.records.iter().map(|(_, record)| &**record);
            records.chain(queued.ops.iter().filter_map(sealed_by))
        });
        let point = writer.point.after(group.stamp + 1, sealed);
        let keeper = self.keeper.as_ref();
        let mark =
            keeper.and_then(|keeper| keeper.mark(&mut writer.marking, &self.settings, point));
        let mut fact = |name: &[u8], fact: &[u8]| Op::Put {
            space: Space::Meta,
            key: Arc::from(name),
            value: Arc::from(self.keyring.seal_meta(name, &writer.nonces.next(), fact)),
        };
        let mut own = vec![fact(POSITION, &point.bytes())];
        own.extend(writer.opening.take());
        let is_marked = mark.is_some();
        writer.mark = mark.or(writer.mark);
        // Facts of an epoch that ends are told once more.
        let epoch = self.keyring.current();
        let is_new = epoch != writer.epoch;
        writer.epoch = epoch;
        if is_new {
            own.push(fact(CHECK_ROW, &writer.store));
        }
        if is_new || is_marked {
            own.extend(writer.mark.map(|mark| fact(MARK, &mark.bytes())));
        }
        let records = group.queued.iter().flat_map(|queued| &queued.records);
        let rows = chunk::pack(records.map(|(position, record)| (*position, &**record)));
        if let Some(before) = self.trim_point(&rows, group.trim)?
            && before >= writer.trimmed + TRIM_MIN
        {
            writer.trimmed = before;
            own.push(Op::Trim { before });
        }
        let rows = rows.into_iter();
        own.extend(rows.map(|(first, row)| Op::Append { first, row }));
        Ok(Own {
            ops: own,
            point,
            is_marked,
        })
    }

    /// Where the row begins that holds the oldest unfolded record: all rows before it are folded.
    fn trim_point(
        &self,
        rows: &[(u64, Vec<u8>)],
        oldest: Option<u64>,
    ) -> Result<Option<u64>, String> {
        let Some(oldest) = oldest else {
            return Ok(None);
        };
        let mut new = rows.iter().rev().map(|(first, _)| *first);
        if let Some(first) = new.find(|first| *first <= oldest) {
            return Ok(Some(first));
        }
        let flushed = self.lock().map_err(|_| POISONED)?.flushed();
        let flushed = flushed.map_err(|error| error.to_string())?;
        flushed.floor(oldest).map_err(told)
    }

    /// Waits for work, for company when the latest group had some, and for space. `None`: closed,
    /// and nothing is left.
    fn take(&self, grouped: usize) -> Result<Option<Group>, String> {
        let mut alone = grouped < COMPANY_MIN;
        if alone {
            self.watch_queue()?;
        }
        let mut state = self.lock().map_err(|_| POISONED)?;
        loop {
            if state.stopped {
                return Ok(None);
            }
            if state.queue.is_empty() {
                if state.closing {
                    return Ok(None);
                }
                state = self.work.wait(state).map_err(|_| POISONED)?;
                continue;
            }
            if !alone {
                state = self.company(state)?;
                alone = true;
                continue;
            }
            self.measure_group(&mut state);
            let reserve = self.settings.reserve_bytes;
            if state.closing || state.room.fits(0, Need::Accepted, reserve) {
                break;
            }
            // Accepted batches wait for space: they are not dropped, and the disk is left alone.
            let pause = self.settings.probe_every.max(Duration::from_millis(5));
            state = self
                .work
                .wait_timeout(state, pause)
                .map_err(|_| POISONED)?
                .0;
        }
        Ok(Some(self.form(&mut state)))
    }

    /// Looks for the next batch for a moment, giving way to whoever else has work.
    fn watch_queue(&self) -> Result<(), String> {
        let began = Instant::now();
        while began.elapsed() < WATCH {
            let state = self.lock().map_err(|_| POISONED)?;
            if !state.queue.is_empty() || state.closing || state.stopped {
                break;
            }
            drop(state);
            thread::yield_now();
        }
        Ok(())
    }

    /// Lets a group grow while work keeps coming in. Each commit costs the writer the same,
    /// whatever it holds, and that time is taken from those who bring the next.
    fn company<'s>(
        &self,
        mut state: MutexGuard<'s, State<B::Snapshot>>,
    ) -> Result<MutexGuard<'s, State<B::Snapshot>>, String> {
        let began = Instant::now();
        loop {
            let before = state.queue.len();
            let waited = self.work.wait_timeout(state, COMING);
            state = waited.map_err(|_| POISONED)?.0;
            let comes = state.queue.len() > before;
            if state.closing || state.stopped || !comes || began.elapsed() > COMPANY_WAIT_MAX {
                return Ok(state);
            }
        }
    }

    fn measure_group(&self, state: &mut State<B::Snapshot>) {
        self.measure(state);
        // What was accepted is judged by the space it finds, not by its own promise.
        state.room.keep(0);
    }

    fn form(&self, state: &mut State<B::Snapshot>) -> Group {
        let cost_max = state.room.group_cost_max(self.settings.reserve_bytes);
        let mut queued: Vec<Queued> = Vec::with_capacity(state.queue.len());
        let mut cost = 0;
        while let Some(next) = state.queue.front() {
            cost += next.cost;
            if cost > cost_max && !queued.is_empty() {
                break;
            }
            queued.extend(state.queue.pop_front());
        }
        let waiting = state.queue.iter().map(|queued| queued.cost);
        let promised = waiting.chain(queued.iter().map(|queued| queued.cost)).sum();
        state.room.keep(promised);
        let stamp = queued
            .last()
            .map_or(state.flushed_position, |last| last.stamp);
        let trim = queued.iter().rev().find_map(|queued| queued.trim);
        Group {
            queued,
            trim,
            stamp,
        }
    }

    /// Makes a group visible; gives the tickets to resolve.
    fn show(
        &self,
        group: Group,
        flushed: B::Snapshot,
    ) -> Result<Vec<(oneshot::Sender<Committed>, u64)>, String> {
        let mut tickets = Vec::with_capacity(group.queued.len());
        let mut state = self.lock().map_err(|_| POISONED)?;
        if state.stopped {
            return Err("stopped while flushing".to_owned());
        }
        state.show(flushed, group.stamp);
        state.overlay.lift_records(group.stamp);
        for queued in group.queued {
            state.load_count -= 1;
            state.load_bytes -= queued.bytes;
            for op in &queued.ops {
                state.overlay.lift(queued.stamp, op);
                remember(&mut state, op);
            }
            for holder in &queued.folds {
                state.index.settle(holder, group.stamp);
            }
            tickets.extend(queued.ticket.map(|ticket| (ticket, queued.stamp)));
        }
        Ok(tickets)
    }

    /// Audit links that only reading has made are held by no instance: when they would keep a long
    /// piece of journal alive, the writer folds them itself.
    fn fold_chains(&self) -> Result<(), String> {
        let cases: Vec<Arc<str>> = {
            let state = self.lock().map_err(|_| POISONED)?;
            if state.stopped {
                return Ok(());
            }
            let behind = state
                .index
                .behind(self.settings.tail_bytes_max / 4, HOLDERS_MAX);
            let cases = behind.filter_map(|holder| match holder {
                Holder::Case(case) => Some(Arc::clone(case)),
                Holder::Instance(_) => None,
            });
            cases.take(CHAINS_MAX).collect()
        };
        if cases.is_empty() {
            return Ok(());
        }
        let gathered = self
            .gather(std::iter::empty(), cases.iter().map(|case| &**case))
            .map_err(|error| error.to_string())?;
        let mut state = self.lock().map_err(|_| POISONED)?;
        let batch = Batch::default();
        let weight = weigh(&batch);
        let plan = self.plan_folds(&mut state, &cases);
        let plan = plan.map_err(|error: SubmitError| error.to_string())?;
        accept(
            &mut state,
            &self.keyring,
            &batch,
            plan,
            gathered,
            &weight,
            None,
        );
        Ok(())
    }

    fn fault(&self, moment: Moment) -> Result<(), String> {
        let faults = self.settings.faults.as_ref();
        faults.map_or(Ok(()), |faults| faults.pass(moment))
    }

    /// Stops for good.
    fn fail(&self, reason: &str) {
        self.latch();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.halted {
            return;
        }
        drop(state);
        tracing::error!(reason, "the store has stopped");
        if let Some(on_fatal) = &self.settings.on_fatal {
            on_fatal(reason);
        }
    }

    /// Takes and writes nothing more.
    fn latch(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.latch();
    }
}

const POISONED: &str = "a thread died while changing the state of the store";

/// What a failure tells the operator.
#[expect(clippy::needless_pass_by_value, reason = "an argument of map_err")]
fn told(failure: Failure) -> String {
    failure.to_string()
}

/// Keeps the version of a row that has just left the overlay.
fn remember<S>(state: &mut State<S>, op: &Op) {
    let (key, version) = match op {
        Op::Put {
            space: Space::Rows,
            key,
            value,
        } => match Sealed::parse(Space::Rows.what(), value) {
            Ok(sealed) => (key, sealed.version),
            Err(_) => return,
        },
        Op::Delete {
            space: Space::Rows,
            key,
        } => (key, 0),
        Op::Put { .. } | Op::Delete { .. } | Op::Append { .. } | Op::Trim { .. } => return,
    };
    if state.overlay.get(Space::Rows, key).is_none() {
        state.versions.insert(Arc::clone(key), version);
    }
}
