//! No move gets round an approval: every approval that the version of an instance has must be in
//! the other one and must ask for no less, wherever the instance stands.

use casewright_language::diff::Names;
use casewright_language::workflow::{Human, Kind};
use casewright_language::{Task, Workflow};

use super::{Obstacle, Reason};

pub(super) fn compare(before: &Workflow, after: &Workflow, obstacles: &mut Vec<Obstacle>) {
    let (old, new) = (Names::of(before), Names::of(after));
    for (task, human) in approvals(&before.tasks) {
        let place = old.way(&task.reference).and_then(|way| new.place(way));
        let there = place.and_then(|place| after.task(place));
        let message = match there.map(|there| (&there.kind, there)) {
            None => "the other version has no such approval",
            Some((Kind::Human(other), there)) if other.approval => {
                match weaker((task, human), (there, other)) {
                    None => continue,
                    Some(message) => message,
                }
            }
            Some(_) => "it is no approval in the other version",
        };
        obstacles.push(Obstacle {
            code: Reason::ApprovalLost,
            task: Some(task.name.clone()),
            message: format!(
                "{message}: no run is moved past an approval; let it end as it began, or cancel it \
                 and start it again"
            ),
        });
    }
}

/// Every approval, in the order of the text.
pub(super) fn approvals(tasks: &[Task]) -> Vec<(&Task, &Human)> {
    let mut found = Vec::new();
    for task in tasks {
        if let Kind::Human(human) = &task.kind
            && human.approval
        {
            found.push((task, &**human));
        }
        for list in task.lists() {
            found.extend(approvals(list));
        }
    }
    found
}

/// In which way the new one asks for less.
fn weaker(
    (old_task, old): (&Task, &Human),
    (new_task, new): (&Task, &Human),
) -> Option<&'static str> {
    let rule = |task: &Task, name: &str| {
        let rule = task.definition.pointer(&format!("/with/rules/{name}"));
        rule.cloned()
    };
    let kept = |name: &str| {
        let before = rule(old_task, name);
        before.is_none() || before == rule(new_task, name)
    };
    let mut different = old.different_person_from.iter();
    if new.approvals < old.approvals {
        return Some("fewer people must approve in the other version");
    }
    if !kept("limit") {
        return Some("its limit is another one in the other version");
    }
    if !kept("payee") {
        return Some("who is paid is told otherwise in the other version");
    }
    if different.any(|name| !new.different_person_from.contains(name)) {
        return Some("the other version no longer excludes whoever did an earlier task");
    }
    let written = |task: &Task, place: &str| task.definition.pointer(place).cloned();
    let same = |place: &str| written(old_task, place) == written(new_task, place);
    if !same("/with/assign") || !same("/with/escalate") {
        return Some("others decide it in the other version");
    }
    if !same("/if") {
        return Some("it is asked for in other cases in the other version");
    }
    None
}
