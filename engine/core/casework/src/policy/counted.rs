//! What was approved and counts together, for one set of requests that are one.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Aspect, Together};
use crate::Money;
use crate::audit::hex;

/// Approved amounts, by the work item that approved each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted(BTreeMap<String, Portion>);

/// One approval's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portion {
    pub money: Money,
    pub on: Date,
}

impl Counted {
    /// Minor units of this currency that count on that day.
    pub fn until(&self, together: &Together, on: Date, currency: &str) -> i64 {
        let counting = self
            .0
            .values()
            .filter(|portion| portion.money.currency == currency && portion.counts(together, on));
        counting.fold(0, |sum, portion| sum.saturating_add(portion.money.minor))
    }

    /// With this approval, and without what no longer counts on its day.
    pub fn count(&mut self, item: &str, portion: Portion, together: &Together) {
        let on = portion.on;
        self.0.retain(|_, portion| portion.counts(together, on));
        self.0.insert(item.to_owned(), portion);
    }

    /// Only so much of it was used in the end.
    pub fn settle(&mut self, item: &str, used_minor: i64) {
        if used_minor <= 0 {
            self.0.remove(item);
        } else if let Some(portion) = self.0.get_mut(item) {
            portion.money.minor = portion.money.minor.min(used_minor);
        }
    }
}

impl Portion {
    fn counts(&self, together: &Together, on: Date) -> bool {
        let days = on.since(self.on).map_or(i32::MAX, |span| span.get_days());
        days <= i32::from(together.days)
    }
}

impl Together {
    /// The name of the set of requests that this one belongs to; nothing of it can be read back.
    /// Blanks and capital letters make no other supplier. `None` when an aspect was not told.
    pub fn set(
        &self,
        policy: &str,
        case: &str,
        aspects: &BTreeMap<Aspect, String>,
    ) -> Option<String> {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        add(policy);
        for aspect in &self.by {
            add(aspect.as_str());
            let told = match aspect {
                Aspect::Family => case.to_owned(),
                Aspect::Goal | Aspect::Supplier | Aspect::Category | Aspect::Fund => {
                    plain(aspects.get(aspect)?)
                }
            };
            add(&told);
        }
        Some(hex(hash))
    }
}

fn plain(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}
