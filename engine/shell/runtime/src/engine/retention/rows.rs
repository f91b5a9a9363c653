//! What stays of an erased case, and the lines by which files are found again.

use casewright_casework::retention::Erased;
use casewright_store::{ReadError, Store, Table};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::engine::Refused;
use crate::{key, record};

/// What the record of an erased case must come to: for whoever verifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skeleton {
    pub case: String,
    /// Entries of its record.
    pub entries: u64,
    /// Hash of the last of them.
    pub last: String,
}

/// Rows read at a time.
const PAGE: usize = 256;

/// Of every erased case of a store, an agency after the other.
pub fn skeletons(store: &dyn Store) -> Result<Vec<Skeleton>, ReadError> {
    let (mut from, mut all) = (Vec::new(), Vec::new());
    loop {
        let rows = store.scan(Table::Erased, &from, &[0xff; 64], PAGE)?;
        let Some((last, _)) = rows.last() else {
            return Ok(all);
        };
        from.clone_from(last);
        from.push(0);
        for (_, row) in rows {
            let read = record::decode::<Erased>(WHAT, &row.value);
            let Erased {
                case,
                entries,
                last,
                ..
            } = read.map_err(|_: Refused| ReadError::Damaged {
                what: WHAT.to_owned(),
            })?;
            all.push(Skeleton {
                case,
                entries,
                last,
            });
        }
    }
}

pub(super) const WHAT: &str = "what stays of an erased case";

pub(super) const DUE: &str = "retention-due";

/// By the day up to which the file is kept at least.
pub(super) fn due_key(agency: &str, day: Date, case: &str) -> Vec<u8> {
    key::join(&[DUE, agency, &day.to_string(), case])
}

/// Latest first.
pub(super) fn erased_key(agency: &str, at: Timestamp, case: &str) -> Vec<u8> {
    let mut key = key::prefix(&[agency]);
    key.extend_from_slice(&key::moment_latest_first(at));
    key.extend_from_slice(case.as_bytes());
    key
}
