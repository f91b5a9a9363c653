//! Whom the workflows reach outside the engine: functions of plugins, services, secrets, events.
//!
//! It names what the pack asks for; what is allowed is the operator's to say. No value of a secret
//! is known here.

use std::collections::BTreeMap;

use casewright_host::manifest::{Manifest, OriginRequest};
use casewright_language::pack::PluginBinding;
use serde_json::Value;

use super::chapter::{Chapter, Known};
use super::wording::Said;

/// One place where a workflow reaches outside or hears from there.
#[derive(Debug, Clone)]
pub(super) enum Contact {
    Function {
        name: String,
        at: Said,
    },
    Request {
        address: String,
        secrets: Vec<String>,
        at: Said,
    },
    Heard {
        event: Said,
        at: Said,
    },
    Sent {
        event: Said,
        at: Said,
    },
}

#[derive(Debug, Clone, Default)]
pub(super) struct Outside {
    pub(super) plugins: Vec<Plugin>,
    /// Whether built plugins were there to be read.
    pub(super) plugins_known: bool,
    /// Of `call: http`.
    pub(super) hosts: Vec<String>,
    pub(super) requests: Vec<Row>,
    pub(super) secrets: Vec<Row>,
    pub(super) heard: Vec<Row>,
    pub(super) sent: Vec<Row>,
}

#[derive(Debug, Clone)]
pub(super) struct Plugin {
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) version: Option<String>,
    pub(super) functions: Vec<Row>,
    /// An address, and what for.
    pub(super) addresses: Vec<(String, Option<String>)>,
}

/// Something, and where it is used.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) what: Said,
    pub(super) used: Vec<Said>,
}

pub(super) fn told(known: &Known<'_>, chapters: &[Chapter], manifests: &[&Manifest]) -> Outside {
    let pack = &known.deployment.pack;
    let mut outside = Outside {
        plugins_known: known.deployment.functions_known,
        hosts: pack.http.clone(),
        ..Outside::default()
    };
    let mut functions: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for (chapter, contact) in contacts(chapters) {
        match contact {
            Contact::Function { name, at } => {
                let plugin = name.split('.').next().unwrap_or_default();
                let words = known.function(name).map(|title| format!("{title}:"));
                let what = Said::written(words.unwrap_or_default(), name);
                add(functions.entry(plugin).or_default(), what, chapter, at);
            }
            Contact::Request {
                address,
                secrets,
                at,
            } => {
                add(
                    &mut outside.requests,
                    Said::written("", address),
                    chapter,
                    at,
                );
                for name in secrets {
                    add(&mut outside.secrets, Said::written("", name), chapter, at);
                }
            }
            Contact::Heard { event, at } => add(&mut outside.heard, event.clone(), chapter, at),
            Contact::Sent { event, at } => add(&mut outside.sent, event.clone(), chapter, at),
        }
    }
    for name in pack.plugins.keys() {
        functions.entry(name).or_default();
    }
    for (name, functions) in functions {
        let manifest = manifests.iter().find(|manifest| manifest.name == name);
        let binding = pack.plugins.get(name);
        secrets(name, manifest.copied(), binding, &mut outside.secrets);
        outside.plugins.push(Plugin {
            name: name.to_owned(),
            title: manifest.map(|manifest| manifest.title.clone()),
            version: manifest.map(|manifest| manifest.version.clone()),
            functions,
            addresses: addresses(manifest.copied(), binding),
        });
    }
    outside
}

fn contacts(chapters: &[Chapter]) -> impl Iterator<Item = (&Chapter, &Contact)> {
    chapters.iter().flat_map(|chapter| {
        chapter
            .contacts
            .iter()
            .map(move |contact| (chapter, contact))
    })
}

fn add(rows: &mut Vec<Row>, what: Said, chapter: &Chapter, at: &Said) {
    let used = Said {
        words: format!("{}, {}", chapter.title, at.words),
        ..at.clone()
    };
    match rows.iter_mut().find(|row| row.what == what) {
        Some(row) => row.used.push(used),
        None => rows.push(Row {
            what,
            used: vec![used],
        }),
    }
}

/// What the manifest asks for, with the reason it gives; what the pack binds where there is none.
fn addresses(
    manifest: Option<&Manifest>,
    binding: Option<&PluginBinding>,
) -> Vec<(String, Option<String>)> {
    let config = |key: &str| {
        let value = binding.and_then(|binding| binding.config.get(key));
        value.and_then(Value::as_str).map(str::to_owned)
    };
    let Some(manifest) = manifest else {
        let origins = binding.map(|binding| binding.origins.clone());
        let origins = origins.unwrap_or_default().into_iter();
        return origins.map(|origin| (origin, None)).collect();
    };
    let asked = manifest.http.iter().map(|request| {
        let address = match &request.origin {
            OriginRequest::Fixed(origin) => origin.to_string(),
            OriginRequest::Config(key) => {
                config(key).unwrap_or_else(|| "an address that the operator names".to_owned())
            }
        };
        (address, Some(request.reason.clone()))
    });
    asked.collect()
}

fn secrets(
    name: &str,
    manifest: Option<&Manifest>,
    binding: Option<&PluginBinding>,
    rows: &mut Vec<Row>,
) {
    let mut put = |secret: &str, words: String| {
        rows.push(Row {
            what: Said::written("", secret),
            used: vec![Said::words(words)],
        });
    };
    match manifest {
        Some(manifest) => {
            for asked in &manifest.secrets {
                put(&asked.name, format!("plugin {name}: {}", asked.reason));
            }
        }
        None => {
            for secret in binding.map(|it| it.secrets.as_slice()).unwrap_or_default() {
                put(secret, format!("plugin {name}"));
            }
        }
    }
}
