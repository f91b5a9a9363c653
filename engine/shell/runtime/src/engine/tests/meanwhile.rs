//! A store in which something happens at the worst moment: after a decision was made and before it
//! is taken. What rests on a row that changed then is not taken; whoever decides, decides again.
//!
//! It holds no rule itself: the guards of a batch do, and the store under it that looks at them.

use std::sync::{Arc, Mutex};

use casewright_casework::audit::{Action, Link};
use casewright_store::{
    Batch, History, MemoryStore, Put, ReadError, Row, Store, SubmitError, Table, Ticket, Under,
};

use super::world::World;

type Meant = Box<dyn Fn(&Batch) -> bool + Send>;

/// What is to happen, and what came of it; shared by a test and the store that it looks at.
#[derive(Default)]
pub(super) struct Rivals(Mutex<State>);

#[derive(Default)]
struct State {
    /// Before which batch, and what is written then.
    plan: Option<(Meant, Put)>,
    /// Whether the batch that came second was taken.
    taken: Option<bool>,
}

/// The store that an engine of the tests is given.
pub(super) struct Meanwhile {
    pub(super) store: Arc<MemoryStore>,
    pub(super) rivals: Arc<Rivals>,
}

impl World {
    /// Just before the next batch that tells this is taken, somebody else writes this row.
    pub(super) fn touch(&self, told: Action, row: Put) {
        let tells = move |batch: &Batch| batch.audit.iter().any(|one| one.entry.action == told);
        self.touch_before(tells, row);
    }

    /// The same before a batch of another kind. A row that is there stays what it says.
    pub(super) fn touch_before(&self, meant: impl Fn(&Batch) -> bool + Send + 'static, row: Put) {
        let mut state = self.rivals.0.lock().unwrap();
        *state = State {
            plan: Some((Box::new(meant), row)),
            taken: None,
        };
    }

    /// Whether the batch was taken although what it rests on had changed.
    pub(super) fn overlooked(&self) -> bool {
        let taken = self.rivals.0.lock().unwrap().taken;
        taken.expect("the batch before which something was to happen was never written")
    }
}

/// A row of a case as somebody else writes it; empty where it is not there.
pub(super) fn of_case(case: &str, table: Table, key: Vec<u8>) -> Put {
    Put {
        table,
        key,
        value: Some(Vec::new()),
        under: Under::Case(case.to_owned()),
    }
}

/// The same of the agency of the tests.
pub(super) fn of_agency(table: Table, key: Vec<u8>) -> Put {
    Put {
        under: Under::Agency("family-support".to_owned()),
        ..of_case("", table, key)
    }
}

impl Rivals {
    fn of(&self, batch: &Batch) -> Option<Put> {
        let mut state = self.0.lock().unwrap();
        let plan = state.plan.take_if(|(meant, _)| meant(batch));
        plan.map(|(_, put)| put)
    }
}

impl Store for Meanwhile {
    fn submit(&self, batch: Batch) -> Result<Ticket, SubmitError> {
        let Some(mut rival) = self.rivals.of(&batch) else {
            return self.store.submit(batch);
        };
        let before = self.store.pending(rival.table, &rival.key)?;
        rival.value = before.map(|row| row.value).or(rival.value);
        let rival = Batch {
            puts: vec![rival],
            ..Batch::default()
        };
        self.store.submit(rival)?;
        let second = self.store.submit(batch);
        self.rivals.0.lock().unwrap().taken = Some(second.is_ok());
        second
    }

    fn pending(&self, table: Table, key: &[u8]) -> Result<Option<Row>, ReadError> {
        self.store.pending(table, key)
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>, ReadError> {
        self.store.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        start: &[u8],
        end: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, ReadError> {
        self.store.scan(table, start, end, limit)
    }

    fn history(&self, instance: &str) -> Result<Option<History>, ReadError> {
        self.store.history(instance)
    }

    fn events(&self, instance: &str) -> Result<Vec<Vec<u8>>, ReadError> {
        self.store.events(instance)
    }

    fn audit(&self, case: &str) -> Result<Vec<Link>, ReadError> {
        self.store.audit(case)
    }

    fn unsettled(&self) -> Result<Vec<String>, ReadError> {
        self.store.unsettled()
    }

    fn unfolded(&self) -> (u64, Vec<String>) {
        self.store.unfolded()
    }

    fn close(&self) {
        self.store.close();
    }
}
