//! The report of outcomes: how episodes ended, counted from rows that hold no case's content, so
//! that a case that was erased still counts.

use std::collections::BTreeMap;

use casewright_casework::outcomes::{Ended, Outcomes};
use casewright_casework::{Code, Principal, Refusal};
use casewright_store::Table;
use jiff::civil::Date;

use super::shared::{Shared, unreadable};
use super::{Engine, Refused};
use crate::{key, record};

/// Rows read at once.
const ROWS_MAX: usize = 1_000;

/// The figures, with the titles of their reasons.
#[derive(Debug, Clone)]
pub struct OutcomesView {
    pub outcomes: Outcomes,
    /// Of the reasons that the pack in force has.
    pub titles: BTreeMap<String, String>,
}

impl Engine {
    /// How episodes ended that were closed on these days, the last one included. For those who
    /// administer, and for roles with `reports: true`.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn outcomes(
        &self,
        who: &Principal,
        from: Date,
        to: Date,
    ) -> Result<OutcomesView, Refused> {
        if !self.reports(who) {
            return Err(Refused::Rule(Refusal::new(
                Code::NotAssigned,
                "none of your roles sees the agency's reports",
            )));
        }
        if from > to {
            return Err(Refused::Invalid {
                code: "invalid-input",
                status: 422,
                message: "`from` is a day before `to`, or the same".to_owned(),
            });
        }
        let in_force = self.shared.in_force(&who.agency);
        let titles = in_force.map(|found| {
            let reasons = found.pack.closing_reasons.iter();
            reasons
                .map(|(name, reason)| (name.clone(), reason.title.clone()))
                .collect()
        });
        Ok(OutcomesView {
            outcomes: self.shared.outcomes(&who.agency, from, to)?,
            titles: titles.unwrap_or_default(),
        })
    }

    /// Whether they may see the agency's reports.
    pub fn reports(&self, who: &Principal) -> bool {
        let in_force = self.shared.in_force(&who.agency);
        let held = in_force.is_some_and(|found| {
            let mut roles = found.pack.roles.iter();
            roles.any(|(name, role)| role.reports && who.holds(name))
        });
        held || self.administers(who)
    }
}

impl Shared {
    fn outcomes(&self, agency: &str, from: Date, to: Date) -> Result<Outcomes, Refused> {
        let mut outcomes = Outcomes::new(from, to);
        let mut start = key::prefix(&[agency, &from.to_string()]);
        let end = key::after(&key::prefix(&[agency, &to.to_string()]));
        loop {
            let rows = self
                .parts
                .store
                .scan(Table::Episode, &start, &end, ROWS_MAX);
            let rows = rows.map_err(unreadable)?;
            for (_, row) in &rows {
                outcomes.count(record::decode::<Ended>("how an episode ended", &row.value)?);
            }
            match rows.last() {
                Some((last, _)) if rows.len() == ROWS_MAX => {
                    start.clone_from(last);
                    start.push(0);
                }
                Some(_) | None => return Ok(outcomes),
            }
        }
    }
}
