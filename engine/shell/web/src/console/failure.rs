//! Failures as plain pages: what happened, whether anything changed, what to do next.

use askama::Template;
use axum::http::header;
use axum::response::Response;

use crate::console::chrome::{Chrome, page};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    chrome: Chrome,
    explanation: Explanation,
    code: String,
}

/// A refusal in the words of the people who work here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Explanation {
    pub(crate) title: &'static str,
    pub(crate) sentences: Vec<String>,
}

/// The page that stands in for a problem; keeps the headers that say when to come back.
pub(crate) fn page_of(problem: &Problem, answer: &Response) -> Response {
    let explanation = explain(problem.code(), problem.detail());
    let body = FailurePage {
        chrome: Chrome::outside(explanation.title),
        explanation,
        code: problem.code().to_owned(),
    };
    let mut drawn = page(problem.status(), &body);
    for name in [header::RETRY_AFTER, header::ALLOW] {
        if let Some(value) = answer.headers().get(&name) {
            drawn.headers_mut().insert(name, value.clone());
        }
    }
    drawn
}

/// Plain words for a code. `detail` is the engine's own sentence, used where it says more.
pub(crate) fn explain(code: &str, detail: &str) -> Explanation {
    let (title, sentences): (_, &[&str]) = match code {
        "not-found" | "unknown-workflow" | "unknown-fund" | "unknown-reservation" => (
            "Page not found",
            &[
                "There is nothing at this address, or it is not yours to see.",
                "If you followed a link from a message, the task may have been taken back.",
            ],
        ),
        "self-approval" => (
            "You cannot decide this",
            &[
                "You asked for this or worked on it, so somebody else has to decide.",
                "Nothing was changed.",
            ],
        ),
        "not-assigned" => (
            "This is not yours to decide",
            &[
                "It was given to people in another role.",
                "Nothing was changed.",
            ],
        ),
        "already-claimed" => (
            "Somebody else has this task",
            &["They took it before you did.", "Nothing was changed."],
        ),
        "not-claimed" => (
            "Take this task first",
            &[
                "You do not hold this task any more.",
                "Nothing was changed.",
            ],
        ),
        "already-decided" => (
            "This has been decided",
            &[
                "The task was finished before your answer came.",
                "Your answer was not used.",
            ],
        ),
        "stale-revision" => (
            "This task has changed",
            &[
                "Something about it changed after you opened it.",
                "Your answer was not used. It is still in the form: look again, then send it.",
            ],
        ),
        "unknown-outcome" => (
            "This answer is not possible",
            &[
                "Open the task again and use one of its buttons.",
                "Nothing was changed.",
            ],
        ),
        "over-limit" => (
            "This amount is above your limit",
            &[
                "Somebody with a higher limit has to approve it.",
                "Nothing was changed.",
            ],
        ),
        "not-approved" => (
            "This amount was not approved",
            &[
                "Money goes out only as far as somebody approved it in this run.",
                "Nothing was paid.",
            ],
        ),
        "insufficient-funds" => (
            "There is not enough money left",
            &["The fund cannot bear this amount.", "Nothing was changed."],
        ),
        "fund-closed" => (
            "The fund is not open today",
            &[
                "Its money is put aside and paid on the days that the agency set for it.",
                "Nothing was changed.",
            ],
        ),
        "duplicate-invoice" => (
            "This invoice was paid before",
            &[
                "The same supplier, number and amount were paid already. Nothing was paid.",
                "If the first payment was a mistake, it has to be taken back first.",
            ],
        ),
        "invoice-invalid" => (
            "The invoice is not told apart",
            &[
                "An invoice needs its supplier and its number.",
                "Nothing was paid.",
            ],
        ),
        "not-reversible" => (
            "This cannot be taken back",
            &[
                "Only payments are taken back, and no more than what of them still stands.",
                "Nothing was changed.",
            ],
        ),
        "no-basis" => (
            "There is no consent for this",
            &[
                "Sharing this needs the family's consent or a named legal basis.",
                "Nothing was shared.",
            ],
        ),
        "case-closed" => (
            "This case is closed",
            &[
                "Open it again first, with the reason.",
                "Nothing was changed.",
            ],
        ),
        "not-closed" => (
            "This case is open",
            &["Somebody may have opened it again.", "Nothing was changed."],
        ),
        "still-open" => (
            "Something in this case is still open",
            &[
                "Finish or stop what goes on, and give back money that is set aside.",
                "Nothing was changed.",
            ],
        ),
        "not-erasable" => (
            "This file cannot be erased",
            &[
                "Something keeps it; the page says all that does.",
                "Nothing was changed.",
            ],
        ),
        "already-asked" => (
            "Somebody has asked for this already",
            &["Another person decides on it.", "Nothing was changed."],
        ),
        "not-asked" => (
            "There is nothing to decide here",
            &[
                "It may be decided already, or the case was opened again.",
                "Nothing was changed.",
            ],
        ),
        "unknown-closing-reason" => (
            "Nobody knows how to count this reason",
            &[
                "The agency's list of reasons does not have it.",
                "Nothing was changed.",
            ],
        ),
        "needs-agreement" => (
            "The family has not agreed to this plan",
            &[
                "A plan comes into force only when the family has agreed to exactly this version.",
                "Nothing was changed.",
            ],
        ),
        "plan-invalid" => (
            "This plan cannot be kept",
            &[
                "It needs goals, and answers to them.",
                "Nothing was changed.",
            ],
        ),
        "unknown-plan" => (
            "This case has no plan yet",
            &["Write one first.", "Nothing was changed."],
        ),
        "unknown-person" => (
            "Nobody in this case has this name",
            &[
                "Add the person on the page of the case, or write the name as it stands there.",
                "Nothing was changed.",
            ],
        ),
        "unsafe-contact" => (
            "Nobody has said that this is safe",
            &[
                "Ask how they are safe to reach, and write it down with the person.",
                "Nothing was sent.",
            ],
        ),
        "on-hold" => (
            "This task is on hold",
            &[
                "Take it off hold before you do anything else with it.",
                "Nothing was changed.",
            ],
        ),
        "not-on-hold" => (
            "This task is not on hold",
            &["It may have come back by itself.", "Nothing was changed."],
        ),
        "not-holdable" => (
            "This task cannot wait",
            &["It is a duty with a fixed time.", "Nothing was changed."],
        ),
        "hold-invalid" => (
            "This task was not put on hold",
            &[
                "Say why it waits, and choose a day after today.",
                "Nothing was changed.",
            ],
        ),
        "own-wall" => (
            "This is for somebody else to change",
            &["You stand in this case yourself.", "Nothing was changed."],
        ),
        "not-delegable" => (
            "This task does not go to somebody else",
            &[
                "It stays with those it was given to, or this colleague may not do it.",
                "Nothing was changed.",
            ],
        ),
        "handover-invalid" => (
            "This task was not given to somebody else",
            &["Name a colleague and say why.", "Nothing was changed."],
        ),
        "acting-over" => (
            "You do not act for your colleague any more",
            &[
                "The days in which you stood in are over. Give the task back.",
                "Nothing was changed.",
            ],
        ),
        "not-arranging" => (
            "You do not arrange the work of others",
            &["Somebody with another role does.", "Nothing was changed."],
        ),
        "absence-invalid" => (
            "This absence was not written down",
            &[
                "Check the days and the colleague who stands in.",
                "Nothing was changed.",
            ],
        ),
        "not-skippable" => (
            "This task cannot be skipped",
            &["Somebody has to do it.", "Nothing was changed."],
        ),
        "reason-needed" => (
            "A reason is missing",
            &[
                "Say why this is not approved: whoever asked for it is shown your words.",
                "Nothing was changed.",
            ],
        ),
        "not-retryable" => (
            "This cannot be tried again",
            &["It would fail again.", "Nothing was changed."],
        ),
        "in-doubt" => (
            "Make sure first that it did not happen",
            &[
                "Nobody knows whether the step happened.",
                "Ask the other side. If it did not happen, say so in the form and try again.",
                "Nothing was changed.",
            ],
        ),
        "already-ended" => (
            "This has ended already",
            &["There is nothing left to stop.", "Nothing was changed."],
        ),
        "reservation-closed" => (
            "This money was already used, released, or has expired",
            &["Nothing was changed."],
        ),
        "form-invalid" | "invalid-input" | "input-invalid" | "currency-mismatch"
        | "amount-invalid" => (
            "What was sent does not fit",
            &[
                "Go back, check what you entered and send it again.",
                "Nothing was changed.",
            ],
        ),
        "key-reused" => (
            "This was already sent",
            &[
                "This form was sent before with other answers; only the first one counts.",
                "Open the task again to see where it stands.",
            ],
        ),
        "cross-origin" | "foreign-form" => (
            "This form cannot be used",
            &[
                "It did not come from this site, or it belongs to another sign-in.",
                "Nothing was changed. Open the page again and send it from there.",
            ],
        ),
        "unauthenticated" => ("You are not signed in", &["Sign in and try again."]),
        "method-not-allowed" => (
            "This address cannot be used that way",
            &[
                "Go to your tasks and start from there.",
                "Nothing was changed.",
            ],
        ),
        "too-large" => (
            "That is too much at once",
            &[
                "What you sent is larger than one megabyte.",
                "Nothing was changed.",
            ],
        ),
        "timeout" => (
            "The connection was too slow",
            &["Not everything arrived.", "Nothing was changed. Try again."],
        ),
        "too-many-attempts" => (
            "Too many tries",
            &[
                "Somebody tried this name too often in a short time.",
                "Wait a minute, then try again. Nothing was locked.",
            ],
        ),
        "bad-cursor" => (
            "This page of the list is gone",
            &["Open the list again from its start."],
        ),
        "busy" | "stopping" => (
            "The service is busy",
            &[
                "Wait a moment, then send it again.",
                "Nothing is lost, and sending twice does it only once.",
            ],
        ),
        "disk-full" => (
            "The service cannot save anything at the moment",
            &[
                "Its disk is full. Everything saved before is safe.",
                "Nothing was changed. Tell the people who run this service.",
            ],
        ),
        _ => (
            "Something went wrong",
            &[
                "The service made a mistake. Look at the task again before you repeat anything.",
                "If it happens again, tell the people who run this service.",
            ],
        ),
    };
    let mut sentences: Vec<String> = sentences.iter().map(|text| (*text).to_owned()).collect();
    let told = [
        "self-approval",
        "not-assigned",
        "over-limit",
        "stale-revision",
        "hold-invalid",
        "not-retryable",
        "not-delegable",
        "handover-invalid",
        "absence-invalid",
        "not-holdable",
    ];
    if told.contains(&code) && !detail.is_empty() {
        // Who may approve it is said beside how much it is.
        if code == "over-limit" {
            sentences.insert(0, sentence(detail));
        } else {
            sentences[0] = sentence(detail);
        }
    }
    Explanation { title, sentences }
}

/// The engine's words as a sentence: capital first, full stop last.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut characters = text.chars();
    let Some(first) = characters.next() else {
        return String::new();
    };
    let end = if text.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{}{}{end}", first.to_uppercase(), characters.as_str())
}

#[cfg(test)]
mod tests {
    use casewright_casework::Code;

    use super::*;

    const CODES: &[Code] = &[
        Code::NotFound,
        Code::SelfApproval,
        Code::NotAssigned,
        Code::AlreadyClaimed,
        Code::NotClaimed,
        Code::AlreadyDecided,
        Code::StaleRevision,
        Code::UnknownOutcome,
        Code::FormInvalid,
        Code::OverLimit,
        Code::NotApproved,
        Code::InsufficientFunds,
        Code::FundClosed,
        Code::NoBasis,
        Code::UnsafeContact,
        Code::UnknownFund,
        Code::UnknownReservation,
        Code::CurrencyMismatch,
        Code::AmountInvalid,
        Code::ReservationClosed,
        Code::InvoiceInvalid,
        Code::DuplicateInvoice,
        Code::NotReversible,
        Code::OnHold,
        Code::NotOnHold,
        Code::NotHoldable,
        Code::HoldInvalid,
        Code::ReasonNeeded,
        Code::OwnWall,
        Code::NeedsAgreement,
        Code::PlanInvalid,
        Code::UnknownPlan,
        Code::UnknownPerson,
        Code::NotDelegable,
        Code::HandoverInvalid,
        Code::ActingOver,
        Code::NotArranging,
        Code::AbsenceInvalid,
        Code::NotSkippable,
        Code::CaseClosed,
        Code::NotClosed,
        Code::StillOpen,
        Code::UnknownClosingReason,
        Code::NotErasable,
        Code::AlreadyAsked,
        Code::NotAsked,
    ];

    #[test]
    fn every_refusal_has_its_own_words() {
        for &code in CODES {
            let words = explain(code.as_str(), "");
            assert_ne!(words.title, "Something went wrong", "{}", code.as_str());
            for word in ["instance", "payload", "resume", "revision", "null"] {
                let text = format!("{} {}", words.title, words.sentences.join(" "));
                assert!(!text.to_lowercase().contains(word), "{word} in {text}");
            }
        }
    }

    #[test]
    fn the_reason_of_the_rule_is_shown() {
        let words = explain("self-approval", "you asked for this yourself");
        assert_eq!(words.sentences[0], "You asked for this yourself.");
        assert_eq!(explain("what-is-this", "").title, "Something went wrong");
    }
}
