//! Chains of people: random staff, roles, absences, hand-overs and requests, in any order. Whatever
//! is tried: nobody approves what they asked for, themselves or through a substitute; nobody of a
//! pair that acted together counts twice; and no amount is above the limit of either.
//!
//! The checks know only the staff and what was recorded, not the rules.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};

use casewright_casework::absence::{Absences, Asked};
use casewright_casework::calendar::Pace;
use casewright_casework::policy::Row;
use casewright_casework::principal::Kind;
use casewright_casework::work_item::{
    APPROVE, Arranger, Assigned, Clock, Completed, Completion, Decision, Limit, State, Terms,
};
use casewright_casework::{Calendar, Money, Policy, Principal, WorkItem};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

const STAFF: usize = 5;
const DAY: i64 = 86_400;

/// What each may approve alone, by how high they stand.
const LIMITS: [i64; 3] = [0, 50_000, 200_000];

/// One thing that somebody tries. Numbers choose among the staff.
#[derive(Debug, Clone)]
enum Try {
    Claim(usize),
    Release(usize),
    Approve(usize),
    Decline(usize),
    HandOver(usize, usize),
    Give(usize, usize),
    Reassign(usize, usize),
    Away(usize, usize),
    Back(usize),
    Wait(i64),
}

#[derive(Debug, Clone)]
struct Request {
    asked: usize,
    minor: i64,
    /// Given to one person by name, or to the role.
    named: Option<usize>,
}

/// Whom requests are about: few, so that they meet often.
const FEW: usize = 2;

fn tries() -> impl Strategy<Value = Try> {
    let (who, few) = (0..STAFF, 0..FEW);
    prop_oneof![
        4 => who.clone().prop_map(Try::Claim),
        1 => who.clone().prop_map(Try::Release),
        4 => who.clone().prop_map(Try::Approve),
        1 => who.clone().prop_map(Try::Decline),
        2 => (who.clone(), who.clone()).prop_map(|(who, to)| Try::HandOver(who, to)),
        1 => (who.clone(), who.clone()).prop_map(|(who, to)| Try::Give(who, to)),
        1 => (who.clone(), who.clone()).prop_map(|(who, to)| Try::Reassign(who, to)),
        4 => (few, who.clone()).prop_map(|(who, to)| Try::Away(who, to)),
        1 => who.prop_map(Try::Back),
        1 => (1..3 * DAY).prop_map(Try::Wait),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let named = proptest::option::weighted(0.5, 0..FEW);
    (0..FEW, 1..120_000_i64, named).prop_map(|(asked, minor, named)| Request {
        asked,
        minor,
        named,
    })
}

struct World {
    now: Timestamp,
    staff: Vec<Principal>,
    absences: Absences,
    count: usize,
    item: WorkItem,
}

fn person(index: usize, standing: usize) -> Principal {
    let roles = ["case-worker", "team-leader", "service-manager"];
    let held = roles.iter().take(standing + 1);
    Principal {
        id: format!("u-{index}"),
        display_name: format!("Person {index}"),
        agency: "agency".to_owned(),
        roles: held.map(|&role| role.to_owned()).collect(),
        kind: Kind::Staff,
    }
}

fn policy() -> Policy {
    let row = |role: &str, minor| Row::new(role, Money::new(minor, "AUD"));
    let rows = vec![
        row("team-leader", LIMITS[1]),
        row("service-manager", LIMITS[2]),
    ];
    Policy::new("brokerage-limits", rows)
}

fn calendar() -> Calendar {
    Calendar::new("weekdays", "Etc/UTC", None).unwrap()
}

fn item(request: &Request) -> WorkItem {
    let leaders = Assigned::Role("team-leader".to_owned());
    let named = |who| Assigned::Person(format!("u-{who}"));
    WorkItem {
        id: "i-1-1".to_owned(),
        agency: "agency".to_owned(),
        case: "c-1".to_owned(),
        case_number: "1".to_owned(),
        instance: "i-1".to_owned(),
        number: 1,
        task: "decision".to_owned(),
        reference: "/do/0/decision".to_owned(),
        rounds: Vec::new(),
        approval: true,
        title: "Brokerage".to_owned(),
        show: json!({}),
        form: None,
        assigned: request.named.map_or(leaders, named),
        outcomes: [APPROVE, "decline"].map(str::to_owned).into(),
        approvals_needed: 2,
        limit: Some(Limit {
            policy: "brokerage-limits".to_owned(),
            aspects: BTreeMap::new(),
            money: Money::new(request.minor, "AUD"),
        }),
        excluded: BTreeMap::from([(format!("u-{}", request.asked), "asked".to_owned())]),
        offered_at: Timestamp::UNIX_EPOCH,
        due: None,
        deadline: None,
        seen_by: casewright_casework::access::Audience::default(),
        clock: Clock::Runs,
        pace: Pace::Exact,
        holds: Vec::new(),
        alarms: Vec::new(),
        reminded_at: None,
        escalations: Vec::new(),
        told: Vec::new(),
        terms: Terms::default(),
        moves: Vec::new(),
        editors: BTreeSet::new(),
        state: State::Offered,
        claimed_by: None,
        decisions: Vec::new(),
        revision: 1,
    }
}

impl World {
    /// Does it where the rules allow it, and says whether they did.
    fn attempt(&mut self, tried: &Try) -> bool {
        let now = self.now;
        let next = match *tried {
            Try::Wait(seconds) => {
                self.now += jiff::SignedDuration::from_secs(seconds);
                let rung = self.item.ring(self.now, &calendar(), None);
                rung.map(|(next, _)| next)
            }
            Try::Away(who, substitute) => return self.away(who, substitute),
            Try::Back(who) => return self.back(who),
            Try::Claim(who) => self.claim(who),
            Try::Release(who) => self.item.release(&self.staff[who], now).ok(),
            Try::Approve(who) => self.complete(who, APPROVE),
            Try::Decline(who) => self.complete(who, "decline"),
            Try::HandOver(who, to) => {
                let (stead, absence) = self.stead(who);
                let until = now + jiff::SignedDuration::from_secs(DAY);
                let actor = self
                    .item
                    .actor(&self.staff[who], stead.as_ref(), absence, now);
                let to = &self.staff[to];
                actor
                    .and_then(|actor| self.item.hand_over(actor, to, until, "why", now))
                    .ok()
            }
            Try::Give(who, to) => self.item.give(&self.by(who), &self.staff[to]).ok(),
            Try::Reassign(who, to) => {
                let to = &self.staff[to];
                let named = Assigned::Person(to.id.clone());
                let by = self.by(who);
                self.item.reassign(&by, &named, Some(to), &calendar()).ok()
            }
        };
        let allowed = next.is_some();
        self.item = next.unwrap_or_else(|| self.item.clone());
        allowed
    }

    fn by(&self, who: usize) -> Arranger<'_> {
        Arranger {
            who: &self.staff[who],
            arranges: who == 0,
            at: self.now,
            reason: "why",
        }
    }

    /// As the engine finds it: for themselves, or else for somebody they stand in for.
    fn claim(&self, who: usize) -> Option<WorkItem> {
        let me = &self.staff[who];
        if let Ok(next) = self.item.claim(me, self.now) {
            return Some(next);
        }
        self.absences.with(&me.id, self.now).find_map(|absence| {
            let absent = self.staff.iter().find(|one| one.id == absence.person)?;
            self.item.claim_for(me, absent, absence, self.now).ok()
        })
    }

    fn stead(&self, who: usize) -> (Option<Principal>, Option<&casewright_casework::Absence>) {
        let Some(acting) = self.item.acting(&self.staff[who]) else {
            return (None, None);
        };
        let person = self.staff.iter().find(|one| one.id == acting.person);
        let absence = acting.absence.as_ref().and_then(|id| self.absences.get(id));
        (person.cloned(), absence)
    }

    fn complete(&self, who: usize, outcome: &str) -> Option<WorkItem> {
        let policy = policy();
        let by = Completion {
            at: self.now,
            outcome,
            data: &Value::Null,
            comment: (outcome != APPROVE).then_some("not now"),
            revision: None,
            form_errors: &[],
            policy: Some(&policy),
            on: Date::constant(2026, 11, 26),
            before: &[],
            shown: None,
        };
        let (stead, absence) = self.stead(who);
        let actor = self
            .item
            .actor(&self.staff[who], stead.as_ref(), absence, self.now);
        match actor
            .and_then(|actor| self.item.complete(actor, &by))
            .ok()?
        {
            Completed::More(next) | Completed::Done(next) => Some(next),
        }
    }

    fn away(&mut self, who: usize, substitute: usize) -> bool {
        self.count += 1;
        let today = self.now.to_zoned(TimeZone::UTC).date();
        let asked = Asked {
            id: &format!("a-{}", self.count),
            who: &self.staff[who],
            arranges: who == 0,
            person: &self.staff[who],
            substitute: &self.staff[substitute],
            from: today,
            to: today.saturating_add(jiff::Span::new().days(1)),
            at: self.now,
            zone: &TimeZone::UTC,
        };
        let Ok(absence) = self.absences.asked(&asked) else {
            return false;
        };
        self.absences = self.absences.put(absence, self.now);
        true
    }

    fn back(&mut self, who: usize) -> bool {
        let me = &self.staff[who];
        let Some(absence) = self.absences.of(&me.id, self.now) else {
            return false;
        };
        let ended = absence.ended(me, false, self.now).unwrap();
        self.absences = self.absences.put(ended, self.now);
        true
    }

    fn check(&self, request: &Request) -> Result<(), TestCaseError> {
        let mut counted = BTreeSet::new();
        for decision in &self.item.decisions {
            for person in decision.people() {
                let index: usize = person.trim_start_matches("u-").parse().unwrap();
                prop_assert_ne!(index, request.asked, "they asked for it");
                let standing = self.staff[index].roles.len() - 1;
                if decision.outcome == APPROVE {
                    let limit = LIMITS[standing];
                    prop_assert!(request.minor <= limit, "{} over {}", person, limit);
                }
                prop_assert!(counted.insert(person.to_owned()), "{} counts twice", person);
            }
        }
        if let Some(acting) = self
            .item
            .claimed_by
            .as_ref()
            .and_then(|it| it.acting.as_ref())
        {
            let holder = &self.item.claimed_by.as_ref().unwrap().person;
            prop_assert_ne!(holder, &acting.person, "nobody acts for themselves");
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn nobody_approves_through_others_what_they_could_not_themselves(
        standings in vec(prop_oneof![1 => Just(0_usize), 4 => 1..3_usize], STAFF),
        request in request(),
        all in vec(tries(), 1..60),
    ) {
        let staff = standings.iter().enumerate();
        let mut world = World {
            now: Timestamp::UNIX_EPOCH,
            staff: staff.map(|(index, standing)| person(index, *standing)).collect(),
            absences: Absences::default(),
            count: 0,
            item: item(&request),
        };
        for tried in &all {
            world.attempt(tried);
            world.check(&request)?;
        }
    }
}

/// A model in which nothing comes to pass would hold every rule: a substitute and a colleague make
/// the two that are needed.
#[test]
fn a_request_passes_by_a_substitute_and_a_colleague() {
    let request = Request {
        asked: 0,
        minor: 40_000,
        named: None,
    };
    let staff = [0, 1, 1, 1, 1].iter().enumerate();
    let mut world = World {
        now: Timestamp::UNIX_EPOCH,
        staff: staff
            .map(|(index, standing)| person(index, *standing))
            .collect(),
        absences: Absences::default(),
        count: 0,
        item: item(&request),
    };
    let steps = [
        Try::Claim(1),
        Try::Away(1, 2),
        // For Person 1, who has it.
        Try::Claim(2),
        Try::Approve(2),
        Try::Claim(3),
        Try::HandOver(3, 4),
        Try::Approve(4),
    ];
    for step in steps {
        assert!(world.attempt(&step), "{step:?}");
    }
    assert_eq!(world.item.state, State::Completed);
    let people = world.item.decisions.iter().flat_map(Decision::people);
    assert_eq!(people.collect::<Vec<_>>(), ["u-2", "u-1", "u-4", "u-3"]);
}
