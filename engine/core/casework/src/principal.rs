//! Who asks: a member of staff, a service token, the engine itself.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Stable id; never reused, never a name.
    pub id: String,
    /// What people see; never used to decide.
    pub display_name: String,
    pub agency: String,
    /// With all roles that a held role includes.
    pub roles: BTreeSet<String>,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Staff,
    Service,
    Engine,
}

impl Principal {
    pub fn holds(&self, role: &str) -> bool {
        self.roles.contains(role)
    }
}
