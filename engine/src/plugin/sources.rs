//! A plugin's folder before it is built: what it is called, where its parts go.

use std::fs;
use std::path::{Path, PathBuf};

use casewright_host::manifest::Manifest;

use super::build::BuildError;
use super::checkout;

/// One plugin's folder.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    /// The plugin's name, from its manifest.
    pub(super) name: String,
    /// Absolute.
    pub(super) folder: PathBuf,
    /// The text of `plugin.toml`.
    pub(super) manifest: String,
    /// The name cargo knows it by.
    pub(super) package: String,
    /// The folder of the cargo workspace it belongs to; its own when there is none above.
    pub(super) workspace: PathBuf,
    /// The SDK it is built with, when it is a path.
    pub(super) sdk: Option<PathBuf>,
}

impl Sources {
    /// Reads a plugin's folder.
    pub(super) fn read(folder: &Path) -> Result<Self, BuildError> {
        let folder = folder
            .canonicalize()
            .map_err(|_| BuildError::NoSuchPlugin(folder.to_owned()))?;
        let manifest_path = folder.join("plugin.toml");
        if !manifest_path.is_file() {
            return Err(BuildError::NotAPlugin { folder });
        }
        let manifest = read(&manifest_path)?;
        let name = Manifest::read(&manifest)
            .map_err(|error| BuildError::manifest(&folder, error))?
            .name;
        let cargo_path = folder.join("Cargo.toml");
        let cargo: toml::Table = read(&cargo_path)?
            .parse()
            .map_err(|error| BuildError::manifest(&cargo_path, error))?;
        let package = text(&cargo, &["package", "name"])
            .ok_or_else(|| BuildError::manifest(&cargo_path, "it has no `package.name`"))?;
        let sdk = text(&cargo, &["dependencies", "casewright-sdk", "path"]);
        let sdk = sdk.and_then(|path| folder.join(path).canonicalize().ok());
        let workspace = workspace(&folder, &cargo);
        Ok(Self {
            name,
            folder,
            manifest,
            package,
            workspace,
            sdk,
        })
    }

    /// The folder of a plugin: as a path, or as the name of one in the checkout around here.
    pub(super) fn folder_of(plugin: &Path) -> PathBuf {
        let name = plugin.components().count() == 1;
        let found = (name && !plugin.exists())
            .then(|| Some(checkout::find(Path::new("."))?.join("plugins").join(plugin)))
            .flatten();
        found
            .filter(|folder| folder.is_dir())
            .unwrap_or_else(|| plugin.to_owned())
    }

    /// All plugins of a checkout, in order of their names.
    pub(super) fn of_checkout(root: &Path) -> Result<Vec<Self>, BuildError> {
        let plugins = root.join("plugins");
        let failed = |source| BuildError::io(&plugins, source);
        let mut all = Vec::new();
        for entry in fs::read_dir(&plugins).map_err(failed)? {
            let folder = entry.map_err(failed)?.path();
            if folder.join("plugin.toml").is_file() {
                all.push(Self::read(&folder)?);
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// Where cargo keeps its work: one place for a whole checkout, so that the standard library is
    /// built once.
    pub(super) fn cargo_target(&self) -> PathBuf {
        self.target().join("plugins-build")
    }

    /// Where components go unless somebody says otherwise.
    pub(super) fn default_out(&self) -> PathBuf {
        self.target().join("plugins")
    }

    /// The module cargo builds.
    pub(super) fn module(&self) -> PathBuf {
        let file = format!("{}.wasm", self.package.replace('-', "_"));
        self.cargo_target()
            .join("wasm32-unknown-unknown/release")
            .join(file)
    }

    fn target(&self) -> PathBuf {
        let base = checkout::find(&self.folder).unwrap_or_else(|| self.folder.clone());
        base.join("target")
    }
}

fn read(path: &Path) -> Result<String, BuildError> {
    fs::read_to_string(path).map_err(|source| BuildError::io(path, source))
}

fn text(table: &toml::Table, path: &[&str]) -> Option<String> {
    let (first, rest) = path.split_first()?;
    let found = rest
        .iter()
        .try_fold(table.get(*first)?, |value, key| value.get(key))?;
    found.as_str().map(str::to_owned)
}

fn workspace(folder: &Path, cargo: &toml::Table) -> PathBuf {
    let holds = |above: &&Path| {
        let text = fs::read_to_string(above.join("Cargo.toml")).unwrap_or_default();
        text.parse::<toml::Table>()
            .is_ok_and(|table| table.contains_key("workspace"))
    };
    let above = || folder.ancestors().skip(1).find(holds);
    let found = if cargo.contains_key("workspace") {
        None
    } else {
        above()
    };
    found.unwrap_or(folder).to_owned()
}
