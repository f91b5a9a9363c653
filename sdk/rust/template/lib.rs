//! The plugin `{{name}}`.

use casewright_sdk::prelude::*;

/// What the function takes. The engine checks calls against this type before they are made.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Offer {
    today: Date,
    /// The last day on which the offer stands.
    stands_until: Date,
}

/// What it gives.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Left {
    days: i64,
}

/// Says how many days an offer still stands.
///
/// `over`: it no longer does.
#[function(effect = "none", errors = ["over"])]
fn days_left(_context: &Context, input: Offer) -> Result<Left, Error> {
    let days = input.stands_until.days_after(input.today);
    if days < 0 {
        return Err(Error::business("over", "the offer no longer stands"));
    }
    Ok(Left { days })
}

plugin!(days_left);

#[cfg(test)]
mod tests {
    use casewright_sdk::testing::{World, context};

    use super::*;

    fn days_left(stands_until: &str) -> Result<Value, Error> {
        let input = json!({ "today": "2026-05-12", "standsUntil": stands_until });
        World::new().invoke(&PLUGIN, "days-left", &input.to_string(), &context("key-1"))
    }

    #[test]
    fn an_offer_stands_until_its_last_day() {
        assert_eq!(days_left("2026-05-15"), Ok(json!({ "days": 3 })));
        assert_eq!(days_left("2026-05-12"), Ok(json!({ "days": 0 })));
        assert_eq!(days_left("2026-05-11").unwrap_err().code(), "over");
        assert_eq!(
            days_left("tomorrow").unwrap_err().field(),
            Some("/standsUntil")
        );
    }
}
