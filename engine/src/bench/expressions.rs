//! Expressions: the simple ones here, the others in the evaluator process.

use std::collections::BTreeMap;
use std::io;
use std::time::Instant;

use casewright_language::{Answer, Answers, Expression, Question};
use casewright_runtime::port::Evaluate as _;
use serde_json::{Value, json};

use super::figure::{Figure, Limit, Watch, median};
use super::parked::{number, seconds_since};
use super::{ROUNDS, Size};
use crate::ports::EvaluatorProcess;

/// As documents write them.
const SIMPLE: &str = ".household.members[0].age >= 18 and .request.amount <= 130000";
const PROGRAM: &str = "[.household.members[] | select(.age < 18)] | length";
/// Evaluations between two looks at the clock.
const BLOCK: u64 = 256;

pub(super) async fn expressions(size: &Size) -> io::Result<Vec<Figure>> {
    let (mut simple, mut process, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let evaluator = EvaluatorProcess::new()?;
    for _ in 0..ROUNDS {
        let watch = Watch::begin()?;
        simple.push(here(size)?);
        process.push(there(size, &evaluator).await?);
        others.push(watch.others()?);
    }
    let others = median(others);
    Ok(vec![
        Figure {
            scenario: "expressions: simple".to_owned(),
            value: median(simple),
            unit: "us",
            limit: Some(Limit::AtMost(2.0)),
            note: SIMPLE.to_owned(),
            others_cpu: others,
        },
        Figure {
            scenario: "expressions: evaluator process, warm".to_owned(),
            value: median(process),
            unit: "us",
            limit: Some(Limit::AtMost(100.0)),
            note: format!("median; {PROGRAM}"),
            others_cpu: others,
        },
    ])
}

fn family() -> Value {
    json!({
        "household": { "members": [ { "age": 34 }, { "age": 12 }, { "age": 9 } ] },
        "request": { "amount": 80_000, "reason": "school shoes" },
    })
}

fn here(size: &Size) -> io::Result<f64> {
    let expression =
        Expression::new(SIMPLE).map_err(|problem| io::Error::other(problem.message))?;
    let (family, variables, answers) = (family(), BTreeMap::new(), Answers::default());
    let began = Instant::now();
    let mut count = 0;
    while began.elapsed() < size.time() {
        for _ in 0..BLOCK {
            let value = expression.evaluate(std::hint::black_box(&family), &variables, &answers);
            if value != Ok(Value::Bool(true)) {
                return Err(io::Error::other("the simple expression is wrong"));
            }
        }
        count += BLOCK;
    }
    Ok(seconds_since(began) * 1e6 / number(count))
}

async fn there(size: &Size, evaluator: &EvaluatorProcess) -> io::Result<f64> {
    let question = Question {
        program: PROGRAM.to_owned(),
        input: family(),
        variables: BTreeMap::new(),
    };
    // The first question starts the process.
    let _ = evaluator.evaluate(question.clone()).await;
    let began = Instant::now();
    let mut took = Vec::new();
    while began.elapsed() < size.time() {
        let begin = Instant::now();
        let answer = evaluator.evaluate(question.clone()).await;
        took.push(seconds_since(begin) * 1e6);
        if answer != Answer::One(json!(2)) {
            return Err(io::Error::other("the evaluator's answer is wrong"));
        }
    }
    Ok(median(took))
}
