//! What a person does or decides in a step: who, with what, by when, and who may not.

use casewright_language::words::humanize;
use casewright_language::workflow::{After, Assign, Clock, Human, Remind};

use super::roles::{Deed, Duty};
use super::step::{Fact, Nature, Spot, Teller, fact};
use super::wording::{Said, list, literal, members, term};

pub(super) fn told(teller: &mut Teller<'_>, human: &Human, spot: &Spot) -> (Nature, Vec<Fact>) {
    let (nature, deed) = if human.approval {
        (Nature::Decision, Deed::Decides)
    } else {
        (Nature::Person, Deed::Does)
    };
    let duty = |to: &Assign, deed| Duty {
        who: role(to),
        deed,
        at: spot.clone(),
    };
    teller.told.duties.push(duty(&human.assign, deed));
    let late = human
        .escalate
        .iter()
        .map(|step| duty(&step.to, Deed::WhenLate));
    teller.told.duties.extend(late);
    let mut facts = vec![fact("Who", vec![who(teller, &human.assign)])];
    let shown = human.show.as_ref().map(members).unwrap_or_default();
    if !shown.is_empty() {
        facts.push(fact("Sees", vec![Said::words(shown.join("; "))]));
    }
    facts.extend(form(teller, human));
    facts.extend(times(teller, human));
    let outcomes: Vec<String> = human.outcomes.iter().map(|name| humanize(name)).collect();
    let chosen = if human.approval {
        "May decide"
    } else {
        "Ends with"
    };
    facts.push(fact(chosen, vec![Said::words(outcomes.join("; "))]));
    facts.extend(bounds(teller, human));
    (nature, facts)
}

/// The name of the role, where it is one and fixed.
fn role(to: &Assign) -> Option<String> {
    match to {
        Assign::Role(name) => literal(name).map(str::to_owned),
        Assign::Team(_) | Assign::Person(_) => None,
    }
}

fn who(teller: &Teller<'_>, to: &Assign) -> Said {
    let (kind, name) = match to {
        Assign::Role(name) => ("a role", name),
        Assign::Team(name) => ("a team", name),
        Assign::Person(name) => ("a person", name),
    };
    match (literal(name), to) {
        (Some(name), Assign::Role(_)) => teller.known.role(name),
        (Some(name), Assign::Team(_)) => Said::words(teller.known.team(name)),
        (Some(name), Assign::Person(_)) => Said::words(name),
        (None, _) => super::wording::value(&format!("{kind} that is worked out: "), name),
    }
}

fn form(teller: &Teller<'_>, human: &Human) -> Option<Fact> {
    let name = human.form.as_ref()?;
    let title = &teller.known.deployment.forms.get(name)?.title;
    let said = match teller.forms.get(name) {
        Some(anchor) => Said::link(title, anchor),
        None => Said::words(title),
    };
    Some(fact("Form", vec![said]))
}

fn times(teller: &Teller<'_>, human: &Human) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(due) = human.due {
        let within = format!("within {}", term(due));
        facts.push(fact(
            "Due",
            vec![match &human.since {
                Some(since) => super::wording::value(&format!("{within} of "), since),
                None => Said::words(within),
            }],
        ));
    }
    if let Some(calendar) = &human.calendar {
        let words = format!("by the calendar {calendar}, whatever the case counts by");
        facts.push(fact("Days counted", vec![Said::words(words)]));
    }
    let remind = |moment: &Remind| match moment {
        Remind::Before(length) => Said::words(format!("{} before it is due", term(*length))),
        Remind::After(length) => Said::words(format!("{} after it was due", term(*length))),
    };
    if !human.remind.is_empty() {
        facts.push(fact("Reminder", human.remind.iter().map(remind).collect()));
    }
    let escalate = human.escalate.iter().map(|step| {
        let moment = match step.after {
            After::Due => "once it is overdue, also offered to".to_owned(),
            After::Offer(length) => {
                format!("{} after it was offered, also offered to", term(length))
            }
        };
        let to = who(teller, &step.to);
        Said {
            words: format!("{moment} {}", to.words),
            ..to
        }
    });
    let escalate: Vec<Said> = escalate.collect();
    if !escalate.is_empty() {
        facts.push(fact("When late", escalate));
    }
    match human.clock {
        Clock::Runs => {}
        Clock::StopsOnHold => {
            let words = "time on hold does not count towards these times";
            facts.push(fact("On hold", vec![Said::words(words)]));
        }
        Clock::Wall => {
            let words = "cannot be put on hold: its time is fixed";
            facts.push(fact("On hold", vec![Said::words(words)]));
        }
    }
    if let Some(total) = human.holds_total {
        let words = format!("waits at most {} in all", term(total));
        facts.push(fact("Waits", vec![Said::words(words)]));
    }
    if human.non_delegable {
        let words = "stays with those it is given to; others are only told that it waits";
        facts.push(fact("Goes to others", vec![Said::words(words)]));
    }
    if let Some(skippable) = &human.skippable {
        let role = teller.known.role(&skippable.by);
        let outcome = casewright_language::words::phrase(&skippable.outcome);
        let words = format!(
            "{}, with a reason; it then ends with “{outcome}”",
            role.words
        );
        facts.push(fact("May be skipped by", vec![Said { words, ..role }]));
    }
    facts
}

/// Who may not decide, how many must, and up to which amount.
fn bounds(teller: &Teller<'_>, human: &Human) -> Vec<Fact> {
    let mut facts = Vec::new();
    if human.approvals > 1 {
        let words = format!("{} different people must approve", human.approvals);
        facts.push(fact("How many", vec![Said::words(words)]));
    }
    if let Some(limit) = &human.limit {
        let rows = teller.known.limits(&limit.policy);
        facts.push(fact("Approves alone", rows));
    }
    let mut not = Vec::new();
    for name in &human.different_person_from {
        not.push(match teller.spot(name) {
            Some(spot) => Said::link(
                format!("whoever did step {}, {}", spot.number, spot.title),
                &spot.anchor,
            ),
            None => Said::words(format!("whoever did {}", humanize(name))),
        });
    }
    if human.payee.is_some() {
        not.push(Said::words("whoever is paid"));
    }
    if human.approval {
        let always = [
            "whoever started this workflow".to_owned(),
            "whoever did one of its tasks".to_owned(),
            "whoever stands in the case as family or payee".to_owned(),
        ];
        not.push(Said::words(format!("{} (always so)", list(&always))));
    }
    if !not.is_empty() {
        facts.push(fact("Never by", not));
    }
    facts
}
