//! The agency's rules, with the usual ones where the pack says nothing.

use casewright_sdk::prelude::*;

/// Amounts are in minor units of the request's currency.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Rules {
    /// The most one request may ask for.
    pub(crate) cap_minor: i64,
    /// How many suppliers must have quoted, by amount.
    pub(crate) quotes: Vec<Tier>,
    /// An older quote is stale.
    pub(crate) quote_days_max: i64,
    /// Categories that are never paid.
    pub(crate) excluded: Vec<String>,
}

/// Above an amount, so many quotes.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Tier {
    pub(crate) above_minor: i64,
    pub(crate) count: usize,
}

impl Default for Rules {
    fn default() -> Self {
        let tier = |above_minor, count| Tier { above_minor, count };
        Self {
            cap_minor: 1_000_000,
            quotes: vec![tier(200_000, 2), tier(500_000, 3)],
            quote_days_max: 90,
            excluded: ["fines", "agency-debt", "cash", "gift-cards"]
                .map(Into::into)
                .into(),
        }
    }
}

impl Rules {
    pub(crate) fn quotes_needed(&self, minor: i64) -> usize {
        let tiers = self.quotes.iter().filter(|tier| minor > tier.above_minor);
        tiers.map(|tier| tier.count).max().unwrap_or(0)
    }

    pub(crate) fn excludes(&self, category: &str) -> bool {
        let category = category.trim();
        self.excluded
            .iter()
            .any(|excluded| excluded.eq_ignore_ascii_case(category))
    }
}
