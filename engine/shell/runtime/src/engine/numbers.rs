//! Case numbers after the pattern of the pack, from blocks reserved ahead. Gaps are allowed; a
//! number is never given twice.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use casewright_store::{Batch, Guard, Put, SubmitError, Table, Under};
use jiff::Timestamp;

use super::Refused;
use super::shared::{Shared, refused};
use crate::record::{self, CounterRow};
use crate::{Deployment, key};

/// Numbers taken at once: one write in sixty-four opened cases, and at most so large a gap.
const BLOCK: u64 = 64;

/// Blocks in use, by counter.
#[derive(Default)]
pub(crate) struct Numbers(Mutex<BTreeMap<Vec<u8>, std::ops::Range<u64>>>);

impl Shared {
    /// The next case number of this agency.
    pub(crate) fn case_number(
        &self,
        deployment: &Deployment,
        at: Timestamp,
    ) -> Result<String, Refused> {
        let pattern = &deployment.pack.case_number;
        let zone = deployment.calendar().zone().clone();
        let year = at.to_zoned(zone).year().to_string();
        let agency = &deployment.pack.namespace;
        // Where the year stands in the number, each year counts from one.
        let counted = if pattern.contains("{year}") {
            &*year
        } else {
            ""
        };
        let number = self.next(agency, &key::join(&[agency, "case", counted]))?;
        Ok(written(pattern, &year, number))
    }

    /// The batch that takes a block is queued before the one that uses it: no need to wait.
    fn next(&self, agency: &str, counter: &[u8]) -> Result<u64, Refused> {
        let mut blocks = self
            .numbers
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let block = blocks.entry(counter.to_vec()).or_insert(0..0);
        if block.is_empty() {
            *block = self.block(agency, counter)?;
        }
        let number = block.start;
        block.start += 1;
        Ok(number)
    }

    fn block(&self, agency: &str, counter: &[u8]) -> Result<std::ops::Range<u64>, Refused> {
        for _ in 0..self.limits.tries_max {
            let found = self.pending::<CounterRow>(Table::Counter, counter, "a counter")?;
            let (first, version) = found.map_or((1, 0), |(row, version)| (row.next, version));
            let next = first + BLOCK;
            let mut batch = Batch::default();
            batch.guards.push(Guard::Row {
                table: Table::Counter,
                key: counter.to_vec(),
                version,
            });
            batch.puts.push(Put {
                table: Table::Counter,
                key: counter.to_vec(),
                value: Some(record::encode(&CounterRow { next })),
                under: Under::Agency(agency.to_owned()),
            });
            match self.submit(batch) {
                Ok(_) => return Ok(first..next),
                Err(SubmitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }
}

/// `IFS-{year}-{number:5}`.
fn written(pattern: &str, year: &str, number: u64) -> String {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((field, after)) = after.split_once('}') else {
            rest = after;
            break;
        };
        match field.split_once(':') {
            _ if field == "year" => text.push_str(year),
            None if field == "number" => text.push_str(&number.to_string()),
            Some(("number", width)) => {
                let width = width.parse().unwrap_or(0).min(WIDTH_MAX);
                write!(text, "{number:0width$}").expect("writing to a string does not fail");
            }
            _ => {}
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// As many digits as the largest number has.
const WIDTH_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn a_number_is_written_after_the_pattern() {
        assert_eq!(
            written("IFS-{year}-{number:5}", "2026", 7),
            "IFS-2026-00007"
        );
        assert_eq!(written("{number}", "2026", 123), "123");
        assert_eq!(written("{number:2}/{year}", "2026", 1234), "1234/2026");
        assert_eq!(written("case", "2026", 1), "case");
        assert_eq!(written("a{number", "2026", 1), "anumber");
    }
}
