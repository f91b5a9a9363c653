//! Who stands in a case does not open it, whatever they did in it before; what they had taken goes
//! back, and no decision that was on its way passes the wall.

use casewright_casework::audit::Action;
use casewright_casework::person::{Contact, Details, Relation};
use casewright_casework::{Code, Principal};
use casewright_store::{Store, SubmitError, Table};
use jiff::civil::date;
use serde_json::json;

use super::meanwhile::of_case;
use super::world::{World, aud, leader, moment, pack, staff, within_reason, worker};
use crate::engine::{Refused, Wait, walls};
use crate::view::{WallView, WorkItemFilter};

/// Keeps the walls.
fn keeper() -> Principal {
    staff("u-dana", &["director"])
}

async fn world() -> World {
    let world = World::new().await;
    let mut files = pack("100000");
    let roles = "roles:\n  director: { title: Director, walls: true }\n";
    let whole = files["pack.yaml"].replace("roles:\n", roles);
    files.insert("pack.yaml".to_owned(), whole);
    world.deploy(files).await.unwrap();
    world
}

fn code<T: std::fmt::Debug>(answer: Result<T, Refused>) -> Code {
    match answer {
        Err(Refused::Rule(refusal)) => refusal.code,
        other => panic!("no rule said no: {other:?}"),
    }
}

impl World {
    async fn declare(&self, who: &Principal, case: &str) -> WallView {
        let reason = "a cousin".to_owned();
        let declared = self.engine.declare_wall(who, case, None, reason, None);
        declared.await.unwrap()
    }

    async fn lift(&self, case: &str, staff: &str) -> WallView {
        let (who, wish) = (keeper(), ("nobody else".to_owned(), date(2026, 8, 10)));
        let lifted = self.engine.lift_wall(&who, case, staff, wish, None);
        lifted.await.unwrap()
    }

    /// A person of the case who is this member of staff.
    async fn relate(&self, by: &Principal, case: &str, sign_in: &str) {
        let details = Details {
            name: "Lee's aunt".to_owned(),
            born: None,
            relation: Relation::OtherFamily,
            phone: None,
            email: None,
            address: None,
            contact: Contact::default(),
            staff: Some(sign_in.to_owned()),
        };
        let added = self.engine.add_person(by, case, details, None);
        added.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_had_taken_goes_back_when_a_wall_goes_up() {
    let world = world().await;
    let started = world.start("pause", json!({})).await;
    let item = world.item(&started.id, "ask").await.id;
    let (who, engine) = (worker(), &world.engine);
    engine.claim(&who, &item, None).await.unwrap();
    let wait = Wait {
        until: Some(moment("2026-08-20T00:00:00Z")),
        reason: "they are away".to_owned(),
    };
    engine.hold(&who, &item, wait, None).await.unwrap();
    world.clock.set(moment("2026-08-04T01:00:00Z"));
    world.declare(&who, &started.case).await;

    let other = staff("u-robin", &["case-worker"]);
    let free = engine.work_item(&other, &item).await.unwrap();
    assert_eq!((&*free.state, free.claimable), ("offered", true));
    assert!(free.claimed_by.is_none() && free.hold.is_none());
    assert_eq!(code(engine.work_item(&who, &item).await), Code::NotFound);
    assert_eq!(code(engine.claim(&who, &item, None).await), Code::NotFound);
    // Its timer went with it: it is escalated when its time is out, not when the hold would end.
    world.clock.set(moment("2026-08-14T00:00:00Z"));
    let mut changes = engine.changes();
    within_reason(async {
        loop {
            changes.borrow_and_update();
            let item = engine.work_item(&other, &item).await.unwrap();
            if !item.escalated_to.is_empty() {
                break;
            }
            changes.changed().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_is_on_its_way_does_not_pass_the_wall() {
    let world = world().await;
    let started = world.start("brokerage", json!({})).await;
    let shared = &world.engine.shared;
    let guards = shared.door(&worker(), &started.case).unwrap();
    world.declare(&worker(), &started.case).await;
    let batch = casewright_store::Batch {
        guards,
        ..casewright_store::Batch::default()
    };
    let late = world.store.submit(batch);
    assert!(matches!(late, Err(SubmitError::Guard { .. })));
    assert!(shared.door(&worker(), &started.case).is_err());
}

#[tokio::test]
async fn a_colleague_in_the_family_is_kept_out_until_the_wall_is_lifted_and_never_approves() {
    let world = world().await;
    let case = world.start("brokerage", json!({})).await.case;
    let (engine, lee) = (&world.engine, leader());
    let user = crate::identity::NewUser {
        agency: "family-support".to_owned(),
        id: lee.id.clone(),
        sign_in: "lee".to_owned(),
        display_name: "Lee".to_owned(),
        roles: ["team-leader".to_owned()].into(),
        passphrase: "correct horse battery staple".to_owned(),
    };
    engine.put_user(user).await.unwrap();
    engine.case(&lee, &case).await.unwrap();
    world.relate(&worker(), &case, "lee").await;
    assert_eq!(code(engine.case(&lee, &case).await), Code::NotFound);
    world.lift(&case, &lee.id).await;
    engine.case(&lee, &case).await.unwrap();
    let walls = engine.walls(&worker(), &case).await.unwrap();
    assert_eq!((walls.len(), walls[0].closed), (1, false));
    assert_eq!(walls[0].stands_as.len(), 1);
    let (who, reason) = (keeper(), "a mistake".to_owned());
    let taken = engine.take_wall_away(&who, &case, "u-lee", reason, None);
    assert_eq!(code(taken.await), Code::NotFound, "it follows the person");
    // From the day after its last the wall stands again, after a crash as well.
    let world = world.crash().await;
    world.clock.set(moment("2026-08-10T13:59:00Z"));
    world.engine.case(&lee, &case).await.unwrap();
    world.clock.set(moment("2026-08-10T14:00:00Z"));
    assert_eq!(code(world.engine.case(&lee, &case).await), Code::NotFound);
}

/// Kept to team leaders.
const QUIET: &str = "
document:
  dsl: '1.0.3'
  namespace: family-support
  name: quiet
  version: '1.0.0'
  metadata: { visibleTo: [team-leader] }
do:
  - reserve:
      call: fund.reserve
      with: { fund: brokerage, money: { minor: 500, currency: AUD } }
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_names_no_case_and_no_run_that_its_reader_does_not_see() {
    let world = world().await;
    let mut files = pack("100000");
    files.insert("quiet.yaml".to_owned(), QUIET.to_owned());
    world.deploy(files).await.unwrap();
    let case = world.start("brokerage", json!({})).await.case;
    world.begin_in(&case, "quiet", json!({})).await;
    let entries = async |who: &Principal| {
        let read = world.engine.fund_ledger(who, "brokerage", 0, 100);
        read.await.unwrap()
    };
    let lee = leader();
    within_reason(async {
        while entries(&lee).await.iter().all(|one| one.run.is_none()) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let told = async |who: &Principal| entries(who).await.iter().any(|one| one.case.is_some());
    assert!(told(&lee).await);
    assert!(!told(&worker()).await, "the run is kept to others");
    world.declare(&lee, &case).await;
    assert!(!told(&lee).await, "they stand in the case");
}

#[tokio::test]
async fn what_is_asked_of_a_case_that_is_closed_to_them_is_no_reading_of_it() {
    let world = world().await;
    let case = world.start("brokerage", json!({})).await.case;
    let (engine, who) = (&world.engine, worker());
    world.declare(&who, &case).await;
    let before = world.store.audit(&case).unwrap().len();
    assert_eq!(code(engine.plan(&who, &case).await), Code::NotFound);
    let next = engine.next_of(&who, &case, "brokerage").await;
    assert_eq!(code(next), Code::NotFound);
    assert_eq!(world.store.audit(&case).unwrap().len(), before);
}

#[tokio::test]
async fn what_is_done_while_a_wall_is_lifted_rests_on_that_until_it_is_on_disk() {
    let world = world().await;
    let case = world.start("brokerage", json!({})).await.case;
    let who = worker();
    world.declare(&who, &case).await;
    world.lift(&case, &who.id).await;
    for (table, key) in [
        (Table::Wall, walls::walls_key(&case)),
        (Table::Wall, walls::mark(&who.agency, &who.id, &case)),
    ] {
        world.touch(Action::NoteAdded, of_case(&case, table, key));
        let noted = world.engine.add_note(&who, &case, "She rang", None, None);
        noted.await.unwrap();
        assert!(!world.overlooked());
    }
}

#[tokio::test]
async fn what_is_held_when_a_lifted_wall_stands_again_is_for_others_to_take() {
    let world = world().await;
    let started = world.start("brokerage", json!({})).await;
    let item = world.item(&started.id, "request").await.id;
    let (who, other) = (worker(), staff("u-robin", &["case-worker"]));
    world.declare(&who, &started.case).await;
    world.lift(&started.case, &who.id).await;
    let engine = &world.engine;
    engine.claim(&who, &item, None).await.unwrap();
    assert_eq!(
        code(engine.claim(&other, &item, None).await),
        Code::AlreadyClaimed
    );
    world.clock.set(moment("2026-08-11T00:00:00Z"));
    assert!(engine.work_item(&other, &item).await.unwrap().claimable);
    let taken = engine.claim(&other, &item, None).await.unwrap();
    assert_eq!(taken.claimed_by.unwrap().id, "u-robin");
}

#[tokio::test]
async fn who_turns_out_to_stand_in_the_case_has_approved_no_money() {
    let world = world().await;
    let started = world.start("brokerage", json!({})).await;
    let item = world.item(&started.id, "request").await.id;
    let asked = json!({"money": aud(1_000), "supplier": "Beds"});
    world.decide(&worker(), &item, "done", asked).await.unwrap();
    let decision = world.item(&started.id, "decision").await.id;
    world.declare(&leader(), &started.case).await;
    let engine = &world.engine;
    assert_eq!(
        code(engine.claim(&leader(), &decision, None).await),
        Code::NotFound
    );
    world.lift(&started.case, "u-lee").await;
    assert_eq!(
        code(engine.claim(&leader(), &decision, None).await),
        Code::SelfApproval
    );
}

#[tokio::test]
async fn a_list_leaves_out_what_is_closed_and_goes_on_after_it() {
    let world = world().await;
    let mut cases = Vec::new();
    for _ in 0..6 {
        cases.push(world.start("brokerage", json!({})).await.case);
    }
    for case in [&cases[1], &cases[2], &cases[5]] {
        world.declare(&worker(), case).await;
    }
    let mut seen = Vec::new();
    let mut filter = WorkItemFilter {
        limit: Some(2),
        ..WorkItemFilter::default()
    };
    loop {
        let page = world
            .engine
            .work_items(&worker(), filter.clone())
            .await
            .unwrap();
        seen.extend(page.items.into_iter().map(|item| item.case));
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, [&*cases[0], &*cases[3], &*cases[4]]);
    let listed = world.engine.cases(&worker(), None).await.unwrap().items;
    assert_eq!(listed.len(), 3);
}

#[tokio::test]
async fn relations_of_an_earlier_engine_get_their_marks_at_the_start() {
    let world = world().await;
    let case = world.start("brokerage", json!({})).await.case;
    let related = json!({"v": 1, "d": {"p1": "u-lee"}}).to_string();
    let batch = casewright_store::Batch {
        puts: vec![casewright_store::Put {
            table: Table::Index,
            key: crate::key::join(&["related-staff", &case]),
            value: Some(related.into_bytes()),
            under: casewright_store::Under::Case(case.clone()),
        }],
        ..casewright_store::Batch::default()
    };
    world.store.submit(batch).unwrap().flushed().await.unwrap();
    let world = world.crash().await;
    assert_eq!(
        code(world.engine.case(&leader(), &case).await),
        Code::NotFound
    );
    world.engine.case(&worker(), &case).await.unwrap();
}
