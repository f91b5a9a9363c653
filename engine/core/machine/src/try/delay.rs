//! How long to wait before a retry: backoff and jitter. Pure arithmetic that never overflows.

use casewright_language::workflow::Backoff;

/// The delay before the next retry, after so many.
pub(super) fn grown(delay_ms: u64, backoff: Backoff, retries: u32) -> u64 {
    delay_ms.saturating_mul(match backoff {
        Backoff::Constant => 1,
        Backoff::Linear => u64::from(retries) + 1,
        Backoff::Exponential => 1_u64.checked_shl(retries).unwrap_or(u64::MAX),
    })
}

/// A number between two ends, both included, in either order. It looks random, yet is the same
/// for the same seed: randomness may only arrive in events.
pub(super) fn jitter(from_ms: u64, to_ms: u64, seed: &str) -> u64 {
    let (low, high) = (from_ms.min(to_ms), from_ms.max(to_ms));
    let chance = hash(seed);
    match (high - low).checked_add(1) {
        Some(width) => low + chance % width,
        None => chance,
    }
}

/// FNV-1a, then the finalizer of splitmix64: neighbouring seeds must not give neighbours.
fn hash(seed: &str) -> u64 {
    let hash = seed.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use casewright_language::workflow::Backoff;

    use super::{grown, jitter};

    #[test]
    fn delays_grow_as_written_and_never_overflow() {
        let delays = |backoff| (0..4).map(|n| grown(3, backoff, n)).collect::<Vec<_>>();
        assert_eq!(delays(Backoff::Constant), [3, 3, 3, 3]);
        assert_eq!(delays(Backoff::Linear), [3, 6, 9, 12]);
        assert_eq!(delays(Backoff::Exponential), [3, 6, 12, 24]);
        assert_eq!(grown(3, Backoff::Exponential, u32::MAX), u64::MAX);
        assert_eq!(grown(0, Backoff::Exponential, u32::MAX), 0);
    }

    #[test]
    fn jitter_reaches_both_ends_and_nothing_beyond() {
        let found: BTreeSet<u64> = (0..100)
            .map(|seed| jitter(9, 7, &seed.to_string()))
            .collect();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [7, 8, 9]);
        assert_eq!(jitter(5, 5, "any"), 5);
        assert_eq!(jitter(0, u64::MAX, "any"), jitter(0, u64::MAX, "any"));
    }
}
