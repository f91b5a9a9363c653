//! Expressions one by one: what they give, what is said of wrong ones, and that each limit holds.
//! That both evaluators agree is seen where jaq is, in `host`.

#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::*;

fn surroundings() -> BTreeMap<String, Value> {
    BTreeMap::from([
        (
            "steps".to_owned(),
            json!({
                "request": {"data": {"money": {"minor": 130_000, "currency": "AUD"}}},
                "my-task": 7,
            }),
        ),
        ("case".to_owned(), json!({"number": "IFS-2026-00001"})),
    ])
}

fn input() -> Value {
    json!({"a": {"b": [1, 2.5, "x"], "n": null}, "amount": 12, "name": "Ana", "list": [3, 1]})
}

#[track_caller]
fn gives(source: &str, expected: &Value) {
    let expression = Expression::new(source).unwrap();
    assert!(expression.is_simple(), "{source}");
    assert_eq!(
        expression.evaluate(&input(), &surroundings(), &Answers::default()),
        Ok(expected.clone()),
        "{source}"
    );
}

#[track_caller]
fn fails(source: &str, message: &str) {
    assert_eq!(
        Expression::new(source)
            .unwrap()
            .evaluate(&input(), &surroundings(), &Answers::default()),
        Err(Interruption::Failed(message.to_owned())),
        "{source}"
    );
}

#[test]
fn simple_expressions_give_what_jq_gives() {
    for (source, expected) in [
        (".", input()),
        (".a.b[0]", json!(1)),
        (".a.b[-1]", json!("x")),
        (".a.b[7]", json!(null)),
        (".a.b[1:]", json!([2.5, "x"])),
        (".name[:2]", json!("An")),
        (".a[\"b\"][1]", json!(2.5)),
        (".[\"a\"].n.deep", json!(null)),
        ("$steps[\"my-task\"] + 1", json!(8)),
        ("[.name.x?]", json!([])),
        (".name.x? // \"none\"", json!("none")),
        ("1 + 2 * 3 - 4", json!(3)),
        ("7 / 2", json!(3.5)),
        ("6 / 2", json!(3.0)),
        ("-7 % 3", json!(-1)),
        ("5 - 1 == 4 and .amount > 10", json!(true)),
        (
            "null < false and false < 0 and 0 < \"\" and \"\" < [] and [] < {}",
            json!(true),
        ),
        (
            "if .amount > 100 then \"big\" elif .amount > 10 then \"middle\" else \"small\" end",
            json!("middle"),
        ),
        (
            "{name, total: (.amount + 1), (\"k\" + \"1\"): true, \"q\\(.amount)\": 1}",
            json!({"name": "Ana", "total": 13, "k1": true, "q12": 1}),
        ),
        ("[.amount, (1, 2), .list[0]]", json!([12, 1, 2, 3])),
        ("{a: 1} + {b: 2}", json!({"a": 1, "b": 2})),
        (
            "\"for \\($case.number): \\(.list)\"",
            json!("for IFS-2026-00001: [3,1]"),
        ),
        (".list | length", json!(2)),
        (".amount as $x | .list[0] * $x", json!(36)),
        ("$steps.request.data.money | money", json!("$1,300.00")),
        ("[\"a\", 1, null] | join(\", \")", json!("a, 1, null")),
        ("\"a,b\" | split(\",\")", json!(["a", "b"])),
        ("\"007\" | ltrimstr(\"00\") | tonumber", json!(7)),
        (".list | contains([3])", json!(true)),
        ("2.5 | floor | type", json!("number")),
        ("{\"if\": 1}.if", json!(1)),
        ("1 as $x | 2 as $x | $x", json!(2)),
    ] {
        gives(source, &expected);
    }
}

#[test]
fn failures_never_quote_the_data() {
    fails(".name.first", "cannot take `.first` of a text");
    fails(".name + 1", "cannot add a text and a number");
    fails(".amount | ascii_upcase", "expected a text, found a number");
    fails("$nobody", "there is no variable `$nobody` here");
    fails(".name.x?", "the expression gives no result; one is needed");
    fails(
        ".amount % 0",
        "cannot take the remainder of a division by zero",
    );
}

#[test]
fn conditions_are_boolean_or_null() {
    let holds = |source: &str| {
        Expression::new(source)
            .unwrap()
            .holds(&input(), &surroundings(), &Answers::default())
    };
    assert_eq!(holds(".amount == 12"), Ok(true));
    assert_eq!(holds(".a.n"), Ok(false));
    assert_eq!(holds(".name.x?"), Ok(false));
    assert_eq!(
        holds(".name"),
        Err(Interruption::Failed(
            "a condition is true, false or null; this one is a text: compare it with something, \
             as in `.amount > 0`"
                .to_owned()
        ))
    );
}

#[test]
fn what_is_not_simple_is_asked_once() {
    let expression = Expression::new("[$case.number | test(\"x\")] | map(. // 1) | add").unwrap();
    assert!(!expression.is_simple());
    let surroundings = surroundings();
    let mut answers = Answers::default();
    let Err(Interruption::Ask(question)) = expression.evaluate(&input(), &surroundings, &answers)
    else {
        panic!("nothing was asked");
    };
    assert_eq!(question.variables.keys().collect::<Vec<_>>(), ["case"]);
    assert_eq!(question.input, input());
    answers.insert(&question, Answer::One(json!(5)));
    assert_eq!(
        expression.evaluate(&input(), &surroundings, &answers),
        Ok(json!(5))
    );
    answers.insert(&question, Answer::Many);
    assert!(matches!(
        expression.evaluate(&input(), &surroundings, &answers),
        Err(Interruption::Failed(_))
    ));
    answers.insert(&question, Answer::None);
    assert_eq!(
        expression.holds(&input(), &surroundings, &answers),
        Ok(false)
    );
}

#[test]
fn helpers_travel_with_the_question() {
    let expression = Expression::new("[.list[] | {minor: ., currency: \"AUD\"} | money]").unwrap();
    assert!(
        expression
            .doubt()
            .unwrap()
            .program
            .starts_with("def money:")
    );
}

#[test]
fn names_are_found_everywhere_but_where_bound_inside() {
    let expression = Expression::new(
        "[$context[] as $x | $x, $y] | reduce .[] as {a: $z} (0; . + $z + $w) \
         | def f($v): $v; f(\"\\($u)\")",
    )
    .unwrap();
    let names: Vec<_> = expression
        .variables()
        .iter()
        .map(|n| n.name.as_str())
        .collect();
    assert_eq!(names, ["context", "y", "w", "u"]);
}

#[test]
fn steps_are_named_with_their_hyphens() {
    let steps = |source: &str| {
        Expression::new(source)
            .unwrap()
            .steps_named()
            .iter()
            .map(|step| (step.name.clone(), step.offset, step.hyphenated.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        steps("$steps.a.b + $steps[\"c-d\"]"),
        [("a".to_owned(), 0, None), ("c-d".to_owned(), 13, None)]
    );
    assert_eq!(
        steps("1 + $steps.my-first-task.data"),
        [("my".to_owned(), 4, Some("my-first-task".to_owned()))]
    );
    assert_eq!(steps("$steps.a - 1"), [("a".to_owned(), 0, None)]);
}

#[test]
fn problems_say_where_and_what_to_write() {
    for (source, offset, message) in [
        ("", 0, "the expression is empty"),
        (
            ".a +",
            4,
            "expected a value, such as `.name`, `$steps.name`, a number or a text, found the end",
        ),
        (
            ".a == 'x'",
            6,
            "text in an expression stands between double quotes",
        ),
        (
            ".a = ",
            5,
            "expected a value, such as `.name`, `$steps.name`, a number or a text, found the end",
        ),
        ("(.a", 3, "expected `)`, found the end"),
        (".a && .b", 3, "`&` means nothing here"),
        (".first-name", 0, "`.first-name` is read as a subtraction"),
        ("lenght", 0, "there is no function `lenght`"),
        (
            "split(1; 2; 3)",
            0,
            "`split` takes 1 or 2 arguments, found 3",
        ),
        ("\"a\\(.b", 6, "the `\\(` in this text is never closed"),
        (
            ".a | now",
            5,
            "`now` does not exist: expressions have no clock, so that they give the same when they \
             are looked at again; use `$task.startedAt` or `$workflow.startedAt`",
        ),
        (
            "$ENV.HOME",
            0,
            "`$ENV` does not exist: expressions cannot read the server's environment; give the \
             value as input of the workflow or in the plugin's configuration",
        ),
    ] {
        let problem = Expression::new(source).unwrap_err();
        assert_eq!(
            (problem.offset, problem.message.as_str()),
            (offset, message),
            "{source}"
        );
    }
    for name in [
        "env",
        "input",
        "inputs",
        "halt",
        "halt_error",
        "debug",
        "stderr",
        "input_line_number",
        "localtime",
    ] {
        let problem = Expression::new(&format!("[.[] | {name}]")).unwrap_err();
        assert!(
            problem
                .message
                .starts_with(&format!("`{name}` does not exist: ")),
            "{problem}"
        );
    }
}

#[test]
fn limits_come_before_parsing() {
    let long = format!(".a{}", " ".repeat(SOURCE_BYTES_MAX));
    assert!(
        Expression::new(&long)
            .unwrap_err()
            .message
            .contains("at most 4096")
    );
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{a:", "}"),
        ("-", ""),
        ("try ", ""),
        ("\"\\(", ")\""),
        ("if 1 then ", " end"),
        ("1 as $x|", ""),
        ("reduce ", " as $x (0; 1)"),
    ] {
        let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert!(Expression::new(&nested(30)).is_ok(), "{open}");
        let problem = Expression::new(&nested(200)).unwrap_err();
        assert!(
            problem.message.contains("more than 64 deep"),
            "{open}: {problem}"
        );
    }
}

#[test]
fn long_chains_are_not_deep() {
    for (first, next) in [
        ("1", "+1"),
        ("1", "|."),
        ("1", "//1"),
        ("1", " and 1"),
        ("1", "==1"),
        ("[1", "|[.]"),
    ] {
        let mut chain = format!("{first}{}", next.repeat(500));
        if first.starts_with('[') {
            chain.push(']');
        }
        let result = Expression::new(&chain).unwrap().evaluate(
            &Value::Null,
            &surroundings(),
            &Answers::default(),
        );
        match next {
            "|[.]" => assert_eq!(
                result,
                Err(Interruption::Failed(
                    "the result is nested more than 100 deep".into()
                ))
            ),
            _ => assert!(result.is_ok(), "{next}: {result:?}"),
        }
    }
}

#[test]
fn growth_stops_at_the_limit() {
    let doubling = format!(".{}", " | . + .".repeat(400));
    let expression = Expression::new(&doubling).unwrap();
    let result = expression.evaluate(&json!("family"), &surroundings(), &Answers::default());
    assert!(matches!(result, Err(Interruption::Ask(_))));
    let large = json!("x".repeat(600_000));
    let result =
        Expression::new(". + .")
            .unwrap()
            .evaluate(&large, &surroundings(), &Answers::default());
    assert_eq!(
        result,
        Err(Interruption::Failed(
            "the result is larger than 1 MiB".into()
        ))
    );
}

#[test]
fn the_deepest_simple_expression_fits_a_small_stack() {
    let level = "(1==[.a//0 or 1<2+3*4%";
    let source = format!("{}5{}", level.repeat(30), "])".repeat(30));
    let thread = std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(move || {
            let expression = Expression::new(&source).unwrap();
            expression
                .evaluate(&Value::Null, &BTreeMap::new(), &Answers::default())
                .is_ok()
        });
    assert!(thread.unwrap().join().is_ok());
}

#[test]
fn amounts_are_written_for_people() {
    for (minor, currency, text) in [
        (130_000, "AUD", "$1,300.00"),
        (5, "USD", "$0.05"),
        (-123_456_789, "EUR", "-EUR 1,234,567.89"),
        (1300, "JPY", "JPY 1,300"),
        (1300, "KWD", "KWD 1.300"),
        (i64::MIN, "AUD", "-$92,233,720,368,547,758.08"),
    ] {
        assert_eq!(money_text(minor, currency), text);
    }
}

#[test]
fn equal_questions_have_equal_keys() {
    let question = |n: i64| Question {
        program: "x".into(),
        input: json!({"b": n, "a": 1}),
        variables: BTreeMap::new(),
    };
    assert_eq!(question(1).key(), question(1).key());
    assert_ne!(question(1).key(), question(2).key());
}
