//! Payments taken back by whoever may, under every misuse: the ledger adds up, the record of the
//! case says so, and nothing is taken back twice.

use casewright_casework::audit::Action;
use casewright_casework::fund::EntryKind;
use casewright_casework::person::{Contact, Details, Relation};
use casewright_casework::{Code, Money, Principal};
use casewright_store::Store;
use serde_json::json;

use super::world::{World, aud, leader, manager, pack, request, staff, worker};
use crate::engine::funds::unbalanced;
use crate::engine::{Correction, Refused};
use crate::identity::NewUser;
use crate::view::FundEntryView;

const FUND: &str = "brokerage";
/// After the allocation and the reservation.
const PAID: u64 = 2;

fn bookkeeper() -> Principal {
    staff("u-fin", &["bookkeeper"])
}

/// $300.00 of $1,000.00 were asked for by the worker, approved by the leader and paid.
async fn paid() -> (World, String) {
    let world = World::new().await;
    let mut files = pack("100000");
    let role = "  bookkeeper: { title: Bookkeeper, reverses: true }\nteams:";
    let text = files["pack.yaml"].replacen("teams:", role, 1);
    files.insert("pack.yaml".to_owned(), text);
    world.deploy(files).await.unwrap();
    let started = world.start("brokerage", json!({})).await;
    let item = world.item(&started.id, "request").await;
    let data = json!({"money": aud(30_000)});
    let asked = world.decide(&worker(), &item.id, "done", data).await;
    asked.unwrap();
    let item = world.item(&started.id, "decision").await;
    let approved = world
        .decide(&leader(), &item.id, "approve", json!(null))
        .await;
    approved.unwrap();
    let view = world.instance(&started.id, |view| view.status == "completed");
    let case = view.await.case;
    (world, case)
}

fn correction(minor: i64) -> Correction {
    Correction {
        money: Money::new(minor, "AUD"),
        reason: "the shop gave it back".to_owned(),
        revision: None,
    }
}

async fn reverse(
    world: &World,
    who: &Principal,
    number: u64,
    minor: i64,
) -> Result<FundEntryView, Code> {
    let done = world
        .engine
        .reverse(who, FUND, number, correction(minor), None);
    done.await.map_err(|refused| match refused {
        Refused::Rule(refusal) => refusal.code,
        other => panic!("a rule must refuse, not {other:?}"),
    })
}

async fn held(world: &World) -> (i64, i64) {
    let fund = world.engine.funds(&worker()).await.unwrap().remove(0);
    (fund.committed_minor, fund.available_minor)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_taken_back_by_another_person_and_stays_in_the_ledger() {
    let (world, case) = paid().await;
    let entry = reverse(&world, &bookkeeper(), PAID, 10_000).await.unwrap();
    assert_eq!(
        (entry.kind, entry.reverses),
        (EntryKind::Reverse, Some(PAID))
    );
    assert_eq!(entry.reason.as_deref(), Some("the shop gave it back"));
    assert_eq!(held(&world).await, (20_000, 80_000));
    let world = world.crash().await;
    assert_eq!(held(&world).await, (20_000, 80_000));
    let more = reverse(&world, &bookkeeper(), PAID, 20_001).await;
    assert_eq!(more.unwrap_err(), Code::NotReversible);
    reverse(&world, &bookkeeper(), PAID, 20_000).await.unwrap();
    let more = reverse(&world, &bookkeeper(), PAID, 1).await;
    assert_eq!(more.unwrap_err(), Code::NotReversible);
    assert_eq!(held(&world).await, (0, 100_000));
    assert_eq!(unbalanced(&*world.store).unwrap(), (1, Vec::new()));
    let record = world.store.audit(&case).unwrap();
    let told = record.iter().map(|link| &link.entry);
    let told: Vec<_> = told
        .filter(|entry| entry.action == Action::FundReversed)
        .map(|entry| (entry.who.as_str(), entry.detail.as_deref()))
        .collect();
    assert_eq!(told, [("u-fin", Some(FUND)); 2]);
    assert!(
        record
            .iter()
            .all(|link| !format!("{link:?}").contains("shop"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asked_approved_or_holds_no_such_role_takes_nothing_back() {
    let (world, case) = paid().await;
    for (id, code) in [
        ("u-casey", Code::SelfApproval),
        ("u-lee", Code::SelfApproval),
    ] {
        let who = staff(id, &["bookkeeper"]);
        let done = reverse(&world, &who, PAID, 10_000).await;
        assert_eq!(done.unwrap_err(), code, "{id}");
    }
    let done = reverse(&world, &manager(), PAID, 10_000).await;
    assert_eq!(done.unwrap_err(), Code::NotAssigned);
    let elsewhere = Principal {
        agency: "elsewhere".to_owned(),
        ..bookkeeper()
    };
    let done = reverse(&world, &elsewhere, PAID, 10_000).await;
    assert_eq!(done.unwrap_err(), Code::NotFound);
    let done = reverse(&world, &bookkeeper(), 9, 10_000).await;
    assert_eq!(done.unwrap_err(), Code::NotFound);
    let done = reverse(&world, &bookkeeper(), 1, 10_000).await;
    assert_eq!(done.unwrap_err(), Code::NotReversible);
    let unsaid = Correction {
        reason: " ".to_owned(),
        ..correction(1)
    };
    let done = world
        .engine
        .reverse(&bookkeeper(), FUND, PAID, unsaid, None)
        .await;
    let Err(Refused::Rule(refusal)) = done else {
        panic!("a reason is needed");
    };
    assert_eq!(refusal.code, Code::ReasonNeeded);
    // Whoever turns out to be paid corrects nothing either.
    let fin = NewUser {
        agency: "family-support".to_owned(),
        id: "u-fin".to_owned(),
        sign_in: "fin".to_owned(),
        display_name: "Fin".to_owned(),
        roles: ["bookkeeper".to_owned()].into(),
        passphrase: "a long enough passphrase".to_owned(),
    };
    world.engine.put_user(fin).await.unwrap();
    let payee = Details {
        staff: Some("u-fin".to_owned()),
        name: "Fin".to_owned(),
        born: None,
        relation: Relation::Payee,
        phone: None,
        email: None,
        address: None,
        contact: Contact::default(),
    };
    let added = world.engine.add_person(&worker(), &case, payee, None).await;
    added.unwrap();
    // Whoever stands in the case does not find it any more.
    let done = reverse(&world, &bookkeeper(), PAID, 10_000).await;
    assert_eq!(done.unwrap_err(), Code::NotFound);
    assert_eq!(held(&world).await, (30_000, 70_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_takes_back_once_and_two_at_once_one_after_the_other() {
    let (world, _) = paid().await;
    let fin = bookkeeper();
    let again = || {
        world
            .engine
            .reverse(&fin, FUND, PAID, correction(10_000), Some(request("k")))
    };
    let (first, second) = (again().await.unwrap(), again().await.unwrap());
    assert_eq!((first.number, second.number), (3, 3));
    assert_eq!(held(&world).await, (20_000, 80_000));
    let both = || reverse(&world, &fin, PAID, 15_000);
    let (one, other) = tokio::join!(both(), both());
    let refused = [one, other].into_iter().filter_map(Result::err);
    assert_eq!(refused.collect::<Vec<_>>(), [Code::NotReversible]);
    assert_eq!(held(&world).await, (5_000, 95_000));
    let seen = Correction {
        revision: Some(1),
        ..correction(1)
    };
    let stale = world.engine.reverse(&fin, FUND, PAID, seen, None).await;
    let Err(Refused::Rule(refusal)) = stale else {
        panic!("two corrections were made");
    };
    assert_eq!(refusal.code, Code::StaleRevision);
}
