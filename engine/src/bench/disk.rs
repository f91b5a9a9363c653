//! What a store takes on disk once nothing in it is left over from growing, and what it is made of.

use std::fs;
use std::io;

use casewright_store::bare::{self, Kind};
use casewright_store::{RedbStore, Settings, Store};

use super::agency::Place;
use super::parked::number;
use crate::wiring;

/// Size of the store as it comes back from a backup, without the space that redb keeps for later,
/// and what is in it. Nobody has the store open.
pub(super) fn compacted(place: &Place) -> io::Result<(u64, Vec<Kind>)> {
    let beside = place.0.join("restored");
    fs::create_dir(&beside)?;
    let (backup, keys) = (beside.join("backup"), beside.join("epoch.json"));
    // Restoring is noted beside the keys.
    fs::copy(place.keys(), &keys)?;
    let file = wiring::database(&place.data());
    let store = RedbStore::open(&file, &place.keys(), Settings::default());
    let store = store.map_err(io::Error::other)?;
    let mut out = io::BufWriter::new(fs::File::create(&backup)?);
    store.backup(std::iter::empty(), &mut out)?;
    io::Write::flush(&mut out)?;
    store.close();
    let copy = beside.join("store.redb");
    let mut from = io::BufReader::new(fs::File::open(&backup)?);
    RedbStore::restore(&mut from, &copy, &keys, None, &mut |_| Ok(())).map_err(io::Error::other)?;
    let size = bare::compacted(&copy).map_err(io::Error::other)?;
    let made_of = bare::contents(&copy).map_err(io::Error::other)?;
    fs::remove_dir_all(beside)?;
    Ok((size, made_of))
}

/// What each of so many takes, the largest kind first: values, and bytes of keys and values.
pub(super) fn parts(made_of: &[Kind], among: u64) -> String {
    let each = |count: u64| number(count) / number(among);
    let all: u64 = made_of.iter().map(Kind::bytes).sum();
    let kinds = made_of
        .iter()
        .filter(|kind| each(kind.bytes()) >= 1.0)
        .map(|kind| {
            let (count, bytes) = (each(kind.count), each(kind.bytes()));
            format!("{} {count:.2} with {bytes:.0} B", kind.name)
        });
    let kinds: Vec<String> = kinds.collect();
    format!(
        "{:.0} B of keys and values: {}",
        each(all),
        kinds.join(", ")
    )
}
