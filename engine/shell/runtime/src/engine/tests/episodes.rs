//! A case is closed with a reason that is counted, when nothing else of it is open; nothing begins
//! in it until somebody opens it again.

use std::collections::BTreeMap;

use casewright_casework::Code;
use casewright_casework::audit::Action;
use casewright_casework::case::Counts;
use casewright_store::Table;
use casewright_store::settings::Settings;
use serde_json::{Value, json};

use super::meanwhile::of_case;
use super::world::{World, complete, pack, staff, start_of, worker};
use crate::engine::episodes::Episodes;
use crate::engine::{Limits, Refused, Start};
use crate::port::EffectKind;
use crate::view::{InstanceView, StartedView};

const HEAD: &str = "dsl: '1.0.3', namespace: family-support, version: '1.0.0'";

const END: &str =
    "  - why: { call: human-task, with: { title: Why, assign: { role: case-worker } } }
  - close:
      call: case.close
      with:
        reason: '${ $workflow.input.reason }'
        consentGiven: true
        leave: '${ $workflow.input.leave // [] }'
";
const WORK: &str =
    "  - work: { call: human-task, with: { title: Work, assign: { role: case-worker } } }
";
const SET_ASIDE: &str = "  - reserve:
      call: fund.reserve
      with: { fund: brokerage, money: { minor: 500, currency: AUD } }
";
const AGAIN: &str = "  - over: { set: { case: open } }
";

async fn world() -> World {
    let world = World::empty(Limits::default(), EffectKind::Keyed, Settings::default()).await;
    let mut files: BTreeMap<String, String> = pack("100000");
    let reasons = "closingReasons:\n  goals-some: { title: Some goals, counts: partly }\n  \
                   moved: { title: They moved, counts: excluded }\n";
    let whole = format!("{}{reasons}", files["pack.yaml"]);
    files.insert("pack.yaml".to_owned(), whole);
    for (name, more, tasks) in [
        ("end", "", END),
        ("work", "", WORK),
        ("set-aside", "", SET_ASIDE),
        ("again", ", metadata: { inClosedCase: true }", AGAIN),
    ] {
        let text = format!("document: {{ {HEAD}, name: {name}{more} }}\ndo:\n{tasks}");
        files.insert(format!("{name}.yaml"), text);
    }
    world.deploy(files).await.unwrap();
    world
}

fn code(refused: Refused) -> Code {
    match refused {
        Refused::Rule(refusal) => refusal.code,
        other => panic!("{other:?}"),
    }
}

impl World {
    async fn begin(&self, case: &str, workflow: &str) -> Result<StartedView, Refused> {
        let start = Start {
            case: Some(case.to_owned()),
            ..start_of(workflow, json!({}))
        };
        self.engine.start(&worker(), start, None).await
    }

    /// Answers the only task of a run that ends the work, in a case.
    async fn end(&self, case: Option<&str>, input: Value) -> InstanceView {
        let start = Start {
            case: case.map(str::to_owned),
            ..start_of("end", input)
        };
        let run = self.engine.start(&worker(), start, None).await.unwrap();
        let item = self.item(&run.id, "why").await;
        self.decide(&worker(), &item.id, "done", json!(null))
            .await
            .unwrap();
        let over = |view: &InstanceView| ["completed", "faulted"].contains(&view.status.as_str());
        self.instance(&run.id, over).await
    }
}

#[track_caller]
fn refused_as(view: &InstanceView, code: &str) {
    let error = view.error.as_ref();
    let error = error.unwrap_or_else(|| panic!("it closed: {:?}", view.output));
    assert_eq!(
        error["type"],
        format!("urn:casewright:error:{code}"),
        "{error}"
    );
}

#[tokio::test]
async fn nothing_begins_in_a_closed_case_until_it_is_open_again() {
    let world = world().await;
    let over = world.end(None, json!({"reason": "moved"})).await;
    assert_eq!(
        over.output.as_ref().unwrap()["counts"],
        "excluded",
        "{over:?}"
    );
    let case = over.case.as_str();
    let world = world.crash().await;
    let view = world.engine.case(&worker(), case).await.unwrap();
    assert_eq!(view.closed.unwrap().reason.as_deref(), Some("They moved"));
    let closing = view.episodes[0].closed.clone().unwrap();
    assert_eq!(
        (&*closing.by, closing.counts),
        ("u-casey", Counts::Excluded)
    );
    let refused = world.begin(case, "work").await.unwrap_err();
    assert_eq!(code(refused), Code::CaseClosed);
    let casey = worker();
    // Nobody of another agency opens it.
    let stranger = casewright_casework::Principal {
        agency: "elsewhere".to_owned(),
        ..staff("u-x", &["case-worker"])
    };
    let reopen = |who, why: &'static str| world.engine.reopen(who, case, why, None);
    assert_eq!(
        code(reopen(&casey, " ").await.unwrap_err()),
        Code::ReasonNeeded
    );
    let again = reopen(&casey, "The rent went up").await.unwrap();
    assert!(again.closed.is_none());
    assert_eq!((again.episodes.len(), again.episodes[1].number), (2, 2));
    assert_eq!(
        code(reopen(&casey, "Twice").await.unwrap_err()),
        Code::NotClosed
    );
    world.begin(case, "work").await.unwrap();
    let entries = world.engine.timeline(&worker(), case).await.unwrap();
    let told: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
    assert!(
        told.contains(&"case-closed") && told.contains(&"case-reopened"),
        "{told:?}"
    );
    assert_eq!(
        code(reopen(&stranger, "Mine").await.unwrap_err()),
        Code::NotFound
    );
}

#[tokio::test]
async fn a_case_is_not_closed_while_something_in_it_is_open() {
    let world = world().await;
    let work = world.start("work", json!({})).await;
    let case = Some(work.case.as_str());
    let over = world.end(case, json!({"reason": "goals-some"})).await;
    refused_as(&over, "still-open");
    assert_eq!(over.error.unwrap()["details"]["runs"], json!([work.id]));
    // The document says that this may go on.
    let left = json!({"reason": "goals-some", "leave": ["work"]});
    assert_eq!(world.end(case, left).await.status, "completed");

    let aside = world.start("set-aside", json!({})).await;
    let over = world
        .end(Some(&aside.case), json!({"reason": "moved"}))
        .await;
    refused_as(&over, "still-open");
    let held = over.error.unwrap()["details"]["reservations"].clone();
    assert_eq!(held.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_reason_is_one_of_the_packs_and_a_case_closes_once() {
    let world = world().await;
    let over = world.end(None, json!({"reason": "because"})).await;
    refused_as(&over, "unknown-closing-reason");
    let case = over.case;
    let view = world.engine.case(&worker(), &case).await.unwrap();
    assert!(view.closed.is_none());
}

#[tokio::test]
async fn a_run_that_says_so_opens_a_closed_case() {
    let world = world().await;
    let over = world.end(None, json!({"reason": "moved"})).await;
    let run = world.begin(&over.case, "again").await.unwrap();
    world
        .instance(&run.id, |view| view.status == "completed")
        .await;
    let view = world.engine.case(&worker(), &over.case).await.unwrap();
    assert!(view.closed.is_none());
    assert_eq!(view.episodes[1].because.as_deref(), Some("again"));
    world.begin(&over.case, "work").await.unwrap();
}

#[tokio::test]
async fn a_start_and_an_end_at_once_are_one_after_the_other() {
    let world = world().await;
    for round in 0..10 {
        let run = world.start("end", json!({"reason": "moved"})).await;
        let item = world.item(&run.id, "why").await;
        let who = worker();
        world.engine.claim(&who, &item.id, None).await.unwrap();
        let end = world
            .engine
            .complete(&who, &item.id, complete("done", json!(null)), None);
        let (started, _) = tokio::join!(world.begin(&run.case, "work"), end);
        let over = |view: &InstanceView| ["completed", "faulted"].contains(&view.status.as_str());
        let ended = world.instance(&run.id, over).await;
        let closed = ended.status == "completed";
        assert!(
            !closed || started.is_err(),
            "round {round}: it goes on in a closed case"
        );
    }
}

#[tokio::test]
async fn whoever_closes_or_begins_sees_what_changes_meanwhile() {
    for told in [Action::CaseClosed, Action::InstanceStarted] {
        for table in [Table::Case, Table::Index] {
            let world = world().await;
            // The first run opens the case; the second begins in it, which is written down.
            let case = world.start("work", json!({})).await.case;
            world.begin(&case, "work").await.unwrap();
            let key = if table == Table::Case {
                case.clone().into_bytes()
            } else {
                Episodes::begun_key(&case)
            };
            world.touch(told, of_case(&case, table, key));
            if told == Action::InstanceStarted {
                world.begin(&case, "work").await.unwrap();
            } else {
                let input = json!({"reason": "moved", "leave": ["work"]});
                let over = world.end(Some(&case), input).await;
                assert_eq!(over.status, "completed", "{told:?} {table:?}");
            }
            assert!(!world.overlooked(), "{told:?} {table:?}");
        }
    }
}

#[tokio::test]
async fn a_case_is_opened_again_as_it_stands_then() {
    let world = world().await;
    let over = world.end(None, json!({"reason": "moved"})).await;
    let key = over.case.clone().into_bytes();
    let row = of_case(&over.case, Table::Case, key);
    world.touch(Action::CaseReopened, row);
    let who = worker();
    let again = world
        .engine
        .reopen(&who, &over.case, "They came back", None);
    assert_eq!(again.await.unwrap().episodes.len(), 2);
    assert!(!world.overlooked());
}

#[tokio::test]
async fn the_report_counts_episodes_and_not_cases() {
    let world = world().await;
    let first = world.end(None, json!({"reason": "moved"})).await;
    let who = worker();
    let again = world
        .engine
        .reopen(&who, &first.case, "They came back", None);
    again.await.unwrap();
    world
        .end(Some(&first.case), json!({"reason": "goals-some"}))
        .await;
    world.end(None, json!({"reason": "goals-some"})).await;
    // The clock of the tests stands on 3 August 2026.
    let day = |text: &str| text.parse().unwrap();
    let counted = world
        .engine
        .outcomes(&who, day("2026-08-01"), day("2026-08-31"));
    let counted = counted.await.unwrap();
    let outcomes = counted.outcomes;
    assert_eq!(
        (outcomes.closed, outcomes.excluded, outcomes.partly),
        (3, 1, 2)
    );
    assert_eq!((outcomes.denominator(), outcomes.achieved), (2, 0));
    assert_eq!(counted.titles["moved"], "They moved");
    let before = world
        .engine
        .outcomes(&who, day("2026-07-01"), day("2026-08-02"));
    assert_eq!(before.await.unwrap().outcomes.closed, 0);
    // Whoever neither administers nor has a role for it sees nothing.
    let other = staff("u-lee", &["team-leader"]);
    let refused = world
        .engine
        .outcomes(&other, day("2026-08-01"), day("2026-08-31"));
    assert_eq!(code(refused.await.unwrap_err()), Code::NotAssigned);
}
