//! Every boundary of a table, what is wrong in one, and the checks against brute force.

#![allow(
    clippy::unwrap_used,
    clippy::format_push_string,
    reason = "tests, which write the documents they read"
)]

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const GRANT: &str = "
title: Rental grant
inputs:
  savings: { type: money, currency: AUD }
  partner: { type: yes-no }
outputs:
  allowed: { type: yes-no }
  cap: { type: money, currency: AUD }
hit: unique
versions:
  - from: 2019-07-01
    rows:
      - when: { savings: below 2500 }
        then: { allowed: true, cap: 2500 }
      - when: { savings: from 2500 }
        then: { allowed: false, cap: 2500 }
  - from: 2024-07-01
    note: The caps were raised
    rows:
      - when: { savings: below 5500 }
        then: { allowed: true, cap: 5500 }
      - when: { savings: from 5500 }
        then: { allowed: false, cap: 5500.00 }
";

#[track_caller]
fn table(text: &str) -> Table {
    let (table, findings) = read("t", "decisions/t.yaml", text);
    table.unwrap_or_else(|| panic!("{findings:?}"))
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn saving(minor: i64) -> Value {
    json!({"savings": {"minor": minor, "currency": "AUD"}, "partner": false})
}

#[test]
fn a_version_is_in_force_from_its_day_to_the_day_before_the_next() {
    let table = table(GRANT);
    let allowed = |minor, on: &str| {
        let decision = table.decide(&saving(minor), day(on)).unwrap();
        (
            decision.result["allowed"].clone(),
            decision.version.to_string(),
            decision.rows,
        )
    };
    let old = || "2019-07-01".to_owned();
    let new = || "2024-07-01".to_owned();
    assert_eq!(
        allowed(249_999, "2024-06-30"),
        (json!(true), old(), vec![1])
    );
    assert_eq!(
        allowed(250_000, "2024-06-30"),
        (json!(false), old(), vec![2])
    );
    assert_eq!(
        allowed(250_000, "2024-07-01"),
        (json!(true), new(), vec![1])
    );
    assert_eq!(
        allowed(549_999, "2026-01-01"),
        (json!(true), new(), vec![1])
    );
    assert_eq!(
        allowed(550_000, "9999-12-31"),
        (json!(false), new(), vec![2])
    );
    assert_eq!(allowed(0, "2019-07-01"), (json!(true), old(), vec![1]));
    assert_eq!(
        table.decide(&saving(0), day("2019-06-30")),
        Err(Unfit::NotInForce {
            first: day("2019-07-01")
        })
    );
    let cap = table.decide(&saving(0), day("2026-01-01")).unwrap().result["cap"].clone();
    assert_eq!(cap, json!({"minor": 550_000, "currency": "AUD"}));
}

#[test]
fn what_is_no_input_of_the_table_has_a_code_and_is_not_repeated() {
    let table = table(GRANT);
    let no = |input: Value| {
        let unfit = table.decide(&input, day("2026-01-01")).unwrap_err();
        assert!(!unfit.to_string().contains("secret"), "{unfit}");
        (unfit.code(), unfit.to_string())
    };
    let amount = |money: Value| no(json!({"savings": money, "partner": true}));
    assert_eq!(
        amount(json!({"minor": 1, "currency": "NZD"})).0,
        "currency-mismatch"
    );
    for money in [
        json!({"minor": -1, "currency": "AUD"}),
        json!({"minor": 0.5, "currency": "AUD"}),
        json!({"minor": 1, "currency": "AUD", "secret": 1}),
        json!({"minor": "1", "currency": "AUD"}),
        json!({"minor": 1}),
        json!(2500),
        json!(null),
    ] {
        assert_eq!(amount(money).0, "table-input-invalid");
    }
    for input in [
        json!([]),
        json!("secret"),
        json!({"savings": {"minor": 1, "currency": "AUD"}}),
    ] {
        assert_eq!(no(input).0, "table-input-invalid");
    }
    let mut more = saving(1);
    more["secret"] = json!(1);
    let (_, sentence) = no(more);
    assert!(sentence.contains("`savings`, `partner`"), "{sentence}");
}

#[test]
fn numbers_compare_exactly_to_their_last_place() {
    let table = table(
        "
title: Rent
inputs: { percent: { type: number, decimals: 2, minimum: 0, maximum: 1000 } }
outputs: { pass: { type: yes-no }, share: { type: number, decimals: 1 } }
versions:
  - from: 2025-07-01
    rows:
      - { when: { percent: up to 60 }, then: { pass: true, share: 0.5 } }
      - { when: { percent: above 60 }, then: { pass: false, share: 2 } }
",
    );
    let pass = |percent: Value| {
        let decided = table.decide(&json!({"percent": percent}), day("2026-05-12"));
        decided.map(|decision| decision.result["pass"].clone())
    };
    assert_eq!(pass(json!(60)), Ok(json!(true)));
    assert_eq!(pass(json!(60.00)), Ok(json!(true)));
    assert_eq!(pass(json!(60.01)), Ok(json!(false)));
    assert_eq!(pass(json!(0)), Ok(json!(true)));
    assert_eq!(pass(json!(1000)), Ok(json!(false)));
    for wrong in [
        json!(60.001),
        json!(-1),
        json!(1000.01),
        json!(1e30),
        json!("60"),
        json!(0.1 + 0.2),
    ] {
        assert_eq!(
            pass(wrong.clone()).unwrap_err().code(),
            "table-input-invalid",
            "{wrong}"
        );
    }
}

#[test]
fn days_texts_and_words_have_their_conditions() {
    let table = table(
        "
title: Who is told
inputs:
  born: { type: day }
  from: { type: text }
  kind: { type: word, words: [harm, plan, other] }
outputs: { who: { type: text } }
hit: first
versions:
  - from: 2020-01-01
    rows:
      - when: { kind: harm }
        then: { who: 'the hotline: at once' }
      - when: { born: from 2008-07-01 to 2010-06-30, from: [school, { not: [school, court] }] }
        then: { who: team }
      - when: { from: court, kind: { not: plan } }
        then: { who: lawyer }
      - then: { who: nobody }
",
    );
    let who = |born: &str, from: &str, kind: &str| {
        let input = json!({"born": born, "from": from, "kind": kind});
        let decision = table.decide(&input, day("2026-01-01")).unwrap();
        decision.result["who"].as_str().unwrap().to_owned()
    };
    assert_eq!(who("2000-01-01", "court", "harm"), "the hotline: at once");
    assert_eq!(who("2008-07-01", "school", "other"), "team");
    assert_eq!(who("2010-06-30", "a neighbour", "other"), "team");
    assert_eq!(who("2008-06-30", "school", "other"), "nobody");
    assert_eq!(who("2010-07-01", "school", "other"), "nobody");
    assert_eq!(who("2009-01-01", "court", "other"), "lawyer");
    assert_eq!(who("2009-01-01", "court", "plan"), "nobody");
    assert_eq!(who("2009-01-01", "", "plan"), "team");
    let told: Vec<_> = table.versions[0]
        .rows
        .iter()
        .map(|row| table.conditions(row))
        .collect();
    assert_eq!(
        told[1],
        [
            "from 2008-07-01 to 2010-06-30",
            "school, anything else",
            "any"
        ]
    );
}

#[test]
fn collecting_gives_each_row_that_fits_and_perhaps_none() {
    let table = table(
        "
title: Papers
inputs: { amount: { type: money, currency: JPY } }
outputs: { paper: { type: word, words: [quote, receipt] } }
hit: collect
versions:
  - from: 2020-01-01
    rows:
      - { when: { amount: from 1000 }, then: { paper: quote } }
      - { when: { amount: above 500 }, then: { paper: receipt } }
",
    );
    let papers = |minor: i64| {
        let input = json!({"amount": {"minor": minor, "currency": "JPY"}});
        let decision = table.decide(&input, day("2026-01-01")).unwrap();
        (decision.result, decision.rows)
    };
    let (quote, receipt) = (json!({"paper": "quote"}), json!({"paper": "receipt"}));
    assert_eq!(papers(500), (json!([]), vec![]));
    assert_eq!(papers(501), (json!([receipt]), vec![2]));
    assert_eq!(papers(1000), (json!([quote, receipt]), vec![1, 2]));
}

#[test]
fn a_table_that_cannot_be_checked_is_refused_and_soon() {
    let mut text = "title: Large\ninputs:\n".to_owned();
    for column in 0..12 {
        text += &format!("  c{column}: {{ type: number }}\n");
    }
    text += "outputs: { o: { type: number } }\nhit: first\n";
    text += "versions:\n  - from: 2020-01-01\n    rows:\n";
    for row in 0..60 {
        let cells = (0..11).map(|column| {
            let from = (row * 7 + column * 13) % 41;
            format!("c{column}: from {from} to {}", from + 29)
        });
        let cells = cells.collect::<Vec<_>>().join(", ");
        text += &format!("      - {{ when: {{ {cells} }}, then: {{ o: 1 }} }}\n");
    }
    // Nothing is left out, but only the last input shows it.
    text += "      - { when: { c11: up to 0 }, then: { o: 2 } }\n";
    text += "      - { when: { c11: above 0 }, then: { o: 2 } }\n";
    let (table, findings) = read("t", "t.yaml", &text);
    assert!(table.is_none());
    let codes: Vec<_> = findings.iter().map(|found| found.code).collect();
    assert_eq!(codes, ["CW1109"]);
}

/// A cell of a small domain: all of 0 to 3, or two ends.
fn cell() -> impl Strategy<Value = (i64, i64)> {
    prop_oneof![
        Just((0, 3)),
        (0..4_i64, 0..4_i64).prop_map(|(a, b)| (a.min(b), a.max(b)))
    ]
}

/// Rows over a number, a word and a yes or no.
fn rows() -> impl Strategy<Value = Vec<[(i64, i64); 3]>> {
    vec((cell(), cell(), 0..3_usize), 1..6).prop_map(|rows| {
        let flags = [(0, 0), (1, 1), (0, 1)];
        rows.into_iter()
            .map(|(n, w, flag)| [n, w, flags[flag]])
            .collect()
    })
}

fn document(hit: &str, rows: &[[(i64, i64); 3]]) -> String {
    let words = ["a", "b", "c", "d"];
    let mut text = format!(
        "title: T\ninputs:\n  n: {{ type: number, minimum: 0, maximum: 3 }}\n  \
         w: {{ type: word, words: [a, b, c, d] }}\n  f: {{ type: yes-no }}\n\
         outputs: {{ o: {{ type: number }} }}\nhit: {hit}\n\
         versions:\n  - from: 2020-01-01\n    rows:\n"
    );
    for (number, [n, w, f]) in rows.iter().enumerate() {
        let words: Vec<_> = (w.0..=w.1)
            .map(|at| words[usize::try_from(at).unwrap()])
            .collect();
        let flag = match f {
            (0, 0) => "false",
            (1, 1) => "true",
            _ => "any",
        };
        text += &format!(
            "      - when: {{ n: from {} to {}, w: [{}], f: {flag} }}\n        \
             then: {{ o: {number} }}\n",
            n.0,
            n.1,
            words.join(", ")
        );
    }
    text
}

fn fits(row: &[(i64, i64); 3], point: [i64; 3]) -> bool {
    row.iter()
        .zip(point)
        .all(|((from, to), at)| (*from..=*to).contains(&at))
}

fn points() -> impl Iterator<Item = [i64; 3]> {
    (0..4).flat_map(|n| (0..4).flat_map(move |w| (0..2).map(move |f| [n, w, f])))
}

fn input([n, w, f]: [i64; 3]) -> Value {
    let word = ["a", "b", "c", "d"][usize::try_from(w).unwrap()];
    json!({"n": n, "w": word, "f": f == 1})
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn gaps_overlaps_and_dead_rows_are_those_that_trying_everything_finds(rows in rows()) {
        let fitting = |point| rows.iter().filter(|row| fits(row, point)).count();
        let gap = points().any(|point| fitting(point) == 0);
        let overlap = points().any(|point| fitting(point) > 1);
        let dead = (0..rows.len()).any(|at| {
            points().filter(|point| fits(&rows[at], *point))
                .all(|point| rows[..at].iter().any(|row| fits(row, point)))
        });
        for (hit, other, code) in [("unique", overlap, "CW1107"), ("first", dead, "CW1108")] {
            let (table, findings) = read("t", "t.yaml", &document(hit, &rows));
            let has = |code: &str| findings.iter().any(|found| found.code == code);
            prop_assert_eq!(has("CW1106"), gap, "{:?}", findings);
            prop_assert_eq!(has(code), other, "{:?}", findings);
            prop_assert_eq!(table.is_some(), !gap && !other);
            for point in table.iter().flat_map(|_| points()) {
                let decided = table.as_ref().unwrap().decide(&input(point), day("2026-01-01"));
                let first = rows.iter().position(|row| fits(row, point)).unwrap();
                prop_assert_eq!(decided.unwrap().rows, vec![first + 1]);
            }
        }
    }

    #[test]
    fn an_example_of_a_gap_fits_no_row_and_its_box_neither(rows in rows()) {
        let text = document("collect", &rows);
        let (table, _) = read("t", "t.yaml", &text);
        let table = table.unwrap();
        for gap in survey::gaps(&table.inputs, &table.versions[0].rows).unwrap() {
            let example = gap.example(&table.inputs);
            let point = [0, 1, 2].map(|at| i64::try_from(example[at]).unwrap());
            prop_assert!(rows.iter().all(|row| !fits(row, point)));
        }
    }

    /// With all the rest left to one more row, only what that row leaves is missing.
    #[test]
    fn a_row_for_everything_closes_every_gap(rows in rows()) {
        let mut rows = rows;
        rows.push([(0, 3), (0, 3), (0, 1)]);
        let (_, findings) = read("t", "t.yaml", &document("first", &rows));
        prop_assert!(findings.iter().all(|found| found.code == "CW1108"), "{:?}", findings);
    }

    #[test]
    fn no_text_makes_reading_panic(cell in "\\PC{0,24}") {
        let quoted = cell.replace('\'', "''");
        let text = GRANT.replace("below 2500", &format!("'{quoted}'"));
        let _ = read("t", "t.yaml", &text);
    }
}
