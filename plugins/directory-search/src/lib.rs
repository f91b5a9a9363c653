//! Finds services in a directory that speaks HSDS 3.0, and says who may be helped where.
//!
//! The directory is asked for a kind of need and nothing else: what is known of the family is
//! compared here. It recommends nothing; the family chooses.

mod directory;
mod hours;
mod judge;
#[cfg(test)]
mod tests;

use casewright_sdk::prelude::*;

use crate::directory::Directory;

const AGE_MAX: u8 = 120;
const RESULTS_MAX: u8 = 50;
const CHILDREN_MAX: usize = 20;

/// What the pack and the operator set.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    /// The directory's origin: scheme, host and port.
    endpoint: String,
    /// Put before `/services`.
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
        "/hsds".into()
    }

    fn timeout_ms() -> u32 {
        8_000
    }
}

/// What a family looks for.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Search {
    need: Need,
    /// Where the family lives; compared here, never sent.
    #[schemars(length(min = 3, max = 10))]
    postcode: String,
    #[serde(default)]
    #[schemars(length(max = 20))]
    child_ages: Vec<u8>,
    /// ISO 639-1, such as `vi`.
    #[schemars(length(min = 2, max = 3))]
    language: Option<String>,
    /// Local time for `openNow`, such as `2026-05-12T10:00`.
    #[schemars(length(min = 16, max = 16))]
    at: Option<String>,
    #[serde(default = "Search::max")]
    #[schemars(range(min = 1, max = 50))]
    max: u8,
}

impl Search {
    fn max() -> u8 {
        10
    }
}

/// Words for needs: nobody can put a name into a directory's log by mistake.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Need {
    Housing,
    CrisisAccommodation,
    Childcare,
    EmergencyRelief,
    Food,
    FinancialCounselling,
    LegalHelp,
    Parenting,
    MentalHealth,
    AlcoholAndDrugs,
    DomesticViolence,
    Disability,
    Transport,
}

impl Need {
    /// What the directory is asked for.
    fn term(self) -> &'static str {
        match self {
            Self::Housing => "housing",
            Self::CrisisAccommodation => "crisis accommodation",
            Self::Childcare => "childcare",
            Self::EmergencyRelief => "emergency relief",
            Self::Food => "food",
            Self::FinancialCounselling => "financial counselling",
            Self::LegalHelp => "legal help",
            Self::Parenting => "parenting",
            Self::MentalHealth => "mental health",
            Self::AlcoholAndDrugs => "alcohol and drugs",
            Self::DomesticViolence => "domestic violence",
            Self::Disability => "disability",
            Self::Transport => "transport",
        }
    }
}

/// Services that may help.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Answer {
    results: Vec<Found>,
    /// Whether there may be more than were looked at or are shown.
    truncated: bool,
    warnings: Vec<Warning>,
}

/// One service.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Found {
    service_id: String,
    name: String,
    organization: Option<String>,
    phone: Option<String>,
    /// Without the part before the `@`: it may be a person.
    email_domain: Option<String>,
    eligible: Eligible,
    why: Vec<Why>,
    /// Without opening hours, or a time to compare them with, nobody knows.
    open_now: Option<bool>,
    /// Closed for a time.
    closed: bool,
    location: Location,
    documents: Vec<String>,
    languages: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Eligible {
    Yes,
    Maybe,
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Why {
    AreaServed,
    AreaNotServed,
    AreaUnknown,
    AgesFit,
    AgesDoNotFit,
    LanguageSpoken,
    LanguageNotListed,
    ClosedForATime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Location {
    Public,
    Confidential,
}

/// Something the directory got wrong.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Warning {
    code: &'static str,
    /// Page and row, from 1.
    at: String,
}

/// Finds services for a need.
///
/// Only the word for the need is sent. Results are ranked: who may be helped first, what is closed
/// for a time last.
#[function(effect = "none")]
fn find(_context: &Context, input: Search) -> Result<Answer, Error> {
    let family = check(&input)?;
    let read = Directory::new(config()?).services(input.need.term())?;
    let mut results: Vec<Found> = read
        .services
        .into_iter()
        .filter_map(|service| judge::judged(service, &family))
        .collect();
    results.sort_by(|a, b| {
        let rank = |one: &Found| (one.closed, one.eligible, one.open_now != Some(true));
        rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name))
    });
    let max = usize::from(input.max);
    let truncated = read.more || results.len() > max;
    results.truncate(max);
    Ok(Answer {
        results,
        truncated,
        warnings: read.warnings,
    })
}

/// What is compared here.
struct Family {
    postcode: String,
    ages: Vec<u8>,
    language: Option<String>,
    at: Option<hours::Local>,
}

fn check(input: &Search) -> Result<Family, Error> {
    let wrong = |field: &str, problem: String| Err(Error::invalid_input(field, problem));
    let postcode = &input.postcode;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == ' ' || c == '-';
    if !(3..=10).contains(&postcode.len()) || !postcode.chars().all(plain) {
        return wrong("/postcode", "must be a postcode such as 4114".into());
    }
    if input.child_ages.len() > CHILDREN_MAX {
        return wrong("/childAges", format!("must be at most {CHILDREN_MAX}"));
    }
    if let Some(index) = input.child_ages.iter().position(|age| *age > AGE_MAX) {
        return wrong(
            &format!("/childAges/{index}"),
            format!("must be at most {AGE_MAX}"),
        );
    }
    let word = |text: &&String| {
        (2..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase())
    };
    if input.language.as_ref().is_some_and(|text| !word(&text)) {
        return wrong("/language", "must be a code such as vi".into());
    }
    if !(1..=RESULTS_MAX).contains(&input.max) {
        return wrong("/max", format!("must be 1 to {RESULTS_MAX}"));
    }
    let at = match &input.at {
        None => None,
        Some(text) => match hours::Local::read(text) {
            Some(at) => Some(at),
            None => {
                return wrong(
                    "/at",
                    "must be a local time such as 2026-05-12T10:00".into(),
                );
            }
        },
    };
    Ok(Family {
        postcode: postcode.clone(),
        ages: input.child_ages.clone(),
        language: input.language.clone(),
        at,
    })
}

plugin!(find; config = Settings);
