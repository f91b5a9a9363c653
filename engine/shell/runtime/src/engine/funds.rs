//! `fund.reserve`, `fund.commit`, `fund.release`: decided by `casework::Fund` on the pending row,
//! and written in the batch of the instance that asked. The row's guard makes two decisions on the
//! same balance impossible.

use std::collections::BTreeMap;
use std::sync::Arc;

use casewright_casework::audit::Action;
use casewright_casework::fund::{Entry, Reserve};
use casewright_casework::{Code, Fund, Money, Principal, Refusal};
use casewright_language::Term;
use casewright_machine::{Call, CallError, ErrorKind};
use casewright_store::{Batch, Guard, Put, Table, Under};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::decisions;
use super::draft::{RunError, term};
use super::resident::Resident;
use super::shared::{Shared, not_found};
use super::{Engine, Refused};
use crate::record::{self, FundRow};
use crate::view::FundView;
use crate::{Deployment, key};

/// How long a booking that the store does not take waits for the next try.
const AGAIN_MS: i64 = 500;

/// Whether a call is decided in here, within the decision that asks for it.
pub(crate) fn is_booking(call: &Call) -> bool {
    call.function.starts_with("fund.") || decisions::asks_table(call)
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
                    draft.book(&call).map(Some)
                })
                .await;
            match booked {
                Err(RunError::Refused(Refused::Busy | Refused::DiskFull)) => {
                    let again = shared.parts.clock.now() + SignedDuration::from_millis(AGAIN_MS);
                    shared.parts.clock.wait_until(again).await;
                }
                Err(RunError::Refused(refused)) => {
                    tracing::error!(instance, %refused, "a booking could not be decided");
                    return;
                }
                Ok(()) | Err(RunError::Mismatch) => return,
            }
        }
    });
}

/// Funds touched by one decision, with the entries to be written.
#[derive(Default)]
pub(crate) struct Books(BTreeMap<String, OpenFund>);

struct OpenFund {
    row: FundRow,
    version: u64,
    entries: Vec<Entry>,
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
        call: &Call,
    ) -> Result<Result<Booked, CallError>, Refused> {
        let mut desk = Desk {
            books: self,
            shared,
            resident,
            at,
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

    pub(crate) fn write(self, agency: &str, batch: &mut Batch) {
        for (name, open) in self.0 {
            let key = key::join(&[agency, &name]);
            batch.guards.push(Guard::Row {
                table: Table::Fund,
                key: key.clone(),
                version: open.version,
            });
            let first = open.row.entries - open.entries.len() as u64;
            for (sequence, entry) in (first..).zip(&open.entries) {
                let mut key = key::prefix(&[agency, &name]);
                key.extend_from_slice(&sequence.to_be_bytes());
                batch.puts.push(put(Table::Ledger, key, entry, agency));
            }
            batch.puts.push(put(Table::Fund, key, &open.row, agency));
        }
    }
}

/// A decision about money for one call.
struct Desk<'a> {
    books: &'a mut Books,
    shared: &'a Shared,
    resident: &'a Resident,
    at: Timestamp,
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
        self.expire(&arguments.fund);
        let owner = owner(&self.resident.id, call);
        let request = Reserve {
            at: self.at,
            key: &call.key,
            owner: &owner,
            money: &arguments.money,
            expires,
        };
        let booked = self.book(&arguments.fund, |fund| fund.reserve(&request));
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
        let at = self.at;
        let Some(fund) = self.holding(&arguments.reservation)? else {
            return Ok(Err(unknown_reservation()));
        };
        let booked = self.book(&fund, |books| {
            books.commit(at, &arguments.reservation, &arguments.money)
        });
        Ok(booked.map(|balance| Booked {
            action: Action::FundCommitted,
            answer: json!({"reservation": arguments.reservation, "balance": balance}),
            fund,
            reservation: arguments.reservation,
        }))
    }

    fn release(&mut self, call: &Call) -> Decided {
        let arguments: ReleaseArguments = match arguments(call) {
            Ok(arguments) => arguments,
            Err(error) => return Ok(Err(error)),
        };
        let at = self.at;
        let Some(fund) = self.holding(&arguments.reservation)? else {
            return Ok(Err(unknown_reservation()));
        };
        let booked = self.book(&fund, |books| books.release(at, &arguments.reservation));
        Ok(booked.map(|balance| Booked {
            action: Action::FundReleased,
            answer: json!({"reservation": arguments.reservation, "balance": balance}),
            fund,
            reservation: arguments.reservation,
        }))
    }

    fn expiry(&self, written: Option<&str>) -> Result<Option<Timestamp>, CallError> {
        let Some(written) = written else {
            return Ok(None);
        };
        let length = Term::parse(written).map_err(invalid)?;
        let resident = self.resident;
        let calendar = resident.deployment.calendar_of(&resident.row.workflow);
        let due = calendar.due(self.at, term(length));
        due.map(Some).map_err(|refusal| business(&refusal))
    }

    /// Opens the fund's book if the agency has such a fund.
    fn known(&mut self, fund: &str) -> Result<bool, Refused> {
        if self.books.0.contains_key(fund) {
            return Ok(true);
        }
        let key = key::join(&[&self.resident.row.agency, fund]);
        let Some((row, version)) = self.shared.pending(Table::Fund, &key, "a fund")? else {
            return Ok(false);
        };
        let open = OpenFund {
            row,
            version,
            entries: Vec::new(),
        };
        self.books.0.insert(fund.to_owned(), open);
        Ok(true)
    }

    /// The fund in which this reservation is open. Only those of the same agency are looked at.
    fn holding(&mut self, reservation: &str) -> Result<Option<String>, Refused> {
        let deployment = &self.resident.deployment;
        for fund in deployment.pack.funds.keys() {
            let held = self.known(fund)?
                && self
                    .books
                    .0
                    .get(fund)
                    .is_some_and(|open| open.row.fund.reservation(reservation).is_some());
            if held {
                return Ok(Some(fund.clone()));
            }
        }
        Ok(None)
    }

    /// What has expired is free again at the next use of the fund.
    fn expire(&mut self, fund: &str) {
        if let Some(open) = self.books.0.get_mut(fund) {
            let (after, entries) = open.row.fund.expire(self.at);
            open.enter(after, entries);
        }
    }

    fn book(
        &mut self,
        fund: &str,
        decide: impl FnOnce(&Fund) -> Result<(Fund, Vec<Entry>), Refusal>,
    ) -> Result<Money, CallError> {
        let open = self.books.0.get_mut(fund);
        let open = open.ok_or_else(unknown_reservation)?;
        let (after, entries) = decide(&open.row.fund).map_err(|refusal| business(&refusal))?;
        open.enter(after, entries);
        Ok(Money {
            minor: open.row.fund.available(),
            currency: open.row.fund.currency.clone(),
        })
    }
}

impl OpenFund {
    fn enter(&mut self, after: Fund, entries: Vec<Entry>) {
        self.row.fund = after;
        self.row.entries += entries.len() as u64;
        self.entries.extend(entries);
    }
}

/// Whose reservation it is: a new run takes the place of the one before, but not of the one for
/// another item of a loop.
fn owner(instance: &str, call: &Call) -> String {
    let mut owner = format!("{instance}{}", call.delivery.reference);
    for round in &call.rounds {
        owner = format!("{owner}#{round}");
    }
    owner
}

fn put<T: serde::Serialize>(table: Table, key: Vec<u8>, row: &T, agency: &str) -> Put {
    Put {
        table,
        key,
        value: Some(record::encode(row)),
        under: Under::Agency(agency.to_owned()),
    }
}

fn arguments<T: serde::de::DeserializeOwned>(call: &Call) -> Result<T, CallError> {
    serde_json::from_value(call.input.clone()).map_err(|error| {
        let expected = match call.function.as_str() {
            "fund.reserve" => "fund, money {minor, currency} and perhaps expires",
            "fund.commit" => "reservation and money {minor, currency}",
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
fn business(refusal: &Refusal) -> CallError {
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
        "there is no such open reservation: it was used, released or has expired",
    ))
}

/// Funds of a pack that is put in force: made once, never reset; another allocation only where
/// what is spent and reserved still fits.
pub(crate) fn establish(
    shared: &Shared,
    deployment: &Deployment,
    batch: &mut Batch,
) -> Result<(), Refused> {
    let agency = &deployment.pack.namespace;
    for (name, wanted) in &deployment.pack.funds {
        let key = key::join(&[agency, name]);
        let allocated = Money {
            minor: wanted.allocated_minor,
            currency: wanted.currency.clone(),
        };
        let found = shared.pending::<FundRow>(Table::Fund, &key, "a fund")?;
        let version = found.as_ref().map_or(0, |(_, version)| *version);
        let row = match found {
            None => FundRow {
                fund: Fund::new(name, &wanted.title, &allocated).map_err(|no| of_fund(name, no))?,
                entries: 0,
            },
            Some((row, _)) => {
                let mut fund = row
                    .fund
                    .reallocate(&allocated)
                    .map_err(|no| of_fund(name, no))?;
                fund.title.clone_from(&wanted.title);
                if fund == row.fund {
                    continue;
                }
                FundRow { fund, ..row }
            }
        };
        batch.guards.push(Guard::Row {
            table: Table::Fund,
            key: key.clone(),
            version,
        });
        batch.puts.push(put(Table::Fund, key, &row, agency));
    }
    Ok(())
}

fn of_fund(name: &str, refusal: Refusal) -> Refused {
    Refused::Rule(Refusal {
        message: format!("fund {name}: {}", refusal.message),
        ..refusal
    })
}

impl Engine {
    /// Funds of the agency's pack in force, by name.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn funds(&self, who: &Principal) -> Result<Vec<FundView>, Refused> {
        let shared = &self.shared;
        let deployment = shared.in_force(&who.agency).ok_or_else(not_found)?;
        let now = shared.now();
        let mut funds = Vec::new();
        for name in deployment.pack.funds.keys() {
            let key = key::join(&[&who.agency, name]);
            if let Some(row) = shared.read::<FundRow>(Table::Fund, &key, "a fund")? {
                funds.push(view(row.fund.expire(now).0));
            }
        }
        Ok(funds)
    }
}

fn view(fund: Fund) -> FundView {
    FundView {
        allocated_minor: fund.allocated(),
        committed_minor: fund.committed(),
        reserved_minor: fund.reserved(),
        available_minor: fund.available(),
        name: fund.name,
        title: fund.title,
        currency: fund.currency,
    }
}
