//! What the page says of `call: notify`.

use casewright_language::Template;
use casewright_language::workflow::Call;

use super::super::wording::{self, Said};
use super::{Fact, fact};

/// What it says stands in the file of the message; whom it reaches is asked as it is sent.
pub(super) fn facts(call: &Call) -> Vec<Fact> {
    let to = member(call, "to");
    let staff = to.as_ref().is_some_and(|to| match to {
        Template::Map(members) => members.iter().any(|(name, _)| is_staff(name)),
        Template::Literal(value) => {
            let members = value.as_object();
            members.is_some_and(|members| members.keys().any(|name| is_staff(name)))
        }
        Template::Expression(_) | Template::List(_) => false,
    });
    let deed = if staff {
        "Tells colleagues that they have a task, with the number of the case and nothing else"
    } else {
        "Sends a message to somebody of the case, only in a way that they said is safe"
    };
    let mut facts = vec![fact("What it does", vec![Said::words(deed)])];
    for (term, name) in [
        ("To", "to"),
        ("By", "channel"),
        ("Message", "template"),
        ("With", "data"),
    ] {
        let value = member(call, name);
        facts.extend(value.map(|value| fact(term, vec![wording::value("", &value)])));
    }
    facts
}

/// An argument of a call.
pub(super) fn member(call: &Call, name: &str) -> Option<Template> {
    match &call.with {
        Template::Map(members) => members
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone()),
        Template::Literal(value) => value.get(name).cloned().map(Template::Literal),
        Template::Expression(_) | Template::List(_) => None,
    }
}

fn is_staff(word: &str) -> bool {
    ["role", "team", "staff"].contains(&word)
}
