//! Passphrases: argon2id on threads of its own, two at a time, the same effort for every name.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use crate::engine::Refused;

/// Two hashes take 38 MiB and both processors of a small server; the next waits.
const AT_ONCE: usize = 2;

/// OWASP's second recommendation: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Longer is not safer, and hashing it would cost.
const LENGTH_MAX: usize = 1_024;

pub(crate) struct Passphrases(Arc<Semaphore>);

impl Default for Passphrases {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Passphrases {
    /// The PHC text to keep.
    pub(crate) async fn hash(&self, passphrase: &str, salt: [u8; 16]) -> Result<String, Refused> {
        let passphrase = passphrase.to_owned();
        self.work(move || hash(&passphrase, &salt)).await?
    }

    /// Whether it is the one; without a stored hash a spare one is worked on just as long.
    pub(crate) async fn verify(
        &self,
        passphrase: &str,
        stored: Option<String>,
    ) -> Result<bool, Refused> {
        let passphrase = passphrase.to_owned();
        self.work(move || verify(&passphrase, stored.as_deref()))
            .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refused> {
        let place = Arc::clone(&self.0).acquire_owned().await;
        let place = place.map_err(|_| Refused::Stopping)?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            // Held to the end of the work, also when whoever asked has gone away.
            drop(place);
            done
        })
        .await
        .map_err(|_| Refused::Stopping)
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("these figures are allowed");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(passphrase: &str, salt: &[u8]) -> Result<String, Refused> {
    if passphrase.is_empty() || passphrase.len() > LENGTH_MAX {
        return Err(Refused::Invalid {
            code: "passphrase-invalid",
            status: 422,
            message: format!("a passphrase has 1 to {LENGTH_MAX} bytes"),
        });
    }
    let hashed: Result<PasswordHash, _> =
        argon2().hash_password_with_salt(passphrase.as_bytes(), salt);
    hashed
        .map(|hashed| hashed.to_string())
        .map_err(|_| Refused::Damaged("the passphrase could not be hashed".to_owned()))
}

fn verify(passphrase: &str, stored: Option<&str>) -> bool {
    let effort = passphrase.get(..LENGTH_MAX).unwrap_or(passphrase);
    let Some(stored) = stored else {
        // The result does not matter; the time does.
        let _: Result<String, Refused> = hash(effort, &[0; 16]);
        return false;
    };
    passphrase.len() <= LENGTH_MAX && argon2().verify_password(effort.as_bytes(), stored).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_passphrase_itself_is_accepted() {
        let stored = hash("three blue kites", &[7; 16]).unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        assert!(verify("three blue kites", Some(&stored)));
        assert!(!verify("three blue kite", Some(&stored)));
        assert!(!verify("three blue kites", None));
        assert!(!verify("", Some(&stored)));
    }

    #[test]
    fn an_endless_passphrase_is_refused_without_being_hashed() {
        assert!(hash(&"a".repeat(LENGTH_MAX + 1), &[7; 16]).is_err());
        assert!(hash("", &[7; 16]).is_err());
    }
}
