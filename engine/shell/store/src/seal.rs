//! Sealing: every value is encrypted and bound to its place, so that a flipped bit, or a value
//! moved to another key, is refused instead of served. redb does not verify its checksums on read;
//! this is also the defence against bit rot.
//!
//! ```text
//! format 1 or 2 │ owner (length, kind, id) │ version │ nonce 24       │ ciphertext │ tag 16
//! format 3 or 4 │ owner, in 17 bytes a case │ version │ opening, count │ ciphertext │ tag 16
//! ```
//!
//! The head is not secret; it is authenticated together with the place, its owner written out. In
//! formats 2 and 4 it is the packed value that is encrypted. Facts about the store and wrapped
//! keys are in format 1, and readable without the rows of openings; 2 is read, and not written.

use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::codec::{Decoder, Encoder};
use crate::{ReadError, pack};

mod nonce;
mod owner;

pub(crate) use nonce::{Nonce, Nonces, Opening, Openings};
use owner::Owner;
pub(crate) use owner::{case_owner, owner, owning_case};

/// Format of a sealed value: with its nonce,
const WHOLE: u8 = 1;
/// with its nonce, and packed before,
const WHOLE_PACKED: u8 = 2;
/// with the name of its nonce,
const NAMED: u8 = 3;
/// with the name of its nonce, and packed before.
const NAMED_PACKED: u8 = 4;

pub(crate) const NONCE_BYTES: usize = 24;
pub(crate) const TAG_BYTES: usize = 16;
pub(crate) const KEY_BYTES: usize = 32;

/// A key of one case or agency.
pub(crate) struct DataKey(XChaCha20Poly1305);

/// Where a value lies: what its seal is bound to beside owner and version.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) code: u8,
    pub(crate) key: &'a [u8],
    /// For messages.
    pub(crate) what: &'a str,
}

/// A sealed value, taken apart but not opened: owner and version are not yet to be trusted.
pub(crate) struct Sealed<'a> {
    format: u8,
    owner: Owner<'a>,
    pub(crate) version: u64,
    nonce: NonceRead<'a>,
    ciphertext: &'a [u8],
}

enum NonceRead<'a> {
    Whole(&'a [u8]),
    Named { opening: u32, count: u64 },
}

impl DataKey {
    pub(crate) fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(XChaCha20Poly1305::new(bytes.into()))
    }

    /// With the whole nonce: for what must be read before anything else.
    pub(crate) fn seal_whole(
        &self,
        nonce: &[u8; NONCE_BYTES],
        place: Place<'_>,
        owner: &[u8],
        version: u64,
        plain: &[u8],
    ) -> Vec<u8> {
        let mut out = Encoder(Vec::with_capacity(owner.len() + plain.len() + 64));
        out.byte(WHOLE);
        out.bytes(owner);
        out.number(version);
        out.raw(nonce);
        self.encrypt(out, nonce, associated(WHOLE, place, owner, version), plain)
    }

    pub(crate) fn seal(
        &self,
        nonce: &Nonce,
        place: Place<'_>,
        owner: &[u8],
        version: u64,
        plain: &[u8],
    ) -> Vec<u8> {
        self.seal_as(NAMED, nonce, place, owner, version, plain)
    }

    /// The same, packed if that makes it smaller.
    pub(crate) fn seal_small(
        &self,
        nonce: &Nonce,
        place: Place<'_>,
        owner: &[u8],
        version: u64,
        plain: &[u8],
    ) -> Vec<u8> {
        match pack::pack(plain) {
            Some(packed) => self.seal_as(NAMED_PACKED, nonce, place, owner, version, &packed),
            None => self.seal_as(NAMED, nonce, place, owner, version, plain),
        }
    }

    fn seal_as(
        &self,
        format: u8,
        nonce: &Nonce,
        place: Place<'_>,
        owner: &[u8],
        version: u64,
        text: &[u8],
    ) -> Vec<u8> {
        let mut out = Encoder(Vec::with_capacity(owner.len() + text.len() + 48));
        out.byte(format);
        owner::write(&mut out, owner);
        out.number(version);
        out.number(u64::from(nonce.opening));
        out.number(nonce.count);
        let associated = associated(format, place, owner, version);
        self.encrypt(out, &nonce.bytes, associated, text)
    }

    /// Text and tag behind a head.
    #[expect(clippy::needless_pass_by_value, reason = "it is made for this")]
    fn encrypt(
        &self,
        mut out: Encoder,
        nonce: &[u8; NONCE_BYTES],
        associated: Vec<u8>,
        text: &[u8],
    ) -> Vec<u8> {
        let head = out.0.len();
        out.raw(text);
        let tag = self
            .0
            .encrypt_inout_detached(
                &XNonce::from(*nonce),
                &associated,
                out.0[head..].as_mut().into(),
            )
            .expect("only a value of over 256 GiB cannot be encrypted");
        out.raw(&tag);
        out.0
    }

    /// The plain value, or `Damaged`.
    pub(crate) fn open(
        &self,
        place: Place<'_>,
        sealed: &Sealed<'_>,
        openings: &Openings,
    ) -> Result<Vec<u8>, ReadError> {
        let nonce = match sealed.nonce {
            NonceRead::Whole(bytes) => bytes.try_into().ok(),
            NonceRead::Named { opening, count } => openings.nonce(opening, count),
        };
        let nonce = nonce.ok_or_else(|| damaged(place.what))?;
        let associated = associated(sealed.format, place, &sealed.owner, sealed.version);
        let payload = Payload {
            msg: sealed.ciphertext,
            aad: &associated,
        };
        let text = self.0.decrypt(&XNonce::from(nonce), payload);
        let text = text.map_err(|_| damaged(place.what))?;
        match sealed.format {
            WHOLE_PACKED | NAMED_PACKED => pack::unpack(&text).ok_or_else(|| damaged(place.what)),
            _ => Ok(text),
        }
    }
}

impl<'a> Sealed<'a> {
    pub(crate) fn parse(what: &str, bytes: &'a [u8]) -> Result<Self, ReadError> {
        let mut input = Decoder(bytes);
        let format = input.byte().ok_or_else(|| damaged(what))?;
        if format > NAMED_PACKED {
            return Err(ReadError::Newer {
                what: what.to_owned(),
                found: u32::from(format),
                known: u32::from(NAMED_PACKED),
            });
        }
        let parsed = match format {
            WHOLE | WHOLE_PACKED => Self::whole(format, &mut input),
            NAMED | NAMED_PACKED => Self::named(format, &mut input),
            _ => None,
        };
        parsed.ok_or_else(|| damaged(what))
    }

    fn whole(format: u8, input: &mut Decoder<'a>) -> Option<Self> {
        Some(Self {
            format,
            owner: Owner::Whole(input.bytes()?),
            version: input.number()?,
            nonce: NonceRead::Whole(input.take(NONCE_BYTES)?),
            ciphertext: input.0,
        })
    }

    fn named(format: u8, input: &mut Decoder<'a>) -> Option<Self> {
        Some(Self {
            format,
            owner: owner::read(input)?,
            version: input.number()?,
            nonce: NonceRead::Named {
                opening: input.number()?.try_into().ok()?,
                count: input.number()?,
            },
            ciphertext: input.0,
        })
    }

    pub(crate) fn owner(&self) -> &[u8] {
        &self.owner
    }
}

pub(crate) fn damaged(what: &str) -> ReadError {
    ReadError::Damaged {
        what: what.to_owned(),
    }
}

/// The key comes last and everything before it has a fixed or stated length: no two places give the
/// same bytes.
fn associated(format: u8, place: Place<'_>, owner: &[u8], version: u64) -> Vec<u8> {
    let mut out = Encoder(Vec::with_capacity(20 + owner.len() + place.key.len()));
    out.byte(format);
    out.byte(place.code);
    out.bytes(owner);
    out.raw(&version.to_be_bytes());
    out.raw(place.key);
    out.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place {
        code: 3,
        key: b"key",
        what: "a row",
    };

    /// In a format of each kind.
    fn sealed(openings: &mut Openings) -> [Vec<u8>; 2] {
        let key = DataKey::new(&[7; KEY_BYTES]);
        let nonce = openings.begin().unwrap().next();
        [
            key.seal(&nonce, PLACE, b"Ccase", 4, b"plain"),
            key.seal_whole(&nonce.bytes, PLACE, b"Ccase", 4, b"plain"),
        ]
    }

    fn open(bytes: &[u8], place: Place<'_>, openings: &Openings) -> Result<Vec<u8>, ReadError> {
        let sealed = Sealed::parse(place.what, bytes)?;
        DataKey::new(&[7; KEY_BYTES]).open(place, &sealed, openings)
    }

    #[test]
    fn a_value_opens_in_its_place_only() {
        let mut openings = Openings::default();
        for bytes in sealed(&mut openings) {
            assert_eq!(open(&bytes, PLACE, &openings), Ok(b"plain".to_vec()));
            for place in [
                Place { code: 4, ..PLACE },
                Place {
                    key: b"kez",
                    ..PLACE
                },
            ] {
                assert_eq!(open(&bytes, place, &openings), Err(damaged("a row")));
            }
            let other = DataKey::new(&[8; KEY_BYTES]);
            let parsed = Sealed::parse("a row", &bytes).unwrap();
            assert_eq!(other.open(PLACE, &parsed, &openings), Err(damaged("a row")));
        }
    }

    #[test]
    fn a_value_opens_with_the_row_of_its_opening_only() {
        let mut openings = Openings::default();
        let [named, whole] = sealed(&mut openings);
        let mut other = Openings::default();
        other.begin().unwrap();
        for openings in [Openings::default(), other] {
            assert_eq!(open(&named, PLACE, &openings), Err(damaged("a row")));
            assert_eq!(open(&whole, PLACE, &openings), Ok(b"plain".to_vec()));
        }
    }

    #[test]
    fn a_packed_value_opens_in_its_own_format_only() {
        let plain = br#"{"agency":"family-support","case":"c1","workflow":"intake"}"#.repeat(3);
        let key = DataKey::new(&[7; KEY_BYTES]);
        let mut openings = Openings::default();
        let nonce = openings.begin().unwrap().next();
        let mut bytes = key.seal_small(&nonce, PLACE, b"Ccase", 4, &plain);
        assert_eq!(bytes[0], NAMED_PACKED);
        assert!(bytes.len() < plain.len());
        assert_eq!(open(&bytes, PLACE, &openings), Ok(plain));
        bytes[0] = NAMED;
        assert_eq!(open(&bytes, PLACE, &openings), Err(damaged("a row")));
        let short = key.seal_small(&nonce, PLACE, b"Ccase", 4, b"plain");
        assert_eq!(short, key.seal(&nonce, PLACE, b"Ccase", 4, b"plain"));
    }

    #[test]
    fn no_bit_can_be_flipped_and_no_byte_cut() {
        let mut openings = Openings::default();
        for bytes in sealed(&mut openings) {
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(open(&flipped, PLACE, &openings).is_err(), "bit {bit}");
            }
            for length in 0..bytes.len() {
                let cut = open(&bytes[..length], PLACE, &openings);
                assert!(cut.is_err(), "length {length}");
            }
        }
    }

    #[test]
    fn the_seal_of_a_case_takes_some_forty_bytes() {
        let mut openings = Openings::default();
        let mut opening = openings.begin().unwrap();
        let nonce = (0..100_000).map(|_| opening.next()).last().unwrap();
        let owner = case_owner("c05yv4n8j03gjr1m2k5t7w9yabc");
        let key = DataKey::new(&[7; KEY_BYTES]);
        let bytes = key.seal(&nonce, PLACE, &owner, 4, b"");
        assert_eq!(bytes.len(), 39);
        assert_eq!(open(&bytes, PLACE, &openings), Ok(Vec::new()));
    }

    #[test]
    fn a_newer_format_is_named() {
        let mut openings = Openings::default();
        let [mut bytes, _] = sealed(&mut openings);
        bytes[0] = 5;
        let newer = ReadError::Newer {
            what: "a row".to_owned(),
            found: 5,
            known: 4,
        };
        assert_eq!(open(&bytes, PLACE, &openings), Err(newer));
    }
}
