//! The configuration file of `serve`. Unknown keys are mistakes; paths are relative to the file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use casewright_host::grant::OperatorSide;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Address and port. Behind a proxy that ends TLS unless it is loopback.
    pub(super) listen: SocketAddr,
    /// Folder of the database; made when missing.
    pub(super) data: PathBuf,
    /// The key file; on another disk than the data, if possible.
    pub(super) keys: PathBuf,
    /// Folders with a `pack.yaml`.
    #[serde(default)]
    pub(super) packs: Vec<PathBuf>,
    /// Folders of built plugins.
    #[serde(default)]
    pub(super) plugins: Vec<PathBuf>,
    /// Free space below which nothing new is taken (507).
    #[serde(default = "disk_reserve_mib")]
    pub(super) disk_reserve_mib: u64,
    /// Whether cookies need HTTPS: true unless `listen` is loopback.
    pub(super) secure_cookies: Option<bool>,
    /// What the operator lets each plugin use.
    #[serde(default)]
    plugin: BTreeMap<String, PluginSide>,
    #[serde(default)]
    pub(super) staff: Vec<Member>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PluginSide {
    /// Takes the place of what the pack configures.
    #[serde(default)]
    config: serde_json::Map<String, serde_json::Value>,
    /// Origins such as `https://pay.example`; naming a private one allows connecting to it.
    #[serde(default)]
    hosts: Vec<String>,
    /// Name of the secret to a file that holds it.
    #[serde(default)]
    secrets: BTreeMap<String, PathBuf>,
}

/// A member of staff, until accounts are kept in the console.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Member {
    pub(super) agency: String,
    pub(super) id: String,
    pub(super) sign_in: String,
    pub(super) name: String,
    pub(super) roles: BTreeSet<String>,
    /// Names of teams in the agency's pack.
    #[serde(default)]
    pub(super) teams: BTreeSet<String>,
    pub(super) passphrase_file: PathBuf,
    /// Where to write a new token at each start; readable by its owner alone.
    pub(super) token_file: Option<PathBuf>,
}

impl Member {
    /// As the engine takes them.
    pub(super) fn roles_and_teams(&self) -> BTreeSet<String> {
        let teams = self.teams.iter().map(|team| format!("team:{team}"));
        self.roles.iter().cloned().chain(teams).collect()
    }
}

fn disk_reserve_mib() -> u64 {
    64
}

impl Config {
    /// The error is a sentence with file, place and remedy.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let mut config: Self =
            toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        config.resolve(folder);
        Ok(config)
    }

    fn resolve(&mut self, folder: &Path) {
        let lists = self.packs.iter_mut().chain(&mut self.plugins);
        let members = self.staff.iter_mut().flat_map(|member| {
            std::iter::once(&mut member.passphrase_file).chain(&mut member.token_file)
        });
        let secrets = self
            .plugin
            .values_mut()
            .flat_map(|side| side.secrets.values_mut());
        let single = [&mut self.data, &mut self.keys];
        for path in single
            .into_iter()
            .chain(lists)
            .chain(members)
            .chain(secrets)
        {
            *path = folder.join(&*path);
        }
    }

    pub(super) fn operator(&self) -> io::Result<BTreeMap<String, OperatorSide>> {
        let side = |side: &PluginSide| {
            let secrets = side.secrets.iter();
            let secrets = secrets.map(|(name, path)| Ok((name.clone(), secret(path)?)));
            io::Result::Ok(OperatorSide {
                config: side.config.clone().into(),
                hosts: side.hosts.clone(),
                secrets: secrets.collect::<io::Result<_>>()?,
            })
        };
        self.plugin
            .iter()
            .map(|(name, of)| Ok((name.clone(), side(of)?)))
            .collect()
    }
}

/// A secret is the content of its file without the line's end.
pub(super) fn secret(path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(path).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot read {}: {error}", path.display()),
        )
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("casewright.toml");
        fs::write(&path, text).unwrap();
        Config::read(&path)
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line() {
        let text = "listen = \"127.0.0.1:0\"\ndata = \"d\"\nkeys = \"k\"\npakcs = []\n";
        let sentence = read(text).unwrap_err();
        assert!(
            sentence.contains("line 4") && sentence.contains("pakcs"),
            "{sentence}"
        );
        assert!(
            read("listen = \"localhost\"\n")
                .unwrap_err()
                .contains("line 1")
        );
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let config = read("listen = \"127.0.0.1:0\"\ndata = \"d\"\nkeys = \"/k\"\n").unwrap();
        assert!(config.data.is_absolute() && config.data.ends_with("d"));
        assert_eq!(config.keys, Path::new("/k"));
        assert_eq!(config.disk_reserve_mib, 64);
    }
}
