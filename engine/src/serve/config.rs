//! The configuration file of `serve`. Unknown keys are mistakes; paths are relative to the file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use casewright_host::grant::OperatorSide;
use casewright_host::request::Allowed;
use casewright_store::{ExportTo, RecoveryKey};
use serde::Deserialize;

use crate::folder;
use crate::ports::{gateway, http};

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
    /// Where partners reach this engine, such as `https://casewright.agency.example`: what plugins
    /// hand out for answers that come later. Without it they ask for them.
    pub(super) public_url: Option<String>,
    /// Whether cookies need HTTPS: true unless `listen` is loopback.
    pub(super) secure_cookies: Option<bool>,
    /// What the operator lets documents use in `call: http`.
    #[serde(default)]
    http: HttpSide,
    /// Who sends the engine's messages; without it none go out.
    notify: Option<NotifySide>,
    /// Where exports of the keys go; without it keys are never rolled.
    recovery: Option<RecoverySide>,
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
    /// Whether the log has the plugin's own words, which may be of a case.
    #[serde(default)]
    log: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NotifySide {
    /// Where messages are posted; naming a private address allows connecting to it.
    endpoint: String,
    /// A file with what the gateway knows us by.
    secret: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecoverySide {
    /// What `casewright keys recovery` printed.
    key: String,
    /// Where the newest export lies; on another disk than the data, if possible.
    export: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpSide {
    /// `pay.example:443`, or origins; naming a private one allows connecting to it.
    #[serde(default)]
    hosts: Vec<String>,
    /// Name of the secret to a file that holds it.
    #[serde(default)]
    secrets: BTreeMap<String, PathBuf>,
    /// By namespace of the agency: what its documents may use besides.
    #[serde(default)]
    agency: BTreeMap<String, AgencyHttp>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgencyHttp {
    #[serde(default)]
    hosts: Vec<String>,
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
        config
            .check()
            .map_err(|sentence| format!("{}: {sentence}", path.display()))?;
        Ok(config)
    }

    /// A host that can never match would be found out only by the first request.
    fn check_hosts(&self) -> Result<(), String> {
        let agencies = self.http.agency.values().flat_map(|side| &side.hosts);
        let allowed = Allowed {
            operator: self.http.hosts.iter().chain(agencies).cloned().collect(),
            pack: None,
        };
        match allowed.problems().into_iter().next() {
            None => Ok(()),
            Some(problem) => Err(format!("hosts under [http]: {problem}")),
        }
    }

    /// An address that partners are given must be one they can send to.
    fn check(&mut self) -> Result<(), String> {
        self.check_hosts()?;
        if let Some(side) = &self.notify {
            let settings = gateway::Settings {
                endpoint: side.endpoint.clone(),
                secret: None,
            };
            let well = settings.origin().map(drop);
            well.map_err(|problem| format!("endpoint under [notify]: {problem}"))?;
        }
        if let Some(side) = &self.recovery {
            let key = side.key.parse::<RecoveryKey>();
            key.map_err(|problem| format!("key under [recovery]: {problem}"))?;
        }
        let Some(url) = &mut self.public_url else {
            return Ok(());
        };
        let trimmed = url.trim_end_matches('/').to_owned();
        let rest = ["https://", "http://"]
            .into_iter()
            .find_map(|scheme| trimmed.strip_prefix(scheme));
        let plain = |rest: &str| {
            !rest.is_empty()
                && !rest.contains(['?', '#', '@'])
                && !rest.contains(char::is_whitespace)
        };
        if !rest.is_some_and(plain) {
            return Err(format!(
                "public_url is `{url}`; write where partners reach this engine, such as \
                 https://casewright.agency.example"
            ));
        }
        *url = trimmed;
        Ok(())
    }

    /// Where exports of the keys go, and for whom.
    pub(super) fn recovery(&self) -> Option<ExportTo> {
        let side = self.recovery.as_ref()?;
        let (path, key) = (side.export.clone(), side.key.parse().ok()?);
        Some(ExportTo { path, key })
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
        let agencies = self.http.agency.values_mut();
        let http = agencies.flat_map(|side| side.secrets.values_mut());
        let http = http.chain(self.http.secrets.values_mut());
        let notify = self.notify.iter_mut();
        let notify = notify.filter_map(|side| side.secret.as_mut());
        let single = [&mut self.data, &mut self.keys];
        let recovery = self.recovery.iter_mut().map(|side| &mut side.export);
        for path in single
            .into_iter()
            .chain(recovery)
            .chain(notify)
            .chain(http)
            .chain(lists)
            .chain(members)
            .chain(secrets)
        {
            *path = folder.join(&*path);
        }
    }

    pub(super) fn http(&self) -> io::Result<http::Operator> {
        let side = |hosts: &[String], secrets: &BTreeMap<String, PathBuf>| {
            let secrets = secrets.iter();
            let secrets = secrets.map(|(name, path)| Ok((name.clone(), folder::secret(path)?)));
            io::Result::Ok(http::Side {
                hosts: hosts.to_vec(),
                secrets: secrets.collect::<io::Result<_>>()?,
            })
        };
        let agencies = self.http.agency.iter();
        let agencies = agencies.map(|(name, of)| Ok((name.clone(), side(&of.hosts, &of.secrets)?)));
        Ok(http::Operator {
            everybody: side(&self.http.hosts, &self.http.secrets)?,
            agencies: agencies.collect::<io::Result<_>>()?,
            alone: false,
        })
    }

    /// Whether messages are sent.
    pub(super) fn has_gateway(&self) -> bool {
        self.notify.is_some()
    }

    /// Who sends messages, with the secret that its file holds.
    pub(super) fn gateway(&self) -> io::Result<Option<gateway::Settings>> {
        let Some(side) = &self.notify else {
            return Ok(None);
        };
        let secret = side.secret.as_deref();
        Ok(Some(gateway::Settings {
            endpoint: side.endpoint.clone(),
            secret: secret.map(folder::secret).transpose()?,
        }))
    }

    pub(super) fn operator(&self) -> io::Result<BTreeMap<String, OperatorSide>> {
        let side = |side: &PluginSide| {
            let secrets = side.secrets.iter();
            let secrets = secrets.map(|(name, path)| Ok((name.clone(), folder::secret(path)?)));
            io::Result::Ok(OperatorSide {
                config: side.config.clone().into(),
                hosts: side.hosts.clone(),
                secrets: secrets.collect::<io::Result<_>>()?,
                heard: side.log,
            })
        };
        self.plugin
            .iter()
            .map(|(name, of)| Ok((name.clone(), side(of)?)))
            .collect()
    }
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
    fn requests_are_allowed_for_all_agencies_or_for_one() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token"), "abc-123\n").unwrap();
        let path = folder.path().join("casewright.toml");
        let text = "listen = \"127.0.0.1:0\"\ndata = \"d\"\nkeys = \"k\"\n\
                    [http]\nhosts = [\"a.example:443\"]\nsecrets = { all = \"token\" }\n\
                    [http.agency.north]\nhosts = [\"https://b.example\"]\n\
                    secrets = { own = \"token\" }\n";
        fs::write(&path, text).unwrap();
        let http = Config::read(&path).unwrap().http().unwrap();
        assert_eq!(http.everybody.hosts, ["a.example:443"]);
        assert_eq!(http.everybody.secrets["all"], "abc-123");
        assert_eq!(http.agencies["north"].hosts, ["https://b.example"]);
        assert_eq!(http.agencies["north"].secrets["own"], "abc-123");
        fs::write(&path, text.replace("a.example:443", "a.example")).unwrap();
        let sentence = Config::read(&path).unwrap_err();
        assert!(
            sentence.contains("[http]") && sentence.contains("port"),
            "{sentence}"
        );
    }

    #[test]
    fn a_gateway_is_named_with_a_file_for_its_secret() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token"), "abc-123\n").unwrap();
        let path = folder.path().join("casewright.toml");
        let text = "listen = \"127.0.0.1:0\"\ndata = \"d\"\nkeys = \"k\"\n\
                    [notify]\nendpoint = \"https://sms.example/messages\"\nsecret = \"token\"\n";
        fs::write(&path, text).unwrap();
        let gateway = Config::read(&path).unwrap().gateway().unwrap().unwrap();
        assert_eq!(gateway.secret.as_deref(), Some("abc-123"));
        assert_eq!(gateway.endpoint, "https://sms.example/messages");
        fs::write(&path, text.replace("https://", "")).unwrap();
        let sentence = Config::read(&path).unwrap_err();
        assert!(sentence.contains("[notify]"), "{sentence}");
    }

    #[test]
    fn the_public_address_must_be_one() {
        let with = |url: &str| {
            read(&format!(
                "listen = \"127.0.0.1:0\"\ndata = \"d\"\nkeys = \"k\"\npublic_url = \"{url}\"\n"
            ))
        };
        let config = with("https://casewright.agency.example/").unwrap();
        let url = config.public_url.as_deref();
        assert_eq!(url, Some("https://casewright.agency.example"));
        for bad in [
            "casewright.agency.example",
            "https://",
            "https://a b",
            "http://u@h",
        ] {
            assert!(with(bad).unwrap_err().contains("public_url"), "{bad}");
        }
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let config = read("listen = \"127.0.0.1:0\"\ndata = \"d\"\nkeys = \"/k\"\n").unwrap();
        assert!(config.data.is_absolute() && config.data.ends_with("d"));
        assert_eq!(config.keys, Path::new("/k"));
        assert_eq!(config.disk_reserve_mib, 64);
    }
}
