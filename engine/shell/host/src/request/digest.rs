//! Digest authentication (RFC 7616): a server that answers 401 says what to hash with the password,
//! so that the password itself is never sent.
//!
//! MD5, SHA-256 and SHA-512/256, each also with `-sess`; `qop=auth`, or none as servers from before
//! RFC 2617 have it. Whole bodies are not protected (`auth-int`). What a server asked for is kept
//! while the process lives, so that the next request answers without being asked; each counts on.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use md5::Md5;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512_256};

use crate::grant::Secret;

mod challenge;
#[cfg(test)]
mod tests;

pub(super) use challenge::{Algorithm, Challenge, Hash};

/// Servers and users whose challenges are kept; the oldest half is let go.
const KEPT_MAX: usize = 512;

/// Challenges by what they were given for.
#[derive(Debug, Default)]
pub(super) struct Memory {
    kept: Mutex<BTreeMap<Key, Kept>>,
}

/// A hash over owner, origin, user and password.
pub(super) type Key = [u8; 32];

#[derive(Debug)]
struct Kept {
    challenge: Challenge,
    /// How many requests have answered it.
    count: u32,
    /// Grows with each challenge that is kept.
    age: u64,
}

/// What an answer is made of, besides user and password.
pub(super) struct Turn {
    pub(super) challenge: Challenge,
    count: u32,
}

impl Memory {
    /// Keeps what a server asks for, and takes the first turn.
    pub(super) fn learn(&self, key: Key, challenge: Challenge) -> Turn {
        let mut kept = self.lock();
        if kept.len() >= KEPT_MAX {
            let mut ages: Vec<u64> = kept.values().map(|one| one.age).collect();
            ages.sort_unstable();
            let middle = ages[ages.len() / 2];
            kept.retain(|_, one| one.age > middle);
        }
        let age = kept.values().map(|one| one.age).max().unwrap_or(0) + 1;
        let turn = Turn {
            challenge: challenge.clone(),
            count: 1,
        };
        let count = 1;
        kept.insert(
            key,
            Kept {
                challenge,
                count,
                age,
            },
        );
        turn
    }

    /// The next turn of what was kept. No two requests have the same.
    pub(super) fn next(&self, key: &Key) -> Option<Turn> {
        let mut kept = self.lock();
        let known = kept.get_mut(key)?;
        known.count = known.count.checked_add(1)?;
        Some(Turn {
            challenge: known.challenge.clone(),
            count: known.count,
        })
    }

    /// What a server does not take any more.
    pub(super) fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Kept>> {
        // The map is whole after every operation.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is kept for one owner, server and user is used for no other.
pub(super) fn key(owner: &str, origin: &str, user: &str, password: &Secret) -> Key {
    let mut hash = Sha256::new();
    for part in [owner, origin, user, password.expose()] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// A number that no other request has.
pub(super) fn fresh() -> Result<String, String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| format!("no randomness: {error}"))?;
    Ok(hex(&bytes))
}

/// The words of `Authorization` for one request; `uri` is path and query as they are sent.
pub(super) fn answer(
    turn: &Turn,
    (user, password): (&str, &Secret),
    (method, uri): (&str, &str),
    cnonce: &str,
) -> String {
    let Turn { challenge, count } = turn;
    let hash = |text: &str| challenge.algorithm.hash(text);
    let (realm, nonce) = (&challenge.realm, &challenge.nonce);
    let mut who = hash(&format!("{user}:{realm}:{}", password.expose()));
    if challenge.algorithm.session {
        who = hash(&format!("{who}:{nonce}:{cnonce}"));
    }
    let what = hash(&format!("{method}:{uri}"));
    let count = format!("{count:08x}");
    let response = if challenge.protected {
        hash(&format!("{who}:{nonce}:{count}:{cnonce}:auth:{what}"))
    } else {
        hash(&format!("{who}:{nonce}:{what}"))
    };
    let shown = if challenge.hides_user {
        hash(&format!("{user}:{realm}"))
    } else {
        user.to_owned()
    };
    let mut words = vec![
        format!("username={}", quoted(&shown)),
        format!("realm={}", quoted(realm)),
        format!("nonce={}", quoted(nonce)),
        format!("uri={}", quoted(uri)),
        format!("response=\"{response}\""),
    ];
    if challenge.algorithm_named {
        words.push(format!("algorithm={}", challenge.algorithm.name()));
    }
    if let Some(opaque) = &challenge.opaque {
        words.push(format!("opaque={}", quoted(opaque)));
    }
    if challenge.protected {
        words.push(format!("qop=auth, nc={count}"));
    }
    if challenge.protected || challenge.algorithm.session {
        words.push(format!("cnonce=\"{cnonce}\""));
    }
    if challenge.hides_user {
        words.push("userhash=true".to_owned());
    }
    format!("Digest {}", words.join(", "))
}

/// The hash in such words.
pub(super) fn response(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("response=\"")?;
    let (response, _) = rest.split_once('"')?;
    Some(response.to_owned())
}

impl Algorithm {
    fn hash(self, text: &str) -> String {
        match self.hash {
            Hash::Md5 => hex(&Md5::digest(text)),
            Hash::Sha256 => hex(&Sha256::digest(text)),
            Hash::Sha512Of256 => hex(&Sha512_256::digest(text)),
        }
    }
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
