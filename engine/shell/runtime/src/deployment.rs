//! A pack as it is in force: checked workflows, forms, calendars, policies, with the plugin digests
//! they were checked against. Instances are pinned to one by its digest.
//!
//! It reads text, not files: the binary reads folders.

use std::collections::BTreeMap;

use casewright_casework::{Calendar, Policy};
use casewright_language::{Diagnostic, Form, Surroundings, Workflow};

#[derive(Debug)]
pub struct Deployment {
    /// SHA-256 over the files and the plugin digests.
    pub digest: String,
    pub pack: casewright_language::pack::Pack,
    /// By name; one version of each is in force.
    pub workflows: BTreeMap<String, Workflow>,
    pub forms: BTreeMap<String, Form>,
    pub calendars: BTreeMap<String, Calendar>,
    pub policies: BTreeMap<String, Policy>,
    /// Plugin name to digest.
    pub plugins: BTreeMap<String, String>,
    /// Path within the pack to text: what the store keeps.
    pub files: BTreeMap<String, String>,
}

impl Deployment {
    /// Reads a pack from the texts of its files. All mistakes of all files at once.
    pub fn read(
        _files: BTreeMap<String, String>,
        _installed: &Surroundings,
        _plugins: &[(String, String)],
    ) -> Result<Self, Vec<Diagnostic>> {
        unimplemented!()
    }
}
