//! Persons of a case: added, changed, and their confidential addresses shown to whoever asks, which
//! is written down first. Staff who are family or payee stand before a wall (`walls.rs`). Also
//! everybody of a case as deciders must see them.

use std::collections::BTreeSet;

use casewright_casework::audit::Action;
use casewright_casework::person::{Details, Hidden, Shown};
use casewright_casework::{Case, Person, Principal, Refusal};
use casewright_store::{Batch, Guard, Put, Table, Under};

use super::case_file::filed;
use super::shared::{Shared, not_found, unreadable};
use super::{Engine, Refused, RequestKey};
use crate::record::UserRow;
use crate::{id, key, record};

/// Persons of one case.
const PERSONS_MAX: usize = 10_000;

/// Ids of people who came into a case and are perhaps not on disk yet.
type Joined = BTreeSet<String>;

/// Said of a look at an address with which a code word is shown.
const CODE_WORD: &str = "code-word";

impl Engine {
    /// Persons of a case without confidential addresses, oldest first. Audited like opening the
    /// case.
    pub async fn persons(&self, who: &Principal, case: &str) -> Result<Vec<Person>, Refused> {
        self.shared.seen_case(who, case)?;
        self.shared.note_read(who, case).await?;
        Ok(self.case_file(who, case).await?.persons)
    }

    /// One person, masked in the same way. Part of the case page, which is audited.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn person(&self, who: &Principal, case: &str, id: &str) -> Result<Person, Refused> {
        self.shared.seen_case(who, case)?;
        Ok(self.shared.person_of(case, id)?.masked())
    }

    /// Adds a person to a case.
    pub async fn add_person(
        &self,
        who: &Principal,
        case: &str,
        details: Details,
        key: Option<RequestKey>,
    ) -> Result<Person, Refused> {
        let details = details.checked().map_err(Refused::Rule)?;
        let details = self.shared.with_staff(who, details)?;
        let (author, route) = (who.clone(), format!("person {case}"));
        self.change_file(who, case, &route, key, move |shared, case, batch| {
            let at = shared.now();
            let person = Person {
                id: id::timed('p', at, &*shared.parts.entropy),
                case: case.id.clone(),
                details: details.clone(),
                revision: 1,
                added_at: at,
                added_by: author.id.clone(),
                changed_at: at,
                changed_by: author.id.clone(),
            };
            shared.put_person(case, &person, 0, batch)?;
            let relation = Some(person.details.relation.as_str());
            let entry = filed(
                shared,
                &author,
                case,
                Action::PersonAdded,
                &person.id,
                relation,
            );
            batch.audit.push(entry);
            Ok(person.masked())
        })
        .await
    }

    /// Replaces what is known of a person; `revision` is what the asker has seen.
    #[expect(
        clippy::too_many_arguments,
        reason = "two ids, what is new, what was seen, and the request's key"
    )]
    pub async fn change_person(
        &self,
        who: &Principal,
        case: &str,
        id: &str,
        details: Details,
        hidden: Hidden,
        revision: Option<u64>,
        key: Option<RequestKey>,
    ) -> Result<Person, Refused> {
        let details = self.shared.with_staff(who, details)?;
        let (author, route) = (who.clone(), format!("person {case} {id}"));
        let id = id.to_owned();
        self.change_file(who, case, &route, key, move |shared, case, batch| {
            let row = key::join(&[&case.id, &id]);
            let found = shared.pending::<Person>(Table::Person, &row, "a person")?;
            let (before, version) = found.ok_or_else(not_found)?;
            let (details, hidden) = (details.clone(), hidden.clone());
            let person = before
                .changed(&author, shared.now(), revision, details, hidden)
                .map_err(Refused::Rule)?;
            shared.put_person(case, &person, version, batch)?;
            let relation = Some(person.details.relation.as_str());
            let entry = filed(shared, &author, case, Action::PersonChanged, &id, relation);
            batch.audit.push(entry);
            Ok(person.masked())
        })
        .await
    }

    /// An address, also a confidential one, and the code word; that they were asked for is on disk
    /// before they are shown.
    pub async fn show_address(
        &self,
        who: &Principal,
        case: &str,
        id: &str,
    ) -> Result<Shown, Refused> {
        let _admitted = self.shared.admit()?;
        let file = self.shared.seen_case(who, case)?;
        let shown = self.shared.person_of(case, id)?.shown();
        let confidential = shown.address.as_ref().is_some_and(|one| one.confidential);
        let word = shown.code_word.as_ref().map(|_| CODE_WORD);
        if confidential || word.is_some() {
            let entry = filed(&self.shared, who, &file, Action::AddressShown, id, word);
            let batch = Batch {
                audit: vec![entry],
                reserve: true,
                ..Batch::default()
            };
            self.shared.commit(batch).await?;
        }
        Ok(shown)
    }

    /// What staff are called, for pages that name them.
    pub fn staff_name(&self, who: &Principal, id: &str) -> Option<String> {
        let user = self.shared.staff(who, id).ok().flatten()?;
        Some(user.display_name)
    }
}

impl Shared {
    pub(super) fn person_of(&self, case: &str, id: &str) -> Result<Person, Refused> {
        let row = key::join(&[case, id]);
        let person = self.read(Table::Person, &row, "a person")?;
        person.ok_or_else(not_found)
    }

    fn staff(&self, who: &Principal, id: &str) -> Result<Option<UserRow>, Refused> {
        let user: Option<UserRow> = self.read(Table::User, id.as_bytes(), "a user")?;
        Ok(user.filter(|user| user.agency == who.agency))
    }

    /// Whose id or sign-in name this is.
    pub(super) fn member(&self, who: &Principal, named: &str) -> Result<Option<UserRow>, Refused> {
        match self.staff(who, named)? {
            Some(user) => Ok(Some(user)),
            None => Ok(self
                .user_named(named)?
                .filter(|user| user.agency == who.agency)),
        }
    }

    /// With the staff id that is meant, which may be given as a sign-in name.
    fn with_staff(&self, who: &Principal, details: Details) -> Result<Details, Refused> {
        let Some(named) = &details.staff else {
            return Ok(details);
        };
        let named = named.trim();
        let found = self.member(who, named)?;
        if found.is_none() && !named.is_empty() {
            let sentence = "There is no member of staff with this id or sign-in name";
            return Err(Refused::Rule(Refusal::mistake("staff", sentence)));
        }
        let staff = found.map(|user| user.id);
        Ok(Details { staff, ..details })
    }

    fn put_person(
        &self,
        case: &Case,
        person: &Person,
        version: u64,
        batch: &mut Batch,
    ) -> Result<(), Refused> {
        let row = key::join(&[&case.id, &person.id]);
        batch.guards.push(Guard::Row {
            table: Table::Person,
            key: row.clone(),
            version,
        });
        batch.puts.push(Put {
            table: Table::Person,
            key: row,
            value: Some(record::encode(person)),
            under: Under::Case(case.id.clone()),
        });
        if version == 0 {
            self.put_joined(case, person, batch)?;
        }
        let (mut walls, _) = self.walls(&case.id)?;
        match &person.details.staff {
            Some(staff) if person.details.relation.bars_deciding() => {
                walls.related.insert(person.id.clone(), staff.clone());
            }
            _ => {
                walls.related.remove(&person.id);
            }
        }
        self.put_walls(case, &walls, person.changed_at, batch)
    }

    /// Everybody of a case, and the guards that they stay as they are and that nobody joins them.
    pub(super) fn people(&self, case: &str) -> Result<(Vec<Person>, Vec<Guard>), Refused> {
        let prefix = key::prefix(&[case]);
        let end = key::after(&prefix);
        let store = &self.parts.store;
        let rows = store.scan(Table::Person, &prefix, &end, PERSONS_MAX);
        let rows = rows.map_err(unreadable)?;
        let (joined, guard) = self.joined(case)?;
        let on_disk = rows.into_iter().map(|(key, _)| key);
        let joined = joined.iter().map(|id| key::join(&[case, id]));
        let keys: BTreeSet<Vec<u8>> = on_disk.chain(joined).collect();
        let (mut people, mut guards) = (Vec::new(), vec![guard]);
        for key in keys {
            let found = self.pending::<Person>(Table::Person, &key, "a person")?;
            let Some((person, version)) = found else {
                continue;
            };
            people.push(person);
            guards.push(Guard::Row {
                table: Table::Person,
                key,
                version,
            });
        }
        Ok((people, guards))
    }

    /// Who joined the case of late, and the guard that nobody else does.
    fn joined(&self, case: &str) -> Result<(Joined, Guard), Refused> {
        let key = joined_key(case);
        let found = self.pending::<Joined>(Table::Index, &key, "people who joined")?;
        let (joined, version) = found.unwrap_or_default();
        let table = Table::Index;
        let guard = Guard::Row {
            table,
            key,
            version,
        };
        Ok((joined, guard))
    }

    fn put_joined(&self, case: &Case, person: &Person, batch: &mut Batch) -> Result<(), Refused> {
        let (mut joined, guard) = self.joined(&case.id)?;
        joined.retain(|id| self.person_of(&case.id, id).is_err());
        joined.insert(person.id.clone());
        batch.guards.push(guard);
        batch.puts.push(Put {
            table: Table::Index,
            key: joined_key(&case.id),
            value: Some(record::encode(&joined)),
            under: Under::Case(case.id.clone()),
        });
        Ok(())
    }
}

pub(super) fn joined_key(case: &str) -> Vec<u8> {
    key::join(&["people-joined", case])
}
