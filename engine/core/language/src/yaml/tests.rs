//! YAML 1.2 as it is read here: words, places, and what strict reading refuses.

use serde_json::json;

use super::*;
use crate::diagnostic::{Findings, draw};

fn tree(text: &str) -> Node {
    let mut findings = Findings::new("test.yaml");
    let node = parse(text, &mut findings);
    assert!(
        !findings.has_errors(),
        "{}",
        draw(&findings.into_list(), text, false)
    );
    node.unwrap()
}

fn codes(text: &str) -> Vec<&'static str> {
    let mut findings = Findings::new("test.yaml");
    parse(text, &mut findings);
    findings
        .into_list()
        .iter()
        .map(|found| found.code)
        .collect()
}

#[test]
fn a_carriage_return_alone_ends_a_line_wherever_lines_are_counted() {
    let text = "a: 1\rb: 2\r\n\rb: 3\n";
    assert_eq!(
        lines(text).collect::<Vec<_>>(),
        ["a: 1", "b: 2", "", "b: 3"]
    );
    let mut findings = Findings::new("test.yaml");
    parse(text, &mut findings);
    let found = findings.into_list();
    assert_eq!(
        (found.len(), found[0].code, found[0].line),
        (1, "CW0007", 4)
    );
    let drawn = draw(&found, text, false);
    assert!(drawn.contains("4 | b: 3"), "{drawn}");
}

#[test]
fn words_are_read_by_yaml_1_2() {
    let node = tree("a: yes\nb: on\nc: true\nd: ~\ne:\nf: 12\ng: 1.5\nh: 0x1F\ni: 1.0.0\nj: '1'\n");
    let expected = json!({
        "a": "yes", "b": "on", "c": true, "d": null, "e": null, "f": 12, "g": 1.5, "h": 31,
        "i": "1.0.0", "j": "1",
    });
    assert_eq!(node.to_json(), expected);
}

#[test]
fn keys_and_values_know_their_places() {
    let text = "do:\n  - prüfen:\n      set: { a: 'x y' }\n";
    let node = tree(text);
    let task = &node.get("do").unwrap().as_list().unwrap()[0];
    let key = &task.as_map().unwrap()[0].key;
    assert_eq!((key.place.line, key.place.column), (2, 5));
    assert_eq!(&text[key.place.start..key.place.end], "prüfen");
    let value = task
        .get("prüfen")
        .unwrap()
        .get("set")
        .unwrap()
        .get("a")
        .unwrap();
    assert_eq!(&text[value.place.start..value.place.end], "'x y'");
    let part = value.place_within(2, 1);
    assert_eq!((&text[part.start..part.end], part.column), ("y", 20));
    assert_eq!((part.end_line, part.end_column), (3, 21));
}

#[test]
fn a_missing_value_points_at_its_key() {
    let node = tree("a:\nb: 1\n");
    assert_eq!(node.entry("a").unwrap().place().line, 1);
}

#[test]
fn a_block_of_text_ends_with_its_last_line() {
    let node = tree("a: |\n  one\n  two\n\nb: 1\n");
    let place = node.get("a").unwrap().place;
    assert_eq!((place.line, place.end_line, place.end_column), (2, 3, 6));
}

#[test]
fn a_part_of_a_block_is_found_on_its_line() {
    let node = tree("a:\n  b: |\n    one\n\n    zwölf x\n");
    let place = node
        .get("a")
        .unwrap()
        .get("b")
        .unwrap()
        .place_within("one\n\nzwölf ".len(), 1);
    assert_eq!((place.line, place.column, place.end_column), (5, 11, 12));
}

#[test]
fn what_strict_reading_refuses() {
    assert_eq!(codes("a: 1\na: 2\nb: 1\nb: 2\n"), ["CW0007", "CW0007"]);
    assert_eq!(
        codes("a: &x 1\nb: *x\nc: !t 1\n"),
        ["CW0005", "CW0005", "CW0005"]
    );
    assert_eq!(codes("a: *x\n<<: {}\n"), ["CW0005", "CW0005"]);
    assert_eq!(
        codes("a: 007\nb: 99999999999999999999\nc: .inf\n"),
        ["CW0008"; 3]
    );
    assert_eq!(codes(""), ["CW0003"]);
    assert_eq!(codes("# only a comment\n"), ["CW0003"]);
    assert_eq!(codes("a: 1\n---\nb: 2\n"), ["CW0004"]);
    assert_eq!(codes("[a]: 1\n"), ["CW0006"]);
    assert_eq!(codes(&"[".repeat(40)), ["CW0002"]);
    assert_eq!(codes(&" ".repeat(TEXT_BYTES_MAX + 1)), ["CW0002"]);
    assert_eq!(codes("a:\n\tb: 1\n"), ["CW0001"]);
    assert_eq!(codes("%YAML 1.1\n---\na: 1\n"), ["CW0005"]);
}

#[test]
fn depth_up_to_the_limit_is_read() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(codes(&nested(DEPTH_MAX)), Vec::<&str>::new());
    assert_eq!(codes(&nested(DEPTH_MAX + 1)), ["CW0002"]);
}

#[test]
fn a_pointer_leads_to_the_nearest_value() {
    let node = tree("a:\n  - b: 1\n  - c: 2\n");
    assert_eq!(node.nearest("/a/1/c").to_json(), json!(2));
    assert_eq!(node.nearest("/a/1/missing").to_json(), json!({ "c": 2 }));
}
