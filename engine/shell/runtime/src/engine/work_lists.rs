//! Lists of work items, sorted by due. They are rows kept up to date by the batches that change an
//! item: a page costs the same with a thousand items and with a million.

use std::collections::BTreeSet;

use casewright_casework::work_item::{
    Acting, Alarm, Assigned, Claim, Clock, Deadline, Decision, Hold, Move, Rings, State, What, When,
};
use casewright_casework::{Principal, WorkItem};
use casewright_store::Table;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::attempts::answers;
use super::shared::{Shared, not_found, unreadable};
use super::walls::Sight;
use super::work_items::{bucket, instance_of};
use super::{Engine, Refused};
use crate::view::{
    AlarmView, DeadlineView, DecisionView, HoldView, MoveView, Page, PersonView, ShiftView,
    WorkItemFilter, WorkItemView,
};
use crate::{id, key, record};

/// Lines of a page unless asked otherwise, and at most.
const PAGE: usize = 50;
const PAGE_MAX: usize = 200;

/// Lines looked at for one page: a filter that hardly anything passes gives a short page and a
/// cursor, not a long wait.
const LOOKED_AT_MAX: usize = 5_000;

/// Items of one instance are few; this bounds what one case page reads.
const ITEMS_OF_INSTANCE_MAX: usize = 1_000;

/// The lines that stand for an item: open ones under everything, under all they are for and under
/// who holds them, by due; closed ones latest first.
pub(crate) fn queue_keys(item: &WorkItem, at: Timestamp) -> Vec<Vec<u8>> {
    let line = |bucket: &str, order: [u8; 8]| {
        let mut key = key::prefix(&[&item.agency, bucket]);
        key.extend_from_slice(&order);
        key.extend_from_slice(item.id.as_bytes());
        key
    };
    match item.state {
        State::Offered | State::Claimed | State::Held => {
            let due = item.due.map_or(key::NEVER, key::moment);
            let mut lines = vec![line("open", due)];
            let told = item.told.iter().map(|told| &told.to);
            let buckets: BTreeSet<_> = item.offered_to().chain(told).map(bucket).collect();
            lines.extend(buckets.iter().map(|bucket| line(bucket, due)));
            if let Some(claim) = &item.claimed_by {
                lines.push(line(&format!("held {}", claim.person), due));
            }
            lines
        }
        State::Completed => vec![line("completed", key::moment_latest_first(at))],
        State::Withdrawn => vec![line("withdrawn", key::moment_latest_first(at))],
    }
}

impl Engine {
    /// Sorted by due, those without a due time last; closed ones latest first.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn work_items(
        &self,
        who: &Principal,
        filter: WorkItemFilter,
    ) -> Result<Page<WorkItemView>, Refused> {
        if filter.case.is_some() || filter.instance.is_some() {
            return of_case(&self.shared, who, &filter);
        }
        let bucket = match (filter.state.as_deref(), &filter) {
            (Some(closed @ ("completed" | "withdrawn")), _) => closed.to_owned(),
            (_, filter) => open_bucket(filter),
        };
        page(&self.shared, who, &filter, &bucket)
    }

    /// One item that the principal may see, with the earlier answers to its task.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn work_item(&self, who: &Principal, id: &str) -> Result<WorkItemView, Refused> {
        let item = seen_item(&self.shared, who, id)?;
        let mut view = view(&self.shared, who, &item)?;
        view.attempts = self.shared.attempts(&item)?;
        view.attempt = view.attempts.len() + 1;
        view.answers = answers(&item);
        Ok(view)
    }

    /// The pinned form of a work item.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn form(
        &self,
        who: &Principal,
        work_item: &str,
    ) -> Result<Option<casewright_language::Form>, Refused> {
        let item = seen_item(&self.shared, who, work_item)?;
        let Some(name) = &item.form else {
            return Ok(None);
        };
        let row = self.shared.seen_instance(who, instance_of(work_item)?)?;
        let deployment = self.shared.deployment(&row.deployment)?;
        Ok(deployment.forms.get(name).cloned())
    }
}

/// The list with the fewest lines that holds all that may pass.
fn open_bucket(filter: &WorkItemFilter) -> String {
    if let Some(person) = &filter.claimed_by {
        format!("held {person}")
    } else if let Some(team) = &filter.team {
        format!("team {team}")
    } else if let Some(role) = &filter.role {
        format!("role {role}")
    } else {
        "open".to_owned()
    }
}

pub(crate) fn seen_item(shared: &Shared, who: &Principal, id: &str) -> Result<WorkItem, Refused> {
    let item = shared.read::<WorkItem>(Table::WorkItem, id.as_bytes(), "a work item")?;
    let item = item
        .filter(|item| item.visible(who))
        .ok_or_else(not_found)?;
    shared.seen_case(who, &item.case)?;
    Ok(item)
}

fn page(
    shared: &Shared,
    who: &Principal,
    filter: &WorkItemFilter,
    bucket: &str,
) -> Result<Page<WorkItemView>, Refused> {
    let sight = shared.sight(who)?;
    let prefix = key::prefix(&[&who.agency, bucket]);
    let mut end = key::after(&prefix);
    let open = !matches!(filter.state.as_deref(), Some("completed" | "withdrawn"));
    if filter.overdue && open {
        // Lines stand in the order of due: what is late is the beginning.
        end = [&prefix[..], &key::moment(shared.now()), &[0xff]].concat();
    }
    let limit = filter.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let mut start = after_cursor(&prefix, filter.cursor.as_deref())?;
    let mut items = Vec::new();
    let mut looked_at = 0;
    loop {
        let lines = shared
            .parts
            .store
            .scan(Table::Queue, &start, &end, limit)
            .map_err(unreadable)?;
        let last = lines.len() < limit;
        for (key, _) in lines {
            looked_at += 1;
            let place = key.get(prefix.len()..).unwrap_or_default();
            if let Some(item) = line(shared, who, &sight, filter, place)? {
                items.push(item);
            }
            if items.len() == limit || looked_at == LOOKED_AT_MAX {
                let next = Some(cursor(place));
                return Ok(Page { items, next });
            }
            start = key;
            start.push(0);
        }
        if last {
            return Ok(Page { items, next: None });
        }
    }
}

fn line(
    shared: &Shared,
    who: &Principal,
    sight: &Sight,
    filter: &WorkItemFilter,
    place: &[u8],
) -> Result<Option<WorkItemView>, Refused> {
    let id = place.get(8..).unwrap_or_default();
    // A line and its row may belong to different moments: the row is right.
    let item = shared.read::<WorkItem>(Table::WorkItem, id, "a work item")?;
    match item {
        Some(item)
            if item.visible(who)
                && sight.sees(&item.case)
                && passes(filter, &item, shared.now()) =>
        {
            view(shared, who, &item).map(Some)
        }
        _ => Ok(None),
    }
}

fn passes(filter: &WorkItemFilter, item: &WorkItem, now: Timestamp) -> bool {
    let state = match &filter.state {
        None => open(item),
        Some(wanted) => wanted == state(item),
    };
    let given = |wanted: &Option<Assigned>| {
        let wanted = wanted.as_ref();
        let told = item.told.iter().map(|told| &told.to);
        let mut shown = item.offered_to().chain(told);
        wanted.is_none_or(|wanted| shown.any(|assigned| assigned == wanted))
    };
    let role = given(&filter.role.clone().map(Assigned::Role));
    let team = given(&filter.team.clone().map(Assigned::Team));
    let late = !filter.overdue || (open(item) && item.overdue(now));
    let holder = filter.claimed_by.as_ref().is_none_or(|person| {
        let claim = item.claimed_by.as_ref();
        claim.is_some_and(|claim| claim.person == *person)
    });
    state && role && team && late && holder
}

/// All that match, in one page: a case has few.
fn of_case(
    shared: &Shared,
    who: &Principal,
    filter: &WorkItemFilter,
) -> Result<Page<WorkItemView>, Refused> {
    let sight = shared.sight(who)?;
    let instances = match (&filter.instance, &filter.case) {
        (Some(instance), _) => vec![instance.clone()],
        (None, Some(case)) => {
            shared.seen_case(who, case)?;
            shared.instances_of(case)?
        }
        (None, None) => Vec::new(),
    };
    let mut items = Vec::new();
    for instance in instances {
        for item in shared.items_of(&instance)? {
            let here = filter.case.as_ref().is_none_or(|case| *case == item.case);
            let seen = item.visible(who) && sight.sees(&item.case);
            if here && seen && passes(filter, &item, shared.now()) {
                items.push(item);
            }
        }
    }
    items.sort_by_key(|item| (item.due.is_none(), item.due, item.id.clone()));
    let views = items.iter().map(|item| view(shared, who, item));
    Ok(Page {
        items: views.collect::<Result<_, _>>()?,
        next: None,
    })
}

impl Shared {
    /// Ids of the instances of a case, oldest first.
    pub(crate) fn instances_of(&self, case: &str) -> Result<Vec<String>, Refused> {
        let prefix = key::prefix(&["instance", case]);
        let lines = self
            .parts
            .store
            .scan(Table::Index, &prefix, &key::after(&prefix), usize::MAX)
            .map_err(unreadable)?;
        let id = |key: &[u8]| String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
        Ok(lines.iter().map(|(key, _)| id(key)).collect())
    }

    /// Work items of an instance, in the order of their numbers.
    pub(crate) fn items_of(&self, instance: &str) -> Result<Vec<WorkItem>, Refused> {
        let (start, end) = (format!("{instance}-"), format!("{instance}."));
        let rows = self
            .parts
            .store
            .scan(
                Table::WorkItem,
                start.as_bytes(),
                end.as_bytes(),
                ITEMS_OF_INSTANCE_MAX,
            )
            .map_err(unreadable)?;
        let items = rows
            .iter()
            .map(|(_, row)| record::decode::<WorkItem>("a work item", &row.value));
        let mut items = items.collect::<Result<Vec<_>, _>>()?;
        items.sort_by_key(|item| item.number);
        Ok(items)
    }
}

/// Where a list goes on: behind the place that a cursor of it names, or at its beginning.
pub(crate) fn after_cursor(prefix: &[u8], cursor: Option<&str>) -> Result<Vec<u8>, Refused> {
    let mut start = prefix.to_vec();
    if let Some(cursor) = cursor {
        start.extend(id::decode(cursor).ok_or_else(bad_cursor)?);
        start.push(0);
    }
    Ok(start)
}

/// The cursor of a place, behind the prefix of its list.
pub(crate) fn cursor(place: &[u8]) -> String {
    let mut text = String::new();
    id::encode(place, &mut text);
    text
}

pub(crate) fn bad_cursor() -> Refused {
    Refused::Invalid {
        code: "bad-cursor",
        status: 400,
        message: "the cursor is not one that this list gave".to_owned(),
    }
}

fn state(item: &WorkItem) -> &'static str {
    match item.state {
        State::Offered => "offered",
        State::Claimed => "claimed",
        State::Held => "held",
        State::Completed => "completed",
        State::Withdrawn => "withdrawn",
    }
}

pub(crate) fn view(
    shared: &Shared,
    who: &Principal,
    item: &WorkItem,
) -> Result<WorkItemView, Refused> {
    if !item.visible(who) {
        return Err(not_found());
    }
    let freed = shared.freed(item)?;
    let item = freed.as_ref().unwrap_or(item);
    let mut related = item.clone();
    shared.with_related(&mut related)?;
    shared.with_kin(&mut related)?;
    let now = shared.now();
    let stead = shared.stead(&related, who)?;
    let actor = stead.actor(&related, who, now);
    let barred = actor.and_then(|actor| related.admits(actor)).err();
    let own = related.claimable(who);
    let stands_in = if own || related.acting(who).is_some() {
        None
    } else {
        shared.taken_for(&related, who, now)?.and_then(Result::ok)
    };
    let stands_in = stands_in.and_then(|(taken, _)| taken.acting(who).map(acting_for));
    let acting = item.claimed_by.as_ref();
    let acting = acting.and_then(|claim| claim.acting.as_ref());
    let arranges = open(item)
        && !item.stays()
        && shared.arranges(who)
        && !(item.approval && related.excluded.contains_key(&who.id));
    Ok(WorkItemView {
        id: item.id.clone(),
        instance: item.instance.clone(),
        case: item.case.clone(),
        case_number: item.case_number.clone(),
        task: item.task.clone(),
        title: item.title.clone(),
        state: state(item).to_owned(),
        assigned: assigned(&item.assigned),
        claimed_by: item.claimed_by.as_ref().map(holder),
        escalated_to: item.offered_to().skip(1).map(assigned).collect(),
        reminded: item.reminded_at,
        due: item.due,
        deadline: item.deadline.as_ref().map(|rule| deadline(item, rule)),
        overdue: open(item) && item.overdue(shared.now()),
        approval: item.approval,
        outcomes: item.outcomes.clone(),
        form: item.form.clone(),
        show: item.show.clone(),
        offered: item.offered_at,
        revision: item.revision,
        shown: item.shown(),
        hold: item.on_hold().map(|hold| on_hold(item, hold)),
        holdable: item.clock != Clock::Wall,
        claimable: own || stands_in.is_some(),
        barred: barred
            .filter(|_| stands_in.is_none())
            .map(|refusal| (refusal.code.as_str().to_owned(), refusal.message)),
        claimable_for: stands_in,
        acting_for: acting.map(acting_for),
        acting_until: acting.map(|acting| acting.until),
        told: item.told.iter().map(|told| assigned(&told.to)).collect(),
        delegable: !item.stays(),
        arrangeable: arranges,
        skippable: item.may_be_skipped().map(|skippable| skippable.by.clone()),
        skipped: item.decisions.last().is_some_and(|last| last.skipped),
        moves: item.moves.iter().map(moved).collect(),
        attempt: 1,
        decisions: item.decisions.iter().map(decision).collect(),
        attempts: Vec::new(),
        answers: Vec::new(),
    })
}

fn open(item: &WorkItem) -> bool {
    matches!(item.state, State::Offered | State::Claimed | State::Held)
}

fn assigned(assigned: &Assigned) -> Value {
    match assigned {
        Assigned::Role(role) => json!({"role": role}),
        Assigned::Team(team) => json!({"team": team}),
        Assigned::Person(person) => json!({"person": person}),
    }
}

fn deadline(item: &WorkItem, rule: &Deadline) -> DeadlineView {
    let alarm = |alarm: &Alarm| {
        let kind = match alarm.rings {
            Rings::Remind => "remind",
            Rings::Escalate(_) => "escalate",
            Rings::Overdue => "overdue",
            Rings::Resume | Rings::Return | Rings::Tell(_) => return None,
        };
        let rule = alarm.by.map(|by| match by {
            When::Before(term) => format!("{term} before"),
            When::After(term) => format!("{term} after"),
            When::Due => "due".to_owned(),
            When::Offered(term) => term.to_string(),
        });
        Some(AlarmView {
            at: alarm.at,
            kind: kind.to_owned(),
            rule,
        })
    };
    let moved = rule.moved.as_ref().map(|moved| ShiftView {
        at: moved.at,
        from: moved.from,
        at_once: moved.at_once,
    });
    DeadlineView {
        rule: rule.term.map(|term| term.to_string()),
        from: item.counted_from(),
        calendar: rule.calendar.clone(),
        version: rule.digest.clone(),
        alarms: item.alarms.iter().filter_map(alarm).collect(),
        moved,
    }
}

fn on_hold(item: &WorkItem, hold: &Hold) -> HoldView {
    HoldView {
        since: hold.at,
        until: hold.until,
        reason: hold.reason.clone(),
        by: PersonView {
            id: hold.person.clone(),
            display_name: hold.display_name.clone(),
        },
        clock_stopped: item.clock == Clock::StopsOnHold,
    }
}

fn acting_for(acting: &Acting) -> PersonView {
    PersonView {
        id: acting.person.clone(),
        display_name: acting.display_name.clone(),
    }
}

fn moved(moved: &Move) -> MoveView {
    let what = match moved.what {
        What::HandedOver => "handed-over",
        What::Given => "given",
        What::Reassigned => "reassigned",
    };
    MoveView {
        what: what.to_owned(),
        at: moved.at,
        by: PersonView {
            id: moved.person.clone(),
            display_name: moved.display_name.clone(),
        },
        to: assigned(&moved.to),
        until: moved.until,
        reason: moved.reason.clone(),
    }
}

fn holder(claim: &Claim) -> PersonView {
    PersonView {
        id: claim.person.clone(),
        display_name: claim.display_name.clone(),
    }
}

fn decision(decision: &Decision) -> DecisionView {
    DecisionView {
        by: PersonView {
            id: decision.person.clone(),
            display_name: decision.display_name.clone(),
        },
        role: decision.role.clone(),
        at: decision.at,
        outcome: decision.outcome.clone(),
        comment: decision.comment.clone(),
        acting_for: decision.acting_for.as_ref().map(|named| PersonView {
            id: named.person.clone(),
            display_name: named.display_name.clone(),
        }),
        skipped: decision.skipped,
    }
}
