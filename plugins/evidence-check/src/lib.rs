//! Checks the evidence of a brokerage request before anybody is asked to approve it.
//!
//! Pure: it asks nothing of the outside and knows no clock; the day comes with the input. It finds,
//! people decide: only findings of severity `error` make the answer not `ok`.

mod abn;
mod finding;
mod invoice;
mod rules;
#[cfg(test)]
mod tests;

use casewright_sdk::prelude::*;

use crate::finding::{Code, Finding, Severity};
use crate::invoice::{Invoice, Paid};
use crate::rules::Rules;

/// A million of the usual currencies; beyond it somebody mistyped.
const MINOR_MAX: i64 = 100_000_000;
const QUOTES_MAX: usize = 20;
const EARLIER_MAX: usize = 10_000;

/// What is asked for, and what supports it.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    money: Money,
    /// As the agency's list of categories calls it.
    category: Line<60>,
    /// Whether the goal of the plan it serves is agreed and active.
    goal_active: bool,
    #[schemars(length(max = 20))]
    quotes: Vec<Quote>,
    supplier: Option<Supplier>,
    invoice: Option<Invoice>,
    /// Invoices paid before, to recognise one that comes again.
    #[serde(default)]
    #[schemars(length(max = 10_000))]
    earlier: Vec<Paid>,
    /// The day of the check, where the agency is.
    today: Date,
}

/// An offer of a supplier.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Quote {
    supplier: Line<140>,
    money: Money,
    date: Date,
}

/// Who is to be paid.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Supplier {
    #[expect(dead_code, reason = "the form carries it; no rule needs it")]
    name: Line<140>,
    /// Whether whoever asks, or decides, is related to the supplier.
    #[serde(default)]
    is_related_to_requester: bool,
}

/// What was found.
#[derive(Serialize, JsonSchema)]
struct Verdict {
    /// No finding is an error.
    ok: bool,
    findings: Vec<Finding>,
}

/// Checks the evidence of a brokerage request.
///
/// Quotes, invoice, category and goal are held against the agency's rules.
#[function(effect = "none")]
fn check(_context: &Context, input: Request) -> Result<Verdict, Error> {
    let rules: Rules = config()?;
    sound(&input)?;
    let mut findings = Vec::new();
    findings.extend(goal(&input));
    findings.extend(category(&input, &rules));
    findings.extend(amount(&input, &rules));
    findings.extend(related(&input));
    findings.extend(too_few_quotes(&input, &rules));
    findings.extend(stale_quotes(&input, &rules));
    if let Some(invoice) = &input.invoice {
        findings.extend(invoice.findings(&input.earlier));
    }
    let ok = findings
        .iter()
        .all(|finding| finding.severity != Severity::Error);
    Ok(Verdict { ok, findings })
}

/// What no rule can be held against.
fn sound(request: &Request) -> Result<(), Error> {
    let currency = request.money.currency;
    amount_is_sound("/money", request.money, currency)?;
    if request.quotes.len() > QUOTES_MAX {
        return Err(Error::invalid_input(
            "/quotes",
            format!("has more than {QUOTES_MAX} entries"),
        ));
    }
    if request.earlier.len() > EARLIER_MAX {
        let problem = format!("has more than {EARLIER_MAX} entries");
        return Err(Error::invalid_input("/earlier", problem));
    }
    for (index, quote) in request.quotes.iter().enumerate() {
        amount_is_sound(&format!("/quotes/{index}/money"), quote.money, currency)?;
        not_in_future(&format!("/quotes/{index}/date"), quote.date, request.today)?;
    }
    match &request.invoice {
        Some(invoice) => invoice.sound(currency, request.today),
        None => Ok(()),
    }
}

fn amount_is_sound(field: &str, money: Money, currency: Currency) -> Result<(), Error> {
    if !(1..=MINOR_MAX).contains(&money.minor) {
        let problem = format!("must be between 1 and {MINOR_MAX}");
        return Err(Error::invalid_input(&format!("{field}/minor"), problem));
    }
    if money.currency != currency {
        let problem = "must be the currency of the request";
        return Err(Error::invalid_input(&format!("{field}/currency"), problem));
    }
    Ok(())
}

fn not_in_future(field: &str, date: Date, today: Date) -> Result<(), Error> {
    if date.days_after(today) > 0 {
        return Err(Error::invalid_input(field, "is after the day of the check"));
    }
    Ok(())
}

fn goal(request: &Request) -> Option<Finding> {
    (!request.goal_active).then(|| {
        Finding::error(
            Code::GoalNotActive,
            "the goal of the plan is not agreed and active",
        )
    })
}

fn category(request: &Request, rules: &Rules) -> Option<Finding> {
    rules.excludes(&request.category).then(|| {
        Finding::error(
            Code::ExcludedItem,
            "the agency pays for nothing of this category",
        )
    })
}

fn amount(request: &Request, rules: &Rules) -> Option<Finding> {
    (request.money.minor > rules.cap_minor)
        .then(|| Finding::error(Code::OverCap, "the amount is above the cap of one request"))
}

fn related(request: &Request) -> Option<Finding> {
    let related = request
        .supplier
        .as_ref()
        .is_some_and(|one| one.is_related_to_requester);
    related.then(|| {
        let message = "the supplier is related to a member of staff; somebody senior must know";
        Finding::warning(Code::RelatedParty, message)
    })
}

/// Two quotes of one supplier are one.
fn too_few_quotes(request: &Request, rules: &Rules) -> Option<Finding> {
    let mut suppliers: Vec<_> = request
        .quotes
        .iter()
        .map(|quote| quote.supplier.trim().to_lowercase())
        .collect();
    suppliers.sort_unstable();
    suppliers.dedup();
    let needed = rules.quotes_needed(request.money.minor);
    (suppliers.len() < needed).then(|| {
        let found = suppliers.len();
        let message = format!("this amount needs quotes of {needed} suppliers, {found} are given");
        Finding::error(Code::TooFewQuotes, message)
    })
}

fn stale_quotes(request: &Request, rules: &Rules) -> Option<Finding> {
    let stale = |quote: &&Quote| request.today.days_after(quote.date) > rules.quote_days_max;
    let count = request.quotes.iter().filter(stale).count();
    (count > 0).then(|| {
        let days = rules.quote_days_max;
        Finding::warning(
            Code::StaleQuote,
            format!("quotes older than {days} days: {count}"),
        )
    })
}

plugin!(check; config = Rules);
