//! Funds of an agency outside of any run: made and changed with its pack, looked at by people, and
//! by the timer that ends what has expired.

use std::sync::Arc;

use casewright_casework::fund::Days;
use casewright_casework::{Fund, Money, Principal, Refusal};
use casewright_language::pack;
use casewright_store::{Batch, SubmitError, Table};

use super::books::{OpenFund, of_owner, timer_row};
use crate::engine::alarms::Moved;
use crate::engine::shared::{Shared, not_found, refused};
use crate::engine::timers::Due;
use crate::engine::{Engine, Refused};
use crate::record::FundRow;
use crate::view::FundView;
use crate::{Deployment, key};

/// Funds of a pack that is put in force: made once, never reset; another allocation only where
/// what is spent and reserved still fits.
pub(crate) fn establish(
    shared: &Shared,
    deployment: &Deployment,
    batch: &mut Batch,
) -> Result<Vec<Moved>, Refused> {
    let agency = &deployment.pack.namespace;
    let now = shared.now();
    // The pack that is put in force says where its days begin.
    let zone = deployment.calendar().zone();
    let mut moved = Vec::new();
    for (name, wanted) in &deployment.pack.funds {
        let allocated = Money {
            minor: wanted.allocated_minor,
            currency: wanted.currency.clone(),
        };
        let of_fund = |no| of_fund(name, no);
        let Some(mut open) = OpenFund::read(shared, agency, name)? else {
            let fund = Fund::new(name, &wanted.title, &allocated).map_err(of_fund)?;
            let fund = fund.on_days(&days(wanted), zone);
            let opening = fund.opening(now);
            moved.extend(OpenFund::new(agency, fund, opening).write(batch));
            continue;
        };
        let booked = open.row.fund.reallocate(now, &allocated);
        let (mut fund, entries) = booked.map_err(of_fund)?;
        fund.title.clone_from(&wanted.title);
        fund = fund.on_days(&days(wanted), zone);
        // Reservations of an earlier engine have no timer yet.
        if fund == open.row.fund && open.timed() {
            continue;
        }
        open.enter(shared, (fund, entries), None)?;
        moved.extend(open.write(batch));
    }
    Ok(moved)
}

/// What the reader of packs has found to be days.
fn days(wanted: &pack::Fund) -> Days {
    let day = |written: &Option<String>| written.as_ref().and_then(|day| day.parse().ok());
    Days {
        from: day(&wanted.from),
        until: day(&wanted.until),
        settle_until: day(&wanted.settle_until),
    }
}

fn of_fund(name: &str, refusal: Refusal) -> Refused {
    Refused::Rule(Refusal {
        message: format!("fund {name}: {}", refusal.message),
        ..refusal
    })
}

impl Shared {
    /// The timer of a fund has come: what has expired is given back in one batch with the next
    /// timer. One that is no longer wanted only loses its row.
    pub(crate) fn expire_reservations(self: &Arc<Self>, due: &Due) -> Result<(), Refused> {
        let (at, owner, _) = due;
        let (agency, name) = of_owner(owner).ok_or_else(not_found)?;
        for _ in 0..self.limits.tries_max {
            let mut batch = Batch::default();
            let open = OpenFund::read(self, agency, name)?;
            let meant = open.filter(|open| open.row.timer == Some(*at));
            let moved = if let Some(mut open) = meant {
                open.expire(self, self.now())?;
                open.write(&mut batch)
            } else {
                batch.puts.push(timer_row(agency, *at, owner, None));
                None
            };
            match self.submit(batch) {
                Ok(ticket) => {
                    let (shared, owner) = (Arc::clone(self), owner.clone());
                    let going = self.under_way.begin();
                    tokio::spawn(async move {
                        if ticket.flushed().await.is_err() {
                            tracing::warn!(owner, "what expired is not on disk");
                        } else if let Some(moved) = moved {
                            shared.timers.move_alarm(&moved);
                        }
                        shared.changed();
                        drop(going);
                    });
                    return Ok(());
                }
                Err(SubmitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }
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

pub(super) fn view(fund: Fund) -> FundView {
    FundView {
        allocated_minor: fund.allocated(),
        committed_minor: fund.committed(),
        reserved_minor: fund.reserved(),
        available_minor: fund.available(),
        days: fund.days().clone(),
        at: None,
        name: fund.name,
        title: fund.title,
        currency: fund.currency,
    }
}
