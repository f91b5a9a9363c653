//! Applies for a home at a housing register and waits for its decision.
//!
//! The application goes out under the step's idempotency key, so that it arrives once however often
//! it is sent. A message of the register only says that there is something to ask: what was decided
//! is read from the register itself. It decides nothing about who may be helped.

mod check;
mod register;
#[cfg(test)]
mod tests;

use std::time::Duration;

use casewright_sdk::prelude::*;

use crate::register::{Found, Register};

const DAY: Duration = Duration::from_hours(24);

/// Asks are spread to this many times the first pause.
const SPREAD_MAX: u32 = 16;

/// What the pack and the operator set.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    /// The register's origin: scheme, host and port.
    endpoint: String,
    /// Put before `/applications`.
    #[serde(default = "Settings::path")]
    path: String,
    /// Name of the secret sent as a bearer token; without it requests carry no credential.
    credential: Option<String>,
    /// How long one request may take.
    #[serde(default = "Settings::timeout_ms")]
    timeout_ms: u32,
    /// How long to wait for a message before asking.
    #[serde(default = "Settings::poll_seconds")]
    poll_seconds: u32,
    /// How long to wait for a decision.
    #[serde(default = "Settings::expires_days")]
    expires_days: u32,
}

impl Settings {
    fn path() -> String {
        "/housing".into()
    }

    fn timeout_ms() -> u32 {
        8_000
    }

    fn poll_seconds() -> u32 {
        3_600
    }

    fn expires_days() -> u32 {
        90
    }
}

/// An application for a home.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Application {
    /// Who would live there.
    #[schemars(length(min = 1, max = 20))]
    applicants: Vec<Applicant>,
    #[schemars(length(min = 1, max = 10))]
    suburb_wishes: Vec<Line<60>>,
    #[schemars(range(min = 1, max = 8))]
    bedrooms: u8,
    /// Whether the family leaves violence and asks for priority because of it.
    violence_priority: bool,
    /// At least two different ones.
    #[schemars(length(min = 2, max = 8))]
    wellbeing_reasons: Vec<Wellbeing>,
    /// All income of the household before tax.
    weekly_income: Money,
    #[serde(default)]
    #[schemars(length(max = 20))]
    documents: Vec<Document>,
}

/// Somebody who would live there. No name: the register asks the family itself.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Applicant {
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_of_birth: Option<Date>,
    /// Identifies as Aboriginal or Torres Strait Islander, where they have said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    identifies_first_nations: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Role {
    Applicant,
    Partner,
    Child,
    Other,
}

/// Why a home matters beyond money.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Wellbeing {
    Homeless,
    LeavingViolence,
    Disability,
    Health,
    Overcrowded,
    UnsafeHome,
    FamilyReunification,
    NearServices,
}

/// A document of the case, by reference.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    #[serde(rename = "type")]
    kind: Line<40>,
    /// `doc:<case>/<document>`, of the same case.
    #[serde(rename = "ref")]
    reference: Line<80>,
}

/// What the register decided.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Decision {
    application_no: Line<64>,
    state: Decided,
    /// What the register wants before it goes on.
    missing: Vec<Line<80>>,
    need_level: Option<NeedLevel>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Decided {
    Registered,
    Declined,
    MoreInfo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum NeedLevel {
    Low,
    Moderate,
    High,
    VeryHigh,
}

/// What is kept while the register decides.
#[derive(Serialize, Deserialize)]
struct Kept {
    application_no: String,
    /// How often it was asked in vain.
    asked: u32,
}

/// Applies for a home and waits for the decision.
///
/// `more-info` is an answer too: staff send what is missing and apply again. `conflict`: the
/// register knows the key with another application. `no-answer`: it did not decide in time.
#[function(
    effect = "keyed",
    errors = ["conflict", "no-answer"],
    discloses = ["household-roles", "dates-of-birth", "income", "housing-needs"],
    resume = answered
)]
fn apply(context: &Context, input: Application) -> Result<Outcome<Decision>, Error> {
    check::application(&input, context)?;
    let register = Register::new(config()?, context)?;
    match register.send(&input)? {
        Found::Decided(decision) => Ok(Outcome::Done(decision)),
        Found::Open(application_no) => {
            let kept = Kept {
                application_no,
                asked: 0,
            };
            wait(context, &register, &kept)
        }
    }
}

fn answered(context: &Context, kept: Kept, reason: Reason) -> Result<Outcome<Decision>, Error> {
    let register = Register::new(config()?, context)?;
    if reason == Reason::Cancelled {
        register.take_back(&kept.application_no)?;
        return Err(Error::permanent(
            "taken-back",
            "the application was taken back",
        ));
    }
    match (register.find(&kept.application_no)?, reason) {
        (Found::Decided(decision), _) => Ok(Outcome::Done(decision)),
        (Found::Open(_), Reason::Expired) => Err(Error::business(
            "no-answer",
            "the register has not decided in time",
        )),
        (Found::Open(_), Reason::Poll) => {
            let asked = kept.asked.saturating_add(1);
            wait(context, &register, &Kept { asked, ..kept })
        }
        (Found::Open(_), Reason::Callback(_) | Reason::Cancelled) => {
            wait(context, &register, &kept)
        }
    }
}

fn wait(context: &Context, register: &Register, kept: &Kept) -> Result<Outcome<Decision>, Error> {
    let spread = 2_u32.saturating_pow(kept.asked).min(SPREAD_MAX);
    let pending = Pending::new(kept)?
        .correlate(&kept.application_no)
        .poll_after(register.pause() * spread)
        .expires_after(context, DAY * register.expires_days());
    Ok(pending.into())
}

plugin!(apply; config = Settings);
