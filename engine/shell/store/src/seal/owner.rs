//! Whose key a value is sealed with, as bytes, and the same in few bytes: most values belong to a
//! case, and the id of a case is 128 bits written as text.

use std::ops::Deref;

use crate::Under;
use crate::codec::{Decoder, Encoder};

/// Crockford's base 32 in lower case, as ids are written.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The place of each letter in it. Every value that is sealed or opened asks for 26.
const PLACES: [Option<u8>; 256] = places();

const CASE: u8 = b'C';
/// What the id of a case begins with.
const CASE_KIND: u8 = b'c';
const ID_LETTERS: usize = 26;
const ID_BYTES: usize = 16;
const OWNER_BYTES: usize = 2 + ID_LETTERS;

/// Of the letters of an id so many bits are left over, and nil.
const SPARE_BITS: usize = ID_LETTERS * 5 - ID_BYTES * 8;

/// No owner is empty: this length says that 128 bits follow.
const SHORT: u8 = 0;

/// An owner as it was read.
pub(crate) enum Owner<'a> {
    Whole(&'a [u8]),
    Short([u8; OWNER_BYTES]),
}

/// Owner of a value as bytes: one for the kind, then the id.
pub(crate) fn owner(under: &Under) -> Vec<u8> {
    match under {
        Under::Agency(id) => tagged(b'A', id),
        Under::Case(id) => case_owner(id),
    }
}

pub(crate) fn case_owner(case: &str) -> Vec<u8> {
    tagged(CASE, case)
}

/// The case whose key an owner names, if it is a case.
pub(crate) fn owning_case(owner: &[u8]) -> Option<&str> {
    let (&CASE, id) = owner.split_first()? else {
        return None;
    };
    std::str::from_utf8(id).ok()
}

fn tagged(tag: u8, id: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + id.len());
    bytes.push(tag);
    bytes.extend_from_slice(id.as_bytes());
    bytes
}

pub(super) fn write(out: &mut Encoder, owner: &[u8]) {
    match shorten(owner) {
        Some(id) => {
            out.byte(SHORT);
            out.raw(&id.to_be_bytes());
        }
        None => out.bytes(owner),
    }
}

pub(super) fn read<'a>(input: &mut Decoder<'a>) -> Option<Owner<'a>> {
    if input.0.first() != Some(&SHORT) {
        return input.bytes().map(Owner::Whole);
    }
    input.byte()?;
    let id: [u8; ID_BYTES] = input.take(ID_BYTES)?.try_into().ok()?;
    Some(Owner::Short(lengthen(u128::from_be_bytes(id))))
}

/// The bits of an owner that is a case with an id as the engine gives them.
fn shorten(owner: &[u8]) -> Option<u128> {
    let id = owner.strip_prefix(&[CASE, CASE_KIND])?;
    let (last, first) = id.split_last().filter(|_| id.len() == ID_LETTERS)?;
    let bits = first
        .iter()
        .try_fold(0, |bits, letter| Some(bits << 5 | value(*letter)?))?;
    let last = value(*last)?;
    (last & ((1 << SPARE_BITS) - 1) == 0).then_some(bits << (5 - SPARE_BITS) | last >> SPARE_BITS)
}

fn lengthen(id: u128) -> [u8; OWNER_BYTES] {
    let mut owner = [CASE; OWNER_BYTES];
    owner[1] = CASE_KIND;
    owner[OWNER_BYTES - 1] = letter(id << SPARE_BITS);
    let mut rest = id >> (5 - SPARE_BITS);
    for place in owner[2..OWNER_BYTES - 1].iter_mut().rev() {
        *place = letter(rest);
        rest >>= 5;
    }
    owner
}

fn value(letter: u8) -> Option<u128> {
    PLACES[usize::from(letter)].map(u128::from)
}

const fn places() -> [Option<u8>; 256] {
    let mut places = [None; 256];
    let mut place = 0;
    while place < 32 {
        places[ALPHABET[place as usize] as usize] = Some(place);
        place += 1;
    }
    places
}

fn letter(bits: u128) -> u8 {
    ALPHABET[(bits & 31) as usize]
}

impl Deref for Owner<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Short(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(owner: &[u8]) -> usize {
        let mut out = Encoder::default();
        write(&mut out, owner);
        let mut input = Decoder(&out.0);
        assert_eq!(&*read(&mut input).unwrap(), owner);
        assert!(input.is_done());
        out.0.len()
    }

    #[test]
    fn the_owner_of_a_case_takes_17_bytes() {
        for id in [
            "c00000000000000000000000000",
            "czzzzzzzzzzzzzzzzzzzzzzzzzw",
            "c05yv4n8j03gjr1m2k5t7w9yabc",
        ] {
            assert_eq!(there_and_back(&case_owner(id)), 17, "{id}");
        }
    }

    #[test]
    fn any_other_owner_is_kept_as_it_is() {
        for id in [
            "c05yv4n8j03gjr1m2k5t7w9yabd",
            "c05yv4n8j03gjr1m2k5t7w9yabC",
            "c05yv4n8j03gjr1m2k5t7w9yab",
            "i05yv4n8j03gjr1m2k5t7w9yabc",
            "c-1",
            "",
        ] {
            assert_eq!(there_and_back(&case_owner(id)), id.len() + 2, "{id}");
        }
        there_and_back(b"S");
        there_and_back(b"Ac05yv4n8j03gjr1m2k5t7w9yabc");
    }

    #[test]
    fn an_owner_that_ends_early_is_none() {
        let mut out = Encoder::default();
        write(&mut out, &case_owner("c05yv4n8j03gjr1m2k5t7w9yabc"));
        for length in 0..out.0.len() {
            assert!(read(&mut Decoder(&out.0[..length])).is_none());
        }
    }
}
