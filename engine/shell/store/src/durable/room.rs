//! Free disk space: who may still write. A batch that was accepted is never dropped for lack of
//! space: the writer waits for it instead.

use std::time::{Duration, Instant};

/// What is known of free space, and what was promised of it since.
#[derive(Default)]
pub(super) struct Room {
    /// `None` before the first measurement, and where there is no limit.
    free: Option<u64>,
    promised: u64,
    measured_at: Option<Instant>,
}

/// How deep into the reserve somebody may go.
#[derive(Clone, Copy)]
pub(super) enum Need {
    /// Ordinary batches stay out of it.
    Ordinary,
    /// Read audits may use three quarters.
    Reserve,
    /// The writer may use seven eighths for what was accepted.
    Accepted,
}

impl Need {
    fn floor(self, reserve: u64) -> u64 {
        match self {
            Self::Ordinary => reserve,
            Self::Reserve => reserve / 4,
            Self::Accepted => reserve / 8,
        }
    }
}

impl Room {
    /// Takes note of a measurement; `promised` is what is still queued.
    pub(super) fn measured(&mut self, free: Option<u64>, promised: u64) {
        self.free = free;
        self.promised = promised;
        self.measured_at = Some(Instant::now());
    }

    /// Whether so much more fits above the floor, by what is known.
    pub(super) fn fits(&self, cost: u64, need: Need, reserve: u64) -> bool {
        let taken = self.promised.saturating_add(cost);
        self.free
            .is_none_or(|free| free.saturating_sub(taken) >= need.floor(reserve))
    }

    /// Sets what is promised: queued and being written.
    pub(super) fn keep(&mut self, promised: u64) {
        self.promised = promised;
    }

    pub(super) fn promise(&mut self, cost: u64) {
        self.promised = self.promised.saturating_add(cost);
    }

    /// Whether the measurement is so old that others may have filled or freed the disk since.
    pub(super) fn stale(&self, every: Duration) -> bool {
        self.measured_at.is_none_or(|at| at.elapsed() >= every)
    }

    /// What a group may cost so that it fits between free space and the writer's floor.
    pub(super) fn group_cost_max(&self, reserve: u64) -> u64 {
        let floor = Need::Accepted.floor(reserve);
        self.free.map_or(GROUP_MAX, |free| {
            (free.saturating_sub(floor) / 2).clamp(1, GROUP_MAX)
        })
    }
}

/// A group is bounded so that the first of it need not wait for too many others.
const GROUP_MAX: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_batches_stop_first_then_read_audits_then_the_writer() {
        let mut room = Room::default();
        assert!(room.fits(u64::MAX, Need::Ordinary, 800), "never measured");
        for (free, expected) in [
            (800, [true, true, true]),
            (799, [false, true, true]),
            (200, [false, true, true]),
            (199, [false, false, true]),
            (100, [false, false, true]),
            (99, [false, false, false]),
        ] {
            room.measured(Some(free), 0);
            let needs = [Need::Ordinary, Need::Reserve, Need::Accepted];
            assert_eq!(
                needs.map(|need| room.fits(0, need, 800)),
                expected,
                "{free}"
            );
        }
    }

    #[test]
    fn what_was_promised_counts_as_gone_until_it_is_measured() {
        let mut room = Room::default();
        room.measured(Some(1_000), 0);
        room.promise(150);
        assert!(room.fits(50, Need::Ordinary, 800));
        assert!(!room.fits(51, Need::Ordinary, 800));
        room.measured(Some(1_000), 0);
        assert!(room.fits(200, Need::Ordinary, 800));
    }
}
