//! `casewright plugin check`: what deployment would say about a built plugin, all at once.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use casewright_host::manifest::Manifest;
use casewright_host::plugin::{EffectKind, Host, Plugin};
use casewright_language::schema::Schema;
use serde_json::Value;

use super::build::BuildError;
use super::sources::Sources;
use super::{Failure, say};

/// `casewright plugin check ...`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A plugin's folder or name, the folder it was built into, or a .wasm file with its
    /// plugin.toml beside it
    path: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let place = Place::find(&arguments.path)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::environment(error.to_string()))?;
    let mut problems = Vec::new();
    let manifest = place.manifest(&mut problems);
    let plugin = runtime.block_on(place.load(manifest.as_ref(), &mut problems))?;
    if let Some(plugin) = &plugin {
        problems.extend(schema_problems(plugin));
    }
    match (plugin, manifest) {
        (Some(plugin), Some(manifest)) if problems.is_empty() => {
            say(&summary(&plugin, &manifest, place.component.len()))
        }
        _ => {
            let count = match problems.len() {
                1 => "a problem".to_owned(),
                count => format!("{count} problems"),
            };
            let list = problems.join("\n  - ");
            let shown = arguments.path.display();
            Err(Failure::unwell(format!("{shown} has {count}:\n  - {list}")))
        }
    }
}

/// A built plugin on disk.
struct Place {
    manifest_path: PathBuf,
    component: Vec<u8>,
}

impl Place {
    fn find(path: &Path) -> Result<Self, Failure> {
        let path = Sources::folder_of(path);
        if !path.exists() {
            return Err(BuildError::NoSuchPlugin(path).into());
        }
        let component_path = if path.is_dir() {
            component_in(&path)?
        } else {
            path
        };
        let component = fs::read(&component_path).map_err(|error| {
            Failure::environment(format!("{}: {error}", component_path.display()))
        })?;
        Ok(Self {
            manifest_path: component_path.with_file_name("plugin.toml"),
            component,
        })
    }

    fn manifest(&self, problems: &mut Vec<String>) -> Option<Manifest> {
        let shown = self.manifest_path.display();
        let text = fs::read_to_string(&self.manifest_path)
            .map_err(|error| problems.push(format!("{shown}: {error}")));
        Manifest::read(&text.ok()?)
            .map_err(|error| problems.push(error.to_string()))
            .ok()
    }

    async fn load(
        &self,
        manifest: Option<&Manifest>,
        problems: &mut Vec<String>,
    ) -> Result<Option<Arc<Plugin>>, Failure> {
        let name = manifest.map_or("plugin", |manifest| manifest.name.as_str());
        let host = Host::new(None).map_err(|error| Failure::environment(error.to_string()))?;
        let loaded = host.load(name, &self.component).await;
        Ok(loaded
            .map_err(|error| problems.push(error.to_string()))
            .ok())
    }
}

/// The component of a folder: beside its manifest, or where `plugin build` puts it.
fn component_in(folder: &Path) -> Result<PathBuf, Failure> {
    if let Some(built) = built_in(folder) {
        return Ok(built);
    }
    let sources = Sources::read(folder)?;
    built_in(&sources.default_out().join(&sources.name)).ok_or_else(|| {
        let shown = folder.display();
        Failure::unwell(format!(
            "{shown} is not built; run `casewright plugin build {shown}` first"
        ))
    })
}

/// The component beside its manifest.
fn built_in(folder: &Path) -> Option<PathBuf> {
    let manifest = fs::read_to_string(folder.join("plugin.toml")).ok()?;
    let name = Manifest::read(&manifest).ok()?.name;
    Some(folder.join(format!("{name}.wasm"))).filter(|path| path.is_file())
}

pub(super) fn schema_problems(plugin: &Plugin) -> Vec<String> {
    let described = plugin.description.functions.iter().flat_map(|function| {
        let name = function.name.as_str();
        [
            (format!("{name}: input"), &function.input),
            (format!("{name}: output"), &function.output),
        ]
    });
    let config = ("config".to_owned(), &plugin.description.config);
    let all = described.chain([config]);
    all.filter_map(|(place, schema)| schema_problem(&place, schema))
        .collect()
}

fn schema_problem(place: &str, schema: &Value) -> Option<String> {
    let violation = Schema::new(schema.clone()).err()?;
    Some(format!(
        "{place} at `{}`: {}",
        violation.pointer, violation.message
    ))
}

fn summary(plugin: &Plugin, manifest: &Manifest, bytes: usize) -> String {
    let mut text = format!("{} {} is well", manifest.name, manifest.version);
    let _ = write!(text, "\n  digest    sha256:{}", plugin.digest);
    let _ = write!(text, "\n  size      {} KiB", bytes.div_ceil(1024));
    for function in &plugin.description.functions {
        let effect = match function.effect {
            EffectKind::None => "no effect outside",
            EffectKind::Keyed => "acts once per idempotency key",
            EffectKind::AtMostOnce => "acts at most once",
        };
        let (name, title) = (&function.name, &function.title);
        let _ = write!(text, "\n  function  {name}: {title} ({effect})");
    }
    for request in &manifest.http {
        let (origin, methods) = (&request.origin, request.methods.join(", "));
        let _ = write!(text, "\n  asks for  {methods} {origin}: {}", request.reason);
    }
    text
}
