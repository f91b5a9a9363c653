//! Funds: what is left in each, the entries that bear it out, and the form that takes a payment
//! back.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use casewright_casework::Money;
use casewright_casework::fund::{Days, EntryKind};
use casewright_language::form::typed_amount;
use casewright_runtime::Engine;
use casewright_runtime::engine::Correction;
use casewright_runtime::view::{FundEntryView, FundView};
use jiff::civil::Date;
use serde::Deserialize;

use crate::console::address::{Lenient, encoded};
use crate::console::chrome::{Chrome, Place, page};
use crate::console::failure::{Explanation, explain};
use crate::console::keys::request_key;
use crate::console::member::{Member, Submission};
use crate::console::money;
use crate::console::notice::Notice;
use crate::console::when::{Wall, civil};
use crate::problem::Problem;

/// Entries of a page.
const ENTRIES: usize = 50;

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct FundQuery {
    /// A day at whose end it is shown.
    at: Option<String>,
    cursor: Option<String>,
    done: Option<String>,
}

#[derive(Template)]
#[template(path = "funds.html")]
struct ListPage {
    chrome: Chrome,
    funds: Vec<Held>,
}

#[derive(Template)]
#[template(path = "fund.html")]
struct FundPage {
    chrome: Chrome,
    fund: Held,
    /// As it was typed.
    day: String,
    /// The day at whose end it was so.
    as_of: Option<String>,
    errors: Vec<(String, String)>,
    entries: Vec<Line>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "fund_entry.html")]
struct EntryPage {
    chrome: Chrome,
    fund: Held,
    line: Line,
    run: Option<String>,
    /// Who took it back.
    by: Option<String>,
    /// Of a payment: what of it still stands.
    standing: Option<String>,
    form: Option<Form>,
    errors: Vec<(String, String)>,
    refusal: Option<Explanation>,
}

/// What is to be taken back, as it was typed.
struct Form {
    key: String,
    symbol: String,
    amount: String,
    reason: String,
    revision: u64,
}

/// A fund in words.
struct Held {
    name: String,
    title: String,
    allocated: String,
    reserved: String,
    spent: String,
    left: String,
    days: String,
}

/// An entry in words.
struct Line {
    number: u64,
    at: String,
    what: String,
    amount: String,
    left: String,
    case: Option<(String, String)>,
    reason: Option<String>,
    /// The entry that it takes back.
    reverses: Option<u64>,
}

pub(crate) async fn list(
    State(engine): State<Engine>,
    member: Member,
) -> Result<Response, Problem> {
    let funds = engine.funds(&member.principal).await?;
    let body = ListPage {
        chrome: Chrome::new(&member, Place::Funds, "Funds"),
        funds: funds.iter().map(held).collect(),
    };
    Ok(page(StatusCode::OK, &body))
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Path(name): Path<String>,
    Lenient(query): Lenient<FundQuery>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let typed = query.at.unwrap_or_default();
    let typed = typed.trim();
    let mut errors = Vec::new();
    let at = typed.parse::<Date>().ok();
    if at.is_none() && !typed.is_empty() {
        let sentence = "Enter a day as year-month-day, like 2026-09-30";
        errors.push(("at".to_owned(), sentence.to_owned()));
    }
    let fund = engine.fund(who, &name, at).await?;
    let entries = engine.fund_entries(who, &name, query.cursor, Some(ENTRIES));
    let entries = entries.await?;
    let wall = Wall::new(engine.zone(who), engine.now());
    let chrome = Chrome::new(&member, Place::Funds, fund.title.clone());
    let body = FundPage {
        chrome: chrome
            .notice(Notice::text_of(query.done.as_deref()))
            .faulty(!errors.is_empty()),
        fund: held(&fund),
        day: typed.to_owned(),
        as_of: fund.at.map(civil),
        errors,
        entries: entries.items.iter().map(|one| line(&wall, one)).collect(),
        next: entries
            .next
            .map(|cursor| format!("/funds/{}?cursor={}", encoded(&name), encoded(&cursor))),
    };
    Ok(page(StatusCode::OK, &body))
}

pub(crate) async fn entry(
    State(engine): State<Engine>,
    member: Member,
    Path((name, number)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let number = number.parse().map_err(|_| Problem::not_found())?;
    draw(&engine, &member, (name, number), None).await
}

pub(crate) async fn reverse(
    State(engine): State<Engine>,
    Path((name, number)): Path<(String, String)>,
    submission: Submission,
) -> Result<Response, Problem> {
    let number: u64 = number.parse().map_err(|_| Problem::not_found())?;
    let text = |field| submission.value(field).unwrap_or_default().to_owned();
    let (amount, reason) = (text("amount"), text("reason"));
    let (member, who) = (&submission.member, &submission.member.principal);
    let currency = engine.fund(who, &name, None).await?.currency;
    let mut errors = Vec::new();
    let minor = typed_amount(&amount, &currency);
    if minor.is_none() {
        let sentence = "Enter an amount of money, like 1,300.00";
        errors.push(("amount".to_owned(), sentence.to_owned()));
    }
    if reason.trim().is_empty() {
        let sentence = "Say why the payment is taken back";
        errors.push(("reason".to_owned(), sentence.to_owned()));
    }
    let again = |errors, problem| Again {
        amount: amount.clone(),
        reason: reason.clone(),
        errors,
        problem,
    };
    let Some(minor) = minor.filter(|_| errors.is_empty()) else {
        let again = again(errors, None);
        return draw(&engine, member, (name, number), Some(again)).await;
    };
    let correction = Correction {
        money: Money::new(minor, &currency),
        reason: reason.clone(),
        revision: submission
            .value("revision")
            .and_then(|text| text.parse().ok()),
    };
    let key = submission.key.clone();
    match engine.reverse(who, &name, number, correction, key).await {
        Ok(_) => {
            let word = Notice::Reversed.word();
            let address = format!("/funds/{}?done={word}#entries", encoded(&name));
            Ok(Redirect::to(&address).into_response())
        }
        Err(refused) => {
            let again = again(Vec::new(), Some(Problem::from(refused)));
            draw(&engine, member, (name, number), Some(again)).await
        }
    }
}

/// The form once more, with what stands against it.
struct Again {
    amount: String,
    reason: String,
    errors: Vec<(String, String)>,
    problem: Option<Problem>,
}

async fn draw(
    engine: &Engine,
    member: &Member,
    (name, number): (String, u64),
    again: Option<Again>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let fund = engine.fund(who, &name, None).await?;
    let entry = engine.fund_entry(who, &name, number).await?;
    let wall = Wall::new(engine.zone(who), engine.now());
    let written = |minor| money::written(minor, &entry.currency);
    let standing = entry.standing.as_ref();
    let open = standing.filter(|payment| payment.minor > 0 && engine.reverses(who));
    let faulty = again.is_some();
    let (typed, errors, problem) = match again {
        Some(again) => (
            Some((again.amount, again.reason)),
            again.errors,
            again.problem,
        ),
        None => (None, Vec::new(), None),
    };
    let form = open.map(|payment| {
        let all = money::plain(payment.minor.unsigned_abs(), &entry.currency);
        let (amount, reason) = typed.unwrap_or((all, String::new()));
        Form {
            key: request_key(),
            symbol: money::symbol(&entry.currency).trim().to_owned(),
            amount,
            reason,
            revision: payment.revision,
        }
    });
    let status = match (&problem, faulty) {
        (Some(problem), _) => problem.status(),
        (None, true) => StatusCode::UNPROCESSABLE_ENTITY,
        (None, false) => StatusCode::OK,
    };
    let title = format!("Entry {number} of {}", fund.title);
    let body = EntryPage {
        chrome: Chrome::new(member, Place::Funds, title).faulty(faulty),
        fund: held(&fund),
        line: line(&wall, &entry),
        run: entry.run.clone(),
        by: entry.by.as_ref().map(|id| {
            let name = engine.staff_name(who, id);
            name.unwrap_or_else(|| id.clone())
        }),
        standing: standing.map(|payment| written(payment.minor)),
        form,
        errors,
        refusal: problem.map(|problem| explain(problem.code(), problem.detail())),
    };
    Ok(page(status, &body))
}

fn held(fund: &FundView) -> Held {
    let written = |minor| money::written(minor, &fund.currency);
    Held {
        name: fund.name.clone(),
        title: fund.title.clone(),
        allocated: written(fund.allocated_minor),
        reserved: written(fund.reserved_minor),
        spent: written(fund.committed_minor),
        left: written(fund.available_minor),
        days: days(&fund.days),
    }
}

fn days(days: &Days) -> String {
    let span = match (days.from, days.until) {
        (None, None) => return "Always".to_owned(),
        (Some(from), None) => format!("From {}", civil(from)),
        (None, Some(until)) => format!("Until {}", civil(until)),
        (Some(from), Some(until)) => format!("{} to {}", civil(from), civil(until)),
    };
    let settle = days.settle_until;
    let settle = settle.map(|day| format!(", paid until {}", civil(day)));
    span + &settle.unwrap_or_default()
}

fn line(wall: &Wall, entry: &FundEntryView) -> Line {
    let written = |minor| money::written(minor, &entry.currency);
    Line {
        number: entry.number,
        at: wall.moment(entry.at),
        what: what(entry.kind).to_owned(),
        amount: written(entry.minor),
        left: written(entry.available_after_minor),
        case: entry.case.clone().zip(entry.case_number.clone()),
        reason: entry.reason.clone(),
        reverses: entry.reverses,
    }
}

const fn what(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Allocate => "Given to the fund",
        EntryKind::Reduce => "Taken out of the fund",
        EntryKind::Reserve => "Set aside",
        EntryKind::Commit => "Paid",
        EntryKind::Release => "Given back",
        EntryKind::Expire => "Given back, as its time was over",
        EntryKind::Reverse => "Payment taken back",
    }
}
