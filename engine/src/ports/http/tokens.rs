//! Tokens that were given, until shortly before they end. In memory alone: after a start they are
//! asked for again.
//!
//! Calls that need the same token at once wait for one request, and share its failure too: a
//! hundred of them do not stand in line before an authority that does not answer.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use casewright_machine::http::Unanswered;
use tokio::sync::Mutex as Turn;

/// Tokens kept; those that ended go first.
const TOKENS_MAX: usize = 1024;
/// Most of a token's life that is given up, so that it does not end on its way.
const MARGIN_MAX: Duration = Duration::from_secs(30);
/// And the share of it.
const MARGIN_SHARE: u32 = 10;

/// Made of all that goes into asking, and of whose it is.
pub(super) type Key = [u8; 32];

#[derive(Default)]
pub(super) struct Tokens {
    slots: Mutex<BTreeMap<Key, Arc<Slot>>>,
}

/// A token of somebody. No debug output shows it.
#[derive(PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    until: Instant,
}

/// A token, and whether it was asked for just now.
pub(super) struct Given {
    pub(super) token: Arc<Token>,
    pub(super) kept: bool,
}

#[derive(Default)]
struct Slot {
    /// How often the authority was asked.
    rounds: AtomicU64,
    /// Held while it is asked.
    last: Turn<Option<Result<Arc<Token>, Unanswered>>>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl Token {
    /// One that was asked for at this moment and lives so long.
    pub(super) fn new(text: String, asked: Instant, life: Duration) -> Self {
        let margin = MARGIN_MAX.min(life / MARGIN_SHARE);
        let life = life.saturating_sub(margin);
        let until = asked.checked_add(life).unwrap_or(asked);
        Self { text, until }
    }
}

impl Tokens {
    /// The token under this key, but not `refused`; asked for if there is none.
    pub(super) async fn get(
        &self,
        key: Key,
        refused: Option<&Arc<Token>>,
        now: Instant,
        ask: impl Future<Output = Result<Token, Unanswered>>,
    ) -> Result<Given, Unanswered> {
        let slot = self.slot(key, now);
        let before = slot.rounds.load(Ordering::Acquire);
        let mut last = slot.last.lock().await;
        let refused = |token: &Arc<Token>| refused.is_some_and(|it| Arc::ptr_eq(it, token));
        match &*last {
            Some(Ok(token)) if token.until > now && !refused(token) => {
                let token = Arc::clone(token);
                return Ok(Given { token, kept: true });
            }
            // It failed while this call waited for its turn.
            Some(Err(unanswered)) if slot.rounds.load(Ordering::Acquire) != before => {
                return Err(unanswered.clone());
            }
            _ => {}
        }
        let asked = ask.await.map(Arc::new);
        slot.rounds.fetch_add(1, Ordering::AcqRel);
        *last = Some(asked.clone());
        asked.map(|token| Given { token, kept: false })
    }

    fn slot(&self, key: Key, now: Instant) -> Arc<Slot> {
        // The map is whole after every operation.
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= TOKENS_MAX && !slots.contains_key(&key) {
            slots.retain(|_, slot| slot.lives(now));
            if slots.len() >= TOKENS_MAX {
                slots.retain(|_, slot| Arc::strong_count(slot) > 1);
            }
        }
        Arc::clone(slots.entry(key).or_default())
    }
}

impl Slot {
    /// Whether anybody waits for it, or has something of it.
    fn lives(self: &Arc<Self>, now: Instant) -> bool {
        if Arc::strong_count(self) > 1 {
            return true;
        }
        let last = self.last.try_lock();
        last.is_ok_and(|last| matches!(&*last, Some(Ok(token)) if token.until > now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = [7; 32];

    fn ended() -> Unanswered {
        Unanswered::NotKnown("no".to_owned())
    }

    #[tokio::test]
    async fn a_token_is_kept_until_shortly_before_it_ends() {
        let (tokens, now) = (Tokens::default(), Instant::now());
        let text = "tok-7f3a".to_owned();
        let fresh = || async move { Ok(Token::new("tok-7f3a".to_owned(), now, MARGIN_MAX * 20)) };
        let first = tokens.get(KEY, None, now, fresh()).await.unwrap();
        assert_eq!((&first.token.text, first.kept), (&text, false));
        assert!(!format!("{:?}", first.token).contains("7f3a"));
        let before = now + MARGIN_MAX * 18;
        let none = async { Err(ended()) };
        assert!(tokens.get(KEY, None, before, none).await.unwrap().kept);
        let after = now + MARGIN_MAX * 19;
        let again = tokens.get(KEY, None, after, fresh()).await.unwrap();
        assert!(!again.kept);
        let other = tokens.get([8; 32], None, now, fresh()).await.unwrap();
        assert!(!other.kept);
        // A short life is not given up whole.
        let short = Token::new(text, now, Duration::from_secs(1));
        assert_eq!(short.until, now + Duration::from_millis(900));
    }

    #[tokio::test]
    async fn a_refused_token_is_asked_for_once() {
        let (tokens, now) = (Tokens::default(), Instant::now());
        let life = Duration::from_mins(5);
        let fresh = |text: &str| {
            let token = Token::new(text.to_owned(), now, life);
            async move { Ok(token) }
        };
        let old = tokens
            .get(KEY, None, now, fresh("old"))
            .await
            .unwrap()
            .token;
        let new = tokens
            .get(KEY, Some(&old), now, fresh("new"))
            .await
            .unwrap();
        assert_eq!((&*new.token.text, new.kept), ("new", false));
        // Whoever else was refused the old one takes the new one.
        let other = tokens
            .get(KEY, Some(&old), now, fresh("third"))
            .await
            .unwrap();
        assert_eq!((&*other.token.text, other.kept), ("new", true));
    }

    #[tokio::test]
    async fn many_at_once_ask_once_and_share_a_failure() {
        let now = Instant::now();
        for fails in [false, true] {
            let tokens = Arc::new(Tokens::default());
            let asked = Arc::new(AtomicU64::new(0));
            let gate = Arc::new(tokio::sync::Notify::new());
            let mut calls = tokio::task::JoinSet::new();
            for _ in 0..50 {
                let (tokens, asked, gate) = (tokens.clone(), asked.clone(), gate.clone());
                calls.spawn(async move {
                    let ask = async {
                        asked.fetch_add(1, Ordering::AcqRel);
                        gate.notified().await;
                        let token = Token::new("t".to_owned(), now, Duration::from_mins(5));
                        if fails { Err(ended()) } else { Ok(token) }
                    };
                    tokens.get(KEY, None, now, ask).await.is_ok()
                });
            }
            // One thread: each of them has come to where it waits.
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            gate.notify_one();
            let mut well = 0;
            while let Some(one) = calls.join_next().await {
                well += usize::from(one.unwrap());
            }
            assert_eq!(well, if fails { 0 } else { 50 });
            assert_eq!(asked.load(Ordering::Acquire), 1, "fails: {fails}");
            // A failure is not kept for whoever comes later.
            let fresh = async { Ok(Token::new("t".to_owned(), now, Duration::from_mins(5))) };
            assert!(tokens.get(KEY, None, now, fresh).await.is_ok());
        }
    }

    #[tokio::test]
    async fn only_so_many_are_kept() {
        let (tokens, now) = (Tokens::default(), Instant::now());
        for index in 0..=TOKENS_MAX {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&index.to_be_bytes());
            let life = Duration::from_secs(if index == 0 { 600 } else { 0 });
            let ask = async { Ok(Token::new("t".to_owned(), now, life)) };
            tokens.get(key, None, now, ask).await.unwrap();
        }
        assert_eq!(tokens.slots.lock().unwrap().len(), 2);
        let kept = tokens.get([0; 32], None, now, async { Err(ended()) }).await;
        assert!(kept.unwrap().kept);
    }
}
