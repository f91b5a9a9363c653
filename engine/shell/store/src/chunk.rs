//! Rows of the journal: sealed records of many batches side by side, under the position of the
//! first. A row per record would cost the writer a walk down the tree for each event.
//!
//! ```text
//! (position minus the one before, length, record)*
//! ```
//!
//! The frame needs no seal of its own: a record opens only at its own position and whole, so a
//! frame that was altered yields records that do not open.

use crate::codec::{Decoder, Encoder};

/// With key and header just under four pages of redb, which rounds up to powers of two.
const BYTES_MAX: usize = (16 << 10) - 128;

/// Joins records, whose positions ascend, to rows.
pub(crate) fn pack<'r>(records: impl Iterator<Item = (u64, &'r [u8])>) -> Vec<(u64, Vec<u8>)> {
    let mut rows: Vec<(u64, Encoder)> = Vec::new();
    let mut last = 0;
    for (position, record) in records {
        let fits = rows
            .last()
            .is_some_and(|(_, row)| row.0.len() + record.len() + FRAME_MAX <= BYTES_MAX);
        if !fits {
            rows.push((position, Encoder(Vec::with_capacity(BYTES_MAX))));
            last = position;
        }
        if let Some((_, row)) = rows.last_mut() {
            row.number(position - last);
            row.bytes(record);
            last = position;
        }
    }
    rows.into_iter()
        .map(|(first, row)| (first, row.0))
        .collect()
}

/// The record at a position; `None` when it is not there or the frame is broken before it.
pub(crate) fn find(first: u64, row: &[u8], position: u64) -> Option<&[u8]> {
    let mut records = Records::new(first, row);
    loop {
        let (at, record) = records.next_record()?;
        if at >= position {
            return (at == position).then_some(record);
        }
    }
}

/// All records of a row; `None` when the frame is broken.
pub(crate) fn read(first: u64, row: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut records = Records::new(first, row);
    let mut all = Vec::new();
    while !records.input.is_done() {
        all.push(records.next_record()?);
    }
    Some(all)
}

/// Two numbers at most.
const FRAME_MAX: usize = 20;

struct Records<'a> {
    input: Decoder<'a>,
    position: u64,
}

impl<'a> Records<'a> {
    fn new(first: u64, row: &'a [u8]) -> Self {
        Self {
            input: Decoder(row),
            position: first,
        }
    }

    fn next_record(&mut self) -> Option<(u64, &'a [u8])> {
        self.position = self.position.checked_add(self.input.number()?)?;
        Some((self.position, self.input.bytes()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_in_their_rows() {
        let records: Vec<(u64, Vec<u8>)> = (0_usize..200)
            .map(|number| {
                let position = 1_000 + number as u64 * 3;
                let size = if number == 77 { 50_000 } else { number * 5 };
                (position, vec![7; size])
            })
            .collect();
        let rows = pack(
            records
                .iter()
                .map(|(position, record)| (*position, &**record)),
        );
        assert!(rows.len() > 5);
        let mut found = Vec::new();
        for (first, row) in &rows {
            assert!(row.len() <= BYTES_MAX || row.len() > 50_000);
            found.extend(read(*first, row).unwrap());
        }
        let expected = records
            .iter()
            .map(|(position, record)| (*position, &**record));
        assert_eq!(found, expected.collect::<Vec<_>>());
        for (position, record) in &records {
            let (first, row) = rows.iter().rfind(|(first, _)| first <= position).unwrap();
            assert_eq!(find(*first, row, *position), Some(&**record));
            assert_eq!(find(*first, row, position + 1), None);
        }
    }

    #[test]
    fn a_broken_frame_is_noticed() {
        let rows = pack([(5, b"abc".as_slice()), (6, b"def".as_slice())].into_iter());
        let (first, row) = &rows[0];
        for length in 1..row.len() {
            let whole = read(*first, &row[..length]);
            assert!(whole.is_none_or(|records| records.len() == 1), "{length}");
        }
    }
}
