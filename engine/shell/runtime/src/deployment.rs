//! A pack as it is in force: checked workflows, forms, tables, calendars, policies, with the
//! plugin digests they were checked against. Instances are pinned to one by its digest.
//!
//! It reads text, not files: the binary reads folders.

mod calendars;
mod retention;
mod stored;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use casewright_casework::{Calendar, Money, Policy, policy};
use casewright_language::decision::Table;
use casewright_language::diagnostic::Severity;
use casewright_language::pack::Pack;
use casewright_language::read::Doubt;
use casewright_language::read::outline::outline;
use casewright_language::surroundings::PackNames;
use casewright_language::{
    Diagnostic, Form, Message, Outline, Signature, Surroundings, Workflow, pack,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::key;

/// A pack that passed every check.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// SHA-256 over the files and the plugin digests.
    pub digest: String,
    /// What `pack.yaml` says.
    pub pack: Pack,
    /// By name; one version of each is in force.
    pub workflows: BTreeMap<String, Workflow>,
    /// By name.
    pub forms: BTreeMap<String, Form>,
    /// By name.
    pub tables: BTreeMap<String, Table>,
    /// By name.
    pub messages: BTreeMap<String, Message>,
    /// By name.
    pub calendars: BTreeMap<String, Arc<Calendar>>,
    /// By name.
    pub policies: BTreeMap<String, Policy>,
    /// Plugin name to digest.
    pub plugins: BTreeMap<String, String>,
    /// Path within the pack to text: what the store keeps.
    pub files: BTreeMap<String, String>,
    /// What the functions of plugins take and give, as they were when the pack was checked.
    pub signatures: BTreeMap<String, Signature>,
    /// Whether `signatures` was all there is.
    pub functions_known: bool,
    /// Expressions whose syntax the evaluator has yet to look at.
    pub doubts: Vec<Doubt>,
    /// Findings that are no errors.
    pub warnings: Vec<Diagnostic>,
    standard: Arc<Calendar>,
    /// Path of the only document, when it is no whole pack.
    alone: Option<String>,
    /// A workflow that begins with events although its document stands alone.
    awaited: Option<String>,
}

/// Stands around a document that belongs to no pack.
const NO_PACK: &str = "namespace: no-pack\ntitle: No pack\ntimeZone: Etc/UTC\n";

/// The file that makes a folder a pack.
pub const PACK_FILE: &str = "pack.yaml";

impl Deployment {
    /// Reads a pack from the texts of its files. All mistakes of all files at once.
    pub fn read(
        files: BTreeMap<String, String>,
        installed: &Surroundings,
        plugins: &[(String, String)],
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader::default();
        let pack = reader.pack(&files);
        reader.forms(&files);
        reader.tables(&files);
        reader.messages(&files);
        let surroundings = Surroundings {
            functions: installed.functions.clone(),
            functions_known: installed.functions_known,
            workflows: Some(outlines(&files)),
            pack: pack.as_ref().map(|pack| PackNames {
                forms_broken: reader.forms_broken.clone(),
                tables_broken: reader.tables_broken.clone(),
                messages: reader.messages.clone(),
                messages_broken: reader.messages_broken.clone(),
                ..names(pack, &reader.forms, &reader.tables)
            }),
        };
        reader.workflows(&files, &surroundings);
        if let Some(pack) = &pack {
            reader.named_calendars(pack, &files);
            reader.kept_workflows(pack, &files);
        }
        let calendars = pack
            .as_ref()
            .and_then(|pack| reader.calendars(pack, &files));
        let (errors, warnings) = std::mem::take(&mut reader.findings)
            .into_iter()
            .partition::<Vec<_>, _>(|finding| finding.severity == Severity::Error);
        let (Some(pack), Some((calendars, standard)), true) = (pack, calendars, errors.is_empty())
        else {
            return Err(errors);
        };
        let plugins: BTreeMap<_, _> = plugins.iter().cloned().collect();
        Ok(Self {
            digest: digest(&files, &plugins),
            policies: policies(&pack),
            pack,
            workflows: reader.workflows,
            forms: reader.forms,
            tables: reader.tables,
            messages: reader.messages,
            calendars,
            plugins,
            files,
            signatures: surroundings.functions,
            functions_known: surroundings.functions_known,
            doubts: reader.doubts,
            warnings,
            standard,
            alone: None,
            awaited: None,
        })
    }

    /// One document alone, as `run` takes it. Within a pack (`around`: its files) it may name what
    /// the pack has, and the workflows that it runs come with it; without one, names of roles,
    /// forms and funds are not checked.
    pub fn of_document(
        file: &str,
        text: &str,
        around: Option<BTreeMap<String, String>>,
        installed: &Surroundings,
        plugins: &[(String, String)],
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut files = around.unwrap_or_default();
        // Documents that this one does not run have no part in it, nor have their mistakes.
        let others = split_documents(&mut files);
        let within = files.contains_key(PACK_FILE);
        let mut deployment = if within {
            Self::read(files, installed, plugins)?
        } else {
            let bare = BTreeMap::from([(PACK_FILE.to_owned(), NO_PACK.to_owned())]);
            Self::read(bare, installed, plugins)?
        };
        let mut surroundings = if within {
            deployment.surroundings()
        } else {
            installed.clone()
        };
        let mut known = outlines(&others);
        known.extend(outline(text));
        surroundings.workflows = Some(known);
        let mut reader = Reader::default();
        let mut document = BTreeMap::from([(file.to_owned(), text.to_owned())]);
        reader.read_document(file, text, &surroundings);
        reader.follow(&others, &surroundings, &mut document);
        if within {
            reader.named_calendars(&deployment.pack, &document);
        }
        let (errors, warnings) = std::mem::take(&mut reader.findings)
            .into_iter()
            .partition::<Vec<_>, _>(|finding| finding.severity == Severity::Error);
        if !errors.is_empty() {
            return Err(errors);
        }
        deployment.digest = digest(&document, &deployment.plugins);
        deployment.files.extend(document);
        deployment.alone = Some(file.to_owned());
        deployment.workflows = reader.workflows;
        deployment.doubts = reader.doubts;
        deployment.warnings = warnings;
        Ok(deployment)
    }

    /// SHA-256 over the files alone: whether a folder has changed.
    pub(crate) fn files_digest(&self) -> String {
        digest(&self.files, &BTreeMap::new())
    }

    /// What a document of this pack may name.
    pub fn surroundings(&self) -> Surroundings {
        Surroundings {
            functions: self.signatures.clone(),
            functions_known: self.functions_known,
            workflows: Some(outlines(&self.files)),
            pack: Some(PackNames {
                messages: self.messages.clone(),
                ..names(&self.pack, &self.forms, &self.tables)
            }),
        }
    }

    /// A document that is run by itself begins by hand; this one waits for its events instead.
    #[must_use]
    pub fn awaiting_events(mut self, workflow: &str) -> Self {
        self.awaited = Some(workflow.to_owned());
        self
    }

    /// Whether a workflow begins with the events of its `schedule.on`.
    pub(crate) fn begins_with_events(&self, workflow: &str) -> bool {
        !self.stands_alone() || self.awaited.as_deref() == Some(workflow)
    }

    /// Whether it is one document that is run by itself.
    pub(crate) fn stands_alone(&self) -> bool {
        self.alone.is_some()
    }

    /// The workflow of the document that is run by itself.
    pub fn alone_workflow(&self) -> Option<&Workflow> {
        let text = self.files.get(self.alone.as_ref()?)?;
        self.workflows.get(&outline(text)?.0)
    }

    /// The form that a workflow names for its start with `metadata.startForm`.
    pub fn start_form(&self, workflow: &Workflow) -> Option<&Form> {
        self.forms.get(workflow.start_form()?)
    }

    /// The digest of the plugin that offers this function.
    pub(crate) fn plugin_of(&self, function: &str) -> Option<&str> {
        let (plugin, _) = function.split_once('.')?;
        self.plugins.get(plugin).map(String::as_str)
    }
}

#[derive(Default)]
struct Reader {
    findings: Vec<Diagnostic>,
    forms: BTreeMap<String, Form>,
    forms_broken: BTreeSet<String>,
    tables: BTreeMap<String, Table>,
    tables_broken: BTreeSet<String>,
    messages: BTreeMap<String, Message>,
    messages_broken: BTreeSet<String>,
    workflows: BTreeMap<String, Workflow>,
    doubts: Vec<Doubt>,
}

impl Reader {
    fn pack(&mut self, files: &BTreeMap<String, String>) -> Option<Pack> {
        let Some(text) = files.get(PACK_FILE) else {
            let help = "write `namespace`, `title` and `timeZone` into it";
            self.fault(PACK_FILE, "the pack has no pack.yaml".into(), help);
            return None;
        };
        let (pack, findings) = pack::read_pack(PACK_FILE, text);
        self.findings.extend(findings);
        pack
    }

    fn forms(&mut self, files: &BTreeMap<String, String>) {
        for (path, text) in files {
            let Some(name) = path.strip_prefix("forms/").and_then(without_yaml) else {
                continue;
            };
            let (form, findings) = pack::read_form(name, path, text);
            self.findings.extend(findings);
            match form {
                Some(form) => drop(self.forms.insert(name.to_owned(), form)),
                None => drop(self.forms_broken.insert(name.to_owned())),
            }
        }
    }

    fn tables(&mut self, files: &BTreeMap<String, String>) {
        for (path, text) in files {
            let Some(name) = path.strip_prefix("decisions/").and_then(without_yaml) else {
                continue;
            };
            let (table, findings) = pack::read_table(name, path, text);
            self.findings.extend(findings);
            match table {
                Some(table) => drop(self.tables.insert(name.to_owned(), table)),
                None => drop(self.tables_broken.insert(name.to_owned())),
            }
        }
    }

    fn messages(&mut self, files: &BTreeMap<String, String>) {
        for (path, text) in files {
            let Some(name) = path.strip_prefix("messages/").and_then(without_yaml) else {
                continue;
            };
            let (message, findings) = pack::read_message(name, path, text);
            self.findings.extend(findings);
            match message {
                Some(message) => drop(self.messages.insert(name.to_owned(), message)),
                None => drop(self.messages_broken.insert(name.to_owned())),
            }
        }
    }

    fn workflows(&mut self, files: &BTreeMap<String, String>, surroundings: &Surroundings) {
        for (path, text) in files {
            if !is_document(path) {
                continue;
            }
            self.read_document(path, text, surroundings);
        }
    }

    fn read_document(&mut self, path: &str, text: &str, surroundings: &Surroundings) {
        let reading = casewright_language::read(path, text, surroundings);
        self.findings.extend(reading.diagnostics);
        self.doubts.extend(reading.questions);
        let Some(workflow) = reading.workflow else {
            return;
        };
        let name = workflow.document.name.clone();
        if self.workflows.contains_key(&name) {
            let message = format!("another file of the pack holds a workflow `{name}` too");
            self.fault(
                path,
                message,
                "one version of a workflow is in force: remove one",
            );
        }
        self.workflows.insert(name, workflow);
    }

    /// Reads the documents that those read so far run, and those that they run.
    fn follow(
        &mut self,
        others: &BTreeMap<String, String>,
        surroundings: &Surroundings,
        taken: &mut BTreeMap<String, String>,
    ) {
        let by_name: BTreeMap<String, &String> = others
            .iter()
            .filter_map(|(path, text)| Some((outline(text)?.0, path)))
            .collect();
        loop {
            let mut wanted = Vec::new();
            for workflow in self.workflows.values() {
                runs(&workflow.definition, &mut wanted);
            }
            let next = wanted
                .iter()
                .filter(|name| !self.workflows.contains_key(*name));
            let next = next.filter_map(|name| by_name.get(name));
            let Some(path) = next.into_iter().find(|path| !taken.contains_key(**path)) else {
                return;
            };
            let text = &others[*path];
            self.read_document(path, text, surroundings);
            taken.insert((*path).clone(), text.clone());
        }
    }

    fn fault(&mut self, file: &str, message: String, help: &str) {
        self.findings.push(Diagnostic::of_file(file, message, help));
    }
}

fn without_yaml(path: &str) -> Option<&str> {
    let name = path
        .strip_suffix(".yaml")
        .or_else(|| path.strip_suffix(".yml"))?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// Documents lie beside `pack.yaml`, everything else in folders.
fn is_document(path: &str) -> bool {
    path != PACK_FILE && !path.contains('/') && without_yaml(path).is_some()
}

/// Takes the documents out of the files of a pack.
fn split_documents(files: &mut BTreeMap<String, String>) -> BTreeMap<String, String> {
    let (documents, rest) = std::mem::take(files)
        .into_iter()
        .partition(|(path, _)| path != PACK_FILE && !path.contains('/'));
    *files = rest;
    documents
}

/// The documents of a pack as others see them, by name.
pub fn outlines(files: &BTreeMap<String, String>) -> BTreeMap<String, Outline> {
    let documents = files.iter().filter(|(path, _)| is_document(path));
    documents.filter_map(|(_, text)| outline(text)).collect()
}

/// Names that stand in a document where `run: workflow` has them.
fn runs(definition: &Value, found: &mut Vec<String>) {
    match definition {
        Value::Object(members) => {
            let name = members
                .get("run")
                .and_then(|run| run.pointer("/workflow/name"));
            found.extend(name.and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| runs(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| runs(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn names(
    pack: &Pack,
    forms: &BTreeMap<String, Form>,
    tables: &BTreeMap<String, Table>,
) -> PackNames {
    PackNames {
        namespace: pack.namespace.clone(),
        forms: forms.clone(),
        forms_broken: BTreeSet::new(),
        tables: tables.clone(),
        tables_broken: BTreeSet::new(),
        messages: BTreeMap::new(),
        messages_broken: BTreeSet::new(),
        roles: pack.roles.keys().cloned().collect(),
        teams: pack.teams.keys().cloned().collect(),
        funds: pack.funds.keys().cloned().collect(),
        calendars: pack.calendars.keys().cloned().collect(),
        purposes: pack.disclosure.purposes.keys().cloned().collect(),
        recipients: pack.disclosure.recipients.keys().cloned().collect(),
        bases: pack.disclosure.bases.keys().cloned().collect(),
        closing_reasons: pack.closing_reasons.keys().cloned().collect(),
        petty_cash: pack.petty_cash.is_some(),
        policies: pack
            .policies
            .iter()
            .map(|(name, policy)| (name.clone(), policy.needs()))
            .collect(),
    }
}

fn aspect(named: pack::Aspect) -> policy::Aspect {
    match named {
        pack::Aspect::Family => policy::Aspect::Family,
        pack::Aspect::Goal => policy::Aspect::Goal,
        pack::Aspect::Supplier => policy::Aspect::Supplier,
        pack::Aspect::Category => policy::Aspect::Category,
        pack::Aspect::Fund => policy::Aspect::Fund,
    }
}

fn policies(pack: &Pack) -> BTreeMap<String, Policy> {
    let row = |row: &pack::PolicyRow| policy::Row {
        category: row.category.iter().cloned().collect(),
        fund: row.fund.iter().cloned().collect(),
        // The reader of packs has looked at it.
        from: row.from.as_ref().and_then(|day| day.parse().ok()),
        role: row.role.clone(),
        up_to: Money {
            minor: row.up_to_minor,
            currency: row.currency.clone(),
        },
    };
    let together = |one: &pack::Together| policy::Together {
        by: one.by.iter().copied().map(aspect).collect(),
        days: one.days,
    };
    let policy = |(name, read): (&String, &pack::Policy)| {
        let policy = Policy {
            name: name.clone(),
            rows: read.rows.iter().map(row).collect(),
            together: read.together.iter().map(together).collect(),
        };
        (name.clone(), policy)
    };
    pack.policies.iter().map(policy).collect()
}

/// Lengths go before contents, so that no two packs give the same bytes.
fn digest(files: &BTreeMap<String, String>, plugins: &BTreeMap<String, String>) -> String {
    let mut hash = Sha256::new();
    hash.update(b"casewright pack 1\n");
    for part in [files, plugins] {
        hash.update(part.len().to_be_bytes());
        for text in part.iter().flat_map(|(name, text)| [name, text]) {
            hash.update(text.len().to_be_bytes());
            hash.update(text.as_bytes());
        }
    }
    key::hex(&hash.finalize())
}
