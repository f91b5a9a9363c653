//! Where a store lies, for the commands that are given to it and not to a server.

use std::io;
use std::path::{Path, PathBuf};

use casewright_store::{RedbStore, Settings};

use crate::{exit, serve, wiring};

/// Either the server's configuration, or data and keys.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// The configuration of `serve`, which says where data and keys are.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "keys"])]
    config: Option<PathBuf>,
    /// Folder of the database.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    data: Option<PathBuf>,
    /// The key file; `keys/epoch.json` in the data folder otherwise.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

impl Place {
    /// The configuration, if it was named.
    pub(crate) fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// Data folder and key file.
    pub(crate) fn find(&self) -> io::Result<(PathBuf, PathBuf)> {
        if let Some(config) = &self.config {
            return serve::places(config);
        }
        let data = self.data.clone().unwrap_or_default();
        let keys = self.keys.clone();
        let keys = keys.unwrap_or_else(|| data.join("keys/epoch.json"));
        Ok((data, keys))
    }
}

/// Opens a store that must be there and that no server has open.
pub(crate) fn open(data: &Path, keys: &Path) -> io::Result<RedbStore> {
    let database = database(data)?;
    RedbStore::open(&database, keys, Settings::default())
        .map_err(|error| io::Error::other(exit::chain(&error)))
}

/// The database of a store that must be there.
pub(crate) fn database(data: &Path) -> io::Result<PathBuf> {
    let database = wiring::database(data);
    if database.try_exists()? {
        return Ok(database);
    }
    let sentence = format!("there is no store in {}", data.display());
    Err(io::Error::new(io::ErrorKind::NotFound, sentence))
}
