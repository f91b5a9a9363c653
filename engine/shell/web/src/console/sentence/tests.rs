//! Every kind of entry has its sentence, in words that staff use.

use casewright_runtime::view::PersonView;

use super::*;

const ACTIONS: &[Action] = &[
    Action::CaseOpened,
    Action::CaseClosed,
    Action::CaseReopened,
    Action::CaseRead,
    Action::CaseCalendarChanged,
    Action::InstanceStarted,
    Action::InstanceCompleted,
    Action::InstanceFaulted,
    Action::InstanceCancelled,
    Action::InstanceRetried,
    Action::InstanceMigrated,
    Action::WorkItemOffered,
    Action::WorkItemClaimed,
    Action::WorkItemReleased,
    Action::WorkItemCompleted,
    Action::WorkItemWithdrawn,
    Action::WorkItemDrafted,
    Action::WorkItemHeld,
    Action::WorkItemResumed,
    Action::WorkItemReminded,
    Action::WorkItemEscalated,
    Action::WorkItemDueMoved,
    Action::Refused,
    Action::WallDeclared,
    Action::WallLifted,
    Action::WallTakenAway,
    Action::HoldSet,
    Action::HoldLifted,
    Action::FileTransferred,
    Action::ErasureAsked,
    Action::ErasureDeclined,
    Action::CaseErased,
    Action::FunctionCalled,
    Action::FunctionReturned,
    Action::FunctionFailed,
    Action::FundReserved,
    Action::FundCommitted,
    Action::FundReleased,
    Action::FundReversed,
    Action::PersonAdded,
    Action::PersonChanged,
    Action::AddressShown,
    Action::ConsentGiven,
    Action::ConsentWithdrawn,
    Action::PlanProposed,
    Action::PlanAnswered,
    Action::PlanActivated,
    Action::Disclosed,
    Action::DisclosureRefused,
    Action::MessageSent,
    Action::MessageRefused,
    Action::NoteAdded,
    Action::DocumentAdded,
    Action::DocumentOpened,
    Action::EventAwaited,
    Action::EventReceived,
    Action::WorkItemHandedOver,
    Action::WorkItemTakenFor,
    Action::WorkItemReturned,
    Action::WorkItemActedFor,
    Action::WorkItemGiven,
    Action::WorkItemReassigned,
    Action::WorkItemSkipped,
    Action::EventEmitted,
    Action::EventLetGo,
    Action::AnswerAwaited,
    Action::CallbackArrived,
    Action::CallbackIgnored,
];

fn entry(action: &str, title: Option<&str>, detail: Option<&str>) -> TimelineEntry {
    TimelineEntry {
        index: 0,
        at: "2026-11-22T00:00:00Z".parse().unwrap(),
        who: PersonView {
            id: "u-amina".into(),
            display_name: "Amina Khan".into(),
        },
        action: action.into(),
        instance: None,
        subject: None,
        title: title.map(Into::into),
        detail: detail.map(Into::into),
        comment: None,
        colleague: None,
    }
}

fn name(action: Action) -> String {
    let value = serde_json::to_value(action).unwrap();
    value.as_str().unwrap().to_owned()
}

#[test]
fn every_action_is_a_sentence_in_plain_words() {
    for &action in ACTIONS {
        for (title, detail, run) in [
            (
                Some("Brokerage of $1,300.00"),
                Some("approve"),
                Some("Brokerage request"),
            ),
            (Some("pay"), Some("payment-issue.pay"), None),
            (None, None, None),
            (None, Some(""), Some("")),
        ] {
            let text = sentence(&entry(&name(action), title, detail), run);
            assert!(text.ends_with('.') && text.len() > 12, "{text}");
            assert!(
                text.starts_with(|first: char| first.is_uppercase() || first == '“'),
                "{text}"
            );
            for word in [
                "instance",
                "payload",
                "resume",
                "work item",
                "work-item",
                "()",
            ] {
                assert!(!text.contains(word), "{word} in {text}");
            }
        }
    }
}

#[track_caller]
fn check(action: &str, title: Option<&str>, detail: &str, expected: &str) {
    assert_eq!(
        sentence(&entry(action, title, Some(detail)), None),
        expected
    );
}

#[test]
fn sentences_say_who_did_what() {
    let title = Some("Brokerage of $1,300.00 for IFS-2026-00001");
    let quoted = "“Brokerage of $1,300.00 for IFS-2026-00001”";
    let decided = "work-item-completed";
    check(
        decided,
        title,
        "approve",
        &format!("Amina Khan approved {quoted}."),
    );
    check(
        decided,
        title,
        "decline",
        &format!("Amina Khan declined {quoted}."),
    );
    check(
        decided,
        title,
        "ask-for-changes",
        &format!("Amina Khan asked for changes to {quoted}."),
    );
    check(
        decided,
        title,
        "write-again",
        &format!("Amina Khan finished {quoted} with “write again”."),
    );
    check(
        "work-item-reminded",
        title,
        "",
        &format!("A reminder came that {quoted} is waiting."),
    );
    check(
        "work-item-escalated",
        title,
        "role service-manager",
        &format!("{quoted} was still waiting, so it was given to service manager too."),
    );
    check(
        "refused",
        title,
        "self-approval",
        &format!("Amina Khan was refused at {quoted}: you cannot decide this."),
    );
    check(
        "function-called",
        None,
        "payment-issue.pay",
        "“Payment issue: pay” was asked for.",
    );
    check(
        "function-returned",
        None,
        "payment-issue.pay",
        "“Payment issue: pay” was done.",
    );
    check(
        "function-returned",
        None,
        "http",
        "A request to another service was done.",
    );
    check(
        "function-called",
        None,
        "openapi",
        "What another service offers was asked for.",
    );
    check(
        "function-failed",
        None,
        "urn:casewright:error:payment-issue.declined",
        "A step did not work (payment issue declined).",
    );
    check(
        "fund-committed",
        Some("Family support brokerage 2026-27"),
        "QLD-FS-2026",
        "Money was paid out (Family support brokerage 2026-27).",
    );
    check(
        "fund-reversed",
        Some("Family support brokerage 2026-27"),
        "QLD-FS-2026",
        "Amina Khan took a payment back (Family support brokerage 2026-27).",
    );
    let brokerage = "intensive-family-support/brokerage";
    check(
        "instance-started",
        None,
        brokerage,
        "Amina Khan started “Brokerage”.",
    );
    check("instance-completed", None, "", "Something came to its end.");
    let newer = "Amina Khan did something that this version cannot describe.";
    check("from-a-newer-engine", None, "", newer);
}
