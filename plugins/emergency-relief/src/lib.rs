//! Help in an emergency: until when a family can ask for a crisis payment, and the agency's
//! voucher, issued once.
//!
//! The voucher goes out under the step's idempotency key. When an answer got lost, the provider is
//! asked what became of the key before anything else. Nothing about the family leaves the agency:
//! the provider learns what kind of voucher it is and over how much. It decides nothing about who
//! may spend what, and nothing about who is paid: that is the income agency's to say.

mod crisis;
mod provider;
#[cfg(test)]
mod tests;

use casewright_sdk::prelude::*;

use crate::crisis::CrisisPayment;
use crate::provider::Provider;

/// What the pack and the operator set.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    /// The provider's origin: scheme, host and port.
    endpoint: String,
    /// Put before `/vouchers`.
    #[serde(default = "Settings::path")]
    path: String,
    /// Name of the secret sent as a bearer token; without it requests carry no credential.
    credential: Option<String>,
    /// How long one request may take.
    #[serde(default = "Settings::timeout_ms")]
    timeout_ms: u32,
    /// The largest voucher of the agency. Without it none is issued.
    voucher_max: Option<Money>,
}

impl Settings {
    fn path() -> String {
        "/relief".into()
    }

    fn timeout_ms() -> u32 {
        8_000
    }
}

/// What happened, and what the agency would give.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Emergency {
    event: Event,
    /// The local day on which it happened.
    event_date: Date,
    /// The local day of asking.
    today: Date,
    /// Whether the family cannot pay for what it needs to live.
    severe_hardship: bool,
    /// Whether somebody of the family gets an income support payment or could.
    income_support: Known,
    #[serde(skip_serializing_if = "Option::is_none")]
    agency_voucher: Option<Wanted>,
}

/// What a crisis payment can be asked for after.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Event {
    /// Left home because of violence.
    LeftHomeDfv,
    /// Stayed at home after who was violent left or was taken away.
    StayedHomeDfv,
    /// Lost the home, such as in a fire or a flood.
    HomeLost,
    /// Came out of prison after at least two weeks.
    ReleasedFromPrison,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Known {
    Yes,
    No,
    Unknown,
}

/// A voucher to be issued.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    #[serde(rename = "type")]
    kind: VoucherKind,
    money: Money,
}

/// What it buys. None gives cash.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum VoucherKind {
    Grocery,
    Pharmacy,
    Fuel,
    Clothing,
}

/// What the family can do and what it gets.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Relief {
    crisis_payment: CrisisPayment,
    voucher: Option<Voucher>,
    /// What to do, in this order.
    steps: Vec<Step>,
}

/// No `Debug`: its code is as good as money.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Voucher {
    id: Line<64>,
    /// A secret: show it once to whoever hands it over, and keep it nowhere else.
    code: Line<64>,
    /// The last day on which it buys something.
    expires: Date,
}

/// What somebody has to do.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Step {
    /// Tell the income agency until `contactBy`; the claim itself has time.
    ContactIncomeAgency,
    /// The time is over: tell it at once and say why it is late.
    ContactAlthoughLate,
    /// Send the claim within so many days after the contact.
    SendClaim,
    /// Find out whether somebody gets an income support payment or could.
    AskAboutIncomeSupport,
    /// It is paid once for one event: ask whether it was.
    AskWhetherPaidBefore,
    /// Give the voucher to the family and keep no copy of its code.
    HandOverVoucher,
}

/// Says until when a crisis payment can be asked for, and issues the voucher once.
///
/// Without `agencyVoucher` it asks nobody. `declined`: the voucher is above the agency's bound, or
/// the provider has none to give. `conflict`: the key was used for another voucher.
#[function(
    effect = "keyed",
    errors = ["declined", "conflict"],
    pays = "/agencyVoucher/money"
)]
fn arrange(context: &Context, input: Emergency) -> Result<Relief, Error> {
    let (crisis_payment, mut steps) = crisis::advise(&input)?;
    let voucher = match &input.agency_voucher {
        Some(wanted) => Some(issue(context, wanted)?),
        None => None,
    };
    if voucher.is_some() {
        steps.push(Step::HandOverVoucher);
    }
    Ok(Relief {
        crisis_payment,
        voucher,
        steps,
    })
}

fn issue(context: &Context, wanted: &Wanted) -> Result<Voucher, Error> {
    if wanted.money.minor < 1 {
        return Err(Error::invalid_input(
            "/agencyVoucher/money/minor",
            "must be at least 1",
        ));
    }
    let settings: Settings = config()?;
    match settings.voucher_max {
        None => {
            return Err(Error::business("declined", "the agency gives no vouchers"));
        }
        Some(max) if max.currency != wanted.money.currency => {
            return Err(Error::invalid_input(
                "/agencyVoucher/money/currency",
                "must be the currency of the setting `voucherMax`",
            ));
        }
        Some(max) if max.minor < wanted.money.minor => {
            return Err(Error::business(
                "declined",
                "the voucher is above the largest one of the agency",
            ));
        }
        Some(_) => {}
    }
    let provider = Provider::new(settings, context)?;
    if context.attempt > 1
        && let Some(voucher) = provider.find()?
    {
        return Ok(voucher);
    }
    let response = match provider.send(wanted) {
        Ok(response) => response,
        Err(error) if error.may_pass() && !error.not_sent() => {
            return provider.settle(error.into());
        }
        Err(error) => return Err(error.into()),
    };
    match response.status() {
        402 => Err(Error::business(
            "declined",
            "the provider has no voucher to give",
        )),
        409 => provider.settle(provider::in_flight(&response)),
        422 => Err(Error::business(
            "conflict",
            "the provider knows this idempotency key with another voucher",
        )),
        _ => response.success()?.json(),
    }
}

plugin!(arrange; config = Settings);
