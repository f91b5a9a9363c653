//! Nonces that never repeat, and how a value names its own in a few bytes.
//!
//! An opening of the store takes 128 random bits and counts from there. Once its row is on disk,
//! a value need only name the opening and the count. The number of an opening may come again,
//! after an older file was put back or where an opening wrote nothing; its random bits do not, so
//! no nonce is used twice.

use std::collections::BTreeMap;

use super::NONCE_BYTES;

const PREFIX_BYTES: usize = 16;

/// 128 random bits, then a counter.
pub(crate) struct Nonces {
    prefix: [u8; PREFIX_BYTES],
    count: u64,
}

/// The nonces of one opening, for values that only name them.
pub(crate) struct Opening {
    number: u32,
    nonces: Nonces,
}

/// A nonce, and its name.
pub(crate) struct Nonce {
    pub(super) opening: u32,
    pub(super) count: u64,
    pub(crate) bytes: [u8; NONCE_BYTES],
}

/// What the nonces of each opening begin with; by their rows.
#[derive(Default)]
pub(crate) struct Openings(BTreeMap<u32, [u8; PREFIX_BYTES]>);

impl Nonces {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut prefix = [0; PREFIX_BYTES];
        getrandom::fill(&mut prefix)?;
        Ok(Self { prefix, count: 0 })
    }

    pub(crate) fn next(&mut self) -> [u8; NONCE_BYTES] {
        let nonce = nonce(&self.prefix, self.count);
        self.count += 1;
        nonce
    }
}

impl Opening {
    pub(crate) fn next(&mut self) -> Nonce {
        Nonce {
            opening: self.number,
            count: self.nonces.count,
            bytes: self.nonces.next(),
        }
    }

    /// Its row, which must be on disk with the first value that names it.
    pub(crate) fn row(&self) -> (u32, [u8; PREFIX_BYTES]) {
        (self.number, self.nonces.prefix)
    }
}

impl Openings {
    /// An opening as its row tells of it; `None` if that is no such row.
    pub(crate) fn add(&mut self, number: u32, row: &[u8]) -> Option<()> {
        self.0.insert(number, row.try_into().ok()?);
        Some(())
    }

    /// One more, after all that have a row.
    pub(crate) fn begin(&mut self) -> Result<Opening, getrandom::Error> {
        let number = self.0.last_key_value().map_or(1, |(last, _)| last + 1);
        let nonces = Nonces::new()?;
        self.0.insert(number, nonces.prefix);
        Ok(Opening { number, nonces })
    }

    /// The nonce of such a name.
    pub(super) fn nonce(&self, opening: u32, count: u64) -> Option<[u8; NONCE_BYTES]> {
        Some(nonce(self.0.get(&opening)?, count))
    }
}

fn nonce(prefix: &[u8; PREFIX_BYTES], count: u64) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    nonce[..PREFIX_BYTES].copy_from_slice(prefix);
    nonce[PREFIX_BYTES..].copy_from_slice(&count.to_be_bytes());
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_differ_within_and_between_openings() {
        let mut openings = Openings::default();
        let (mut one, mut two) = (openings.begin().unwrap(), openings.begin().unwrap());
        let all = [one.next(), one.next(), two.next(), two.next()].map(|nonce| nonce.bytes);
        for (index, nonce) in all.iter().enumerate() {
            assert!(!all[..index].contains(nonce));
        }
    }

    #[test]
    fn a_nonce_is_found_by_its_name() {
        let mut openings = Openings::default();
        let mut opening = openings.begin().unwrap();
        let nonces = [opening.next(), opening.next()];
        let (number, prefix) = opening.row();
        let mut again = Openings::default();
        assert_eq!(again.add(number, &prefix), Some(()));
        assert_eq!(again.add(number, &prefix[1..]), None);
        for nonce in nonces {
            let found = again.nonce(nonce.opening, nonce.count);
            assert_eq!(found, Some(nonce.bytes));
        }
        assert_eq!(again.nonce(number + 1, 0), None);
    }

    #[test]
    fn an_opening_that_left_no_row_lends_its_number_and_nothing_else() {
        let (mut one, mut other) = (Openings::default(), Openings::default());
        let (one, other) = (one.begin().unwrap().next(), other.begin().unwrap().next());
        assert_eq!((one.opening, one.count), (other.opening, other.count));
        assert_ne!(one.bytes, other.bytes);
    }
}
