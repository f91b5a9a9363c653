//! Why a run failed, in plain words, and what to do next: from the error type alone, which holds
//! nothing of a case.

/// A cause and the way out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) what: &'static str,
    pub(crate) next: &'static str,
}

const OWN: &str = "urn:casewright:error:";

/// The words for an error type.
pub(crate) fn told(code: &str) -> Cause {
    known(code).unwrap_or(Cause {
        what: "The step answered that it could not be done.",
        next: "Open the run to see what it says, see to the cause, then try again.",
    })
}

/// The words for an error type that has its own.
pub(crate) fn known(code: &str) -> Option<Cause> {
    let bare = short(code);
    // A plugin's own code stands after its name.
    let last = bare.rsplit(['.', '/']).next().unwrap_or(bare);
    let (what, next) = match last {
        "not-installed" => (
            "The plugin of this step is not installed in the version that the run began with.",
            "Install that version of the plugin, then try again.",
        ),
        "denied" => (
            "The step was not allowed to do what it asked for.",
            "Allow it in the server's configuration or the pack, then try again.",
        ),
        "upstream-unreachable" | "upstream-broken" | "unavailable" | "communication" => (
            "The other side could not be reached, or broke off.",
            "Ask the other side whether their service is back, then try again.",
        ),
        "timeout" if bare.contains('.') => (
            "The other side did not answer in time.",
            "Ask the other side whether their service is back, then try again.",
        ),
        "authorization" => (
            "The other side did not accept our credentials.",
            "Renew the credentials in the server's configuration, then try again.",
        ),
        "not-approved" => (
            "More was to be paid than was approved in this run.",
            "It would fail again: mend the workflow so that it asks first, and start again.",
        ),
        "self-approval" => (
            "Whoever approved the money stands in the case themselves.",
            "Start again, and let another person approve it.",
        ),
        "insufficient-funds" => (
            "There is not enough money in the fund.",
            "Add money to the fund or release what is set aside, then try again.",
        ),
        "duplicate-invoice" => (
            "The invoice was paid before.",
            "Look at the first payment. If that one was a mistake, take it back and try again; \
             otherwise end this run.",
        ),
        "fund-closed" => (
            "The fund is not open on this day.",
            "Give the fund other days in the pack and put it in force, then try again.",
        ),
        "table-not-in-force" => (
            "The decision table says nothing yet of the day that it was asked about.",
            "It would fail again: give the table a version for that day, put it in force, and \
             start again.",
        ),
        "table-input-invalid" => (
            "The decision table was asked about something that it does not take.",
            "It would fail again: mend the workflow or the input, and start again.",
        ),
        "no-basis" => (
            "There is no consent for sharing this.",
            "Ask for the family's consent, then try again.",
        ),
        "needs-agreement" => (
            "The family has not agreed to this version of the plan.",
            "Ask the family, write down what they say, and start again.",
        ),
        "still-open" => (
            "Other work in the case was still open when it was to be closed.",
            "Finish or stop it, then try again.",
        ),
        "unknown-person" => (
            "Somebody was named who is not in the case.",
            "Add the person on the page of the case, then try again.",
        ),
        "unsafe-contact" => (
            "Nobody has said that they are safe to reach in this way.",
            "Ask them, write it down with the person, then try again.",
        ),
        "no-gateway" => (
            "This server sends no messages.",
            "Give it a gateway under [notify] of its configuration, then try again.",
        ),
        "in-doubt" => (
            "Nobody knows whether the step happened.",
            "Ask the other side. If it did not happen, say so and try again.",
        ),
        "workflow-failed" => (
            "A workflow that this one waited for failed.",
            "See to the run below it in this list; this one goes on with it.",
        ),
        "expression" => (
            "An expression of the workflow does not work with this run's data.",
            "It would fail again: mend the workflow, put it in force, and start again.",
        ),
        "validation" => (
            "The data do not fit what the workflow asks for.",
            "It would fail again: mend the workflow or the input, and start again.",
        ),
        "timeout" => (
            "It took longer than the workflow allows.",
            "Start again if it is still wanted.",
        ),
        "raised" => (
            "The workflow itself ended with an error.",
            "Open the run to see what it says. It would end so again: start anew if it is wanted.",
        ),
        _ => return None,
    };
    Some(Cause { what, next })
}

/// The error type as it is looked up.
pub(crate) fn short(code: &str) -> &str {
    let standard = "https://serverlessworkflow.io/spec/1.0.0/errors/";
    let bare = code
        .strip_prefix(OWN)
        .or_else(|| code.strip_prefix(standard));
    bare.unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_words() {
        let unreachable = told("urn:casewright:error:payment-issue.upstream-unreachable");
        assert!(unreachable.what.contains("could not be reached"));
        let late = told("https://serverlessworkflow.io/spec/1.0.0/errors/timeout");
        assert!(late.what.contains("longer than"));
        assert!(
            told("urn:casewright:error:post.timeout")
                .next
                .contains("try again")
        );
        assert!(
            told("urn:casewright:error:x.what-is-this")
                .next
                .contains("try again")
        );
        assert_eq!(short("urn:casewright:error:a.b"), "a.b");
    }
}
