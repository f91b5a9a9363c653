//! What a document may name: functions, other workflows, forms, roles, funds, policies.
//!
//! Filled by whoever reads a document from the pack around it and the plugins installed.

use std::collections::{BTreeMap, BTreeSet};

use crate::decision::Table;
use crate::pack::Aspect;
use crate::{Form, Message, Outline, Schema};

/// The names that exist around a document.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Functions of plugins by full name, `payment-issue.pay`.
    pub functions: BTreeMap<String, Signature>,
    /// Whether `functions` is all there is: an unknown function is an error only then.
    pub functions_known: bool,
    /// Workflows that `run: workflow` may name; `None` when they are not known.
    pub workflows: Option<BTreeMap<String, Outline>>,
    /// The pack around the document; without one its names are not checked.
    pub pack: Option<PackNames>,
}

#[derive(Debug, Clone, Default)]
pub struct PackNames {
    pub namespace: String,
    pub forms: BTreeMap<String, Form>,
    /// Forms with mistakes of their own, which are the cause.
    pub forms_broken: BTreeSet<String>,
    pub tables: BTreeMap<String, Table>,
    /// The same of decision tables.
    pub tables_broken: BTreeSet<String>,
    pub messages: BTreeMap<String, Message>,
    /// The same of messages.
    pub messages_broken: BTreeSet<String>,
    pub roles: BTreeSet<String>,
    pub teams: BTreeSet<String>,
    pub funds: BTreeSet<String>,
    pub calendars: BTreeSet<String>,
    /// With what each has to be told of a request besides its amount.
    pub policies: BTreeMap<String, BTreeSet<Aspect>>,
    /// Whether some money may go out with nobody's approval.
    pub petty_cash: bool,
    /// What facts about people may be passed on for.
    pub purposes: BTreeSet<String>,
    /// Whom they may be passed on to.
    pub recipients: BTreeSet<String>,
    /// Legal bases in place of consent.
    pub bases: BTreeSet<String>,
    /// Why work with a family ends.
    pub closing_reasons: BTreeSet<String>,
}

/// What a function takes and gives.
#[derive(Debug, Clone)]
pub struct Signature {
    pub title: String,
    pub input: Schema,
    pub output: Schema,
    /// Codes of the errors it declares, without the plugin's name.
    pub errors: Vec<String>,
    /// JSON pointer of the money in its input, where it pays somebody.
    pub pays: Option<String>,
    /// What facts about people it hands out, in the plugin's own words; empty for none.
    pub discloses: Vec<String>,
}
