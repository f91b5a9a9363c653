//! Pays a supplier once, whatever breaks on the way.
//!
//! The partner is asked with the step's idempotency key. When an answer got lost, the plugin asks
//! what became of the key before anything else; it never makes a second key, and it never guesses.
//! It decides nothing about who may spend what: that is done before it is called.

mod partner;
mod reference;
#[cfg(test)]
mod tests;

use casewright_sdk::prelude::*;

use crate::partner::Partner;

/// A million of the usual currencies; beyond it somebody mistyped.
const MINOR_MAX: i64 = 100_000_000;
const HANDLE_CHARS_MAX: usize = 100;
const WORD_CHARS_MAX: usize = 32;

/// What the pack and the operator set.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    /// The partner's origin: scheme, host and port.
    endpoint: String,
    /// Put before `/payments`.
    #[serde(default = "Settings::path")]
    path: String,
    /// Name of the secret sent as a bearer token; without it requests carry no credential.
    credential: Option<String>,
    /// How long one request may take.
    #[serde(default = "Settings::timeout_ms")]
    timeout_ms: u32,
}

impl Settings {
    fn path() -> String {
        "/pay".into()
    }

    fn timeout_ms() -> u32 {
        8_000
    }
}

/// A payment to be made.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Payment {
    payee: Payee,
    money: Money,
    /// Shown on both bank statements: codes only, never a name.
    #[schemars(length(min = 1, max = 35))]
    reference: String,
    /// What it is for, as the agency's ledger calls it.
    #[schemars(length(min = 1, max = 32))]
    purpose_code: String,
}

/// Who gets it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Payee {
    name: Line<140>,
    /// Digits only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 8, max = 14))]
    tax_id: Option<String>,
    /// Where the partner keeps the account, such as `sec:pay/ridgeview`; never the account itself.
    #[schemars(length(min = 5, max = 100))]
    account_handle: String,
}

/// What became of a payment.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    payment_id: Line<64>,
    state: State,
    /// The bank's own reference; some banks give it only when the payment is settled.
    bank_ref: Option<Line<64>>,
    /// When the partner accepted it.
    at: Line<40>,
}

/// How far a payment is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum State {
    Accepted,
    Settled,
    Rejected,
}

/// Pays a supplier once.
///
/// The answer says how far the payment is; `rejected` means that the bank sent it back.
/// `declined`: the partner will not pay, for lack of funds. `conflict`: the key was used for
/// another payment.
#[function(effect = "keyed", errors = ["declined", "conflict"], pays = "/money")]
fn pay(context: &Context, input: Payment) -> Result<Receipt, Error> {
    check(&input)?;
    let partner = Partner::new(config()?, context)?;
    if context.attempt > 1
        && let Some(receipt) = partner.find()?
    {
        return Ok(receipt);
    }
    let response = match partner.send(&input) {
        Ok(response) => response,
        Err(error) if error.may_pass() && !error.not_sent() => return partner.settle(error.into()),
        Err(error) => return Err(error.into()),
    };
    match response.status() {
        402 => Err(Error::business(
            "declined",
            "the partner declined to pay: insufficient funds",
        )),
        409 => partner.settle(partner::in_flight(&response)),
        422 => Err(Error::business(
            "conflict",
            "the partner knows this idempotency key with another payment",
        )),
        _ => partner::receipt(&response.success()?),
    }
}

fn check(payment: &Payment) -> Result<(), Error> {
    let payee = &payment.payee;
    if !(1..=MINOR_MAX).contains(&payment.money.minor) {
        let problem = format!("must be between 1 and {MINOR_MAX}");
        return Err(Error::invalid_input("/money/minor", problem));
    }
    if payee.tax_id.as_deref().is_some_and(|id| !is_tax_id(id)) {
        return Err(Error::invalid_input(
            "/payee/taxId",
            "must be 8 to 14 digits",
        ));
    }
    if !is_handle(&payee.account_handle) {
        return Err(Error::invalid_input(
            "/payee/accountHandle",
            "must be a handle such as sec:pay/ridgeview, never an account number",
        ));
    }
    if !is_word(&payment.purpose_code) {
        return Err(Error::invalid_input(
            "/purposeCode",
            "must be a lower-case word such as household",
        ));
    }
    reference::check(&payment.reference, &payee.name)
        .map_err(|problem| Error::invalid_input("/reference", problem))
}

fn is_tax_id(text: &str) -> bool {
    (8..=14).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_handle(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let segment =
        |part: &str| part.starts_with(|c: char| c.is_ascii_lowercase()) && part.bytes().all(plain);
    let path = text
        .strip_prefix("sec:")
        .filter(|_| text.len() <= HANDLE_CHARS_MAX);
    path.is_some_and(|path| path.split('/').all(segment))
}

fn is_word(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    text.len() <= WORD_CHARS_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(plain)
}

plugin!(pay; config = Settings);
