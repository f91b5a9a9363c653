//! The simple subset of jq at random, and data for it.
//!
//! Everything made here must be simple to our parser; what only jaq reads is made elsewhere.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::numbers;

/// Data of any shape.
pub(crate) fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        3 => numbers::any(),
        2 => "[ab,A-C \u{7f}\n\"\\\\é€😀]{0,4}".prop_map(Value::from),
        1 => prop_oneof![
            Just("12"), Just("1.5"), Just("1.50"), Just(" 3"), Just("x"), Just("1e117"),
        ]
        .prop_map(Value::from),
        1 => Just(json!({"minor": 123_456, "currency": "AUD"})),
        1 => Just(json!({"minor": -5, "currency": "JPY"})),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Data as workflows have it, more often than not: an object with members that programs name.
pub(crate) fn inputs() -> impl Strategy<Value = Value> {
    let members = (values(), values()).prop_map(|(a, b)| json!({"a": a, "b": b}));
    prop_oneof![1 => values(), 2 => members]
}

/// One program for each part of the subset; each gives a value.
pub(crate) const EACH: &[&str] = &[
    // Paths.
    ".",
    ".a.b",
    ".a?",
    ".\"name\"",
    ".[\"name\"]",
    ".\"dotted.name\"",
    ".a[\"b\"][0]",
    ".[$x.text]",
    ".a.b[-1]",
    ".a.b[1:]",
    ".a.b[:-1]",
    ".a.b[0:2]?",
    ".name[1:3]",
    ".\"na\\(\"me\")\"",
    ".a?.b[7]",
    // Literals and variables.
    "null",
    "true",
    "false",
    "3",
    "2.5",
    "\"\\u0041\\n\"",
    "[]",
    "{}",
    "$x.a[0]",
    ". # a comment",
    // Operators, and how tight they hold.
    "1 + 2 * 3 - 4 / 2",
    "7 % 4 * 2",
    "-.amount",
    "-(1 + 2)",
    "null + 1",
    "\"a\" + \"b\"",
    "[1] + [2]",
    "{a: 1} + {b: 2}",
    "\"a,b\" / \",\"",
    ".amount == 12",
    ".amount != 12",
    ".amount < 13",
    ".amount <= 12",
    ".amount > 11",
    ".amount >= 12",
    "1 < 2 == true",
    "true and false or true",
    ".none // .amount",
    "empty // 1",
    ".a | .b | .[0]",
    "[empty, 1]",
    "[1, (2, 3), [4]]",
    // Constructions.
    "{name, \"k\": 1, $x, \"q\\(1)\": 2, (\"c\" + \"d\"): 3, amount}",
    "{\"name\"}",
    "{a: 1 | . + 1}",
    "\"for \\(.name): \\(.list)\"",
    "if .amount > 10 then 1 elif .none then 2 else 3 end",
    "if .none then 1 end",
    ".amount as $y | .list[0] * $y",
    "1 as $y | 2 as $y | $y",
    "(.name.x)? // 1",
    "[.name.x?]",
    "[(1 / .name)?]",
    // Functions.
    "-3 | abs",
    "\"Ä A\" | ascii_downcase",
    "\"ä a\" | ascii_upcase",
    "2.1 | ceil",
    "2.9 | floor",
    "2.5 | round",
    ".list | contains([3])",
    ".name | contains(\"n\")",
    ".name | endswith(\" \")",
    ".name | startswith(\" A\")",
    ".list | first",
    ".list | last",
    "has(\"a\")",
    ".list | has(1)",
    ".list | join(\"-\")",
    "keys",
    ".list | keys",
    "length",
    ".name | length",
    ".name | ltrim",
    ".name | rtrim",
    ".name | trim",
    "\"007\" | ltrimstr(\"00\")",
    "\"a.b\" | rtrimstr(\".b\")",
    "{minor: 130000, currency: \"AUD\"} | money",
    ".none | not",
    "\"a,b\" | split(\",\")",
    "1e117 | tostring",
    "[0.1, 1e-7] | tojson",
    "\"12\" | tonumber",
    ".list | type",
];

/// Programs of the simple subset.
pub(crate) fn expressions() -> impl Strategy<Value = String> {
    leaves().prop_recursive(5, 40, 3, |inner| {
        prop_oneof![
            10 => operations(inner.clone()),
            4 => paths(inner.clone()),
            5 => constructions(inner.clone()),
            3 => branches(inner),
        ]
    })
}

fn leaves() -> impl Strategy<Value = String> {
    let path = prop::sample::select(vec![
        ".",
        ".",
        ".",
        ".a",
        ".a",
        ".b",
        ".b",
        ".a.b",
        ".a?",
        ".[0]",
        ".[-1]",
        ".[1:]",
        ".[:-1]",
        ".[\"a\"]?.b",
        ".\"b\"",
        "$x",
        "$x.a",
        "$x[0]?",
    ]);
    let literal = prop::sample::select(vec![
        "null",
        "true",
        "false",
        "0",
        "3",
        "2.5",
        "0.0",
        "1e16",
        "1.5e-7",
        "1e117",
        "5e-324",
        "9007199254740993",
        "9223372036854775807",
        "\"\"",
        "\"a\"",
        "\",\"",
        "\"\\u00e9\\\\\"",
        "[]",
        "{}",
        "empty",
    ]);
    let function = prop::sample::select(vec![
        "length",
        "keys",
        "type",
        "not",
        "tostring",
        "tojson",
        "tonumber",
        "floor",
        "round",
        "ceil",
        "abs",
        "first",
        "last",
        "ascii_downcase",
        "ascii_upcase",
        "trim",
        "ltrim",
        "rtrim",
        "money",
        "{minor: 100000, currency: \"EUR\"} | money",
    ]);
    prop_oneof![3 => path, 2 => literal, 2 => function].prop_map(str::to_owned)
}

/// Precedence and associativity are part of what must agree: nothing is put in brackets.
fn operations(inner: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec![
        "+", "-", "* 2 +", "/", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or", "//", "//",
        "|", "|",
    ]);
    let function = prop::sample::select(vec![
        "has",
        "contains",
        "startswith",
        "endswith",
        "ltrimstr",
        "rtrimstr",
        "split",
        "join",
    ]);
    let one = inner.clone();
    let two = (inner.clone(), inner.clone());
    prop_oneof![
        6 => (inner.clone(), operator, inner).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
        3 => one.clone().prop_map(|a| format!("({a})")),
        2 => one.clone().prop_map(|a| format!("({a})?")),
        1 => one.clone().prop_map(|a| format!("-({a})")),
        1 => (function, one.clone()).prop_map(|(f, a)| format!("{f}({a})")),
        1 => one.prop_map(|a| format!("{a} * 3")),
        1 => two.prop_map(|(a, b)| product(&a, &b)),
    ]
}

/// A text times a number is that text repeated, here in a process without a bound on memory: only
/// what is no text is multiplied by whatever there is, and all else by two and three.
fn product(a: &str, b: &str) -> String {
    format!(
        "(({a}) as $p | ({b}) as $q | if ($p | type) == \"string\" or ($q | type) == \"string\" \
         then [$p, $q] else $p * $q end)"
    )
}

fn paths(inner: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    let two = (inner.clone(), inner.clone());
    prop_oneof![
        two.clone().prop_map(|(a, b)| format!("({a})[{b}]")),
        two.clone().prop_map(|(a, b)| format!("({a})[{b}]?")),
        two.clone().prop_map(|(a, b)| format!(".[{a}:{b}]")),
        two.prop_map(|(a, b)| format!("({a}).a?[{b}:]")),
        inner.clone().prop_map(|a| format!(".\"\\({a})\"")),
        inner.prop_map(|a| format!(".a[:{a}]?")),
    ]
}

fn constructions(inner: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    let two = (inner.clone(), inner.clone());
    let item = inner.clone().prop_map(item);
    let items = prop::collection::vec(item, 0..4);
    prop_oneof![
        3 => items.clone().prop_map(|items| format!("[{}]", items.join(", "))),
        1 => items.prop_map(|items| nested(&items)),
        1 => inner.prop_map(|a| format!("[{a}]")),
        1 => two.clone().prop_map(|(a, b)| format!("{{a: ({a}), \"b\\({b})\": 1}}")),
        1 => two.clone().prop_map(|(a, b)| format!("{{(({a}) | tostring): ({b}), a}}")),
        1 => two.clone().prop_map(|(a, b)| format!("{{b: ({a}), $x, \"a\", \"c\": ({b})}}")),
        2 => two.prop_map(|(a, b)| format!("\"x\\({a}) \\({b})\"")),
    ]
}

/// Commas in brackets of their own are of the array around them.
fn nested(items: &[String]) -> String {
    let items: Vec<&str> = std::iter::once(".a")
        .chain(items.iter().map(String::as_str))
        .collect();
    format!("[({}), $x]", items.join(", "))
}

/// A pipe behind a comma has several inputs, which is not of the subset.
fn item(text: String) -> String {
    let bare = !text.contains('|') && !text.contains(" as ");
    if bare { text } else { format!("({text})") }
}

fn branches(inner: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    let two = (inner.clone(), inner.clone());
    let three = (inner.clone(), inner.clone(), inner);
    prop_oneof![
        three
            .clone()
            .prop_map(|(a, b, c)| format!("if {a} then {b} else {c} end")),
        three.prop_map(|(a, b, c)| format!("if {a} then {b} elif {c} then {a} end")),
        two.clone()
            .prop_map(|(a, b)| format!("if {a} then {b} end")),
        two.clone()
            .prop_map(|(a, b)| format!("(({a}) as $y | [$y, ({b})])")),
        two.prop_map(|(a, b)| format!("(({a}) as $y | ({b}) as $x | $x == $y or $x)")),
    ]
}
