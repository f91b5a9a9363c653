//! Amounts: integer minor units with a currency, never a float.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount in the smallest unit of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    pub minor: i64,
    /// ISO 4217.
    pub currency: String,
}

impl Money {
    /// `minor` units of `currency`.
    pub fn new(minor: i64, currency: &str) -> Self {
        Self {
            minor,
            currency: currency.to_owned(),
        }
    }
}

/// For people: `$1,300.00` for dollars, `EUR 1,300.00` otherwise; two decimals for all currencies
/// that the sample agencies use.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, units) = (
            if self.minor < 0 { "-" } else { "" },
            self.minor.unsigned_abs(),
        );
        let whole = (units / 100).to_string();
        let first = whole.len() % 3;
        let mut grouped = whole[..first].to_owned();
        for (index, _) in whole.char_indices().skip(first).step_by(3) {
            if !grouped.is_empty() {
                grouped.push(',');
            }
            grouped.push_str(&whole[index..index + 3]);
        }
        let mark = match self.currency.as_str() {
            "AUD" | "USD" => "$".to_owned(),
            other => format!("{other} "),
        };
        write!(f, "{sign}{mark}{grouped}.{:02}", units % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_for_people() {
        let check = |minor, currency, text: &str| {
            assert_eq!(Money::new(minor, currency).to_string(), text);
        };
        check(130_000, "AUD", "$1,300.00");
        check(5, "AUD", "$0.05");
        check(-123_456_789, "USD", "-$1,234,567.89");
        check(99_900, "EUR", "EUR 999.00");
        check(i64::MIN, "AUD", "-$92,233,720,368,547,758.08");
    }
}
