//! Callback tokens: made from the call with a key that only the store has, so that the same call
//! has the same token in every attempt and after every crash, and nobody can guess one. What is
//! kept of a token is its hash.

use casewright_store::{Batch, Guard, Put, Table, Under};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::engine::Refused;
use crate::engine::shared::Shared;
use crate::port::Entropy;
use crate::{id, key, record};

/// Scanners of leaked secrets can look for it.
const TOKEN: &str = "cwc_";

/// Longer texts are no tokens; they are not even hashed.
const LENGTH_MAX: usize = 100;

/// The key of an agency's tokens.
#[derive(Clone)]
pub(crate) struct Secret([u8; 32]);

#[derive(Serialize, Deserialize)]
struct SecretRow {
    secret: String,
}

impl Secret {
    pub(super) fn new(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    pub(super) fn token(&self, instance: &str, key: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length of key will do");
        mac.update(b"callback\0");
        mac.update(instance.as_bytes());
        mac.update(&[0]);
        mac.update(key.as_bytes());
        let mut token = String::from(TOKEN);
        id::encode(&mac.finalize().into_bytes(), &mut token);
        token
    }

    /// Two that make the agency's first token at once: one of them decides again.
    pub(super) fn write(&self, agency: &str, batch: &mut Batch) {
        let mut secret = String::new();
        id::encode(&self.0, &mut secret);
        batch.guards.push(Guard::Row {
            table: Table::Callback,
            key: row_key(agency),
            version: 0,
        });
        batch.puts.push(Put {
            table: Table::Callback,
            key: row_key(agency),
            value: Some(record::encode(&SecretRow { secret })),
            under: Under::Agency(agency.to_owned()),
        });
    }
}

fn row_key(agency: &str) -> Vec<u8> {
    key::join(&["secret", agency])
}

/// Row key of what belongs to a token.
pub(super) fn hash(token: &str) -> Vec<u8> {
    key::hashed("callback", token)
}

/// The same for what somebody sent; `None` when it cannot be a token.
pub(super) fn hash_of_sent(token: &str) -> Option<Vec<u8>> {
    (token.len() <= LENGTH_MAX && token.starts_with(TOKEN)).then(|| hash(token))
}

impl Shared {
    /// `None` as long as the agency has made no token.
    pub(crate) fn token(
        &self,
        agency: &str,
        instance: &str,
        key: &str,
    ) -> Result<Option<String>, Refused> {
        let what = "the key of callback tokens";
        let found = self.pending::<SecretRow>(Table::Callback, &row_key(agency), what)?;
        let Some((row, _)) = found else {
            return Ok(None);
        };
        let bytes = id::decode(&row.secret).and_then(|bytes| bytes.try_into().ok());
        let bytes = bytes.ok_or_else(|| Refused::Damaged(format!("{what} cannot be read")))?;
        Ok(Some(Secret(bytes).token(instance, key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_one_call_of_one_agency() {
        let (one, other) = (Secret([1; 32]), Secret([2; 32]));
        let token = one.token("i1", "k1");
        assert_eq!(token, one.token("i1", "k1"));
        assert_eq!(token.len(), TOKEN.len() + 52);
        for different in [
            one.token("i1", "k2"),
            one.token("i2", "k1"),
            other.token("i1", "k1"),
        ] {
            assert_ne!(token, different);
        }
        assert_eq!(hash_of_sent(&token), Some(hash(&token)));
        assert_eq!(hash_of_sent("cwt_1"), None);
        assert_eq!(hash_of_sent(&format!("cwc_{}", "0".repeat(100))), None);
    }
}
