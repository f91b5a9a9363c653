//! The port over the shared core.

use casewright_casework::audit;

use super::accept::{Weight, accept, weigh};
use super::gather::Gathered;
use super::index::Holder;
use super::room::Need;
use super::state::State;
use super::{Durable, Shared};
use crate::backend::Backend;
use crate::{Batch, History, ReadError, Row, Store, SubmitError, Table, Ticket};

/// Instances named by one answer of `unfolded`.
const NAMED_MAX: usize = 256;

impl<B: Backend> Store for Durable<B> {
    fn submit(&self, batch: Batch) -> Result<Ticket, SubmitError> {
        self.shared.submit(&batch)
    }

    fn pending(&self, table: Table, key: &[u8]) -> Result<Option<Row>, ReadError> {
        self.shared.pending(table, key)
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>, ReadError> {
        self.shared.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        start: &[u8],
        end: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, ReadError> {
        self.shared.scan(table, start, end, limit)
    }

    fn history(&self, instance: &str) -> Result<Option<History>, ReadError> {
        self.shared.history(instance)
    }

    fn events(&self, instance: &str) -> Result<Vec<Vec<u8>>, ReadError> {
        self.shared.events(instance)
    }

    fn audit(&self, case: &str) -> Result<Vec<audit::Link>, ReadError> {
        self.shared.audit(case)
    }

    fn unsettled(&self) -> Result<Vec<String>, ReadError> {
        Ok(self.shared.unsettled.clone())
    }

    fn unfolded(&self) -> (u64, Vec<String>) {
        let Ok(state) = self.shared.lock() else {
            return (0, Vec::new());
        };
        let bytes_max = self.shared.settings.tail_bytes_max;
        let bytes = state.index.tail_bytes();
        if bytes <= bytes_max {
            return (bytes, Vec::new());
        }
        // A little more than needed, so that the bound is not met again at the next event.
        let behind = state.index.behind(bytes_max / 8 * 7, usize::MAX);
        let instances = behind.filter_map(|holder| match holder {
            Holder::Instance(id) => Some(id.to_string()),
            Holder::Case(_) => None,
        });
        (bytes, instances.take(NAMED_MAX).collect())
    }

    fn close(&self) {
        self.close();
    }
}

impl<B: Backend> Shared<B> {
    fn submit(&self, batch: &Batch) -> Result<Ticket, SubmitError> {
        let mut gathered = if batch.folds.is_empty() {
            Gathered::default()
        } else {
            let instances = batch.folds.iter().map(|fold| &*fold.instance);
            let cases = batch.folds.iter().map(|fold| &*fold.case);
            self.gather(instances, cases)?
        };
        let mut weight = weigh(batch);
        if !batch.erases.is_empty() {
            gathered.chains = self.chains(&batch.erases)?;
            weight.add_links(gathered.chains.iter().map(Vec::len).sum());
        }
        let (sender, ticket) = Ticket::new();
        let mut state = self.lock()?;
        self.admit(&mut state, &weight, batch.reserve)?;
        let plan = self.plan(&mut state, batch, &gathered)?;
        let idle = state.queue.is_empty();
        accept(
            &mut state,
            &self.keyring,
            batch,
            plan,
            gathered,
            &weight,
            Some(sender),
        );
        drop(state);
        if idle {
            self.work.notify_all();
        }
        Ok(ticket)
    }

    /// Whether there is room in the queue and on the disk.
    fn admit(
        &self,
        state: &mut State<B::Snapshot>,
        weight: &Weight,
        reserve: bool,
    ) -> Result<(), SubmitError> {
        let settings = &self.settings;
        if state.stopped || state.closing {
            return Err(SubmitError::Stopped);
        }
        let full = state.load_count >= settings.queue_count_max
            || state.load_bytes + weight.bytes > settings.queue_bytes_max;
        // A batch larger than the queue itself passes alone.
        if full && state.load_count > 0 {
            return Err(SubmitError::Full);
        }
        let need = if reserve {
            Need::Reserve
        } else {
            Need::Ordinary
        };
        if state.room.stale(settings.probe_every) {
            self.measure(state);
        }
        if state.room.fits(weight.cost, need, settings.reserve_bytes) {
            return Ok(());
        }
        Err(SubmitError::DiskFull)
    }

    /// Asks how much space is free. A failure changes nothing: the last answer stands.
    pub(super) fn measure(&self, state: &mut State<B::Snapshot>) {
        let free = match &self.settings.free_space {
            Some(probe) => probe().map(Some).map_err(|error| error.to_string()),
            None => self
                .backend
                .free_bytes()
                .map_err(|failure| failure.to_string()),
        };
        match free {
            Ok(free) => {
                let promised = state.queue.iter().map(|queued| queued.cost).sum();
                state.room.measured(free, promised);
            }
            Err(reason) => tracing::warn!(reason, "cannot ask for free disk space"),
        }
    }
}
