//! Numbers of every kind that JSON data holds, and how a program may write them.

use proptest::prelude::*;
use serde_json::{Number, Value};

/// Where whole numbers stop being exact, floats stop being written out, and kinds of zero meet.
/// Without `i64::MIN`, whose `length` overflows in jaq itself.
pub(crate) fn edges() -> Vec<Value> {
    let whole = [0, 1, -1, 9_007_199_254_740_993, -i64::MAX, i64::MAX].map(Value::from);
    let large = [1 << 63, u64::MAX].map(Value::from);
    let floats = [
        -0.0,
        1.0,
        0.1 + 0.2,
        1e-5,
        1e-4,
        1.5e-5,
        1e15,
        1e16,
        1.234e16,
        1e17,
        1e21,
        1e22,
        -1e117,
        9.0e18,
        9.223_372_036_854_776e18,
        1.8e19,
        f64::MIN_POSITIVE,
        5e-324,
        f64::MAX,
        f64::MIN,
        f64::EPSILON,
    ];
    let floats = floats.into_iter().filter_map(of_float);
    whole.into_iter().chain(large).chain(floats).collect()
}

/// Any whole number that JSON data holds here, and any finite float.
pub(crate) fn any() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-5_i64..20).prop_map(Value::from),
        any_of::<i64>().prop_map(Value::from),
        any_of::<u64>().prop_map(Value::from),
        (-8_i32..8).prop_map(|eighth| Value::from(f64::from(eighth) / 4.0)),
        any_of::<f64>().prop_filter_map("not finite", of_float),
        any_of::<u64>().prop_filter_map("not finite", |bits| of_float(f64::from_bits(bits))),
        prop::sample::select(edges()),
    ]
}

fn any_of<T: Arbitrary>() -> impl Strategy<Value = T> {
    proptest::arbitrary::any::<T>()
}

fn of_float(float: f64) -> Option<Value> {
    Number::from_f64(float).map(Value::Number)
}

/// Ways to write a number, and whether our own evaluator does most with it by itself.
pub(crate) const LITERALS: [(&str, bool); 24] = [
    ("0", true),
    ("7", true),
    ("007", true),
    ("9007199254740993", true),
    ("9223372036854775807", true),
    ("0.0", true),
    ("2.5", true),
    ("1e16", true),
    ("1e117", true),
    ("1.5e-7", true),
    ("5e-324", true),
    ("1.7976931348623157e308", true),
    // jq keeps the text of what follows, digit by digit.
    ("1.50", false),
    ("1e5", false),
    ("1E5", false),
    ("1e+117", false),
    ("1e05", false),
    ("0.1e-3", false),
    ("9223372036854775808", false),
    ("18446744073709551615", false),
    ("18446744073709551616", false),
    ("340282366920938463463374607431768211456", false),
    ("0.30000000000000000000000000000004", false),
    ("1e1000", false),
];

/// Any way to write a number.
pub(crate) fn literals() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,25}",
        "[0-9]{1,20}\\.[0-9]{1,20}",
        "[0-9]{1,3}(\\.[0-9]{1,3})?[eE][+-]?[0-9]{1,3}",
        any_of::<u64>().prop_map(|whole| whole.to_string()),
        any_of::<f64>().prop_filter_map("not finite", |float| float
            .is_finite()
            .then(|| format!("{:e}", float.abs()))),
    ]
}
