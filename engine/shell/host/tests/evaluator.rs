//! The evaluator process with real processes: this very file started again as `evaluator`.
//!
//! It has a main of its own, which speaks as much of the test protocol as runners need.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use casewright_host::evaluator::{Evaluator, Program, Results, serve};
use serde_json::{Value, json};

const TESTS: [(&str, fn()); 5] = [
    ("programs_give_their_results", programs_give_their_results),
    (
        "hostile_programs_end_as_sentences",
        hostile_programs_end_as_sentences,
    ),
    ("questions_run_side_by_side", questions_run_side_by_side),
    (
        "killed_processes_are_replaced",
        killed_processes_are_replaced,
    ),
    (
        "a_warm_question_takes_little_time",
        a_warm_question_takes_little_time,
    ),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "evaluator") {
        return serve();
    }
    let listing = arguments.iter().any(|argument| argument == "--list");
    let ignored = arguments.iter().any(|argument| argument == "--ignored");
    let filter = arguments.iter().find(|argument| !argument.starts_with('-'));
    for (name, test) in TESTS {
        if ignored || filter.is_some_and(|filter| !name.contains(filter.as_str())) {
            continue;
        }
        if listing {
            println!("{name}: test");
        } else {
            test();
            println!("test {name} ... ok");
        }
    }
    ExitCode::SUCCESS
}

fn program(text: &str) -> Program {
    Program {
        text: text.to_owned(),
        input: json!({"items": [3, 1, 2], "name": "Ana"}),
        variables: BTreeMap::from([("case".to_owned(), json!({"number": "C-1"}))]),
        check: false,
    }
}

fn evaluator() -> Evaluator {
    Evaluator::new(std::env::current_exe().unwrap())
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn programs_give_their_results() {
    block_on(async {
        let evaluator = evaluator();
        for (text, expected) in [
            ("[.items[] | . * 2] | add", Results::One(json!(12))),
            (
                ".items | sort | map(tostring) | join(\"-\")",
                Results::One(json!("1-2-3")),
            ),
            (
                "$case.number | test(\"^C-[0-9]+$\")",
                Results::One(json!(true)),
            ),
            (".items[]", Results::Many),
            ("empty", Results::None),
            ("6 / 2", Results::One(json!(3.0))),
            (
                ".name | .first",
                failed("cannot look that up in a value of this kind"),
            ),
            (
                ".name + 1",
                failed("cannot calculate with values of these kinds"),
            ),
            ("error(\"no family\")", failed("no family")),
            (
                "1 / 0",
                failed("the result is not a finite number: it is too large, or divided by zero"),
            ),
            ("{(1): 2}", failed("the result has a key that is not text")),
            (".items |", failed("expected term, found the end")),
            ("nothing", failed("there is no function `nothing`")),
            ("$nobody", failed("there is no variable `$nobody`")),
            (
                "import \"x\" as x; .",
                failed("modules do not exist in expressions"),
            ),
        ] {
            assert_eq!(evaluator.evaluate(program(text)).await, expected, "{text}");
        }
        let check = Program {
            check: true,
            ..program("error")
        };
        assert_eq!(evaluator.evaluate(check).await, Results::None);
    });
}

fn failed(sentence: &str) -> Results {
    Results::Failed(sentence.to_owned())
}

fn hostile_programs_end_as_sentences() {
    let parentheses = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let signs = format!("{}1", "-".repeat(16_000));
    let mut programs = vec![parentheses.as_str(), signs.as_str()];
    programs.extend([
        "def f: f; f",
        "def f: [f]; f",
        "def f: 1+f; f",
        "[range(1e12)]",
        "\"x\" * 1e10",
        "\"x\" * 10000000000",
        "\"x\" * 9223372036854775807",
        "nth(200000; recurse([.])) | tojson",
        "[limit(1e8; repeat(\"x\"))]",
        "reduce range(1e9) as $i (0; . + 1)",
        "reduce range(40) as $i (\"x\"; . + .)",
        "last(range(1e12))",
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\" * 3000 \
         | [splits(\"(a*)*c\")] | until(false; .)",
        "[range(200000)] | combinations(4)",
        "[limit(300000; repeat(\"text\"))]",
    ]);
    for name in [
        "env",
        "$ENV",
        "$ENV.HOME",
        "input",
        "inputs",
        "input_filename",
        "input_line_number",
        "now",
        "halt",
        "halt(1)",
        "halt_error",
        "debug",
        "stderr",
        "debug_empty",
        "localtime",
        "strflocaltime(\"%H\")",
    ] {
        programs.push(name);
    }
    block_on(async {
        let evaluator = evaluator();
        for text in programs {
            let started = Instant::now();
            let results = evaluator.evaluate(program(text)).await;
            let shown: String = text.chars().take(60).collect();
            let Results::Failed(sentence) = results else {
                panic!("{shown} gave {results:?}");
            };
            assert!(
                !sentence.is_empty() && sentence.len() < 200,
                "{shown}: {sentence}"
            );
            assert!(started.elapsed() < Duration::from_secs(10), "{shown}");
        }
        assert_eq!(
            evaluator.evaluate(program("1 + 1")).await,
            Results::One(json!(2))
        );
    });
}

fn questions_run_side_by_side() {
    block_on(async {
        let evaluator = std::sync::Arc::new(evaluator());
        let mut questions = tokio::task::JoinSet::new();
        for index in 0..50_u64 {
            let evaluator = evaluator.clone();
            questions.spawn(async move {
                let input: Value = (0..=index).collect();
                let results = evaluator
                    .evaluate(Program {
                        input,
                        ..program("map(. + 1) | length")
                    })
                    .await;
                (index, results)
            });
        }
        while let Some(answered) = questions.join_next().await {
            let (index, results) = answered.unwrap();
            assert_eq!(results, Results::One(json!(index + 1)));
        }
    });
}

fn killed_processes_are_replaced() {
    block_on(async {
        let evaluator = evaluator();
        assert_eq!(
            evaluator.evaluate(program("1")).await,
            Results::One(json!(1))
        );
        // A question whose caller goes away takes its process along.
        let endless = evaluator.evaluate(program("def f: f; f"));
        let gone = tokio::time::timeout(Duration::from_millis(1), endless).await;
        assert!(gone.is_err());
        for _ in 0..3 {
            let results = evaluator.evaluate(program("def f: 1 + f; f")).await;
            assert!(matches!(results, Results::Failed(_)));
            assert_eq!(
                evaluator.evaluate(program("[1] | add")).await,
                Results::One(json!(1))
            );
        }
    });
}

fn a_warm_question_takes_little_time() {
    block_on(async {
        let evaluator = evaluator();
        let question = || program("[.items[] | select(. > 1)] | length");
        evaluator.evaluate(question()).await;
        let mut times = Vec::new();
        for _ in 0..200 {
            let started = Instant::now();
            assert_eq!(evaluator.evaluate(question()).await, Results::One(json!(2)));
            times.push(started.elapsed());
        }
        times.sort();
        println!("warm question: median {:?}", times[100]);
        // Far above the figure, so that only a lost cache fails on a busy machine.
        assert!(times[20] < Duration::from_millis(20), "{:?}", times[20]);
    });
}
