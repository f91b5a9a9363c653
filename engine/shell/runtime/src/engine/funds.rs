//! `fund.reserve`, `fund.commit`, `fund.release`: decided by `casework::Fund` on the pending row,
//! and written in the batch of the instance that asked. The row's guard makes two decisions on the
//! same balance impossible.
//!
//! How a fund lies in the store is in `books.rs`, what concerns no run in `standing.rs`.

mod books;
mod check;
mod invoices;
mod reading;
mod reversal;
mod standing;

use std::collections::BTreeMap;
use std::sync::Arc;

use casewright_casework::audit::Action;
use casewright_casework::fund::invoice::{Invoice, Settled};
use casewright_casework::fund::{Close, Entry, Kept, Reserve};
use casewright_casework::{Calendar, Case, Code, Fund, Money, Refusal};
use casewright_language::Term;
use casewright_machine::{Call, CallError, ErrorKind};
use casewright_store::{Batch, Table};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use self::books::OpenFund;
use self::invoices::Invoices;
use super::alarms::Moved;
use super::draft::{RunError, owner, term};
use super::resident::Resident;
use super::shared::Shared;
use super::{Refused, decisions, episodes, plans};

pub(crate) use self::books::of_owner;
pub use self::check::{Unbalanced, unbalanced};
pub use self::reversal::Correction;
pub(crate) use self::standing::establish;

/// How long a booking that the store does not take waits for the next try.
const AGAIN_MS: i64 = 500;

/// Whether a call is decided in here, within the decision that asks for it.
pub(crate) fn is_booking(call: &Call) -> bool {
    call.function.starts_with("fund.")
        || decisions::asks_table(call)
        || plans::PlanStep::of(call).is_some()
        || episodes::closes_case(call)
}

/// What a call would take from a fund: of which reservation, and how much.
pub(crate) fn committed(call: &Call) -> Option<(String, Money)> {
    let commits = call.function == "fund.commit";
    let arguments: CommitArguments = commits.then(|| arguments(call).ok()).flatten()?;
    Some((arguments.reservation, arguments.money))
}

/// A booking beyond what one decision does: the next begins with it. It lives in the instance until
/// then, so nothing here need survive a crash.
pub(crate) fn book_later(shared: &Arc<Shared>, instance: &str, call: Call) {
    let (shared, instance) = (Arc::clone(shared), instance.to_owned());
    let going = shared.under_way.begin();
    tokio::spawn(async move {
        let _going = going;
        while !shared.stopping() {
            let booked = shared
                .deliver(&instance, |draft| {
                    if !draft.instance().awaits(&call.delivery) {
                        return Ok(None);
                    }
                    draft.book(&call)
                })
                .await;
            match booked {
                Err(RunError::Refused(Refused::Busy | Refused::DiskFull)) => {
                    let again = shared.parts.clock.now() + SignedDuration::from_millis(AGAIN_MS);
                    shared.parts.clock.wait_until(again).await;
                }
                Err(RunError::Refused(refused)) => {
                    tracing::error!(
                        instance,
                        refused = refused.in_log(),
                        "a booking could not be decided"
                    );
                    return;
                }
                Ok(()) | Err(RunError::Mismatch) => return,
            }
        }
    });
}

/// Funds touched by one decision, with the entries to be written.
#[derive(Default)]
pub(crate) struct Books {
    funds: BTreeMap<String, OpenFund>,
    invoices: Invoices,
}

/// A booking that went through.
pub(crate) struct Booked {
    pub(crate) action: Action,
    pub(crate) fund: String,
    pub(crate) reservation: String,
    pub(crate) answer: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReserveArguments {
    fund: String,
    money: Money,
    #[serde(default)]
    expires: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitArguments {
    reservation: String,
    money: Money,
    #[serde(default)]
    invoice: Option<InvoiceArgument>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InvoiceArgument {
    supplier: String,
    number: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseArguments {
    reservation: String,
}

impl Books {
    /// The outer error is trouble with the store; the inner one reaches the workflow.
    pub(crate) fn decide(
        &mut self,
        shared: &Shared,
        resident: &Resident,
        at: Timestamp,
        calendar: Option<&Calendar>,
        call: &Call,
    ) -> Result<Result<Booked, CallError>, Refused> {
        let mut desk = Desk {
            books: self,
            shared,
            resident,
            at,
            calendar,
            zone: shared.zone_of(&resident.row.agency),
        };
        match call.function.as_str() {
            "fund.reserve" => desk.reserve(call),
            "fund.commit" => desk.commit(call),
            "fund.release" => desk.release(call),
            other => Ok(Err(permanent(
                "unknown-function",
                404,
                format!("there is no function {other}; funds know reserve, commit and release"),
            ))),
        }
    }

    /// What is set aside in a fund, and by which task of which run. The fund stays as it is until
    /// the decision is on disk.
    pub(crate) fn held(
        &mut self,
        shared: &Shared,
        agency: &str,
        fund: &str,
    ) -> Result<Vec<(String, String)>, Refused> {
        if !self.funds.contains_key(fund) {
            let Some(open) = OpenFund::read(shared, agency, fund)? else {
                return Ok(Vec::new());
            };
            self.funds.insert(fund.to_owned(), open);
        }
        let open = self.funds.get(fund).into_iter();
        let held = open.flat_map(|open| open.row.fund.reservations());
        Ok(held
            .map(|one| (one.id.clone(), one.owner.clone()))
            .collect())
    }

    /// How the timers of the funds move with it.
    pub(crate) fn write(self, agency: &str, batch: &mut Batch) -> Vec<Moved> {
        self.invoices.write(agency, batch);
        let funds = self.funds.into_values();
        funds.filter_map(|open| open.write(batch)).collect()
    }
}

/// A decision about money for one call.
struct Desk<'a> {
    books: &'a mut Books,
    shared: &'a Shared,
    resident: &'a Resident,
    at: Timestamp,
    /// Counts until when a reservation stands, where the call says so.
    calendar: Option<&'a Calendar>,
    /// Of the agency, whose days a fund has.
    zone: TimeZone,
}

type Decided = Result<Result<Booked, CallError>, Refused>;

impl Desk<'_> {
    fn reserve(&mut self, call: &Call) -> Decided {
        let arguments: ReserveArguments = match arguments(call) {
            Ok(arguments) => arguments,
            Err(error) => return Ok(Err(error)),
        };
        let expires = match self.expiry(arguments.expires.as_deref()) {
            Ok(expires) => expires,
            Err(error) => return Ok(Err(error)),
        };
        if !self.known(&arguments.fund)? {
            let sentence = format!("there is no fund {}", arguments.fund);
            return Ok(Err(business(&Refusal::new(Code::UnknownFund, sentence))));
        }
        self.expire(&arguments.fund)?;
        let owner = owner(&self.resident.id, &call.delivery.reference, &call.rounds);
        let zone = self.zone.clone();
        let request = Reserve {
            at: self.at,
            zone: &zone,
            key: &call.key,
            owner: &owner,
            money: &arguments.money,
            expires,
        };
        let booked = self.book(&arguments.fund, &call.key, call, |fund, kept| {
            fund.reserve(&request, kept)
        })?;
        Ok(booked.map(|balance| Booked {
            action: Action::FundReserved,
            answer: json!({"reservation": call.key, "balance": balance}),
            fund: arguments.fund,
            reservation: call.key.clone(),
        }))
    }

    fn commit(&mut self, call: &Call) -> Decided {
        let arguments: CommitArguments = match arguments(call) {
            Ok(arguments) => arguments,
            Err(error) => return Ok(Err(error)),
        };
        let Some(fund) = self.holding(&arguments.reservation)? else {
            return Ok(Err(unknown_reservation()));
        };
        let settling = match self.settling(&arguments)? {
            Ok(settling) => settling,
            Err(refusal) => return Ok(Err(business(&refusal))),
        };
        let (id, zone) = (&arguments.reservation, self.zone.clone());
        let close = self.close(call, id, &zone);
        let booked = self.book(&fund, id, call, |fund, kept| {
            fund.commit(&close, &arguments.money, kept)
        })?;
        if let (Ok(_), Some(tag)) = (&booked, settling) {
            let by = Settled {
                fund: fund.clone(),
                reservation: id.clone(),
                case: self.resident.row.case.clone(),
            };
            self.books.invoices.settle(&tag, by);
            if let Some(open) = self.books.funds.get_mut(&fund) {
                open.settled(id, &tag);
            }
        }
        Ok(booked.map(|balance| Booked {
            action: Action::FundCommitted,
            answer: json!({"reservation": arguments.reservation, "balance": balance}),
            fund,
            reservation: arguments.reservation,
        }))
    }

    /// Under what the invoice is kept that is to be paid; refused where it was paid before.
    fn settling(
        &mut self,
        arguments: &CommitArguments,
    ) -> Result<Result<Option<String>, Refusal>, Refused> {
        let Some(named) = &arguments.invoice else {
            return Ok(Ok(None));
        };
        let invoice = match Invoice::new(&named.supplier, &named.number) {
            Ok(invoice) => invoice,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let row = &self.resident.row;
        let invoices = &mut self.books.invoices;
        let (tag, before) = invoices.find(self.shared, &row.agency, &invoice, &arguments.money)?;
        let Some(before) = before else {
            return Ok(Ok(Some(tag)));
        };
        let case = self
            .shared
            .read::<Case>(Table::Case, row.case.as_bytes(), "a case")?;
        let number = case.map(|case| case.number).unwrap_or_default();
        let admitted = before.admits(&arguments.reservation, &row.case, &number);
        Ok(admitted.map(|()| Some(tag)))
    }

    fn release(&mut self, call: &Call) -> Decided {
        let arguments: ReleaseArguments = match arguments(call) {
            Ok(arguments) => arguments,
            Err(error) => return Ok(Err(error)),
        };
        let Some(fund) = self.holding(&arguments.reservation)? else {
            return Ok(Err(unknown_reservation()));
        };
        let (id, zone) = (&arguments.reservation, self.zone.clone());
        let close = self.close(call, id, &zone);
        let booked = self.book(&fund, id, call, |fund, kept| fund.release(&close, kept))?;
        Ok(booked.map(|balance| Booked {
            action: Action::FundReleased,
            answer: json!({"reservation": arguments.reservation, "balance": balance}),
            fund,
            reservation: arguments.reservation,
        }))
    }

    fn expiry(&self, written: Option<&str>) -> Result<Option<Timestamp>, CallError> {
        let (Some(written), Some(calendar)) = (written, self.calendar) else {
            return Ok(None);
        };
        let length = Term::parse(written).map_err(invalid)?;
        let due = calendar.due(self.at, term(length));
        due.map(Some).map_err(|refusal| business(&refusal))
    }

    fn close<'a>(&self, call: &'a Call, reservation: &'a str, zone: &'a TimeZone) -> Close<'a> {
        Close {
            at: self.at,
            zone,
            key: &call.key,
            reservation,
        }
    }

    /// Opens the fund's book if the agency has such a fund.
    fn known(&mut self, fund: &str) -> Result<bool, Refused> {
        if self.books.funds.contains_key(fund) {
            return Ok(true);
        }
        let Some(open) = OpenFund::read(self.shared, &self.resident.row.agency, fund)? else {
            return Ok(false);
        };
        self.books.funds.insert(fund.to_owned(), open);
        Ok(true)
    }

    /// The fund of this reservation, open or not, within the agency.
    fn holding(&mut self, reservation: &str) -> Result<Option<String>, Refused> {
        let holds = |open: &OpenFund| open.holds(reservation);
        let of_decision = self.books.funds.iter().find(|(_, open)| holds(open));
        if let Some((fund, _)) = of_decision {
            return Ok(Some(fund.clone()));
        }
        let agency = &self.resident.row.agency;
        if let Some(kept) = books::kept(self.shared, agency, reservation)? {
            return Ok(self.known(&kept.fund)?.then_some(kept.fund));
        }
        // What an earlier engine reserved is found in its fund alone.
        for fund in self.resident.deployment.pack.funds.keys() {
            if self.known(fund)? && self.books.funds.get(fund).is_some_and(holds) {
                return Ok(Some(fund.clone()));
            }
        }
        Ok(None)
    }

    /// What has expired is free again at the next use of the fund, should its timer be late.
    fn expire(&mut self, fund: &str) -> Result<(), Refused> {
        match self.books.funds.get_mut(fund) {
            Some(open) => open.expire(self.shared, self.at),
            None => Ok(()),
        }
    }

    fn book(
        &mut self,
        fund: &str,
        reservation: &str,
        call: &Call,
        decide: impl FnOnce(&Fund, Option<&Kept>) -> Result<(Fund, Vec<Entry>), Refusal>,
    ) -> Result<Result<Money, CallError>, Refused> {
        let Some(open) = self.books.funds.get_mut(fund) else {
            return Ok(Err(unknown_reservation()));
        };
        let kept = open.kept(self.shared, reservation)?;
        let booked = match decide(&open.row.fund, kept.as_ref()) {
            Ok(booked) => booked,
            Err(refusal) => return Ok(Err(business(&refusal))),
        };
        let asked = books::Asked {
            key: &call.key,
            run: &self.resident.id,
            case: &self.resident.row.case,
        };
        open.enter(self.shared, booked, Some(asked))?;
        Ok(Ok(Money {
            minor: open.row.fund.available(),
            currency: open.row.fund.currency.clone(),
        }))
    }
}

fn arguments<T: serde::de::DeserializeOwned>(call: &Call) -> Result<T, CallError> {
    serde_json::from_value(call.input.clone()).map_err(|error| {
        let expected = match call.function.as_str() {
            "fund.reserve" => "fund, money {minor, currency} and perhaps expires",
            "fund.commit" => {
                "reservation, money {minor, currency} and perhaps invoice {supplier, number}"
            }
            _ => "reservation",
        };
        invalid(format!("{} takes {expected}: {error}", call.function))
    })
}

fn invalid(message: String) -> CallError {
    permanent("invalid-arguments", 400, message)
}

pub(crate) fn permanent(code: &str, status: i64, message: String) -> CallError {
    CallError {
        kind: ErrorKind::Permanent,
        code: code.to_owned(),
        status,
        message,
        details: None,
        retry_after_ms: None,
    }
}

/// A rule said no: the workflow may branch on it.
pub(crate) fn business(refusal: &Refusal) -> CallError {
    CallError {
        kind: ErrorKind::Business,
        code: refusal.code.as_str().to_owned(),
        status: i64::from(refusal.code.status()),
        message: refusal.message.clone(),
        details: None,
        retry_after_ms: None,
    }
}

fn unknown_reservation() -> CallError {
    business(&Refusal::new(
        Code::UnknownReservation,
        "there is no such reservation: what `fund.reserve` gave back names it",
    ))
}
