//! Files whose time is over, and those that were erased, page by page. A page costs what its lines
//! cost, whatever there is besides.

use casewright_casework::retention::{Erased, Obstacle};
use casewright_casework::{Case, Principal};
use casewright_store::{Batch, Guard, Put, Table, Under};
use jiff::ToSpan;

use super::{DueView, ErasedView, ObstacleView, rows};
use crate::engine::shared::{Shared, of_agency, unreadable};
use crate::engine::work_lists::{after_cursor, cursor};
use crate::engine::{Engine, Refused};
use crate::view::Page;
use crate::{key, record};

/// Lines of a page: for each file that is due its runs and tasks are looked at.
const PAGE: usize = 20;

/// Cases looked at in one batch when closed ones are listed for the first time.
const LISTED_PAGE: usize = 256;

impl Engine {
    /// Closed cases whose time is over, or of which nobody can say it, the longest over first; for
    /// those who keep or erase files. A page may be short: what a pack keeps longer by now is left
    /// out.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn files_due(
        &self,
        who: &Principal,
        at: Option<String>,
    ) -> Result<Page<DueView>, Refused> {
        let shared = &self.shared;
        shared.keeps_files(who)?;
        let today = shared.today(&who.agency);
        let prefix = key::prefix(&[rows::DUE, &who.agency]);
        let start = after_cursor(&prefix, at.as_deref())?;
        let tomorrow = today.saturating_add(1.day()).to_string();
        let end = [prefix.as_slice(), tomorrow.as_bytes()].concat();
        let lines = shared.parts.store.scan(Table::Index, &start, &end, PAGE);
        let lines = lines.map_err(unreadable)?;
        let mut items = Vec::new();
        for (key, _) in &lines {
            let place = key.rsplit(|byte| *byte == 0).next().unwrap_or_default();
            let case = String::from_utf8_lossy(place).into_owned();
            match shared.seen_case(who, &case) {
                Ok(case) => items.extend(shared.due_view(who, case)?),
                Err(Refused::Rule(_)) => {}
                Err(refused) => return Err(refused),
            }
        }
        Ok(page(items, &prefix, &lines))
    }

    /// What stays of the agency's erased cases, latest first; for the same people.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn files_erased(
        &self,
        who: &Principal,
        at: Option<String>,
    ) -> Result<Page<ErasedView>, Refused> {
        let shared = &self.shared;
        shared.keeps_files(who)?;
        let prefix = key::prefix(&[&who.agency]);
        let start = after_cursor(&prefix, at.as_deref())?;
        let end = key::after(&prefix);
        let lines = shared.parts.store.scan(Table::Erased, &start, &end, PAGE);
        let lines = lines.map_err(unreadable)?;
        let mut items = Vec::new();
        for (_, row) in &lines {
            let erased: Erased = record::decode(rows::WHAT, &row.value)?;
            items.push(shared.erased_view(who, erased)?);
        }
        Ok(page(items, &prefix, &lines))
    }
}

fn page<T, R>(items: Vec<T>, prefix: &[u8], lines: &[(Vec<u8>, R)]) -> Page<T> {
    let last = lines.last().filter(|_| lines.len() == PAGE);
    let next = last.map(|(key, _)| cursor(&key[prefix.len()..]));
    Page { items, next }
}

impl Shared {
    /// `None` for one that is kept longer by now.
    fn due_view(&self, who: &Principal, case: Case) -> Result<Option<DueView>, Refused> {
        let outlook = self.outlook(case)?;
        let state = outlook.state();
        let (Some(closed), Some(episode)) = (outlook.closed_on, state.closed) else {
            return Ok(None);
        };
        let found = state.in_the_way(&outlook.disposal);
        if found.iter().any(|one| matches!(one, Obstacle::Kept(_))) {
            return Ok(None);
        }
        let asked = outlook.disposal.asked_for(episode);
        Ok(Some(DueView {
            case: outlook.case.id.clone(),
            number: outlook.case.number.clone(),
            closed,
            until: outlook.standing.as_ref().and_then(|one| one.until),
            in_the_way: ObstacleView::all(&found),
            asked: asked.map(|one| self.asked_view(who, one)).transpose()?,
        }))
    }

    /// Lines for cases that an engine without this list closed: written once, before a pack of
    /// theirs comes into force.
    pub(in crate::engine) async fn list_closed(&self, agency: &str) -> Result<(), Refused> {
        let pack = self.parts.store.get(Table::InForce, &of_agency(agency));
        if pack.map_err(unreadable)?.is_none() || self.is_listed(agency)? {
            return Ok(());
        }
        let mut from = Vec::new();
        loop {
            let store = &self.parts.store;
            let rows = store.scan(Table::Case, &from, &[0xff; 64], LISTED_PAGE);
            let rows = rows.map_err(unreadable)?;
            let mut batch = Batch::default();
            for (key, row) in &rows {
                let case: Case = record::decode("a case", &row.value)?;
                let line = self.due_line(&case, true).filter(|_| case.agency == agency);
                if line.is_some() {
                    batch.guards.push(Guard::Row {
                        table: Table::Case,
                        key: key.clone(),
                        version: row.version,
                    });
                }
                batch.puts.extend(line);
                from = [key.as_slice(), &[0]].concat();
            }
            if rows.len() < LISTED_PAGE {
                batch.puts.push(listed(agency));
                return self.commit(batch).await;
            }
            self.commit(batch).await?;
        }
    }

    /// Whether every closed case of the agency has its line.
    pub(in crate::engine) fn is_listed(&self, agency: &str) -> Result<bool, Refused> {
        let found = self.parts.store.get(Table::Index, &listed(agency).key);
        Ok(found.map_err(unreadable)?.is_some())
    }
}

/// That all closed cases of an agency have their lines: of one without a pack there are none.
pub(in crate::engine) fn listed(agency: &str) -> Put {
    Put {
        table: Table::Index,
        key: key::join(&["retention-listed", agency]),
        value: Some(Vec::new()),
        under: Under::Agency(agency.to_owned()),
    }
}
