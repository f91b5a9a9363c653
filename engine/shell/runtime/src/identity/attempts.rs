//! How often somebody may try a passphrase. Counted per account, unknown ones too, and never a
//! lock: a stranger's tries pass after a minute.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Tries of one account within the window.
const TRIES_MAX: u32 = 10;
const WINDOW: SignedDuration = SignedDuration::from_secs(60);

/// Accounts remembered at once; strangers who invent more names wait like everybody else.
const ACCOUNTS_MAX: usize = 10_000;

#[derive(Default)]
pub(crate) struct Attempts(Mutex<BTreeMap<Vec<u8>, Window>>);

struct Window {
    began: Timestamp,
    tries: u32,
}

impl Attempts {
    /// Counts a try before it is made, so that tries at once count too.
    pub(crate) fn admit(&self, account: &[u8], now: Timestamp) -> bool {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= ACCOUNTS_MAX {
            accounts.retain(|_, window| now.duration_since(window.began) < WINDOW);
        }
        if accounts.len() >= ACCOUNTS_MAX && !accounts.contains_key(account) {
            return false;
        }
        let window = accounts.entry(account.to_vec()).or_insert(Window {
            began: now,
            tries: 0,
        });
        if now.duration_since(window.began) >= WINDOW {
            *window = Window {
                began: now,
                tries: 0,
            };
        }
        window.tries += 1;
        window.tries <= TRIES_MAX
    }

    /// The right passphrase: earlier mistakes do not count.
    pub(crate) fn forget(&self, account: &[u8]) {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.remove(account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_try_waits_for_the_next_minute() {
        let attempts = Attempts::default();
        let start = Timestamp::from_second(1_764_000_000).unwrap();
        for _ in 0..10 {
            assert!(attempts.admit(b"lee", start));
        }
        assert!(!attempts.admit(b"lee", start + SignedDuration::from_secs(59)));
        assert!(attempts.admit(b"sam", start), "others are not affected");
        assert!(attempts.admit(b"lee", start + WINDOW));
    }

    #[test]
    fn success_clears_the_count() {
        let attempts = Attempts::default();
        let start = Timestamp::from_second(1_764_000_000).unwrap();
        for _ in 0..9 {
            assert!(attempts.admit(b"lee", start));
        }
        attempts.forget(b"lee");
        for _ in 0..10 {
            assert!(attempts.admit(b"lee", start));
        }
    }
}
