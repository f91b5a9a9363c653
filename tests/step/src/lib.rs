//! The step that `casewright bench` measures: small, keyed, and without a partner, so that what is
//! measured is the engine. It is of no use to anybody.

use casewright_sdk::prelude::*;

/// As much as a payment is told.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Voucher {
    amount: u64,
    currency: String,
    reason: String,
}

/// As much as a payment answers.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    receipt: String,
    amount: u64,
}

/// Answers with a receipt under the key of the step.
///
/// `refused`: it names no currency or no reason.
#[function(effect = "keyed", errors = ["refused"])]
fn issue(context: &Context, input: Voucher) -> Result<Receipt, Error> {
    if input.currency.len() != 3 || input.reason.is_empty() {
        return Err(Error::business("refused", "it names no currency or no reason"));
    }
    Ok(Receipt { receipt: context.idempotency_key.to_string(), amount: input.amount })
}

plugin!(issue);
