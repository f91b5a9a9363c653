//! Records that were taken lately, as they were before they were sealed. A fold moves what it finds
//! here without reading the journal back; what is forgotten is read from there. Bounded.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::record::Record;

/// Plain bytes kept: what a thousand runs of ten steps add, from their start to their fold.
const BYTES_MAX: usize = 16 << 20;

#[derive(Default)]
pub(super) struct Fresh {
    records: VecDeque<Kept>,
    bytes: usize,
}

struct Kept {
    position: u64,
    bytes: usize,
    record: Arc<Record>,
}

impl Fresh {
    /// Positions ascend.
    pub(super) fn keep(&mut self, position: u64, bytes: usize, record: Record) {
        self.bytes += bytes;
        self.records.push_back(Kept {
            position,
            bytes,
            record: Arc::new(record),
        });
        while self.bytes > BYTES_MAX
            && let Some(oldest) = self.records.pop_front()
        {
            self.bytes -= oldest.bytes;
        }
    }

    /// Plain text of a case that is erased must not be found here.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn get(&self, position: u64) -> Option<&Arc<Record>> {
        let index = self
            .records
            .binary_search_by_key(&position, |kept| kept.position);
        Some(&self.records[index.ok()?].record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_first() {
        let mut fresh = Fresh::default();
        for position in [3, 4, 9] {
            fresh.keep(position, BYTES_MAX / 2, Record::default());
        }
        assert!(fresh.get(3).is_none());
        assert!(fresh.get(4).is_some() && fresh.get(9).is_some());
        assert!(fresh.get(5).is_none());
    }
}
