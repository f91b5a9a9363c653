//! Plugins on disk: a folder `<name>/` with `plugin.toml` and `<name>.wasm`.
//!
//! Finding them and saying what is wrong with them; which of them an agency uses is not decided
//! here.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::compile::COMPONENT_BYTES_MAX;
use crate::description::{EffectKind, Function};
use crate::manifest::{Manifest, ManifestError, SecretUse};
use crate::plugin::{Host, LoadError, Plugin};

/// A plugin with its manifest, ready to be called.
#[derive(Debug, Clone)]
pub struct Installed {
    /// What it asks for.
    pub manifest: Manifest,
    /// What it does.
    pub plugin: Arc<Plugin>,
}

/// Why a folder is not a plugin.
#[derive(Debug)]
pub enum FolderError {
    /// A file cannot be read.
    Read(PathBuf, io::Error),
    /// The manifest is refused.
    Manifest(PathBuf, ManifestError),
    /// Folder and manifest name it differently.
    Name {
        /// The folder.
        folder: PathBuf,
        /// The name in the manifest.
        name: String,
    },
    /// There is no component in it.
    NotBuilt(PathBuf),
    /// The component cannot be used.
    Load(PathBuf, LoadError),
}

/// One remark of [`Host::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it keeps the plugin from running.
    pub severity: Severity,
    /// What, where and what to do.
    pub message: String,
}

/// Weight of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The plugin cannot run.
    Problem,
    /// It runs, and could be better.
    Advice,
}

/// Plugins by digest, several versions of one side by side, and which version is the current one.
#[derive(Debug, Default)]
pub struct Shelf {
    installed: BTreeMap<String, Arc<Installed>>,
    current: BTreeMap<String, String>,
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) => write!(f, "{} cannot be read: {error}", path.display()),
            Self::Manifest(folder, error) => write!(f, "{}: {error}", folder.display()),
            Self::Name { folder, name } => write!(
                f,
                "the folder {} holds the plugin `{name}`; folder and `name` in plugin.toml must \
                 be the same",
                folder.display()
            ),
            Self::NotBuilt(path) => write!(
                f,
                "{} is missing; `casewright plugin build` makes it",
                path.display()
            ),
            Self::Load(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for FolderError {}

impl Host {
    /// Loads the plugin in one folder.
    pub async fn open(&self, folder: &Path) -> Result<Installed, FolderError> {
        let (manifest, component) = files(folder)?;
        let path = component_path(folder, &manifest.name);
        let plugin = self
            .load(&manifest.name, &component)
            .await
            .map_err(|error| FolderError::Load(path, error))?;
        Ok(Installed { manifest, plugin })
    }

    /// Loads every folder below `root` that holds a `plugin.toml`, in order of their names. One
    /// broken plugin does not keep the others away.
    pub async fn open_all(
        &self,
        root: &Path,
    ) -> Result<Vec<Result<Installed, FolderError>>, io::Error> {
        let mut folders = Vec::new();
        for entry in std::fs::read_dir(root)? {
            let folder = entry?.path();
            if folder.join("plugin.toml").is_file() {
                folders.push(folder);
            }
        }
        folders.sort();
        let mut opened = Vec::new();
        for folder in folders {
            opened.push(self.open(&folder).await);
        }
        Ok(opened)
    }

    /// Everything there is to say about the plugin in a folder; no problem among the findings
    /// means that it runs.
    pub async fn check(&self, folder: &Path) -> Vec<Finding> {
        match self.open(folder).await {
            Ok(installed) => installed.advice(),
            Err(error) => {
                vec![Finding {
                    severity: Severity::Problem,
                    message: error.to_string(),
                }]
            }
        }
    }
}

impl Installed {
    /// What could be better about a plugin that runs.
    fn advice(&self) -> Vec<Finding> {
        let mut advice = Vec::new();
        let mut advise = |message: String| {
            advice.push(Finding {
                severity: Severity::Advice,
                message,
            });
        };
        for secret in &self.manifest.secrets {
            if secret.purpose == SecretUse::Reveal {
                advise(format!(
                    "the plugin reads the secret `{}` itself; with `use = \"http\"` the host adds \
                     it to requests and the plugin never holds it",
                    secret.name
                ));
            }
        }
        for request in self
            .manifest
            .http
            .iter()
            .filter(|request| request.credential.is_none())
        {
            if self.manifest.http.len() > 1 && !self.manifest.secrets.is_empty() {
                advise(format!(
                    "[[http]] {} names no `credential`: any secret of this plugin may go there",
                    request.origin
                ));
            }
        }
        for function in &self.plugin.description.functions {
            let writes = function.effect != EffectKind::None;
            if writes && self.manifest.http.is_empty() {
                advise(format!(
                    "function `{}` says that it acts outside, but the manifest asks for no \
                     [[http]]",
                    function.name
                ));
            }
            if function.resumes {
                advise(format!(
                    "function `{}` may answer later; this engine takes only answers that come at \
                     once",
                    function.name
                ));
            }
        }
        advice
    }
}

impl Shelf {
    /// Puts a version on the shelf and makes it the current one of its name. Older ones stay for
    /// the instances pinned to them.
    pub fn put(&mut self, installed: Installed) -> Arc<Installed> {
        let digest = installed.plugin.digest.clone();
        let installed = Arc::new(installed);
        self.current
            .insert(installed.manifest.name.clone(), digest.clone());
        self.installed.insert(digest, Arc::clone(&installed));
        installed
    }

    /// Exactly this version.
    pub fn pinned(&self, digest: &str) -> Option<&Arc<Installed>> {
        self.installed.get(digest)
    }

    /// The version that new instances use.
    pub fn current(&self, name: &str) -> Option<&Arc<Installed>> {
        self.installed.get(self.current.get(name)?)
    }

    /// Every current version, by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Installed>> {
        self.current
            .values()
            .filter_map(|digest| self.installed.get(digest))
    }

    /// Plugin and function of a full name, `payment-issue.pay`, at this digest or, without one,
    /// at the current version.
    pub fn function(
        &self,
        full_name: &str,
        digest: Option<&str>,
    ) -> Option<(&Arc<Installed>, &Function)> {
        let (plugin, function) = full_name.split_once('.')?;
        let installed = match digest {
            Some(digest) => self.pinned(digest).filter(|i| i.manifest.name == plugin)?,
            None => self.current(plugin)?,
        };
        Some((installed, installed.plugin.description.function(function)?))
    }
}

fn files(folder: &Path) -> Result<(Manifest, Vec<u8>), FolderError> {
    let path = folder.join("plugin.toml");
    let text = std::fs::read_to_string(&path).map_err(|error| FolderError::Read(path, error))?;
    let manifest =
        Manifest::read(&text).map_err(|error| FolderError::Manifest(folder.to_owned(), error))?;
    if folder
        .file_name()
        .is_some_and(|own| own != manifest.name.as_str())
    {
        return Err(FolderError::Name {
            folder: folder.to_owned(),
            name: manifest.name,
        });
    }
    let path = component_path(folder, &manifest.name);
    let read = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => FolderError::NotBuilt(path.clone()),
        _ => FolderError::Read(path.clone(), error),
    };
    let size = std::fs::metadata(&path).map_err(read)?.len();
    let too_large = size > COMPONENT_BYTES_MAX as u64;
    if too_large {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let error = LoadError::Compile(crate::compile::CompileError::TooLarge(size));
        return Err(FolderError::Load(path, error));
    }
    let component = std::fs::read(&path).map_err(read)?;
    Ok((manifest, component))
}

fn component_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.wasm"))
}
