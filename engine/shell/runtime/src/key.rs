//! Keys of rows: parts joined so that they sort as lists need them. They hold no personal data.
//!
//! Parts are ids and names without NUL; what people choose freely (sign-in names, idempotency
//! keys) is hashed before it comes here.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

const SEPARATOR: u8 = 0;

/// `a NUL b NUL c`.
pub(crate) fn join(parts: &[&str]) -> Vec<u8> {
    let mut key = Vec::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            key.push(SEPARATOR);
        }
        key.extend_from_slice(part.as_bytes());
    }
    key
}

/// `a NUL b NUL`: what all keys below these parts begin with.
pub(crate) fn prefix(parts: &[&str]) -> Vec<u8> {
    let mut key = join(parts);
    key.push(SEPARATOR);
    key
}

/// The first key after all keys that begin with a prefix made by [`prefix`].
pub(crate) fn after(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last = last.saturating_add(1);
    }
    end
}

/// Sorts as the moment does; parts of a millisecond are rounded up, so that nothing is early.
pub(crate) fn moment(at: Timestamp) -> [u8; 8] {
    (millis_up(at).cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// Sorts latest first.
pub(crate) fn moment_latest_first(at: Timestamp) -> [u8; 8] {
    (!(millis_up(at).cast_unsigned() ^ (1 << 63))).to_be_bytes()
}

/// After every moment.
pub(crate) const NEVER: [u8; 8] = [0xff; 8];

pub(crate) fn read_moment(bytes: [u8; 8]) -> Option<Timestamp> {
    let millis = (u64::from_be_bytes(bytes) ^ (1 << 63)).cast_signed();
    Timestamp::from_millisecond(millis).ok()
}

/// The moment as a row key gives it back.
pub(crate) fn rounded_up(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(millis_up(at)).unwrap_or(Timestamp::MAX)
}

fn millis_up(at: Timestamp) -> i64 {
    let millis = at.as_millisecond();
    // `as_millisecond` cuts towards zero: upwards already before 1970.
    let cut = at.as_nanosecond() > i128::from(millis) * 1_000_000;
    millis + i64::from(cut)
}

pub(crate) fn timer(at: Timestamp, instance: &str, timer: u32) -> Vec<u8> {
    let mut key = moment(at).to_vec();
    key.extend_from_slice(instance.as_bytes());
    key.push(SEPARATOR);
    key.extend_from_slice(&timer.to_be_bytes());
    key
}

pub(crate) fn read_timer(key: &[u8]) -> Option<(Timestamp, String, u32)> {
    let (at, rest) = key.split_first_chunk::<8>()?;
    let (instance, number) = rest.split_last_chunk::<4>()?;
    let instance = instance.strip_suffix(&[SEPARATOR])?;
    Some((
        read_moment(*at)?,
        String::from_utf8(instance.to_vec()).ok()?,
        u32::from_be_bytes(*number),
    ))
}

/// Hash of something that people chose, with the kind of thing mixed in.
pub(crate) fn hashed(kind: &str, text: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(kind.as_bytes());
    hash.update([SEPARATOR]);
    hash.update(text.as_bytes());
    hash.finalize().to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let pairs = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    pairs
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_sort_and_never_come_early() {
        let at = |nanos| Timestamp::from_nanosecond(nanos).unwrap();
        for (a, b) in [
            (-2_000_001, -2_000_000),
            (-1, 0),
            (0, 1),
            (1_000_000, 1_000_001),
        ] {
            assert!(moment(at(a)) <= moment(at(b)));
            assert!(moment_latest_first(at(a)) >= moment_latest_first(at(b)));
            assert!(rounded_up(at(a)) >= at(a));
            assert_eq!(read_moment(moment(at(b))), Some(rounded_up(at(b))));
        }
    }

    #[test]
    fn a_timer_key_is_read_back() {
        let at = Timestamp::from_millisecond(1_764_000_000_123).unwrap();
        assert_eq!(
            read_timer(&timer(at, "i0abc", 7)),
            Some((at, "i0abc".into(), 7))
        );
        assert_eq!(read_timer(b"short"), None);
    }

    #[test]
    fn a_prefix_covers_its_keys_and_no_others() {
        let (start, end) = (prefix(&["a", "b"]), after(&prefix(&["a", "b"])));
        let inside = join(&["a", "b", "\u{ffff}"]);
        assert!(start <= inside && inside < end);
        assert!(join(&["a", "bc"]) >= end);
    }
}
