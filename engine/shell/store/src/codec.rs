//! Bytes in and out: lengths, numbers, texts. Stands below every format of the store and knows
//! none.

/// Writes; cannot fail.
#[derive(Default)]
pub(crate) struct Encoder(pub(crate) Vec<u8>);

/// Reads; `None` when the bytes end early or make no sense.
pub(crate) struct Decoder<'a>(pub(crate) &'a [u8]);

impl Encoder {
    pub(crate) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// Seven bits at a time, low first: most numbers here are small.
    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(low_bits(number) | 0x80);
            number >>= 7;
        }
        self.0.push(low_bits(number));
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// With its length before it.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.raw(bytes);
    }
}

impl<'a> Decoder<'a> {
    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// Whether nothing is left: trailing bytes are as wrong as missing ones.
    pub(crate) fn is_done(&self) -> bool {
        self.0.is_empty()
    }
}

fn low_bits(number: u64) -> u8 {
    (number & 0x7f) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Encoder::default();
            out.number(number);
            out.bytes(b"abc");
            let mut input = Decoder(&out.0);
            assert_eq!(input.number(), Some(number));
            assert_eq!(input.text(), Some("abc"));
            assert!(input.is_done());
        }
    }

    #[test]
    fn bytes_that_end_early_are_refused() {
        assert_eq!(Decoder(&[0x80]).number(), None);
        assert_eq!(Decoder(&[0xff; 11]).number(), None);
        assert_eq!(Decoder(&[5, b'a']).bytes(), None);
        assert_eq!(Decoder(&[2, 0xc3, 0x28]).text(), None);
    }
}
