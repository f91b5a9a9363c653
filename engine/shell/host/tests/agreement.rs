//! The simple subset means the same to our own evaluator and to jaq.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::cell::Cell;
use std::collections::BTreeMap;

use casewright_host::evaluator::{Program, Results, run};
use casewright_language::expression::{Answers, Expression, Interruption};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5_i64..20).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-8_i32..8).prop_map(|eighth| Value::from(f64::from(eighth) / 4.0)),
        (-1.0e9..1.0e9_f64).prop_map(Value::from),
        "[ab,A-C \u{7f}\n\"\\\\é€😀]{0,4}".prop_map(Value::from),
        prop_oneof![Just("12"), Just("1.5"), Just("1.50"), Just(" 3"), Just("x")]
            .prop_map(Value::from),
        Just(json!({"minor": 123_456, "currency": "AUD"})),
        Just(json!({"minor": -5, "currency": "JPY"})),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => Just("."), 2 => Just(".a"), 2 => Just(".b"), 1 => Just(".a.b"), 1 => Just(".a?"),
        1 => Just(".[0]"), 1 => Just(".[-1]"), 1 => Just(".[1:]"), 1 => Just(".[:-1]"),
        1 => Just(".[\"a\"]?.b"), 1 => Just("$x"), 1 => Just("$x.a"), 1 => Just("null"),
        1 => Just("true"), 1 => Just("false"), 1 => Just("0"), 1 => Just("3"), 1 => Just("2.5"),
        1 => Just("9007199254740993"), 1 => Just("\"\""), 1 => Just("\"a\""), 1 => Just("\",\""),
        1 => Just("[]"), 1 => Just("{}"), 1 => Just("empty"), 1 => Just("length"), 1 => Just("keys"),
        1 => Just("type"), 1 => Just("not"), 1 => Just("tostring"), 1 => Just("tojson"),
        1 => Just("tonumber"), 1 => Just("floor"), 1 => Just("round"), 1 => Just("ceil"),
        1 => Just("abs"), 1 => Just("first"), 1 => Just("last"), 1 => Just("ascii_downcase"),
        1 => Just("ascii_upcase"), 1 => Just("trim"), 1 => Just("ltrim"), 1 => Just("rtrim"),
        1 => Just("money"), 1 => Just("{minor: 100000, currency: \"EUR\"} | money"),
    ]
    .prop_map(str::to_owned);
    leaf.prop_recursive(5, 40, 3, |inner| {
        let operator = prop_oneof![
            Just("+"), Just("-"), Just("*"), Just("/"), Just("%"), Just("=="), Just("!="),
            Just("<"), Just("<="), Just(">"), Just(">="), Just("and"), Just("or"), Just("//"),
            Just("|"),
        ];
        let function = prop_oneof![
            Just("has"), Just("contains"), Just("startswith"), Just("endswith"), Just("ltrimstr"),
            Just("rtrimstr"), Just("split"), Just("join"),
        ];
        let one = inner.clone();
        let two = (inner.clone(), inner.clone());
        let three = (inner.clone(), inner.clone(), inner.clone());
        prop_oneof![
            // Precedence and associativity are part of what must agree.
            4 => (inner.clone(), operator, inner.clone()).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
            3 => one.clone().prop_map(|a| format!("({a})")),
            1 => one.clone().prop_map(|a| format!("({a})?")),
            1 => one.clone().prop_map(|a| format!("-({a})")),
            1 => two.clone().prop_map(|(a, b)| format!("({a})[{b}]")),
            1 => two.clone().prop_map(|(a, b)| format!("({a})[{b}]?")),
            1 => two.clone().prop_map(|(a, b)| format!(".[{a}:{b}]")),
            1 => two.clone().prop_map(|(a, b)| format!("[{a}, {b}]")),
            1 => two.clone().prop_map(|(a, b)| format!("{{a: ({a}), \"b\\({b})\": 1}}")),
            1 => two.clone().prop_map(|(a, b)| format!("{{(({a}) | tostring): ({b}), a}}")),
            1 => two.clone().prop_map(|(a, b)| format!("\"x\\({a}) \\({b})\"")),
            1 => three.prop_map(|(a, b, c)| format!("if {a} then {b} else {c} end")),
            1 => two.clone().prop_map(|(a, b)| format!("if {a} then {b} end")),
            1 => two.prop_map(|(a, b)| format!("(({a}) as $y | [$y, {b}])")),
            1 => (function, one).prop_map(|(f, a)| format!("{f}({a})")),
        ]
    })
}

#[test]
fn both_evaluators_agree() {
    let simple = Cell::new(0_u32);
    let asked = Cell::new(0_u32);
    let values_found = Cell::new(0_u32);
    let mut runner = TestRunner::new(Config {
        cases: 1500,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(
        &(expressions(), values(), values()),
        |(source, input, x)| {
            let Ok(expression) = Expression::new(&source) else {
                // Too long or too deep by chance; everything generated is jq.
                prop_assert!(
                    source.len() > 1000,
                    "{source}: {:?}",
                    Expression::new(&source)
                );
                return Ok(());
            };
            if !expression.is_simple() {
                // A pipe behind a comma has several inputs: jq's business.
                asked.set(asked.get() + 1);
                return Ok(());
            }
            simple.set(simple.get() + 1);
            let variables = BTreeMap::from([("x".to_owned(), x)]);
            let ours = match expression.evaluate(&input, &variables, &Answers::default()) {
                Err(Interruption::Ask(_)) => {
                    asked.set(asked.get() + 1);
                    return Ok(());
                }
                Ok(value) => {
                    values_found.set(values_found.get() + 1);
                    Some(Some(value.to_string()))
                }
                Err(Interruption::Failed(sentence)) if sentence.contains("gives no result") => {
                    Some(None)
                }
                Err(Interruption::Failed(_)) => None,
            };
            let theirs = match run(&Program {
                text: expression.program(),
                input,
                variables,
                check: false,
            }) {
                Results::One(value) => Some(Some(value.to_string())),
                Results::None => Some(None),
                Results::Many => Some(Some("many".to_owned())),
                Results::Failed(_) => None,
            };
            prop_assert_eq!(ours, theirs, "{}", source);
            Ok(())
        },
    );
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let (simple, asked) = (simple.get(), asked.get());
    assert!(
        simple > 1000 && asked * 3 < simple,
        "{asked} of {simple} were asked"
    );
    assert!(
        values_found.get() > 150,
        "{} gave a value",
        values_found.get()
    );
}
