//! Sealing: every value is encrypted and bound to its place, so that a flipped bit, or a value
//! moved to another key, is refused instead of served. redb does not verify its checksums on read;
//! this is also the defence against bit rot.
//!
//! ```text
//! format 1 or 2 │ owner (length, kind, id) │ version │ nonce 24 │ ciphertext │ tag 16
//! ```
//!
//! The head is not secret; it is authenticated together with the place. In format 2 it is the
//! packed value that is encrypted.

use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::codec::{Decoder, Encoder};
use crate::{ReadError, Under, pack};

/// Format of a sealed value,
const PLAIN: u8 = 1;
/// and of one that was packed before.
const PACKED: u8 = 2;

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
    pub(crate) owner: &'a [u8],
    pub(crate) version: u64,
    nonce: &'a [u8],
    ciphertext: &'a [u8],
}

/// Nonces that never repeat: 128 random bits per opening of the store, then a counter.
pub(crate) struct Nonces {
    prefix: [u8; 16],
    count: u64,
}

/// Owner of a value as bytes: one for the kind, then the id.
pub(crate) fn owner(under: &Under) -> Vec<u8> {
    match under {
        Under::Agency(id) => tagged(b'A', id),
        Under::Case(id) => case_owner(id),
    }
}

pub(crate) fn case_owner(case: &str) -> Vec<u8> {
    tagged(b'C', case)
}

/// The case whose key an owner names, if it is a case.
pub(crate) fn owning_case(owner: &[u8]) -> Option<&str> {
    let (b'C', id) = owner.split_first()? else {
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

impl DataKey {
    pub(crate) fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(XChaCha20Poly1305::new(bytes.into()))
    }

    pub(crate) fn seal(
        &self,
        nonce: &[u8; NONCE_BYTES],
        place: Place<'_>,
        owner: &[u8],
        version: u64,
        plain: &[u8],
    ) -> Vec<u8> {
        self.seal_as(PLAIN, nonce, place, owner, version, plain)
    }

    /// The same, packed if that makes it smaller.
    pub(crate) fn seal_small(
        &self,
        nonce: &[u8; NONCE_BYTES],
        place: Place<'_>,
        owner: &[u8],
        version: u64,
        plain: &[u8],
    ) -> Vec<u8> {
        match pack::pack(plain) {
            Some(packed) => self.seal_as(PACKED, nonce, place, owner, version, &packed),
            None => self.seal_as(PLAIN, nonce, place, owner, version, plain),
        }
    }

    fn seal_as(
        &self,
        format: u8,
        nonce: &[u8; NONCE_BYTES],
        place: Place<'_>,
        owner: &[u8],
        version: u64,
        text: &[u8],
    ) -> Vec<u8> {
        let associated = associated(format, place, owner, version);
        let length = owner.len() + text.len() + NONCE_BYTES + 32;
        let mut out = Encoder(Vec::with_capacity(length));
        out.byte(format);
        out.bytes(owner);
        out.number(version);
        out.raw(nonce);
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
    pub(crate) fn open(&self, place: Place<'_>, sealed: &Sealed<'_>) -> Result<Vec<u8>, ReadError> {
        let associated = associated(sealed.format, place, sealed.owner, sealed.version);
        let payload = Payload {
            msg: sealed.ciphertext,
            aad: &associated,
        };
        let nonce = XNonce::try_from(sealed.nonce).map_err(|_| damaged(place.what))?;
        let text = self.0.decrypt(&nonce, payload);
        let text = text.map_err(|_| damaged(place.what))?;
        match sealed.format {
            PACKED => pack::unpack(&text).ok_or_else(|| damaged(place.what)),
            _ => Ok(text),
        }
    }
}

impl<'a> Sealed<'a> {
    pub(crate) fn parse(what: &str, bytes: &'a [u8]) -> Result<Self, ReadError> {
        let mut input = Decoder(bytes);
        let format = input.byte().ok_or_else(|| damaged(what))?;
        if format > PACKED {
            return Err(ReadError::Newer {
                what: what.to_owned(),
                found: u32::from(format),
                known: u32::from(PACKED),
            });
        }
        let parsed = (|| {
            Some(Self {
                format,
                owner: input.bytes()?,
                version: input.number()?,
                nonce: input.take(NONCE_BYTES)?,
                ciphertext: input.0,
            })
        })();
        parsed
            .filter(|_| format >= PLAIN)
            .ok_or_else(|| damaged(what))
    }
}

impl Nonces {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut prefix = [0; 16];
        getrandom::fill(&mut prefix)?;
        Ok(Self { prefix, count: 0 })
    }

    pub(crate) fn next(&mut self) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        nonce[..16].copy_from_slice(&self.prefix);
        nonce[16..].copy_from_slice(&self.count.to_be_bytes());
        self.count += 1;
        nonce
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

    fn sealed() -> Vec<u8> {
        DataKey::new(&[7; KEY_BYTES]).seal(&[1; NONCE_BYTES], PLACE, b"Ccase", 4, b"plain")
    }

    fn open(bytes: &[u8], place: Place<'_>) -> Result<Vec<u8>, ReadError> {
        DataKey::new(&[7; KEY_BYTES]).open(place, &Sealed::parse(place.what, bytes)?)
    }

    #[test]
    fn a_value_opens_in_its_place_only() {
        let bytes = sealed();
        assert_eq!(open(&bytes, PLACE), Ok(b"plain".to_vec()));
        for place in [
            Place { code: 4, ..PLACE },
            Place {
                key: b"kez",
                ..PLACE
            },
        ] {
            assert_eq!(open(&bytes, place), Err(damaged("a row")));
        }
        let other = DataKey::new(&[8; KEY_BYTES]);
        let parsed = Sealed::parse("a row", &bytes).unwrap();
        assert_eq!(other.open(PLACE, &parsed), Err(damaged("a row")));
    }

    #[test]
    fn a_packed_value_opens_in_its_own_format_only() {
        let plain = br#"{"agency":"family-support","case":"c1","workflow":"intake"}"#.repeat(3);
        let key = DataKey::new(&[7; KEY_BYTES]);
        let mut bytes = key.seal_small(&[1; NONCE_BYTES], PLACE, b"Ccase", 4, &plain);
        assert_eq!(bytes[0], PACKED);
        assert!(bytes.len() < plain.len());
        assert_eq!(open(&bytes, PLACE), Ok(plain));
        bytes[0] = PLAIN;
        assert_eq!(open(&bytes, PLACE), Err(damaged("a row")));
        let short = key.seal_small(&[1; NONCE_BYTES], PLACE, b"Ccase", 4, b"plain");
        assert_eq!(short, sealed());
    }

    #[test]
    fn no_bit_can_be_flipped_and_no_byte_cut() {
        let bytes = sealed();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&flipped, PLACE).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(open(&bytes[..length], PLACE).is_err(), "length {length}");
        }
    }

    #[test]
    fn a_newer_format_is_named() {
        let mut bytes = sealed();
        bytes[0] = 3;
        let newer = ReadError::Newer {
            what: "a row".to_owned(),
            found: 3,
            known: 2,
        };
        assert_eq!(open(&bytes, PLACE), Err(newer));
    }

    #[test]
    fn nonces_differ_within_and_between_openings() {
        let (mut one, mut two) = (Nonces::new().unwrap(), Nonces::new().unwrap());
        let all = [one.next(), one.next(), two.next(), two.next()];
        for (index, nonce) in all.iter().enumerate() {
            assert!(!all[..index].contains(nonce));
        }
    }
}
