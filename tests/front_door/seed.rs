//! Numbers from a seed that is printed, so that a failure can be repeated. They keep no secrets.

/// Numbers from a seed that is printed, so that a failure can be repeated.
#[derive(Clone)]
pub(crate) struct Seed {
    first: u64,
    state: u64,
}

impl Seed {
    /// `CASEWRIGHT_SEED` repeats a run.
    pub(crate) fn new() -> Self {
        let drawn = || std::collections::hash_map::RandomState::new();
        let first = std::env::var("CASEWRIGHT_SEED").map_or_else(
            |_| std::hash::BuildHasher::hash_one(&drawn(), 0_u8),
            |seed| seed.parse().unwrap(),
        );
        Self::of(first)
    }

    pub(crate) fn of(first: u64) -> Self {
        let state = first;
        Self { first, state }
    }

    pub(crate) fn number(&self) -> u64 {
        self.first
    }

    /// Below `bound`; splitmix64.
    pub(crate) fn next(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}
