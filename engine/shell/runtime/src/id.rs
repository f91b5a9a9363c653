//! Ids and secrets as text. Where the bytes come from is the [`Entropy`] port's affair.

use jiff::Timestamp;

use crate::port::Entropy;

/// Crockford's base 32 in lower case: no letters that people take for digits.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

const MILLIS_LEN: usize = 6;

/// An id with one letter for its kind: 48 bits of time, so that rows written together lie
/// together, and 80 random bits, so that nobody guesses a neighbour.
pub(crate) fn timed(kind: char, at: Timestamp, entropy: &dyn Entropy) -> String {
    let mut bytes = [0_u8; 16];
    entropy.fill(&mut bytes[MILLIS_LEN..]);
    let millis = at.as_millisecond().to_be_bytes();
    bytes[..MILLIS_LEN].copy_from_slice(&millis[8 - MILLIS_LEN..]);
    let mut id = String::with_capacity(1 + 26);
    id.push(kind);
    encode(&bytes, &mut id);
    id
}

/// 256 random bits behind a prefix that scanners of leaked secrets can look for.
pub(crate) fn secret(prefix: &str, entropy: &dyn Entropy) -> String {
    let mut bytes = [0_u8; 32];
    entropy.fill(&mut bytes);
    let mut text = String::from(prefix);
    encode(&bytes, &mut text);
    text
}

pub(crate) fn encode(bytes: &[u8], into: &mut String) {
    let (mut held, mut held_bits) = (0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        held_bits += 8;
        while held_bits >= 5 {
            held_bits -= 5;
            into.push(letter(held >> held_bits));
        }
        held &= (1 << held_bits) - 1;
    }
    if held_bits > 0 {
        into.push(letter(held << (5 - held_bits)));
    }
}

/// The bytes of a text made by [`encode`]; `None` for any other text.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut held, mut held_bits) = (0_u32, 0_u32);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        held = (held << 5) | u32::try_from(value).ok()?;
        held_bits += 5;
        if held_bits >= 8 {
            held_bits -= 8;
            bytes.push(u8::try_from((held >> held_bits) & 0xff).ok()?);
        }
        held &= (1 << held_bits) - 1;
    }
    (held == 0).then_some(bytes)
}

fn letter(value: u32) -> char {
    char::from(ALPHABET[(value & 31) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Same(u8);
    impl Entropy for Same {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        for length in 0..40 {
            let bytes: Vec<u8> = (0..length).map(|n: u8| n.wrapping_mul(37)).collect();
            let mut text = String::new();
            encode(&bytes, &mut text);
            assert_eq!(decode(&text), Some(bytes));
        }
    }

    #[test]
    fn foreign_text_is_not_decoded() {
        assert_eq!(decode("u"), None);
        assert_eq!(decode("../etc"), None);
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let early = timed(
            'i',
            Timestamp::from_millisecond(1_700_000_000_000).unwrap(),
            &Same(255),
        );
        let late = timed(
            'i',
            Timestamp::from_millisecond(1_700_000_000_001).unwrap(),
            &Same(0),
        );
        assert!(early < late, "{early} {late}");
        assert_eq!(early.len(), 27);
    }
}
