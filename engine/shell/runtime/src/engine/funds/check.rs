//! Whether every fund of a store is what its ledger adds up to: a look from outside of any run,
//! while others go on. Only what was written before the fund's row was read is added up.

use casewright_casework::fund::{self, Entry};
use casewright_store::{Store, Table};
use serde::{Deserialize, Serialize};

use super::books::entry_key;
use crate::engine::Refused;
use crate::engine::shared::unreadable;
use crate::record::{self, FundRow};

/// Funds, and entries, that are read at a time.
const READ: usize = 1_024;

/// A fund and its ledger say different things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unbalanced {
    pub agency: String,
    pub fund: String,
    pub reason: String,
}

/// How many funds there are, and those that their ledgers do not bear out.
pub fn unbalanced(store: &dyn Store) -> Result<(u64, Vec<Unbalanced>), Refused> {
    let (mut count, mut found, mut from) = (0, Vec::new(), Vec::new());
    loop {
        let rows = store.scan(Table::Fund, &from, &[0xff; 64], READ);
        let rows = rows.map_err(unreadable)?;
        let Some((last, _)) = rows.last() else {
            return Ok((count, found));
        };
        from.clone_from(last);
        from.push(0);
        for (key, row) in &rows {
            count += 1;
            let row: FundRow = record::decode("a fund", &row.value)?;
            let agency = key.split(|byte| *byte == 0).next().unwrap_or_default();
            let agency = String::from_utf8_lossy(agency).into_owned();
            let entries = entries(store, &agency, &row)?;
            let sound = if entries.len() as u64 == row.entries {
                fund::check(&row.fund, &entries)
            } else {
                let (found, written) = (entries.len(), row.entries);
                Err(format!("its ledger has {found} entries of {written}"))
            };
            found.extend(sound.err().map(|reason| Unbalanced {
                agency,
                fund: row.fund.name,
                reason,
            }));
        }
    }
}

pub(super) fn entries(
    store: &dyn Store,
    agency: &str,
    row: &FundRow,
) -> Result<Vec<Entry>, Refused> {
    let name = row.fund.name.as_str();
    let end = entry_key(agency, name, row.entries);
    let mut entries = Vec::new();
    loop {
        let from = entry_key(agency, name, entries.len() as u64);
        let read = store.scan(Table::Ledger, &from, &end, READ);
        let read = read.map_err(unreadable)?;
        for (_, row) in &read {
            entries.push(record::decode("an entry", &row.value)?);
        }
        if read.len() < READ {
            return Ok(entries);
        }
    }
}
