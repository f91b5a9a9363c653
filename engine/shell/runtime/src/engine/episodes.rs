//! A case that was closed is opened again by somebody who says why: its next episode. Also what
//! whoever closes a case has to know of runs that have just begun in it.

use std::collections::BTreeSet;

use casewright_casework::audit::Action;
use casewright_casework::{Case, Principal};
use casewright_machine::Call;
use casewright_store::{Guard, Put, Table, Under};
use jiff::civil::Date;

use super::case_file::filed;
use super::shared::{Shared, not_found};
use super::start::may_start;
use super::{Engine, Refused, RequestKey};
use crate::record;
use crate::record::InstanceRow;
use crate::{key, view::CaseView};

/// Whether a call ends the episode of its case.
pub(crate) fn closes_case(call: &Call) -> bool {
    call.function == "case.close"
}

/// Ids of runs that began in a case and are perhaps not on disk yet.
type Begun = BTreeSet<String>;

/// Where rows of episodes lie.
pub(super) struct Episodes;

impl Episodes {
    pub(super) fn begun_key(case: &str) -> Vec<u8> {
        key::join(&["runs-begun", case])
    }
}

/// Row of an episode that ended: it holds no person and outlives its case.
pub(super) fn ended_key(agency: &str, day: Date, case: &str, episode: u32) -> Vec<u8> {
    key::join(&[agency, &day.to_string(), case, &format!("{episode:08}")])
}

impl Engine {
    /// Opens a closed case again, as whoever may start workflows. What was closed stays closed.
    pub async fn reopen(
        &self,
        who: &Principal,
        case: &str,
        because: &str,
        key: Option<RequestKey>,
    ) -> Result<CaseView, Refused> {
        self.shared.seen_case(who, case)?;
        let deployment = self.shared.in_force(&who.agency).ok_or_else(not_found)?;
        may_start(&deployment, who)?;
        let (author, because) = (who.clone(), because.to_owned());
        let route = format!("reopen {case}");
        self.change_file(who, case, &route, key, move |shared, case, batch| {
            let (found, guard) = shared.case_row(&case.id)?;
            let again = found.reopen(shared.now(), &author.id, &because);
            let again = again.map_err(Refused::Rule)?;
            batch.guards.push(guard);
            batch.puts.extend(shared.due_line(&found, false));
            batch.puts.push(Put {
                table: Table::Case,
                key: case.id.clone().into_bytes(),
                value: Some(record::encode(&again)),
                under: Under::Case(case.id.clone()),
            });
            let (id, action) = (case.id.clone(), Action::CaseReopened);
            let entry = filed(shared, &author, case, action, &id, None);
            batch.audit.push(entry);
            Ok(())
        })
        .await?;
        let case = self.shared.seen_case(who, case)?;
        self.shared.case_view(who, case).await
    }
}

impl Shared {
    /// A case as deciders must see it, and the guard that it stays so.
    pub(super) fn case_row(&self, case: &str) -> Result<(Case, Guard), Refused> {
        let key = case.as_bytes().to_vec();
        let found = self.pending::<Case>(Table::Case, &key, "a case")?;
        let (case, version) = found.ok_or_else(not_found)?;
        let table = Table::Case;
        let guard = Guard::Row {
            table,
            key,
            version,
        };
        Ok((case, guard))
    }

    /// Runs that began in the case of late, and the guard that no other does.
    pub(super) fn begun(&self, case: &str) -> Result<(Begun, Guard), Refused> {
        let key = Episodes::begun_key(case);
        let found = self.pending::<Begun>(Table::Index, &key, "runs that began")?;
        let (begun, version) = found.unwrap_or_default();
        let table = Table::Index;
        let guard = Guard::Row {
            table,
            key,
            version,
        };
        Ok((begun, guard))
    }

    /// Whether a run is not among those on disk.
    pub(super) fn unseen(&self, id: &str) -> bool {
        let row = self.read::<InstanceRow>(Table::Instance, id.as_bytes(), "an instance row");
        !matches!(row, Ok(Some(_)))
    }
}
