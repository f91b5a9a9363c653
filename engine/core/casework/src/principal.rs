//! Who asks: a member of staff, a service token, the engine itself.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Somebody who asks, with what they may do at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Stable id; never reused, never a name.
    pub id: String,
    /// What people see; never used to decide.
    pub display_name: String,
    pub agency: String,
    /// With all roles that a held role includes, and `team:<name>` for each team.
    pub roles: BTreeSet<String>,
    pub kind: Kind,
}

/// What sort of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Staff,
    Service,
    Engine,
}

/// How a team stands among the roles; no role of a pack has a colon.
const TEAM: &str = "team:";

impl Principal {
    /// Whether the role is held, itself or through one that includes it.
    pub fn holds(&self, role: &str) -> bool {
        self.roles.contains(role)
    }

    /// Whether they belong to the team. Being above its members is no membership.
    pub fn in_team(&self, team: &str) -> bool {
        self.roles.contains(&format!("{TEAM}{team}"))
    }

    /// Names of their teams.
    pub fn teams(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().filter_map(|role| role.strip_prefix(TEAM))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A member of staff of the agency `agency`.
    pub(crate) fn staff(id: &str, roles: &[&str]) -> Principal {
        Principal {
            id: id.to_owned(),
            display_name: id.to_uppercase(),
            agency: "agency".to_owned(),
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
            kind: Kind::Staff,
        }
    }
}
