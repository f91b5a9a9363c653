//! The same promises in thirty lines of maps, and scripts of batches to compare with.

use std::collections::BTreeMap;

use casewright_casework::audit::{Entry, verify};
use casewright_store::{Batch, Row, Store, Table, Under};

use crate::subject::{audited, event, fold, put_under};

pub(crate) const CASES: [&str; 2] = ["case-1", "case-2"];
const INSTANCES: [&str; 4] = ["i-1", "i-2", "i-3", "i-4"];
const KEYS: [&str; 3] = ["a", "b", "c"];

/// What a store must hold.
#[derive(Default)]
pub(crate) struct Model {
    rows: BTreeMap<Vec<u8>, Row>,
    instances: BTreeMap<String, Instance>,
    audit: BTreeMap<String, Vec<Entry>>,
}

#[derive(Default)]
struct Instance {
    case: String,
    events: Vec<Vec<u8>>,
    folded: usize,
    /// Of what is folded.
    snapshot: Option<Vec<u8>>,
    active: bool,
}

impl Model {
    pub(crate) fn of(batches: &[Batch]) -> Self {
        let mut model = Self::default();
        for batch in batches {
            model.apply(batch);
        }
        model
    }

    fn apply(&mut self, batch: &Batch) {
        for put in &batch.puts {
            let version = self.rows.get(&put.key).map_or(0, |row| row.version);
            match &put.value {
                Some(value) => {
                    let (version, value) = (version + 1, value.clone());
                    self.rows.insert(put.key.clone(), Row { version, value });
                }
                None => drop(self.rows.remove(&put.key)),
            }
        }
        for event in &batch.events {
            let instance = self.instances.entry(event.instance.clone()).or_default();
            instance.case.clone_from(&event.case);
            instance.events.push(event.bytes.clone());
        }
        for append in &batch.audit {
            let entries = self.audit.entry(append.case.clone()).or_default();
            entries.push(append.entry.clone());
        }
        for fold in &batch.folds {
            let instance = self.instances.get_mut(&fold.instance).unwrap();
            instance.folded = instance.events.len();
            instance.snapshot.clone_from(&fold.snapshot);
            instance.active = fold.active;
        }
    }

    /// Compares everything that outsiders can see.
    #[track_caller]
    pub(crate) fn check(&self, store: &dyn Store) {
        for key in KEYS {
            let expected = self.rows.get(key.as_bytes()).cloned();
            assert_eq!(
                store.get(Table::Case, key.as_bytes()),
                Ok(expected),
                "row {key}"
            );
        }
        for id in INSTANCES {
            let expected = self.instances.get(id);
            let events = expected.map_or(Vec::new(), |instance| instance.events.clone());
            assert_eq!(store.events(id), Ok(events), "events of {id}");
            let history = store.history(id).unwrap();
            assert_eq!(history.is_some(), expected.is_some(), "history of {id}");
            let (Some(history), Some(expected)) = (history, expected) else {
                continue;
            };
            let count = expected.snapshot.as_ref().map_or(0, |_| expected.folded);
            let folded = expected.folded as u64;
            assert_eq!(history.case, expected.case, "case of {id}");
            assert_eq!(history.folded_events, folded, "folds of {id}");
            assert_eq!(history.snapshot_events, count as u64, "snapshot of {id}");
            assert_eq!(history.snapshot, expected.snapshot, "snapshot of {id}");
            assert_eq!(
                history.events,
                expected.events[count..],
                "newer events of {id}"
            );
        }
        for case in CASES {
            let links = store.audit(case).unwrap();
            assert_eq!(verify(case, &links), Ok(()), "chain of {case}");
            let found: Vec<Entry> = links.into_iter().map(|link| link.entry).collect();
            let expected = self.audit.get(case).cloned().unwrap_or_default();
            assert_eq!(found, expected, "entries of {case}");
        }
    }

    /// Right after opening.
    #[track_caller]
    pub(crate) fn check_unsettled(&self, store: &dyn Store) {
        let unsettled = self
            .instances
            .iter()
            .filter(|(_, instance)| instance.active || instance.folded < instance.events.len());
        let expected: Vec<String> = unsettled.map(|(id, _)| id.clone()).collect();
        assert_eq!(store.unsettled(), Ok(expected));
    }
}

/// A repeatable script: the first batch opens the cases, the others do a bit of everything.
pub(crate) fn script(seed: u64, count: usize) -> Vec<Batch> {
    let mut random = Random(seed);
    let mut lengths = [0_u64; INSTANCES.len()];
    let first = Batch {
        opens: CASES.map(str::to_owned).to_vec(),
        ..Batch::default()
    };
    let rest = (1..count).map(|number| {
        let mut batch = Batch::default();
        for _ in 0..random.below(3) {
            let index = random.below(INSTANCES.len());
            lengths[index] += 1;
            let text = format!("event {number} of {index}");
            batch
                .events
                .push(event(INSTANCES[index], CASES[index % 2], &text));
        }
        for _ in 0..random.below(3) {
            let key = KEYS[random.below(KEYS.len())];
            let text = format!("value {number}");
            let value = (random.below(4) > 0).then_some(text.as_str());
            let under = match random.below(2) {
                0 => Under::Agency("agency".to_owned()),
                _ => Under::Case(CASES[0].to_owned()),
            };
            batch.puts.push(put_under(key, value, under));
        }
        for _ in 0..random.below(3) {
            let case = CASES[random.below(CASES.len())];
            batch.audit.push(audited(case, &format!("user {number}")));
        }
        let index = random.below(INSTANCES.len());
        if random.below(3) == 0 && lengths[index] > 0 {
            let active = random.below(2) == 0;
            let fold = fold(INSTANCES[index], CASES[index % 2], lengths[index], active);
            batch.folds.push(fold);
        }
        batch
    });
    std::iter::once(first).chain(rest).collect()
}

/// Small numbers that look random and repeat with the seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}
