//! What is left of an erased file, at every flush of its erasure, and when two decide at once.

use casewright_casework::consent::{How, Terms};
use casewright_casework::document::Kind;
use casewright_casework::person::{Details, Relation};
use casewright_casework::{Code, Principal, audit};
use casewright_store::settings::Settings;
use casewright_store::{Batch, Erase, Moment, ReadError, Store, Table};
use jiff::SignedDuration;
use jiff::civil::date;
use serde_json::json;
use tokio::sync::mpsc;

use super::handovers::staffed;
use super::meanwhile::{of_agency, of_case};
use super::retention::{
    HEAD, PLANTED, RETENTION, code, dee, details, files, lee, planted, sam, words, world,
};
use super::world::{World, aud, request, staff, start_of, within_reason, worker};
use crate::engine::retention::disposal_key;
use crate::engine::{
    Arriving, Limits, NewAbsence, NewDocument, Start, Unsent, absences, persons, shared, skeletons,
    walls,
};
use crate::port::EffectKind;
use crate::view::{InstanceView, WorkItemFilter};

impl World {
    async fn document(&self, case: &str) {
        let (sender, receiver) = mpsc::channel(4);
        let bytes = format!("%PDF-1.7 {}", PLANTED.repeat(20_000)).into_bytes();
        sender.send(Arriving::Bytes(bytes)).await.unwrap();
        sender.send(Arriving::End).await.unwrap();
        let new = NewDocument {
            kind: Kind::Quote,
            name: planted("Quote.pdf"),
        };
        let key = Some("d-1".to_owned());
        let who = worker();
        let added = self.engine.add_document(&who, case, new, receiver, key);
        added.await.unwrap();
    }

    /// Tables in which what was planted can be read.
    fn found_in(&self) -> Vec<Table> {
        let holds = |bytes: &[u8]| {
            let text = bytes.to_ascii_lowercase();
            text.windows(PLANTED.len())
                .any(|part| part == PLANTED.as_bytes())
        };
        let found = |table: &&Table| {
            let rows = self.store.scan(**table, &[], &[0xff; 64], usize::MAX);
            let rows = rows.unwrap();
            rows.iter()
                .any(|(key, row)| holds(key) || holds(&row.value))
        };
        Table::ALL.iter().filter(found).copied().collect()
    }
}

/// A file with everything that people write into one, closed.
async fn whole_file(world: &World) -> String {
    let (engine, casey) = (&world.engine, worker());
    let run = world
        .start("brokerage", json!({"about": planted("a cot")}))
        .await;
    let case = run.case.clone();
    let item = world.item(&run.id, "request").await;
    engine.claim(&casey, &item.id, None).await.unwrap();
    let unsent = Unsent {
        data: json!({"what": planted("a cot")}),
        comment: Some(planted("soon")),
    };
    engine.save_draft(&casey, &item.id, unsent).await.unwrap();
    let parent = details("Mai", Relation::Parent);
    let parent = engine.add_person(&casey, &case, parent, Some(request("p1")));
    let parent = parent.await.unwrap();
    let child = Details {
        born: Some(date(2012, 2, 29)),
        ..details("Kim", Relation::Child)
    };
    engine.add_person(&casey, &case, child, None).await.unwrap();
    let terms = terms();
    let consent = engine.give_consent(&casey, &case, &parent.id, terms, None);
    consent.await.unwrap();
    let note = planted("The kettle broke");
    let noted = engine.add_note(&casey, &case, &note, None, Some(request("n1")));
    noted.await.unwrap();
    world.document(&case).await;
    let cousin = staff("u-mo", &["case-worker"]);
    let walls = engine.declare_wall(&cousin, &case, None, planted("a cousin"), None);
    walls.await.unwrap();
    let fallen = world
        .begin_in(&case, "fall", json!({"said": planted("it broke")}))
        .await;
    world.run_over(&fallen).await;
    let asked = json!({"money": {"minor": 5_000, "currency": "AUD"}, "for": planted("a cot")});
    let mut complete = super::world::complete("done", asked);
    complete.comment = Some(planted("needed"));
    engine
        .complete(&casey, &item.id, complete, None)
        .await
        .unwrap();
    let item = world.item(&run.id, "decision").await;
    world
        .decide(&lee(), &item.id, "approve", json!({}))
        .await
        .unwrap();
    assert_eq!(world.run_over(&run.id).await.status, "completed");
    world.close(&case).await;
    case
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_file_leaves_its_record_the_figures_and_no_name() {
    let world = world().await;
    let case = whole_file(&world).await;
    let other = world.closed().await;
    world.day(date(2033, 8, 4));
    let (lee, sam, reason) = (lee(), sam(), planted("a court"));
    let held = world
        .engine
        .hold_file(&lee, &case, reason.clone(), Some(request("h")));
    let hold = held.await.unwrap().holds.remove(0).id;
    let lifted = world.engine.lift_hold(&sam, &case, &hold, reason, None);
    lifted.await.unwrap();
    let found = world.found_in();
    for table in [
        Table::WorkItem,
        Table::Person,
        Table::Consent,
        Table::Note,
        Table::Document,
        Table::DocumentPart,
        Table::Wall,
        Table::Request,
        Table::Index,
        Table::Case,
    ] {
        assert!(found.contains(&table), "nothing was planted in {table:?}");
    }
    let (from, to) = (date(2026, 1, 1), date(2026, 12, 31));
    let before = world
        .engine
        .outcomes(&worker(), from, to)
        .await
        .unwrap()
        .outcomes;
    let sums = async |world: &World| {
        let entries = world
            .engine
            .fund_ledger(&sam, "brokerage", 0, 100)
            .await
            .unwrap();
        let line =
            |one: crate::view::FundEntryView| (one.number, one.minor, one.available_after_minor);
        entries.into_iter().map(line).collect::<Vec<_>>()
    };
    let ledger = sums(&world).await;
    let chain = world.store.audit(&case).unwrap();
    let request = world.ask_for(&case).await.unwrap();
    let erased = world.erase(&sam, &case, &request).await.unwrap();
    assert_eq!(
        (erased.until, &*erased.asked_by.id),
        (date(2033, 8, 3), "u-lee")
    );
    assert_eq!(erased.classes, ["children", "file"]);

    // The other file is whole; it goes too, so that nothing planted is to be found.
    let view = world.retention(&other).await;
    assert!(view.in_the_way.is_empty(), "{:?}", view.in_the_way);
    let request = world.ask_for(&other).await.unwrap();
    world.erase(&dee(), &other, &request).await.unwrap();
    assert_eq!(world.found_in(), []);

    let world = world.crash().await;
    assert_eq!(world.found_in(), []);
    let after = world.store.audit(&case).unwrap();
    assert_eq!(audit::verify(&case, &after), Ok(()));
    assert!(!serde_json::to_string(&after).unwrap().contains(PLANTED));
    assert_eq!(after[..chain.len()], chain[..]);
    let last = after.last().unwrap();
    assert_eq!(last.entry.action, audit::Action::CaseErased);
    let kept = skeletons(&*world.store).unwrap();
    let kept = kept.iter().find(|one| one.case == case).unwrap();
    assert_eq!((kept.entries, &kept.last), (after.len() as u64, &last.hash));
    assert_eq!(
        world
            .engine
            .outcomes(&worker(), from, to)
            .await
            .unwrap()
            .outcomes,
        before
    );
    assert_eq!(sums(&world).await, ledger);
    assert_eq!(crate::engine::unbalanced(&*world.store).unwrap().1.len(), 0);
    assert_eq!(world.store.pending(Table::Case, case.as_bytes()), Ok(None));
    assert!(matches!(
        world.store.history(&kept.case),
        Ok(None) | Err(ReadError::Erased)
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_case_is_not_there_for_anybody_and_its_skeleton_is_for_those_who_may() {
    let world = world().await;
    let case = whole_file(&world).await;
    let runs = world.engine.case(&worker(), &case).await.unwrap().instances;
    world.day(date(2033, 8, 4));
    let due = world.engine.files_due(&lee(), None).await.unwrap();
    assert_eq!((due.items.len(), due.items[0].in_the_way.len()), (1, 0));
    let request = world.ask_for(&case).await.unwrap();
    let due = world.engine.files_due(&sam(), None).await.unwrap();
    assert_eq!(due.items[0].asked.as_ref().unwrap().id, request);
    let told = world.erase(&sam(), &case, &request).await.unwrap();
    // Whoever repeats it is told the same.
    let again = world.erase(&sam(), &case, &request).await.unwrap();
    assert_eq!((again.last, again.entries), (told.last, told.entries));
    assert_eq!(
        code(world.erase(&dee(), &case, &request).await),
        Code::NotFound
    );
    let engine = &world.engine;
    for who in [&worker(), &lee(), &sam()] {
        assert_eq!(code(engine.case(who, &case).await), Code::NotFound);
        assert_eq!(
            code(engine.case_retention(who, &case).await),
            Code::NotFound
        );
        assert_eq!(code(engine.timeline(who, &case).await), Code::NotFound);
        assert_eq!(code(engine.audit_shown(who, &case).await), Code::NotFound);
        for run in &runs {
            assert_eq!(code(engine.instance(who, &run.id).await), Code::NotFound);
        }
        assert_eq!(engine.cases(who, None).await.unwrap().items.len(), 0);
    }
    let start = Start {
        case: Some(case.clone()),
        ..start_of("end", json!({}))
    };
    assert_eq!(
        code(engine.start(&worker(), start, None).await),
        Code::NotFound
    );
    assert_eq!(engine.files_due(&lee(), None).await.unwrap().items.len(), 0);
    let erased = engine.files_erased(&lee(), None).await.unwrap().items;
    assert_eq!((erased.len(), &erased[0].case), (1, &case));
    assert_eq!(
        code(engine.files_erased(&worker(), None).await),
        Code::NotAssigned
    );
    assert_eq!(
        code(engine.files_due(&worker(), None).await),
        Code::NotAssigned
    );
    let stranger = Principal {
        agency: "elsewhere".to_owned(),
        ..sam()
    };
    assert!(engine.files_erased(&stranger, None).await.is_err());
    // Lists and the ledger go on without it.
    let filter = WorkItemFilter {
        state: Some("completed".to_owned()),
        ..WorkItemFilter::default()
    };
    let items = engine.work_items(&worker(), filter).await.unwrap().items;
    assert_eq!(items.len(), 0);
    let entries = engine
        .fund_ledger(&sam(), "brokerage", 0, 100)
        .await
        .unwrap();
    assert!(entries.len() >= 3 && entries.iter().all(|one| one.case.is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_flush_of_an_erasure_erases_whole_or_not_at_all() {
    for moment in [Moment::BeforeFlush, Moment::AfterFlush] {
        for flush in 1.. {
            let world = world().await;
            let case = world.closed().await;
            world.day(date(2033, 8, 4));
            let request = world.ask_for(&case).await.unwrap();
            world.faults.stop_at(flush, moment);
            let first = world.erase(&sam(), &case, &request).await;
            let world = world.crash().await;
            let again = world.erase(&sam(), &case, &request).await;
            assert!(again.is_ok(), "{moment:?} {flush}: {again:?}");
            let chain = world.store.audit(&case).unwrap();
            assert_eq!(audit::verify(&case, &chain), Ok(()));
            let kept = skeletons(&*world.store).unwrap();
            assert_eq!(kept.len(), 1, "{moment:?} {flush}");
            assert_eq!(kept[0].entries, chain.len() as u64);
            assert_eq!(world.found_in(), [], "{moment:?} {flush}");
            if first.is_ok() {
                assert!(flush > 2, "an erasure has two flushes at least");
                break;
            }
            assert!(flush < 20, "an erasure has an end");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_decide_one_is_first_and_a_hold_that_is_on_its_way_wins() {
    for round in 0..8 {
        let world = world().await;
        let case = world.closed().await;
        world.day(date(2033, 8, 4));
        let request = world.ask_for(&case).await.unwrap();
        let (sam, dee) = (sam(), dee());
        let (one, two) = tokio::join!(
            world.erase(&sam, &case, &request),
            world.erase(&dee, &case, &request)
        );
        assert!(one.is_ok() != two.is_ok(), "round {round}: {one:?} {two:?}");
        let lost = if one.is_ok() { code(two) } else { code(one) };
        assert_eq!(lost, Code::NotFound, "round {round}");
        assert_eq!(skeletons(&*world.store).unwrap().len(), 1);

        let case = world.closed().await;
        world.day(date(2041, 1, 1));
        let request = world.ask_for(&case).await.unwrap();
        let lee = lee();
        let wish = (request.clone(), "agreed".to_owned());
        let (held, agreed) = tokio::join!(
            world.engine.hold_file(&lee, &case, "a court".into(), None),
            world.engine.agree_erasure(&sam, &case, wish, None)
        );
        assert!(
            held.is_ok() != agreed.is_ok(),
            "round {round}: {held:?} {agreed:?}"
        );
        if held.is_ok() {
            assert_eq!(code(agreed), Code::NotErasable);
            assert_eq!(words(&world.retention(&case).await), ["held"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_a_file_while_it_is_erased_is_on_record_or_finds_nothing() {
    for round in 0..10 {
        let world = world().await;
        let case = world.closed().await;
        world.day(date(2033, 8, 4));
        let request = world.ask_for(&case).await.unwrap();
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let (engine, case) = (world.engine.clone(), case.clone());
                tokio::spawn(async move {
                    let mut read = 0_u64;
                    while engine.audit_shown(&worker(), &case).await.is_ok() {
                        read += 1;
                    }
                    read
                })
            })
            .collect();
        let mut erased = world.erase(&sam(), &case, &request).await;
        while matches!(erased, Err(crate::engine::Refused::Busy)) {
            erased = world.erase(&sam(), &case, &request).await;
        }
        erased.unwrap();
        let mut read = 0;
        for reader in readers {
            read += reader.await.unwrap();
        }
        let chain = world.store.audit(&case).unwrap();
        let kept = skeletons(&*world.store).unwrap().remove(0);
        let last = chain.last().unwrap();
        assert_eq!(
            (kept.entries, &kept.last),
            (chain.len() as u64, &last.hash),
            "round {round}"
        );
        assert_eq!(last.entry.action, audit::Action::CaseErased);
        let noted = chain
            .iter()
            .filter(|one| one.entry.action == audit::Action::CaseRead);
        assert!(
            noted.count() as u64 >= read,
            "round {round}: every reading is on record"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_is_decided_on_what_stands_until_it_is_on_disk() {
    let agency = "family-support";
    let rows = |case: &str| {
        let index = |key| of_case(case, Table::Index, key);
        let wall = |key| of_case(case, Table::Wall, key);
        [
            of_case(case, Table::Case, case.as_bytes().to_vec()),
            index(disposal_key(case)),
            index(persons::joined_key(case)),
            index(walls::related_key(case)),
            wall(walls::walls_key(case)),
            wall(walls::mark(agency, "u-sam", case)),
            of_agency(Table::Index, absences::head(agency)),
            of_agency(Table::InForce, shared::of_agency(agency)),
        ]
    };
    for number in 0..rows("").len() {
        let world = world().await;
        let case = world.closed().await;
        world.day(date(2033, 8, 4));
        let request = world.ask_for(&case).await.unwrap();
        let row = rows(&case).into_iter().nth(number).unwrap();
        world.touch(audit::Action::CaseErased, row);
        // Where the row says nothing now the second look finds it damaged.
        let _ = world.erase(&sam(), &case, &request).await;
        assert!(!world.overlooked(), "row {number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_is_who_they_stand_in_for_until_it_is_on_disk() {
    let world = world().await;
    let case = world.closed().await;
    world.day(date(2033, 8, 4));
    let row = of_agency(Table::Index, absences::head("family-support"));
    world.touch(audit::Action::ErasureAsked, row);
    // Where the row says nothing now the second look finds it damaged.
    let _ = world.ask_for(&case).await;
    assert!(!world.overlooked());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_agrees_who_stands_in_the_case_or_in_for_whoever_asked() {
    let world = staffed().await;
    let mut files = files(RETENTION);
    let roles = "roles:\n  director: { title: Director, walls: true }\n";
    let pack = files["pack.yaml"].replace("roles:\n", roles);
    files.insert("pack.yaml".to_owned(), pack);
    world.deploy(files).await.unwrap();
    let case = world.closed().await;
    let (engine, today) = (&world.engine, date(2033, 8, 4));
    let (lee, sam, dee) = (lee(), sam(), dee());
    world.day(today);
    let request = world.ask_for(&case).await.unwrap();
    let reason = || "a cousin".to_owned();
    let wall = engine.declare_wall(&sam, &case, None, reason(), None);
    wall.await.unwrap();
    assert_eq!(
        code(world.erase(&sam, &case, &request).await),
        Code::NotFound
    );
    let due = async |who| engine.files_due(who, None).await.unwrap().items.len();
    assert_eq!((due(&lee).await, due(&sam).await), (1, 0));
    let director = staff("u-dana", &["director"]);
    let lifted = engine.lift_wall(&director, &case, "u-sam", (reason(), today), None);
    lifted.await.unwrap();
    assert_eq!(
        code(world.erase(&sam, &case, &request).await),
        Code::OwnWall
    );
    let held = engine.hold_file(&sam, &case, "a court".to_owned(), None);
    assert_eq!(code(held.await), Code::OwnWall);

    let away = NewAbsence {
        person: None,
        substitute: "u-dee".to_owned(),
        from: today,
        to: today,
    };
    engine.record_absence(&lee, away, None).await.unwrap();
    assert_eq!(
        code(world.erase(&dee, &case, &request).await),
        Code::SelfApproval
    );
    // One who stands in for who set a hold does not lift it either.
    let held = engine.hold_file(&lee, &case, "a court".to_owned(), None);
    let hold = held.await.unwrap().holds.remove(0).id;
    let lifted = engine.lift_hold(&dee, &case, &hold, "over".to_owned(), None);
    assert_eq!(code(lifted.await), Code::SelfApproval);
}

/// One of everything that a case waits for: a person, an hour, an event, a partner.
async fn under_way(world: &World) -> (String, Vec<String>) {
    let first = world.start("pause", json!({})).await;
    world.item(&first.id, "ask").await;
    let case = first.case;
    let mut runs = vec![first.id];
    for (workflow, input) in [
        ("wait", json!({"pause": "PT1H"})),
        ("hear", json!({})),
        ("pay", aud(500)),
    ] {
        runs.push(world.begin_in(&case, workflow, input).await);
    }
    (case, runs)
}

/// An old backup brings a case back as it was, without its key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_under_way_in_a_case_that_is_back_without_its_key_keeps_nobody_from_going_on() {
    let world = World::empty(Limits::default(), EffectKind::Keyed, Settings::default()).await;
    let hear = "
  - hear: { listen: { to: { one: { with: { type: org.news } } } } }
";
    let mut all = files(RETENTION);
    let hear = format!("document: {{ {HEAD}, name: hear }}\ndo:{hear}");
    all.insert("hear.yaml".to_owned(), hear);
    world.deploy(all).await.unwrap();
    world.partner.hold();
    let (gone, lost) = under_way(&world).await;
    let (_, runs) = under_way(&world).await;
    within_reason(async {
        while world.partner.requests() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let erases = vec![Erase {
        case: gone.clone(),
        agency: worker().agency,
    }];
    let batch = Batch {
        erases,
        ..Batch::default()
    };
    let ticket = world.store.submit(batch).unwrap();
    ticket.flushed().await.unwrap();

    let mut world = world.crash().await;
    world.partner.open();
    for _ in 0..2 {
        let over = |view: &InstanceView| view.status == "completed";
        world.instance(&runs[3], over).await;
        let all = WorkItemFilter::default();
        let items = world.engine.work_items(&worker(), all).await;
        let items = items.unwrap().items;
        assert!(
            items.iter().all(|item| item.instance == runs[0]),
            "{items:?}"
        );
        assert_eq!(items.len(), 1);
        let cases = world.engine.cases(&worker(), None).await.unwrap().items;
        assert_eq!(cases.len(), 1);
        assert_eq!(
            code(world.engine.case(&worker(), &gone).await),
            Code::NotFound
        );
        for run in &lost {
            assert_eq!(
                code(world.engine.instance(&worker(), run).await),
                Code::NotFound
            );
        }
        world = world.crash().await;
    }
    let news = json!({
        "specversion": "1.0", "source": "urn:outside", "type": "org.news", "id": "e1", "data": 1,
    });
    let news = news.as_object().unwrap().clone();
    world.engine.publish(&worker(), news, None).await.unwrap();
    world.clock.forward(SignedDuration::from_hours(2));
    for run in &runs[1..] {
        assert_eq!(world.run_over(run).await.status, "completed");
    }
    // What waits for days rings as well, and nothing waits for the case that is gone.
    world.clock.forward(SignedDuration::from_hours(24 * 30));
    let item = world.item(&runs[0], "ask").await;
    let rung = |view: &InstanceView| view.status == "waiting";
    world.instance(&runs[0], rung).await;
    world
        .decide(&worker(), &item.id, "done", json!({}))
        .await
        .unwrap();
    let owners = |world: &World| {
        let rows = world.store.scan(Table::Timer, &[], &[0xff; 64], usize::MAX);
        let rows = rows.unwrap().into_iter();
        let owners = rows.filter_map(|(key, _)| crate::key::read_timer(&key));
        owners.map(|(_, owner, _)| owner).collect::<Vec<_>>()
    };
    let mut changes = world.engine.changes();
    within_reason(async {
        loop {
            changes.borrow_and_update();
            let mut left = owners(&world).into_iter();
            if !left.any(|owner| lost.iter().any(|run| owner.starts_with(run.as_str()))) {
                return;
            }
            changes.changed().await.unwrap();
        }
    })
    .await;
}

fn terms() -> Terms {
    Terms {
        purposes: vec!["housing".to_owned()],
        recipients: vec!["register".to_owned()],
        what: planted("who lives with us"),
        how: How::Spoken,
        given_by: Some(planted("grandmother")),
        witness: None,
        interpreter: Some(planted("interpreter")),
        given_on: date(2026, 8, 1),
        expires_on: date(2027, 8, 1),
    }
}
