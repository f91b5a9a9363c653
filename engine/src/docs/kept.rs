//! How long the files of a pack are kept, and who erases them, in words.

use casewright_language::pack::{Dispose, KeptFrom, RetentionClass};
use casewright_language::words::{humanize, phrase};

use super::chapter::Known;
use super::plain::Facts;
use super::wording::list;

/// A class as a page shows it.
pub(super) struct Class {
    pub(super) title: String,
    pub(super) facts: Facts,
}

/// All classes of the pack; none where nothing is ever erased.
pub(super) fn told(known: &Known<'_>) -> Vec<Class> {
    let classes = known.deployment.pack.retention.classes.values();
    let told = classes.map(|class| Class {
        title: class.title.clone(),
        facts: facts(known, class),
    });
    told.collect()
}

pub(super) fn facts(known: &Known<'_>, class: &RetentionClass) -> Facts {
    let fact = |term: &str, words: String| (term.to_owned(), words);
    let pack = &known.deployment.pack;
    let relations: Vec<_> = class.relations.iter().map(|one| phrase(one)).collect();
    let from = match class.from {
        KeptFrom::Closed => "the last end of the case".to_owned(),
        KeptFrom::Born => format!("the birth of the youngest {}", either(&relations)),
    };
    let mut only = Vec::new();
    if class.from == KeptFrom::Closed && !relations.is_empty() {
        only.push(format!("where there is a {}", either(&relations)));
    }
    let workflows = class.workflows.iter();
    let workflows: Vec<_> = workflows.map(|name| known.workflow(name).words).collect();
    if !workflows.is_empty() {
        only.push(format!("where “{}” ran", either(&workflows)));
    }
    let titles = class.reasons.iter().map(|name| {
        let reason = pack.closing_reasons.get(name);
        reason.map_or_else(|| humanize(name), |reason| reason.title.clone())
    });
    let titles: Vec<_> = titles.collect();
    if !titles.is_empty() {
        only.push(format!(
            "where it was closed because of “{}”",
            either(&titles)
        ));
    }
    let after = match class.dispose {
        Dispose::Erase => "erased".to_owned(),
        Dispose::Transfer => "handed over, then erased".to_owned(),
    };
    vec![
        fact("Title", class.title.clone()),
        fact("Kept for", format!("{} from {from}", period(class.keep))),
        fact("Only", only.join("; ")),
        fact("After that", after),
    ]
}

/// Who asks, decides and holds back, and to whom files are handed over.
pub(super) fn people(known: &Known<'_>) -> Facts {
    let retention = &known.deployment.pack.retention;
    let roles = |names: &[String]| {
        let titles: Vec<_> = names.iter().map(|name| known.role(name).words).collect();
        list(&titles)
    };
    let recipients: Vec<_> = retention.recipients.values().cloned().collect();
    vec![
        ("Asked for by".to_owned(), roles(&retention.asks)),
        ("Decided by another".to_owned(), roles(&retention.decides)),
        ("Held back by".to_owned(), roles(&retention.holds)),
        ("Handed over to".to_owned(), list(&recipients)),
    ]
}

fn either(words: &[String]) -> String {
    words.join(" or ")
}

fn period((years, months): (u8, u16)) -> String {
    let some = |count: u16, unit: &str| match count {
        0 => None,
        1 => Some(format!("1 {unit}")),
        count => Some(format!("{count} {unit}s")),
    };
    let parts = [some(u16::from(years), "year"), some(months, "month")];
    parts
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" and ")
}
