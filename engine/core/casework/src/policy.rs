//! Limits by role and amount: who alone may approve how much.

use serde::{Deserialize, Serialize};

use crate::{Code, Money, Principal, Refusal};

/// Rows in any order; a role may stand in several currencies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub name: String,
    pub rows: Vec<Row>,
}

/// This role alone may approve up to and including this amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub role: String,
    pub up_to: Money,
}

impl Policy {
    /// The role under which this principal may approve the amount; `over-limit` otherwise.
    pub fn permits(&self, who: &Principal, amount: &Money) -> Result<String, Refusal> {
        if amount.minor <= 0 {
            return Err(Refusal::new(
                Code::AmountInvalid,
                "the amount must be more than zero",
            ));
        }
        self.rows
            .iter()
            .filter(|row| who.holds(&row.role) && row.up_to.currency == amount.currency)
            .filter(|row| amount.minor <= row.up_to.minor)
            // The smallest power that suffices is the one used.
            .min_by_key(|row| row.up_to.minor)
            .map(|row| row.role.clone())
            .ok_or_else(|| Refusal::new(Code::OverLimit, self.over_limit(who, amount)))
    }

    fn over_limit(&self, who: &Principal, amount: &Money) -> String {
        let own = self
            .rows
            .iter()
            .filter(|row| who.holds(&row.role) && row.up_to.currency == amount.currency)
            .map(|row| &row.up_to)
            .max_by_key(|limit| limit.minor);
        match own {
            Some(limit) => format!("you may approve up to {limit}; this is {amount}"),
            None => format!("your roles may not approve amounts in {}", amount.currency),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::tests::staff;

    fn policy() -> Policy {
        let row = |role: &str, minor| Row {
            role: role.to_owned(),
            up_to: Money::new(minor, "AUD"),
        };
        Policy {
            name: "brokerage-limits".to_owned(),
            rows: vec![
                row("team-leader", 200_000),
                row("service-manager", 1_000_000),
            ],
        }
    }

    #[test]
    fn the_limit_itself_is_within_the_limit() {
        let leader = staff("lee", &["team-leader"]);
        let both = staff("sam", &["service-manager", "team-leader"]);
        let permits = |who, minor| policy().permits(who, &Money::new(minor, "AUD"));
        assert_eq!(permits(&leader, 200_000), Ok("team-leader".to_owned()));
        assert_eq!(permits(&leader, 200_001).unwrap_err().code, Code::OverLimit);
        assert_eq!(permits(&both, 200_000), Ok("team-leader".to_owned()));
        assert_eq!(permits(&both, 200_001), Ok("service-manager".to_owned()));
        assert_eq!(permits(&both, 1_000_001).unwrap_err().code, Code::OverLimit);
    }

    #[test]
    fn other_currencies_zero_and_less_are_never_permitted() {
        let leader = staff("lee", &["team-leader"]);
        let refused = |money| policy().permits(&leader, &money).unwrap_err().code;
        assert_eq!(refused(Money::new(1, "USD")), Code::OverLimit);
        assert_eq!(refused(Money::new(0, "AUD")), Code::AmountInvalid);
        assert_eq!(refused(Money::new(i64::MIN, "AUD")), Code::AmountInvalid);
    }
}
