//! Packing: values that are written once and kept long are small pieces of JSON that resemble each
//! other. What they share stands in a dictionary, so that hardly more than what is theirs is left.
//!
//! The dictionary is a format: stored values open only with the one that they were packed with. It
//! was made from values of invented cases; how is told in decision 0023.

use std::cell::RefCell;
use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::{CParameter, get_frame_content_size};

/// Of a value that is packed. Shorter ones hold nothing to be shared, and longer ones are
/// documents, which come packed.
const BYTES: std::ops::Range<usize> = 32..64 << 10;

/// Every frame begins with it: it is left out.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

const LEVEL: i32 = 3;

static DICTIONARY: &[u8] = include_bytes!("pack/1.dictionary");
static PACKING: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static UNPACKING: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

thread_local! {
    static PACKER: RefCell<Option<Compressor<'static>>> = RefCell::new(packer());
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = RefCell::new(unpacker());
}

/// `None` without memory for it: values stay as they are.
fn packer() -> Option<Compressor<'static>> {
    let mut packer = Compressor::with_prepared_dictionary(&PACKING).ok()?;
    packer.set_parameter(CParameter::DictIdFlag(false)).ok()?;
    Some(packer)
}

fn unpacker() -> Option<Decompressor<'static>> {
    Decompressor::with_prepared_dictionary(&UNPACKING).ok()
}

/// `None`: it is better left as it is.
pub(crate) fn pack(plain: &[u8]) -> Option<Vec<u8>> {
    if !BYTES.contains(&plain.len()) {
        return None;
    }
    let frame = PACKER.with_borrow_mut(|packer| packer.as_mut()?.compress(plain).ok())?;
    let packed = frame.strip_prefix(&MAGIC)?;
    (packed.len() < plain.len()).then(|| packed.to_vec())
}

/// `None`: this was not packed here.
pub(crate) fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let frame = [&MAGIC, packed].concat();
    let length = usize::try_from(get_frame_content_size(&frame).ok()??).ok()?;
    if !BYTES.contains(&length) {
        return None;
    }
    UNPACKER.with_borrow_mut(|unpacker| unpacker.as_mut()?.decompress(&frame, length).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_back() {
        let row = br#"{"v":1,"d":{"agency":"family-support","case":"c01kb3x","state":"offered"}}"#;
        for plain in [row.to_vec(), row.repeat(700), vec![b'a'; 32]] {
            let packed = pack(&plain).unwrap();
            assert!(packed.len() < plain.len());
            assert_eq!(unpack(&packed), Some(plain));
        }
    }

    #[test]
    fn what_does_not_get_smaller_is_left() {
        let mut state = 1_u64;
        let mut noise = vec![0; 2_000];
        for byte in &mut noise {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = state.to_be_bytes()[0];
        }
        for plain in [&b"short"[..], &noise, &vec![0; 64 << 10]] {
            assert_eq!(pack(plain), None);
        }
    }

    #[test]
    fn foreign_bytes_are_refused() {
        let packed = pack(&[b'a'; 3_000]).unwrap();
        for length in 0..packed.len() {
            assert_eq!(unpack(&packed[..length]), None, "{length}");
        }
        // A frame that claims to hold 4 GiB.
        assert_eq!(
            unpack(&[0xa0, 0xff, 0xff, 0xff, 0xff, 0x01, 0x00, 0x00]),
            None
        );
    }
}
