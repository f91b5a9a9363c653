//! Who may sign in: users with passphrases, sessions, service tokens. Secrets are kept hashed.

use std::collections::BTreeSet;

/// A new member of staff.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub agency: String,
    /// Stable id, `u-...`; also what forms and `assign: {person: ...}` name.
    pub id: String,
    /// What they type to sign in.
    pub sign_in: String,
    pub display_name: String,
    pub roles: BTreeSet<String>,
    pub passphrase: String,
}

/// An opened session or token: the secret is given out once and kept only as a hash.
#[derive(Debug, Clone)]
pub struct Secret(pub String);
