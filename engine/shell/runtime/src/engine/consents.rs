//! Consents of a case: given, and taken back at once. Every state stays as a row of its own; beside
//! them one row holds how all of them stand, which whoever sends reads and guards.

use std::collections::BTreeMap;

use casewright_casework::audit::Action;
use casewright_casework::consent::{How, Terms};
use casewright_casework::{Case, Code, Consent, Principal, Refusal};
use casewright_language::pack;
use casewright_store::{Batch, Guard, Put, Table, Under};
use jiff::civil::Date;

use super::case_file::filed;
use super::shared::{Shared, not_found};
use super::{Engine, Refused, RequestKey};
use crate::{id, key, record};

/// By id.
pub(super) type Consents = BTreeMap<String, Consent>;

/// More in one case is no consent that anybody could remember.
const CONSENTS_MAX: usize = 1_000;

impl Engine {
    /// Consents of a case as they stand, oldest first. Audited like opening the case.
    pub async fn consents(&self, who: &Principal, case: &str) -> Result<Vec<Consent>, Refused> {
        self.shared.seen_case(who, case)?;
        self.shared.note_read(who, case).await?;
        let found = self
            .shared
            .read::<Consents>(Table::Index, &head(case), WHAT)?;
        Ok(found.unwrap_or_default().into_values().collect())
    }

    /// Every state that a consent was in, oldest first. Audited like opening the case.
    pub async fn consent_history(
        &self,
        who: &Principal,
        case: &str,
    ) -> Result<Vec<Consent>, Refused> {
        self.shared.seen_case(who, case)?;
        self.shared.note_read(who, case).await?;
        self.shared.rows_of(Table::Consent, case, WHAT)
    }

    /// Words of the agency's pack for consents.
    pub fn disclosure_words(&self, who: &Principal) -> pack::Disclosure {
        let in_force = self.shared.in_force(&who.agency);
        in_force.map_or_else(pack::Disclosure::default, |found| {
            found.pack.disclosure.clone()
        })
    }

    /// The agency's day.
    pub fn today(&self, who: &Principal) -> Date {
        self.shared.today(&who.agency)
    }

    /// Writes down that somebody agreed. To renew is to give again.
    pub async fn give_consent(
        &self,
        who: &Principal,
        case: &str,
        person: &str,
        terms: Terms,
        key: Option<RequestKey>,
    ) -> Result<Consent, Refused> {
        let (words, today) = (self.disclosure_words(who), self.today(who));
        let terms = terms
            .checked(
                today,
                words.purposes.keys().map(String::as_str),
                words.recipients.keys().map(String::as_str),
            )
            .map_err(Refused::Rule)?;
        self.shared.seen_case(who, case)?;
        self.shared.person_of(case, person)?;
        let (author, person) = (who.clone(), person.to_owned());
        let route = format!("consent {case} {person}");
        self.change_file(who, case, &route, key, move |shared, case, batch| {
            let at = shared.now();
            let consent = Consent {
                id: id::timed('k', at, &*shared.parts.entropy),
                case: case.id.clone(),
                person: person.clone(),
                terms: terms.clone(),
                revision: 1,
                recorded_at: at,
                recorded_by: author.id.clone(),
                withdrawn: None,
            };
            shared.put_consent(case, &consent, batch)?;
            let entry = filed(
                shared,
                &author,
                case,
                Action::ConsentGiven,
                &consent.person,
                Some(&consent.id),
            );
            batch.audit.push(entry);
            Ok(consent)
        })
        .await
    }

    /// Writes down that it was taken back; from its commit on nothing is sent under it. A second
    /// time changes nothing.
    pub async fn withdraw_consent(
        &self,
        who: &Principal,
        case: &str,
        id: &str,
        how: How,
        by: Option<String>,
        key: Option<RequestKey>,
    ) -> Result<Consent, Refused> {
        let (author, id) = (who.clone(), id.to_owned());
        let route = format!("withdraw consent {case} {id}");
        self.change_file(who, case, &route, key, move |shared, case, batch| {
            // Room is kept for it: a full disk must not keep a family's word from being heard.
            batch.reserve = true;
            let (all, _) = shared.consents(&case.id)?;
            let before = all.get(&id).ok_or_else(not_found)?;
            let withdrawn = before
                .withdrawn(&author, shared.now(), how, by.clone())
                .map_err(Refused::Rule)?;
            let Some(withdrawn) = withdrawn else {
                return Ok(before.clone());
            };
            shared.put_consent(case, &withdrawn, batch)?;
            let person = withdrawn.person.clone();
            let action = Action::ConsentWithdrawn;
            let entry = filed(shared, &author, case, action, &person, Some(&id));
            batch.audit.push(entry);
            Ok(withdrawn)
        })
        .await
    }
}

impl Shared {
    /// How all consents of a case stand, decided ones included that are not on disk yet, and the
    /// guard that it stays so.
    pub(super) fn consents(&self, case: &str) -> Result<(Consents, Guard), Refused> {
        let key = head(case);
        let found = self.pending::<Consents>(Table::Index, &key, WHAT)?;
        let (all, version) = found.unwrap_or_default();
        let table = Table::Index;
        let guard = Guard::Row {
            table,
            key,
            version,
        };
        Ok((all, guard))
    }

    fn put_consent(
        &self,
        case: &Case,
        consent: &Consent,
        batch: &mut Batch,
    ) -> Result<(), Refused> {
        let (mut all, guard) = self.consents(&case.id)?;
        all.insert(consent.id.clone(), consent.clone());
        if all.len() > CONSENTS_MAX {
            let sentence = format!("a case holds at most {CONSENTS_MAX} consents");
            return Err(Refused::Rule(Refusal::new(Code::FormInvalid, sentence)));
        }
        let under = Under::Case(case.id.clone());
        let revision = format!("{:08}", consent.revision);
        let put = |table, key, value| Put {
            table,
            key,
            value: Some(value),
            under: under.clone(),
        };
        let state = key::join(&[&case.id, &consent.id, &revision]);
        batch.guards.push(guard);
        batch
            .puts
            .push(put(Table::Consent, state, record::encode(consent)));
        batch
            .puts
            .push(put(Table::Index, head(&case.id), record::encode(&all)));
        Ok(())
    }
}

const WHAT: &str = "a consent";

pub(super) fn head(case: &str) -> Vec<u8> {
    key::join(&["consents", case])
}
