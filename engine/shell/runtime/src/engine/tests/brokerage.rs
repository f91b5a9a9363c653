//! The brokerage workflow from request to payment, and who may do what on the way.

use casewright_casework::Code;
use serde_json::json;

use super::world::{World, aud, complete, leader, manager, moment, staff, worker};
use crate::engine::Refused;
use crate::view::WorkItemFilter;

fn refused_with<T: std::fmt::Debug>(result: Result<T, Refused>) -> Code {
    match result {
        Err(Refused::Rule(refusal)) => refusal.code,
        other => panic!("a rule must refuse, not {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_approved_by_another_person_and_paid_once() {
    let world = World::new().await;
    let started = world.start("brokerage", json!({})).await;
    let request = world.item(&started.id, "request").await;
    let data = json!({"money": aud(130_000)});
    // The fund holds $1,000.00 only: too little, and the fault says so.
    world
        .decide(&worker(), &request.id, "done", data)
        .await
        .unwrap();
    let view = world
        .instance(&started.id, |view| view.status == "faulted")
        .await;
    let error = view.error.unwrap();
    assert_eq!(error["type"], "urn:casewright:error:insufficient-funds");
    assert_eq!(error["status"], 409);

    let started = world.start("family-support/brokerage", json!({})).await;
    let request = world.item(&started.id, "request").await;
    let data = json!({"money": aud(30_000)});
    world
        .decide(&worker(), &request.id, "done", data)
        .await
        .unwrap();
    let decision = world.item(&started.id, "decision").await;
    // Show day on the fifth is no working day.
    assert_eq!(decision.due, Some(moment("2026-08-07T13:59:59.999Z")));
    assert_eq!(decision.show, json!({"money": aud(30_000)}));
    let approve = async |who| {
        world
            .decide(&who, &decision.id, "approve", json!(null))
            .await
    };
    let promoted = staff("u-casey", &["team-leader"]);
    assert_eq!(refused_with(approve(promoted).await), Code::SelfApproval);
    let other = staff("u-kim", &["case-worker"]);
    assert_eq!(refused_with(approve(other).await), Code::NotAssigned);
    approve(leader()).await.unwrap();

    let view = world
        .instance(&started.id, |view| view.status == "completed")
        .await;
    assert_eq!(
        view.output,
        Some(json!({"result": "paid", "receipt": "R-1"}))
    );
    assert_eq!((world.partner.payments(), world.partner.requests()), (1, 1));
    let fund = world.engine.funds(&worker()).await.unwrap().remove(0);
    assert_eq!(
        (
            fund.committed_minor,
            fund.reserved_minor,
            fund.available_minor
        ),
        (30_000, 0, 70_000)
    );
    assert_eq!(refused_with(approve(manager()).await), Code::AlreadyDecided);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_timeline_tells_who_did_what_and_verifies() {
    let world = World::new().await;
    let started = world.start("brokerage", json!({})).await;
    let request = world.item(&started.id, "request").await;
    let data = json!({"money": aud(30_000)});
    world
        .decide(&worker(), &request.id, "done", data)
        .await
        .unwrap();
    let decision = world.item(&started.id, "decision").await;
    let own = staff("u-casey", &["team-leader"]);
    world
        .engine
        .claim(&own, &decision.id, None)
        .await
        .unwrap_err();
    world
        .decide(&leader(), &decision.id, "approve", json!(null))
        .await
        .unwrap();
    world
        .instance(&started.id, |view| view.status == "completed")
        .await;

    let case = world.engine.case(&worker(), &started.case).await.unwrap();
    assert_eq!(case.number, "IFS-2026-00001");
    assert_eq!(case.instances.len(), 1);
    let chain = world.engine.audit(&worker(), &started.case).await.unwrap();
    assert_eq!(
        casewright_casework::audit::verify(&started.case, &chain),
        Ok(())
    );
    let timeline = world
        .engine
        .timeline(&worker(), &started.case)
        .await
        .unwrap();
    let told: Vec<_> = timeline
        .iter()
        .map(|entry| (entry.who.id.as_str(), entry.action.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("u-casey", "case-opened"),
            ("u-casey", "instance-started"),
            ("engine", "work-item-offered"),
            ("u-casey", "work-item-claimed"),
            ("u-casey", "work-item-completed"),
            ("engine", "fund-reserved"),
            ("engine", "work-item-offered"),
            ("u-casey", "refused"),
            ("u-lee", "work-item-claimed"),
            ("u-lee", "work-item-completed"),
            ("engine", "function-returned"),
            ("engine", "fund-committed"),
            ("engine", "instance-completed"),
            ("u-casey", "case-read"),
            ("u-casey", "case-read"),
        ]
    );
    let decided = &timeline[9];
    assert_eq!(decided.title.as_deref(), Some("Brokerage"));
    assert_eq!(decided.comment.as_deref(), Some("because of approve"));
    assert_eq!(timeline[7].detail.as_deref(), Some("self-approval"));
    assert_eq!(timeline[5].title.as_deref(), Some("Brokerage"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rework_replaces_the_reservation() {
    let world = World::new().await;
    let started = world.start("brokerage", json!({})).await;
    for (round, minor) in [(1, 90_000), (2, 95_000)] {
        let request = world.item(&started.id, "request").await;
        let data = json!({"money": aud(minor)});
        world
            .decide(&worker(), &request.id, "done", data)
            .await
            .unwrap();
        let decision = world.item(&started.id, "decision").await;
        let fund = world.engine.funds(&worker()).await.unwrap().remove(0);
        assert_eq!(
            fund.reserved_minor, minor,
            "one reservation in round {round}"
        );
        let outcome = if round == 1 {
            "ask-for-changes"
        } else {
            "decline"
        };
        world
            .decide(&leader(), &decision.id, outcome, json!(null))
            .await
            .unwrap();
    }
    let view = world
        .instance(&started.id, |view| view.status == "completed")
        .await;
    assert_eq!(view.output, Some(json!({"result": "declined"})));
    let fund = world.engine.funds(&worker()).await.unwrap().remove(0);
    assert_eq!((fund.reserved_minor, fund.available_minor), (0, 100_000));
    assert_eq!(world.partner.requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_claims_at_once_one_gets_it() {
    let world = World::new().await;
    let started = world.start("brokerage", json!({})).await;
    let request = world.item(&started.id, "request").await;
    let data = json!({"money": aud(30_000)});
    world
        .decide(&worker(), &request.id, "done", data)
        .await
        .unwrap();
    let decision = world.item(&started.id, "decision").await;
    let (leader, manager) = (leader(), manager());
    let (one, other) = tokio::join!(
        world.engine.claim(&leader, &decision.id, None),
        world.engine.claim(&manager, &decision.id, None),
    );
    let refused: Vec<_> = [one, other].into_iter().filter_map(Result::err).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(
        refused_with::<()>(Err(refused[0].clone())),
        Code::AlreadyClaimed
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_agency_sees_nothing() {
    let world = World::new().await;
    let started = world.start("brokerage", json!({})).await;
    let request = world.item(&started.id, "request").await;
    let mut stranger = worker();
    stranger.agency = "elsewhere".to_owned();
    let engine = &world.engine;
    let not_found = Code::NotFound;
    assert_eq!(
        refused_with(engine.instance(&stranger, &started.id).await),
        not_found
    );
    assert_eq!(
        refused_with(engine.history(&stranger, &started.id, 0).await),
        not_found
    );
    assert_eq!(
        refused_with(engine.cancel(&stranger, &started.id, None, None).await),
        not_found
    );
    assert_eq!(
        refused_with(engine.case(&stranger, &started.case).await),
        not_found
    );
    assert_eq!(
        refused_with(engine.timeline(&stranger, &started.case).await),
        not_found
    );
    assert_eq!(
        refused_with(engine.audit(&stranger, &started.case).await),
        not_found
    );
    assert_eq!(
        refused_with(engine.work_item(&stranger, &request.id).await),
        not_found
    );
    assert_eq!(
        refused_with(engine.form(&stranger, &request.id).await),
        not_found
    );
    assert_eq!(
        refused_with(engine.claim(&stranger, &request.id, None).await),
        not_found
    );
    let completion = complete("done", json!(null));
    let completed = engine
        .complete(&stranger, &request.id, completion, None)
        .await;
    assert_eq!(refused_with(completed), not_found);
    assert_eq!(
        refused_with(engine.claim(&worker(), "i0-1", None).await),
        not_found
    );
    let all = WorkItemFilter::default();
    assert!(
        engine
            .work_items(&stranger, all)
            .await
            .unwrap()
            .items
            .is_empty()
    );
    assert!(
        engine
            .cases(&stranger, None)
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_withdraws_the_work_item() {
    let world = World::new().await;
    let started = world.start("brokerage", json!({})).await;
    let request = world.item(&started.id, "request").await;
    let reason = Some("moved away".to_owned());
    let view = world
        .engine
        .cancel(&worker(), &started.id, reason, None)
        .await
        .unwrap();
    assert_eq!(view.status, "cancelled");
    let item = world
        .engine
        .work_item(&worker(), &request.id)
        .await
        .unwrap();
    assert_eq!(item.state, "withdrawn");
    let again = world
        .engine
        .cancel(&worker(), &started.id, None, None)
        .await;
    assert!(
        matches!(
            again,
            Err(Refused::Invalid {
                code: "already-ended",
                ..
            })
        ),
        "{again:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expression_that_does_not_compile_is_found_at_deployment() {
    let world = World::new().await;
    let mut files = super::world::pack("100000");
    let broken = files["ask.yaml"].replace("[range(3)]", "[range(4)]");
    files.insert("ask.yaml".to_owned(), broken);
    let refused = world.deploy(files).await;
    let Err(Refused::Invalid {
        code: "pack-invalid",
        message,
        ..
    }) = refused
    else {
        panic!("must be refused: {refused:?}");
    };
    assert!(message.starts_with("ask.yaml:8:"), "{message}");
    // What fails on data that are not there yet compiles all the same.
    let mut files = super::world::pack("100000");
    let fine = files["ask.yaml"].replace("[range(3)]", "[.names[] | ascii_downcase]");
    files.insert("ask.yaml".to_owned(), fine);
    world.deploy(files).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_replays_the_journal_without_asking_again() {
    let world = World::new().await;
    let started = world.start("ask", json!({})).await;
    let item = world.item(&started.id, "look").await;
    assert_eq!(item.show, json!({"numbers": [0, 1, 2]}));
    let asked = world
        .evaluator
        .asked
        .load(std::sync::atomic::Ordering::Relaxed);
    world
        .decide(&worker(), &item.id, "done", json!(null))
        .await
        .unwrap();
    let history = world
        .engine
        .history(&worker(), &started.id, 0)
        .await
        .unwrap();
    let events: Vec<_> = history.iter().map(|entry| entry.event.as_str()).collect();
    assert_eq!(events, ["started", "work-item-completed"]);
    assert!(!history[0].tasks.is_empty());
    let after = world
        .engine
        .history(&worker(), &started.id, 1)
        .await
        .unwrap();
    assert_eq!(after.len(), 1);
    let now = world
        .evaluator
        .asked
        .load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(asked, now);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_works_in_one_branch_does_not_decide_in_the_other() {
    let world = World::new().await;
    let started = world.start("both-sign", json!({})).await;
    let decision = world.item(&started.id, "decision").await;
    let visit = world.item(&started.id, "visit").await;
    let none = || json!(null);
    // Taking the decision before is of no help.
    world
        .engine
        .claim(&leader(), &decision.id, None)
        .await
        .unwrap();
    world
        .decide(&leader(), &visit.id, "done", none())
        .await
        .unwrap();
    let approve = complete("approve", none());
    let refused = world
        .engine
        .complete(&leader(), &decision.id, approve, None)
        .await;
    assert_eq!(refused_with(refused), Code::SelfApproval);
    let world = world.crash().await;
    let claimed = world.engine.claim(&leader(), &decision.id, None).await;
    assert_eq!(refused_with(claimed), Code::SelfApproval);
}
