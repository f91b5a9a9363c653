//! Who may sign in: users with passphrases, sessions, service tokens. Secrets are kept hashed.
//!
//! What they may do is not decided here: `casework` looks at the roles of whoever asks.

mod attempts;
mod passphrase;
mod secrets;
mod users;

use std::collections::BTreeSet;

use attempts::Attempts;
use passphrase::Passphrases;
use secrets::LastSeen;

/// A new member of staff.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Namespace of the agency's pack.
    pub agency: String,
    /// Stable id, `u-...`; also what forms and `assign: {person: ...}` name.
    pub id: String,
    /// What they type to sign in.
    pub sign_in: String,
    /// What people see.
    pub display_name: String,
    /// As the pack names them; teams as `team:<name>`.
    pub roles: BTreeSet<String>,
    /// Kept only as an argon2id hash.
    pub passphrase: String,
}

/// An opened session or token: the secret is given out once and kept only as a hash.
#[derive(Debug, Clone)]
pub struct Secret(pub String);

/// What signing in needs to remember in memory.
#[derive(Default)]
pub(crate) struct Doors {
    passphrases: Passphrases,
    attempts: Attempts,
    last_seen: LastSeen,
}
