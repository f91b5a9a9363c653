//! Pairs of documents and what is said of them.

use super::*;
use crate::Surroundings;

fn read(tasks: &str) -> Workflow {
    let text = format!(
        "document: {{ dsl: 1.0.3, namespace: test, name: w, version: 1.0.0 }}\ndo:\n{tasks}"
    );
    let reading = crate::read("w.yaml", &text, &Surroundings::default());
    let told = format!("{:#?}", reading.diagnostics);
    reading.workflow.unwrap_or_else(|| panic!("{told}"))
}

/// One line for each difference.
fn told(before: &str, after: &str) -> Vec<String> {
    let diff = diff(&read(before), &read(after));
    let line = |one: &Difference| {
        let of = |reference: &Option<String>| reference.clone().unwrap_or_else(|| "-".into());
        let mut line = format!("{} > {}", of(&one.before), of(&one.after));
        if one.moved {
            line.push_str(" moved");
        }
        if let Some(name) = &one.renamed {
            line = format!("{line} was {name}");
        }
        for leaf in &one.leaves {
            let of = |value: &Option<Value>| value.as_ref().map_or("-".into(), Value::to_string);
            let (before, after) = (of(&leaf.before), of(&leaf.after));
            line = format!("{line} {}: {before} > {after}", leaf.path.join("."));
        }
        line
    };
    diff.tasks.iter().map(line).collect()
}

const THREE: &str = "\
- a: { set: { x: 1 } }
- b: { set: { x: 2 } }
- c: { set: { x: 3 } }
";

#[test]
fn the_same_is_no_difference() {
    assert_eq!(told(THREE, THREE), Vec::<String>::new());
}

#[test]
fn a_task_between_two_others_moves_none_of_them() {
    let after = THREE.replace("- b:", "- n: { set: { y: 0 } }\n- b:");
    assert_eq!(told(THREE, &after), ["- > /do/1/n"]);
    assert_eq!(told(&after, THREE), ["/do/1/n > -"]);
}

#[test]
fn one_that_stands_elsewhere_is_moved_and_the_others_are_not() {
    let after = "- c: { set: { x: 3 } }\n- a: { set: { x: 1 } }\n- b: { set: { x: 2 } }\n";
    assert_eq!(told(THREE, after), ["/do/2/c > /do/0/c moved"]);
}

#[test]
fn another_name_is_told_from_another_task() {
    let after = THREE.replace("- b:", "- better:");
    assert_eq!(told(THREE, &after), ["/do/1/b > /do/1/better was b"]);
    let after = THREE.replace("- b: { set: { x: 2", "- better: { set: { x: 9");
    assert_eq!(told(THREE, &after), ["- > /do/1/better", "/do/1/b > -"]);
}

#[test]
fn what_is_written_otherwise_is_told_by_its_way() {
    let before = "\
- part:
    switch:
      - yes: { when: .a == 1, then: end }
      - no: { then: exit }
";
    let after = "\
- part:
    switch:
      - yes: { when: .a == 2, then: end }
      - maybe: { when: .b, then: end }
      - no: { then: exit }
";
    assert_eq!(
        told(before, after),
        [
            "/do/0/part > /do/0/part switch.yes.when: \".a == 1\" > \".a == 2\" \
             switch.maybe: - > {\"then\":\"end\",\"when\":\".b\"}"
        ]
    );
}

#[test]
fn a_task_within_others_is_the_one_that_changed() {
    let before = "\
- outer:
    try:
      - inner: { set: { x: 1 } }
    catch:
      do:
        - mend: { set: { x: 1 } }
";
    let after = before.replace("- inner: { set: { x: 1", "- inner: { set: { x: 2");
    assert_eq!(
        told(before, &after),
        ["/do/0/outer/try/0/inner > /do/0/outer/try/0/inner set.x: 1 > 2"]
    );
    let after = before.replace("mend: { set: { x: 1", "mend: { set: { x: 3");
    let place = "/do/0/outer/catch/do/0/mend";
    assert_eq!(
        told(before, &after),
        [format!("{place} > {place} set.x: 1 > 3")]
    );
    let gone = "- outer:\n    try:\n      - inner: { set: { x: 1 } }\n    catch: {}\n";
    assert_eq!(told(before, gone), [format!("{place} > -")]);
    assert_eq!(told(gone, before), [format!("- > {place}")]);
}

#[test]
fn branches_are_told_by_their_names() {
    let before = "\
- both:
    fork:
      branches:
        - left: { set: { x: 1 } }
        - right: { set: { x: 2 } }
";
    let after = before.replace("right", "other");
    assert_eq!(
        told(before, &after),
        [
            "/do/0/both > /do/0/both fork.branches: [\"left\",\"right\"] > [\"left\",\"other\"]",
            "/do/0/both/fork/branches/1/right > /do/0/both/fork/branches/1/other was right",
        ]
    );
}

#[test]
fn names_lead_to_tasks_wherever_they_stand() {
    let workflow = read("- outer:\n    do:\n      - '0': { set: { x: 1 } }\n");
    let names = Names::of(&workflow);
    let way = names.way("/do/0/outer/do/0/0").unwrap();
    assert_eq!(way, "/do/outer/do/0");
    assert_eq!(names.place(way), Some("/do/0/outer/do/0/0"));
}
