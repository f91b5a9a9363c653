//! Until when a crisis payment can be asked for. Days are days of the calendar, not business days:
//! an office that is closed gives nobody more time.

use casewright_sdk::prelude::*;

use crate::{Emergency, Known, Step};

/// The income agency must hear of it within so many days of the event.
const CONTACT_DAYS: i64 = 7;
/// The claim must follow within so many days of that contact.
const CLAIM_DAYS: u8 = 14;

/// What is known of a crisis payment before the income agency has decided.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CrisisPayment {
    /// The last day to tell the income agency.
    contact_by: Date,
    /// Days after that contact for the claim.
    claim_by_after_contact: u8,
    likely: Likely,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Likely {
    Yes,
    No,
    /// Only the income agency can say.
    Ask,
}

pub(crate) fn advise(emergency: &Emergency) -> Result<(CrisisPayment, Vec<Step>), Error> {
    let since = emergency.today.days_after(emergency.event_date);
    if since < 0 {
        return Err(Error::invalid_input("/eventDate", "is after `today`"));
    }
    let contact_by = emergency
        .event_date
        .plus_days(CONTACT_DAYS)
        .ok_or_else(|| Error::invalid_input("/eventDate", "is too late for a calendar"))?;
    let late = since > CONTACT_DAYS;
    let likely = match emergency.income_support {
        Known::No => Likely::No,
        _ if !emergency.severe_hardship => Likely::No,
        Known::Yes if !late => Likely::Yes,
        Known::Yes | Known::Unknown => Likely::Ask,
    };
    let mut steps = Vec::new();
    if emergency.income_support == Known::Unknown {
        steps.push(Step::AskAboutIncomeSupport);
    }
    // Whoever is told "no" by a machine may still ask: the income agency decides.
    steps.push(if late {
        Step::ContactAlthoughLate
    } else {
        Step::ContactIncomeAgency
    });
    steps.push(Step::AskWhetherPaidBefore);
    steps.push(Step::SendClaim);
    let payment = CrisisPayment {
        contact_by,
        claim_by_after_contact: CLAIM_DAYS,
        likely,
    };
    Ok((payment, steps))
}
