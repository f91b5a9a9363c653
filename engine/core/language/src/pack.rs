//! `pack.yaml` and the forms of a pack: text to checked values with diagnostics.
//!
//! Plain data only: `casework` gives calendars, funds and policies their meaning.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Diagnostic, Form};

/// A checked `pack.yaml`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pack {
    pub namespace: String,
    pub title: String,
    /// IANA name.
    pub time_zone: String,
    /// Calendar used unless a case says otherwise; a key of `calendars`.
    pub calendar: Option<String>,
    /// Name to path of an iCalendar file with the holidays, relative to the pack.
    pub calendars: BTreeMap<String, String>,
    pub roles: BTreeMap<String, Role>,
    pub teams: BTreeMap<String, String>,
    pub funds: BTreeMap<String, Fund>,
    pub policies: BTreeMap<String, Vec<PolicyRow>>,
    pub plugins: BTreeMap<String, PluginBinding>,
    /// `IFS-{year}-{number:5}`.
    pub case_number: String,
}

#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Role {
    pub title: String,
    /// Roles that a holder of this one also holds.
    pub includes: Vec<String>,
    /// Whether holders may start instances and see cases of the agency; see `casework`.
    pub starts: bool,
}

#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Fund {
    pub title: String,
    pub currency: String,
    /// Minor units.
    pub allocated_minor: i64,
}

/// One line of a policy: this role alone may approve up to this amount.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PolicyRow {
    pub role: String,
    pub up_to_minor: i64,
    pub currency: String,
}

/// What a pack binds for a plugin.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PluginBinding {
    pub config: Value,
    /// Origins (`https://pay.example`) that the plugin may call; never wider than its manifest.
    pub origins: Vec<String>,
    /// Names of secrets it may use.
    pub secrets: Vec<String>,
}

/// Reads `pack.yaml`; `None` when a diagnostic is an error.
pub fn read_pack(_file: &str, _text: &str) -> (Option<Pack>, Vec<Diagnostic>) {
    unimplemented!()
}

/// Reads a form; its name is the file's name without `.yaml`.
pub fn read_form(name: &str, file: &str, text: &str) -> (Option<Form>, Vec<Diagnostic>) {
    crate::form::read(name, file, text)
}
