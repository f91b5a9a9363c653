//! Case pages: what belongs to a case, its timeline, its audit chain. Opening one is an entry of
//! the case itself, on disk before the page is shown.

use std::collections::{BTreeMap, BTreeSet};

use casewright_casework::audit::{Action, Entry, Link, Shown};
use casewright_casework::{Case, Document, Note, Person, Principal, WorkItem};
use casewright_store::{AuditAppend, Batch, Table};

use super::shared::{ENGINE, Shared, not_found, unreadable};
use super::work_lists::{self, after_cursor, bad_cursor};
use super::{Engine, Refused};
use crate::key;
use crate::record::{InstanceRow, UserRow};
use crate::view::{CaseView, Page, PersonView, TimelineEntry};

/// Cases of a page: each is shown with its instances.
const PAGE: usize = 20;
/// Entries of a page of the timeline.
const TIMELINE_PAGE: usize = 200;

impl Engine {
    /// Audited: opening a case is one entry.
    pub async fn case(&self, who: &Principal, id: &str) -> Result<CaseView, Refused> {
        let case = self.shared.seen_case(who, id)?;
        self.shared.note_read(who, id).await?;
        self.shared.case_view(who, case).await
    }

    /// The number of a case that the principal may see, and nothing else of it.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn case_number(&self, who: &Principal, id: &str) -> Result<String, Refused> {
        Ok(self.shared.seen_case(who, id)?.number)
    }

    /// The audit chain of a case for whoever sees everything in it. Audited like opening the case.
    pub async fn audit(&self, who: &Principal, case: &str) -> Result<Vec<Link>, Refused> {
        let shown = self.audit_shown(who, case).await?;
        let whole = shown.into_iter().map(|one| {
            let (index, hash) = (one.index, one.hash);
            one.entry.map(|entry| Link { index, hash, entry })
        });
        whole.collect::<Option<_>>().ok_or_else(not_found)
    }

    /// The audit chain of a case, to be verified elsewhere; of what is hidden from whoever asks
    /// its place and hash. Audited like opening the case.
    pub async fn audit_shown(&self, who: &Principal, case: &str) -> Result<Vec<Shown>, Refused> {
        self.shared.seen_case(who, case)?;
        self.shared.note_read(who, case).await?;
        let links = self.shared.parts.store.audit(case).map_err(unreadable)?;
        let hidden = self.shared.hidden_runs(who, case)?;
        let shown = links.into_iter().map(|link| Shown {
            index: link.index,
            hash: link.hash,
            entry: (!of_hidden(&hidden, &link.entry)).then_some(link.entry),
        });
        Ok(shown.collect())
    }

    /// The audit chain as people read it. Part of the case page, which is audited.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn timeline(
        &self,
        who: &Principal,
        case: &str,
    ) -> Result<Vec<TimelineEntry>, Refused> {
        self.shared.seen_case(who, case)?;
        let links = self.shared.parts.store.audit(case).map_err(unreadable)?;
        let links = self.shared.seen_links(who, case, links)?;
        self.shared.told(who, case, links)
    }

    /// A page of the same for others than the case page, newest first. Audited like opening the
    /// case.
    pub async fn timeline_page(
        &self,
        who: &Principal,
        case: &str,
        cursor: Option<String>,
        limit: Option<usize>,
    ) -> Result<Page<TimelineEntry>, Refused> {
        self.shared.seen_case(who, case)?;
        let before: Option<u64> = cursor
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| bad_cursor())?;
        self.shared.note_read(who, case).await?;
        let links = self.shared.parts.store.audit(case).map_err(unreadable)?;
        let links = self.shared.seen_links(who, case, links)?;
        let older = links.into_iter().rev();
        let mut older = older.filter(|link| before.is_none_or(|before| link.index < before));
        let limit = limit.unwrap_or(TIMELINE_PAGE).clamp(1, TIMELINE_PAGE);
        let links: Vec<Link> = older.by_ref().take(limit).collect();
        let next = links.last().map(|link| link.index.to_string());
        let next = next.filter(|_| older.next().is_some());
        let items = self.shared.told(who, case, links)?;
        Ok(Page { items, next })
    }

    /// Cases of the agency, newest first.
    pub async fn cases(
        &self,
        who: &Principal,
        cursor: Option<String>,
    ) -> Result<Page<CaseView>, Refused> {
        let shared = &self.shared;
        let prefix = key::prefix(&["case", &who.agency]);
        let start = after_cursor(&prefix, cursor.as_deref())?;
        let end = key::after(&prefix);
        let lines = shared.parts.store.scan(Table::Index, &start, &end, PAGE);
        let lines = lines.map_err(unreadable)?;
        let mut next = None;
        let mut items = Vec::new();
        for (key, _) in &lines {
            let place = key.get(prefix.len()..).unwrap_or_default();
            let case = String::from_utf8_lossy(place.get(8..).unwrap_or_default()).into_owned();
            // An erased case has a line and no content.
            if let Ok(case) = shared.seen_case(who, &case) {
                items.push(shared.case_view(who, case).await?);
            }
            if lines.len() == PAGE {
                next = Some(work_lists::cursor(place));
            }
        }
        Ok(Page { items, next })
    }
}

impl Shared {
    pub(super) async fn note_read(&self, who: &Principal, case: &str) -> Result<(), Refused> {
        let entry = Entry {
            at: self.now(),
            who: who.id.clone(),
            action: Action::CaseRead,
            instance: None,
            subject: None,
            detail: None,
        };
        let batch = Batch {
            audit: vec![AuditAppend {
                case: case.to_owned(),
                entry,
            }],
            reserve: true,
            ..Batch::default()
        };
        self.commit(batch).await
    }

    /// Runs of a case that this principal does not see.
    fn hidden_runs(&self, who: &Principal, case: &str) -> Result<BTreeSet<String>, Refused> {
        let mut hidden = BTreeSet::new();
        for id in self.instances_of(case)? {
            if !self.sees_run(who, &id)? {
                hidden.insert(id);
            }
        }
        Ok(hidden)
    }

    /// Without what hidden runs did. Whoever started one reads that they did, and nothing else.
    fn seen_links(
        &self,
        who: &Principal,
        case: &str,
        links: Vec<Link>,
    ) -> Result<Vec<Link>, Refused> {
        let hidden = self.hidden_runs(who, case)?;
        let seen = links.into_iter().filter_map(|mut link| {
            if !of_hidden(&hidden, &link.entry) {
                return Some(link);
            }
            let own = link.entry.action == Action::InstanceStarted && link.entry.who == who.id;
            link.entry.instance = None;
            own.then_some(link)
        });
        Ok(seen.collect())
    }

    fn told(
        &self,
        who: &Principal,
        case: &str,
        links: Vec<Link>,
    ) -> Result<Vec<TimelineEntry>, Refused> {
        let mut names = Names::of_case(self, case)?;
        links
            .into_iter()
            .map(|link| names.entry(self, who, link))
            .collect()
    }

    pub(super) async fn case_view(&self, who: &Principal, case: Case) -> Result<CaseView, Refused> {
        let mut instances = Vec::new();
        for id in self.instances_of(&case.id)? {
            if self.sees_run(who, &id)? {
                instances.push(self.instance_view(who, &id).await?);
            }
        }
        let (closed, next) = self.handed_over(who, &case, &instances)?;
        Ok(CaseView {
            closed,
            next,
            episodes: case.episodes(),
            id: case.id,
            number: case.number,
            agency: case.agency,
            opened: case.opened,
            calendar: case.calendar,
            instances,
        })
    }
}

/// What the ids of a chain stand for.
struct Names {
    items: BTreeMap<String, WorkItem>,
    persons: BTreeMap<String, String>,
    documents: BTreeMap<String, String>,
    notes: BTreeMap<String, String>,
    people: BTreeMap<String, String>,
}

impl Names {
    fn of_case(shared: &Shared, case: &str) -> Result<Self, Refused> {
        let mut items = BTreeMap::new();
        for instance in shared.instances_of(case)? {
            for item in shared.items_of(&instance)? {
                items.insert(item.id.clone(), item);
            }
        }
        let people = BTreeMap::from([(ENGINE.to_owned(), "Casewright".to_owned())]);
        let persons = shared.rows_of::<Person>(Table::Person, case, "a person")?;
        let persons = persons.into_iter();
        let documents = shared.rows_of::<Document>(Table::Document, case, "a document")?;
        let notes = shared.rows_of::<Note>(Table::Note, case, "a note")?;
        Ok(Self {
            items,
            persons: persons.map(|one| (one.id, one.details.name)).collect(),
            documents: documents
                .into_iter()
                .map(|one| (one.id, one.name))
                .collect(),
            notes: notes.into_iter().map(|note| (note.id, note.text)).collect(),
            people,
        })
    }

    fn entry(
        &mut self,
        shared: &Shared,
        who: &Principal,
        link: Link,
    ) -> Result<TimelineEntry, Refused> {
        let entry = link.entry;
        let item = entry
            .subject
            .as_ref()
            .and_then(|id| self.items.get(id))
            .cloned();
        let title = match entry.action {
            Action::FundReserved
            | Action::FundCommitted
            | Action::FundReleased
            | Action::FundReversed => {
                let name = entry.detail.as_deref();
                name.and_then(|name| fund_title(shared, who, name))
            }
            Action::CaseClosed | Action::FileTransferred => {
                let word = entry.detail.as_deref();
                word.and_then(|word| word_title(shared, who, entry.action, word))
            }
            Action::PersonAdded
            | Action::PersonChanged
            | Action::ConsentGiven
            | Action::ConsentWithdrawn
            | Action::AddressShown => {
                let person = entry.subject.as_ref().and_then(|id| self.persons.get(id));
                person.cloned()
            }
            Action::WallDeclared | Action::WallLifted | Action::WallTakenAway => {
                let staff = entry.subject.clone();
                let named = staff.map(|staff| self.person(shared, staff)).transpose()?;
                named.map(|staff| staff.display_name)
            }
            Action::DocumentAdded | Action::DocumentOpened => {
                let document = entry.subject.as_ref();
                document.and_then(|id| self.documents.get(id)).cloned()
            }
            Action::InstanceStarted
            | Action::InstanceCompleted
            | Action::InstanceFaulted
            | Action::InstanceRetried
            | Action::InstanceMigrated
            | Action::InstanceCancelled => match &entry.instance {
                Some(instance) => started(shared, Some(instance))?,
                None => entry.detail.clone(),
            },
            _ => item.as_ref().map(|item| item.title.clone()),
        };
        let comment = match entry.action {
            Action::WorkItemCompleted => item.as_ref().and_then(|item| comment(item, &entry)),
            Action::WorkItemHeld => item.as_ref().and_then(|item| reason(item, &entry)),
            Action::WorkItemHandedOver | Action::WorkItemGiven | Action::WorkItemReassigned => {
                item.as_ref().and_then(|item| moved(item, &entry))
            }
            Action::WorkItemSkipped => item.as_ref().and_then(|item| comment(item, &entry)),
            Action::NoteAdded => {
                let note = entry.subject.as_ref().and_then(|id| self.notes.get(id));
                note.cloned()
            }
            _ => None,
        };
        let colleague = match (entry.action, &entry.detail) {
            (
                Action::WorkItemHandedOver
                | Action::WorkItemTakenFor
                | Action::WorkItemActedFor
                | Action::WorkItemGiven,
                Some(id),
            ) => Some(id.clone()),
            (_, Some(detail)) => detail.strip_prefix("person ").map(str::to_owned),
            (_, None) => None,
        };
        let colleague = colleague.map(|id| self.person(shared, id)).transpose()?;
        let action = serde_json::to_value(entry.action).ok();
        Ok(TimelineEntry {
            colleague,
            index: link.index,
            at: entry.at,
            who: self.person(shared, entry.who)?,
            action: action
                .and_then(|name| name.as_str().map(str::to_owned))
                .unwrap_or_default(),
            instance: entry.instance,
            subject: entry.subject,
            title,
            detail: entry.detail,
            comment,
        })
    }

    fn person(&mut self, shared: &Shared, id: String) -> Result<PersonView, Refused> {
        if let Some(name) = self.people.get(&id) {
            let display_name = name.clone();
            return Ok(PersonView { id, display_name });
        }
        let user: Option<UserRow> = shared.read(Table::User, id.as_bytes(), "a user")?;
        let display_name = user.map_or_else(|| id.clone(), |user| user.display_name);
        self.people.insert(id.clone(), display_name.clone());
        Ok(PersonView { id, display_name })
    }
}

/// Whether an entry is about one of these runs.
fn of_hidden(hidden: &BTreeSet<String>, entry: &Entry) -> bool {
    let instance = entry.instance.as_ref();
    instance.is_some_and(|instance| hidden.contains(instance))
}

/// The name of the workflow that an instance runs.
fn started(shared: &Shared, instance: Option<&str>) -> Result<Option<String>, Refused> {
    let Some(id) = instance else {
        return Ok(None);
    };
    let row: Option<InstanceRow> =
        shared.read(Table::Instance, id.as_bytes(), "an instance row")?;
    Ok(row.map(|row| row.workflow))
}

fn comment(item: &WorkItem, entry: &Entry) -> Option<String> {
    let mine = |decision: &&casewright_casework::work_item::Decision| {
        decision.person == entry.who && decision.at == entry.at
    };
    item.decisions.iter().find(mine)?.comment.clone()
}

/// Why it waits, as others are told.
fn reason(item: &WorkItem, entry: &Entry) -> Option<String> {
    let hold = item.holds.iter().find(|hold| hold.at == entry.at)?;
    Some(hold.reason.clone())
}

/// Why it went to somebody.
fn moved(item: &WorkItem, entry: &Entry) -> Option<String> {
    let moved = item.moves.iter().find(|moved| moved.at == entry.at)?;
    Some(moved.reason.clone())
}

/// What the pack in force calls the reason of an end, or whoever has the file.
fn word_title(shared: &Shared, who: &Principal, action: Action, word: &str) -> Option<String> {
    let in_force = shared.in_force(&who.agency)?;
    if action == Action::CaseClosed {
        let reason = in_force.pack.closing_reasons.get(word)?;
        return Some(reason.title.clone());
    }
    in_force.pack.retention.recipients.get(word).cloned()
}

fn fund_title(shared: &Shared, who: &Principal, name: &str) -> Option<String> {
    let deployment = shared.in_force(&who.agency)?;
    deployment
        .pack
        .funds
        .get(name)
        .map(|fund| fund.title.clone())
}
