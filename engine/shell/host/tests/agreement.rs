//! The simple subset means the same to our own evaluator and to jaq.
//!
//! Programs and data are made at random; `PROPTEST_CASES` in the environment asks for more of them.
//! What the subset consists of stands in `agreement/subset.rs`.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "agreement/numbers.rs"]
mod numbers;
#[path = "agreement/subset.rs"]
mod subset;

use std::cell::Cell;
use std::collections::BTreeMap;

use casewright_host::evaluator::{Program, Results, run};
use casewright_language::expression::{Answer, Answers, Expression, Interruption, Question};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};

/// What an evaluator made of a program; how it words a failure is its own affair.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// As JSON, so that 3 and 3.0 are two things.
    Value(String),
    None,
    Many,
    Failed,
}

/// Who found the outcome.
#[derive(Debug, PartialEq)]
enum By {
    Ourselves,
    /// With an answer of jaq, for a value that only jq treats exactly.
    Asking,
}

fn ours(expression: &Expression, input: &Value, variables: &Named) -> (Outcome, By) {
    let mut answers = Answers::default();
    let first = expression.evaluate(input, variables, &answers);
    let Err(Interruption::Ask(question)) = first else {
        return (settled(first), By::Ourselves);
    };
    let Question {
        program,
        input: seen,
        variables: named,
    } = (*question).clone();
    let answer = match asked(program, seen, named) {
        Results::One(value) => Answer::One(value),
        Results::None => Answer::None,
        Results::Many => Answer::Many,
        Results::Failed(sentence) => Answer::Failed(sentence),
    };
    answers.insert(&question, answer);
    let second = expression.evaluate(input, variables, &answers);
    (settled(second), By::Asking)
}

type Named = BTreeMap<String, Value>;

fn settled(result: Result<Value, Interruption>) -> Outcome {
    match result {
        Ok(value) => Outcome::Value(value.to_string()),
        Err(Interruption::Failed(sentence)) if sentence.contains("gives no result") => {
            Outcome::None
        }
        Err(Interruption::Failed(sentence)) if sentence.contains("more than one result") => {
            Outcome::Many
        }
        Err(Interruption::Failed(_)) => Outcome::Failed,
        Err(Interruption::Ask(question)) => panic!("asked again: {question:?}"),
    }
}

fn theirs(source: &str, input: &Value, variables: &Named) -> Outcome {
    match asked(source.to_owned(), input.clone(), variables.clone()) {
        Results::One(value) => Outcome::Value(value.to_string()),
        Results::None => Outcome::None,
        Results::Many => Outcome::Many,
        Results::Failed(_) => Outcome::Failed,
    }
}

fn asked(text: String, input: Value, variables: Named) -> Results {
    run(&Program {
        text,
        input,
        variables,
        check: false,
    })
}

/// Both outcomes, which must be equal, and who found ours.
#[track_caller]
fn agreed(source: &str, input: &Value, variables: &Named) -> (Outcome, By) {
    let expression = Expression::new(source).unwrap_or_else(|problem| {
        panic!("{source}: {problem}");
    });
    let (outcome, by) = ours(&expression, input, variables);
    let jaq = theirs(&expression.program(), input, variables);
    assert_eq!(outcome, jaq, "{source} with {input} and {variables:?}");
    (outcome, by)
}

/// Where the usual cases begin.
const SEED: u64 = 20_261_126;

/// As many cases as the environment asks for, otherwise so many that the test stays quick. The
/// usual ones are the same each time: drawn anew, one in many thousands keeps jq busy for hours.
fn cases(usual: u32) -> Config {
    let wanted = std::env::var("PROPTEST_CASES").ok();
    let wanted = wanted.and_then(|text| text.parse().ok());
    Config {
        cases: wanted.unwrap_or(usual),
        rng_seed: match wanted {
            Some(_) => RngSeed::Random,
            None => RngSeed::Fixed(SEED),
        },
        failure_persistence: None,
        ..Config::default()
    }
}

#[test]
fn both_evaluators_agree() {
    let config = cases(1500);
    let total = config.cases;
    let [too_large, asking, valued] = [const { Cell::new(0_u32) }; 3];
    let count = |cell: &Cell<u32>| cell.set(cell.get() + 1);
    let outcome = TestRunner::new(config).run(
        &(subset::expressions(), subset::inputs(), subset::values()),
        |(source, input, x)| {
            let expression = match Expression::new(&source) {
                Ok(expression) => expression,
                Err(problem) => {
                    // By chance; everything else that is generated is jq.
                    let limits = ["bytes long", "more than 64 deep"];
                    let limited = limits.iter().any(|text| problem.message.contains(text));
                    prop_assert!(limited, "{source}: {problem}");
                    count(&too_large);
                    return Ok(());
                }
            };
            // What is generated is the simple subset: nothing is left to jaq for its syntax.
            prop_assert!(expression.is_simple(), "{source} is not simple");
            let variables = Named::from([("x".to_owned(), x)]);
            let (outcome, by) = ours(&expression, &input, &variables);
            let jaq = theirs(&expression.program(), &input, &variables);
            prop_assert_eq!(&outcome, &jaq, "{}", source);
            if by == By::Asking {
                count(&asking);
            }
            if matches!(outcome, Outcome::Value(_)) {
                count(&valued);
            }
            Ok(())
        },
    );
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let [too_large, asking, valued] = [too_large, asking, valued].map(Cell::into_inner);
    let counted =
        format!("of {total}: {too_large} too large, {asking} asked, {valued} gave values");
    assert!(too_large * 50 < total, "{counted}");
    assert!(asking * 10 < total, "{counted}");
    assert!(valued * 5 > total, "{counted}");
}

#[test]
fn each_part_of_the_subset_gives_a_value_here_and_the_same_there() {
    let input = json!({
        "a": {"b": [1, 2.5, "x"], "n": null}, "amount": 12, "name": " Ana ", "list": [3, 1],
        "dotted.name": true,
    });
    let variables = Named::from([("x".to_owned(), json!({"a": [4], "text": "name"}))]);
    for source in subset::EACH {
        let (outcome, by) = agreed(source, &input, &variables);
        assert!(
            matches!(outcome, Outcome::Value(_)),
            "{source}: {outcome:?}"
        );
        assert_eq!(by, By::Ourselves, "{source}");
    }
}

#[test]
fn every_number_is_the_same_number_and_text_in_both() {
    let seen = "[., tostring, tojson, \"\\(.)\", -., abs, length, . + 0, . * 1, . / 1, . == $x, \
                . < $x, . >= $x, [., $x], {a: .}]";
    let both = "[., $x, . + $x, . - $x, . * $x, . == $x, . < $x] | [., tostring]";
    let check = |number: &Value, other: &Value| {
        let variables = Named::from([("x".to_owned(), other.clone())]);
        for source in [
            seen,
            both,
            "floor",
            "ceil | tostring",
            "round",
            ". % $x",
            ". / $x",
        ] {
            agreed(source, number, &variables);
        }
    };
    let edges = numbers::edges();
    for (index, number) in edges.iter().enumerate() {
        for distance in [0, 1, 11] {
            check(number, &edges[(index + distance) % edges.len()]);
        }
    }
    TestRunner::new(cases(100))
        .run(&(numbers::any(), numbers::any()), |(number, other)| {
            check(&number, &other);
            Ok(())
        })
        .unwrap();
}

#[test]
fn literals_of_numbers_are_the_same_in_both() {
    let check = |literal: &str| {
        let mut ours = 0;
        for source in [
            literal.to_owned(),
            format!("{literal} | tostring"),
            format!("\"\\({literal})\" + (-{literal} | tojson)"),
            format!("[{literal}, -{literal}, {literal} + 1, {literal} == 1, {literal} < 9]"),
            format!("\"{literal}\" | tonumber"),
            format!("[.[]?, {literal}] | length"),
        ] {
            let (_, by) = agreed(&source, &json!([]), &Named::new());
            ours += u32::from(by == By::Ourselves);
        }
        ours
    };
    for (literal, plain) in numbers::LITERALS {
        assert_eq!(check(literal) >= 3, plain, "{literal}");
    }
    TestRunner::new(cases(100))
        .run(&numbers::literals(), |literal| {
            check(&literal);
            Ok(())
        })
        .unwrap();
}

proptest! {
    #![proptest_config(cases(1000))]

    /// Data goes to the evaluator process and into the journal as JSON.
    #[test]
    fn a_number_is_the_same_behind_its_text(number in numbers::any()) {
        let text = number.to_string();
        let read: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read.to_string(), text);
        prop_assert_eq!(read, number);
    }
}
