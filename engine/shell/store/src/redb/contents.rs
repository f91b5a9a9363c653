//! What a file is made of: which kinds of values it holds, and how many bytes each takes.
//!
//! Nothing is opened: it is the raw tables that are counted.

use std::collections::BTreeMap;
use std::path::Path;

use ::redb::{ReadableDatabase, ReadableTable, TableHandle};

use super::{JOURNAL, Redb, definition, existing};
use crate::backend::{Failure, Space};
use crate::bare::Kind;
use crate::{Settings, Table};

/// Of a file that nobody has open.
pub(crate) fn contents(path: &Path) -> Result<Vec<Kind>, String> {
    let opened = Redb::open(path, &Settings::default()).map_err(|error| error.to_string())?;
    counted(&opened).map_err(|failure| failure.to_string())
}

fn counted(store: &Redb) -> Result<Vec<Kind>, Failure> {
    let transaction = store.database()?.begin_read().map_err(super::failure)?;
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    let mut count = |name: &str, key: usize, value: usize| {
        let kind = kinds.entry(name.to_owned()).or_insert_with(|| Kind {
            name: name.to_owned(),
            ..Kind::default()
        });
        kind.count += 1;
        kind.key_bytes += key as u64;
        kind.value_bytes += value as u64;
    };
    for space in Space::ALL {
        let Some(table) = existing(transaction.open_table(definition(space)))? else {
            continue;
        };
        for pair in table.iter().map_err(super::failure)? {
            let (key, value) = pair.map_err(super::failure)?;
            let (key, value) = (key.value(), value.value());
            let table = Table::ALL
                .iter()
                .find(|table| key.first() == Some(&table.code()));
            let name = match (space, table) {
                (Space::Rows, Some(table)) => format!("row {table:?}"),
                (space, _) => space.name().to_owned(),
            };
            count(&name, key.len(), value.len());
        }
    }
    if let Some(journal) = existing(transaction.open_table(JOURNAL))? {
        for pair in journal.iter().map_err(super::failure)? {
            let (_, value) = pair.map_err(super::failure)?;
            count(JOURNAL.name(), size_of::<u64>(), value.value().len());
        }
    }
    let mut kinds: Vec<Kind> = kinds.into_values().collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.bytes()));
    Ok(kinds)
}
