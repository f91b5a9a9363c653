//! What a decision about a task rests on is guarded: when somebody changes it before the decision
//! is on disk, the decision is not taken, and whoever made it is asked again.
//!
//! That the store looks at guards is held by its own tests; here is that they are there.

use std::collections::BTreeMap;

use casewright_casework::Walls;
use casewright_casework::audit::Action;
use casewright_casework::person::{Change, Contact, Details, Hidden, Relation};
use casewright_casework::work_item::Assigned;
use casewright_store::{Put, Store, Table};
use serde_json::json;

use super::handovers::{absence, coordinator, deputy, give, hand_over, reassign, staffed};
use super::meanwhile::{of_agency, of_case};
use super::world::{World, aud, complete, leader, moment, within_reason, worker};
use crate::engine::Wait;
use crate::{key, record};

/// A request for brokerage up to its decision: case, run and task.
struct Asked {
    case: String,
    run: String,
    item: String,
}

async fn asked(world: &World) -> Asked {
    let started = world.start("brokerage", json!({})).await;
    let item = world.item(&started.id, "request").await.id;
    let data = json!({"money": aud(30_000)});
    world.decide(&worker(), &item, "done", data).await.unwrap();
    Asked {
        item: world.item(&started.id, "decision").await.id,
        case: started.case,
        run: started.id,
    }
}

impl Asked {
    fn row(&self, table: Table, key: Vec<u8>) -> Put {
        of_case(&self.case, table, key)
    }

    /// Whether somebody stands in the case.
    fn wall(&self, staff: &str) -> Put {
        let mark = key::join(&["staff", "family-support", staff, &self.case]);
        self.row(Table::Wall, mark)
    }

    /// What whoever decides it has to know: the task, who stands in the case, who worked on it.
    fn grounds(&self) -> [Put; 5] {
        let people = record::encode(&BTreeMap::<String, String>::new());
        let written = |row: Put, value: &[u8]| Put {
            value: Some(value.to_owned()),
            ..row
        };
        let related = self.row(Table::Index, key::join(&["related-staff", &self.case]));
        let workers = self.row(Table::Index, key::join(&["tree-workers", &self.run]));
        let declared = self.row(Table::Wall, key::join(&["case", &self.case]));
        [
            self.task(),
            self.wall("u-lee"),
            written(related, &people),
            written(declared, &record::encode(&Walls::default())),
            written(workers, &people),
        ]
    }

    fn task(&self) -> Put {
        self.row(Table::WorkItem, self.item.clone().into_bytes())
    }
}

fn absences() -> Put {
    of_agency(Table::Index, key::join(&["absences", "family-support"]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_taken_and_decided_on_what_stands_until_it_is_on_disk() {
    for told in [Action::WorkItemClaimed, Action::WorkItemCompleted] {
        let count = asked(&staffed().await).await.grounds().len();
        for index in 0..count {
            let world = staffed().await;
            let (engine, lee, asked) = (&world.engine, leader(), asked(&world).await);
            let row = asked.grounds()[index].clone();
            let place = format!("{told:?} {:?} {index}", row.table);
            world.touch(told, row);
            engine.claim(&lee, &asked.item, None).await.unwrap();
            let done = complete("approve", json!(null));
            engine
                .complete(&lee, &asked.item, done, None)
                .await
                .unwrap();
            assert!(!world.overlooked(), "{place}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_acts_for_somebody_acts_on_an_absence_that_stands_until_it_is_on_disk() {
    let acts = [
        Action::WorkItemTakenFor,
        Action::WorkItemHeld,
        Action::WorkItemActedFor,
    ];
    for told in acts {
        let world = staffed().await;
        let (engine, dee, asked) = (&world.engine, deputy(), asked(&world).await);
        engine.claim(&leader(), &asked.item, None).await.unwrap();
        let lee = leader();
        let away = engine.record_absence(&lee, absence(), None);
        away.await.unwrap();
        world.touch(told, absences());
        engine.claim(&dee, &asked.item, None).await.unwrap();
        let wait = Wait {
            until: None,
            reason: "a question to the family".to_owned(),
        };
        engine.hold(&dee, &asked.item, wait, None).await.unwrap();
        engine.resume(&dee, &asked.item, None).await.unwrap();
        let done = complete("approve", json!(null));
        engine
            .complete(&dee, &asked.item, done, None)
            .await
            .unwrap();
        assert!(!world.overlooked(), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn absences_are_written_one_after_the_other() {
    let world = staffed().await;
    let engine = &world.engine;
    let lee = leader();
    let first = engine.record_absence(&lee, absence(), None);
    let first = first.await.unwrap();
    world.touch_before(
        |batch| batch.puts.iter().any(|put| put.table == Table::Absence),
        absences(),
    );
    engine
        .end_absence(&leader(), &first.id, None)
        .await
        .unwrap();
    assert!(!world.overlooked());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_goes_to_a_colleague_to_whom_the_case_is_open_until_it_is_on_disk() {
    let moves = [
        Action::WorkItemHandedOver,
        Action::WorkItemGiven,
        Action::WorkItemReassigned,
    ];
    for told in moves {
        let world = staffed().await;
        let (engine, asked) = (&world.engine, asked(&world).await);
        let (lee, ria) = (leader(), coordinator());
        world.touch(told, asked.wall("u-dee"));
        if told == Action::WorkItemGiven {
            let given = engine.give(&ria, &asked.item, give("u-dee"), None);
            given.await.unwrap();
        } else {
            engine.claim(&lee, &asked.item, None).await.unwrap();
            let over = hand_over("u-dee", "2026-08-05T00:00:00Z");
            let handed = engine.hand_over(&lee, &asked.item, over, None);
            handed.await.unwrap();
            let to = reassign(Assigned::Person("u-dee".to_owned()));
            let moved = engine.reassign(&ria, &asked.item, to, None);
            moved.await.unwrap();
        }
        assert!(!world.overlooked(), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_rings_for_a_task_as_it_stands_then() {
    let world = staffed().await;
    let started = world.start("late", json!({})).await;
    let item = world.item(&started.id, "decision").await.id;
    let key = item.clone().into_bytes();
    world.touch(
        Action::WorkItemReminded,
        of_case(&started.case, Table::WorkItem, key),
    );
    world.clock.set(moment("2026-08-05T23:00:00Z"));
    let mut changes = world.engine.changes();
    within_reason(async {
        loop {
            changes.borrow_and_update();
            let seen = world.engine.work_item(&worker(), &item).await.unwrap();
            if seen.reminded.is_some() {
                break;
            }
            changes.changed().await.unwrap();
        }
    })
    .await;
    assert!(!world.overlooked());
}

fn details(name: &str) -> Details {
    Details {
        name: name.to_owned(),
        born: None,
        relation: Relation::Parent,
        phone: None,
        email: None,
        address: None,
        contact: Contact::default(),
        staff: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_of_a_case_changes_as_it_stands_then() {
    for index in 0..5 {
        let world = staffed().await;
        let (engine, who, asked) = (&world.engine, worker(), asked(&world).await);
        let case = asked.case.as_str();
        let [.., related, declared, _] = asked.grounds();
        let added = engine.add_person(&who, case, details("Mai"), None);
        let mai = added.await.unwrap();
        match index {
            0 | 1 => {
                let row = if index == 0 { related } else { declared };
                world.touch(Action::WallDeclared, row);
                let reason = "a cousin".to_owned();
                let lee = leader();
                let wall = engine.declare_wall(&lee, case, None, reason, None);
                wall.await.unwrap();
            }
            2 => {
                let row = asked.row(Table::Person, key::join(&[case, &mai.id]));
                world.touch(Action::PersonChanged, row);
                let seen = Some(mai.revision);
                let hidden = Hidden {
                    address: Change::Keep,
                    code_word: Change::Keep,
                };
                let new = details("Mai Tran");
                let changed = engine.change_person(&who, case, &mai.id, new, hidden, seen, None);
                changed.await.unwrap();
            }
            3 => {
                let row = asked.row(Table::Index, key::join(&["people-joined", case]));
                world.touch(Action::PersonAdded, row);
                let added = engine.add_person(&who, case, details("Tom"), None);
                added.await.unwrap();
                let people = world.store.scan(Table::Person, &[], &[0xff; 64], 9);
                assert_eq!(people.unwrap().len(), 2);
            }
            _ => {
                let row = asked.row(Table::Case, case.as_bytes().to_vec());
                world.touch(Action::CaseCalendarChanged, row);
                let named = Some("au-qld".to_owned());
                let set = engine.set_case_calendar(&who, case, named, None);
                set.await.unwrap();
            }
        }
        assert!(!world.overlooked(), "{index}");
    }
}
