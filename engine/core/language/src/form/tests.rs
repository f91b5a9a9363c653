//! Forms as authors write them and as browsers post them; drawing them is tested where it is done.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::diagnostic::Diagnostic;

const REQUEST: &str = "\
title: Brokerage request
schema:
  type: object
  required: [purpose, money, kind, address, tags, form]
  properties:
    purpose: { type: string, title: Purpose, maxLength: 500, description: The family sees this }
    money:
      title: Amount
      type: object
      required: [minor, currency]
      properties:
        minor: { type: integer, minimum: 1, maximum: 200000 }
        currency: { const: AUD }
    kind:
      title: Kind of help
      oneOf: [ { const: rent, title: Rent in arrears }, { const: school-costs } ]
    needed: { type: string, format: date, title: Needed by }
    urgent: { type: [boolean, 'null'], title: Is it urgent? }
    children: { type: integer, title: Number of children, minimum: 0, maximum: 20 }
    address:
      type: object
      required: [street]
      properties:
        street: { type: string, title: Street, maxLength: 100 }
        town: { $ref: '#/$defs/town' }
    tags: { type: array, title: Tags, uniqueItems: true, items: { enum: [a, b, c] } }
    quotes:
      type: array
      title: Quotes
      maxItems: 3
      items:
        type: object
        required: [supplier, price]
        properties:
          supplier: { type: string, title: Supplier }
          price:
            type: object
            title: Price
            required: [minor, currency]
            properties: { minor: { type: integer }, currency: { enum: [AUD] } }
    form: { const: v2 }
  additionalProperties: false
  $defs:
    town: { type: string, title: Town }
layout:
  - money
  - { field: purpose, label: What is it for?, control: text, error: Say what the money is for }
  - kind
  - address
  - needed
  - urgent
  - children
  - tags
  - quotes
";

fn form(text: &str) -> Form {
    let (form, findings) = read("request", "forms/request.yaml", text);
    form.unwrap_or_else(|| panic!("{findings:#?}"))
}

fn findings(text: &str) -> Vec<(&'static str, usize, String)> {
    let (form, findings) = read("request", "forms/request.yaml", text);
    assert!(form.is_none());
    let brief = |found: Diagnostic| (found.code, found.line, found.message);
    findings.into_iter().map(brief).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    owned.collect()
}

#[test]
fn fields_follow_the_layout_and_controls_the_schema() {
    let form = form(REQUEST);
    let fields: Vec<_> = form
        .fields
        .iter()
        .map(|field| (field.name.as_str(), field.label.as_str(), field.required))
        .collect();
    assert_eq!(
        fields,
        [
            ("money", "Amount", true),
            ("purpose", "What is it for?", true),
            ("kind", "Kind of help", true),
            ("address.street", "Street", true),
            ("address.town", "Town", false),
            ("needed", "Needed by", false),
            ("urgent", "Is it urgent?", false),
            ("children", "Number of children", false),
            ("tags", "Tags", true),
            ("quotes", "Quotes", false),
        ]
    );
    let control = |name: &str| {
        let field = form.fields.iter().find(|field| field.name == name);
        field.unwrap().control.clone()
    };
    let aud = || Control::Money {
        currency: "AUD".into(),
    };
    assert_eq!(control("money"), aud());
    assert_eq!(
        control("purpose"),
        Control::Text {
            length_max: Some(500)
        }
    );
    assert_eq!(
        control("kind"),
        Control::Choice(vec![
            ("rent".into(), "Rent in arrears".into()),
            ("school-costs".into(), "School costs".into())
        ])
    );
    assert_eq!(control("needed"), Control::Date);
    assert_eq!(control("urgent"), Control::YesNo);
    assert!(matches!(control("tags"), Control::Choices(choices) if choices.len() == 3));
    let Control::Group(members) = control("quotes") else {
        panic!("no group");
    };
    assert_eq!(members[1].control, aud());
    assert_eq!(form.constants, [("form".to_owned(), json!("v2"))]);
    assert_eq!(form.fields[1].hint.as_deref(), Some("The family sees this"));
}

#[test]
fn what_was_typed_becomes_a_value() {
    let form = form(REQUEST);
    let value = form.gather(&pairs(&[
        ("money", " $1,300.50 "),
        ("purpose", "Rent"),
        ("kind", "rent"),
        ("address.street", "1 Main St"),
        ("address.town", ""),
        ("needed", " 2026-11-23 "),
        ("urgent", "no"),
        ("children", "3"),
        ("tags", "c"),
        ("tags", "a"),
        ("quotes.0.supplier", "A"),
        ("quotes.0.price", "10"),
        ("quotes.1.supplier", "B"),
        ("quotes.1.price", "AUD 1 000.05"),
        ("_token", "x"),
    ]));
    assert_eq!(
        value,
        json!({
            "money": {"minor": 130_050, "currency": "AUD"}, "purpose": "Rent", "kind": "rent",
            "address": {"street": "1 Main St"}, "needed": "2026-11-23", "urgent": false,
            "children": 3, "tags": ["c", "a"], "form": "v2",
            "quotes": [
                {"supplier": "A", "price": {"minor": 1000, "currency": "AUD"}},
                {"supplier": "B", "price": {"minor": 100_005, "currency": "AUD"}},
            ],
        })
    );
    assert_eq!(form.check(&value), []);
}

#[test]
fn amounts_are_read_exactly_or_not_at_all() {
    let read = |typed: &str, currency: &str| {
        amount::read(typed, currency).map(|value| value["minor"].as_i64().unwrap())
    };
    for (typed, currency, minor) in [
        ("1300", "AUD", Some(130_000)),
        ("1,300.00", "AUD", Some(130_000)),
        ("$1300.5", "USD", Some(130_050)),
        ("0.07", "AUD", Some(7)),
        ("-12", "AUD", Some(-1200)),
        ("EUR 12.34", "EUR", Some(1234)),
        ("1300", "JPY", Some(1300)),
        ("90071992547409.93", "AUD", Some(9_007_199_254_740_993)),
        ("$12", "EUR", None),
        ("1300.505", "AUD", None),
        ("1.5", "JPY", None),
        ("1,30", "AUD", None),
        ("1300,000", "AUD", None),
        ("12.", "AUD", None),
        ("1e3", "AUD", None),
        ("twelve", "AUD", None),
        ("99999999999999999999", "AUD", None),
        ("", "AUD", None),
    ] {
        assert_eq!(read(typed, currency), minor, "{typed}");
    }
}

#[test]
fn sentences_name_the_field_and_what_to_do() {
    let form = form(REQUEST);
    let errors = |posted: &[(&str, &str)]| {
        let errors = form.check(&form.gather(&pairs(posted)));
        let errors = errors.into_iter().map(|error| (error.field, error.message));
        errors.collect::<Vec<_>>()
    };
    let expect = |expected: &[(&str, &str)]| pairs(expected);
    assert_eq!(
        errors(&[]),
        expect(&[
            ("money", "Enter the amount"),
            ("purpose", "Say what the money is for"),
            ("kind", "Select the kind of help"),
            ("address.street", "Enter the street"),
        ])
    );
    let filled = |more: &[(&'static str, &'static str)]| {
        let mut posted = vec![
            ("purpose", "Rent"),
            ("kind", "rent"),
            ("address.street", "x"),
        ];
        posted.extend(more);
        errors(&posted)
    };
    assert_eq!(
        filled(&[("money", "2,000.01")]),
        expect(&[("money", "Amount must be $2,000.00 or less")])
    );
    assert_eq!(
        filled(&[("money", "lots")]),
        expect(&[("money", "Amount must be an amount of money, like $1,300.00")])
    );
    assert_eq!(
        filled(&[
            ("money", "1"),
            ("needed", "31.12.2026"),
            ("children", "many"),
            ("urgent", "perhaps"),
            ("tags", "z"),
            ("quotes.1.price", "5"),
            ("quotes.3.supplier", "D"),
            ("quotes.3.price", "x"),
        ]),
        expect(&[
            ("needed", "Needed by must be a real date, like 2026-11-23"),
            ("urgent", "Answer \u{201c}Is it urgent?\u{201d}"),
            ("children", "Number of children must be a whole number"),
            ("tags", "Select the tags"),
            ("quotes", "Quotes: no more than 3 are allowed"),
            ("quotes.0.supplier", "Enter the supplier"),
            ("quotes.0.price", "Enter the price"),
            ("quotes.1.supplier", "Enter the supplier"),
            ("quotes.2.supplier", "Enter the supplier"),
            ("quotes.2.price", "Enter the price"),
            (
                "quotes.3.price",
                "Price must be an amount of money, like $1,300.00"
            ),
        ])
    );
    assert_eq!(
        form.check(
            &json!({"money": {"minor": 5, "currency": "AUD"}, "purpose": "  ", "kind": "rent",
            "address": {"street": "x"}, "tags": [], "form": "v2", "extra": 1})
        ),
        [
            FieldError {
                field: "purpose".into(),
                message: "Say what the money is for".into()
            },
            FieldError {
                field: "extra".into(),
                message: "This form has no field `extra`".into()
            },
        ]
    );
}

#[test]
fn what_could_not_be_read_is_shown_again() {
    let form = form(REQUEST);
    let value = form.gather(&pairs(&[("money", "lots"), ("children", "many")]));
    let again = form.spread(&value);
    assert_eq!(again, pairs(&[("money", "lots"), ("children", "many")]));
}

#[test]
fn mistakes_of_the_author_have_a_place_and_a_code() {
    let base = |properties: &str, layout: &str| {
        format!(
            "title: T\nschema:\n  type: object\n  required: [a]\n  properties:\n\
             \x20   a: {{ type: string, title: A }}\n{properties}{layout}"
        )
    };
    let one = |properties: &str, layout: &str| {
        let found = findings(&base(properties, layout));
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    };
    let expect = |code, line, message: &str| (code, line, message.to_owned());
    assert_eq!(
        one("    b: { type: string }\n", ""),
        expect("CW0513", 7, "the field `b` has no label")
    );
    assert_eq!(one("    b: { type: number, title: B }\n", "").0, "CW0515");
    assert_eq!(
        one("    b.c: { type: string, title: B }\n", ""),
        expect("CW0519", 7, "`b.c` cannot name a field")
    );
    assert_eq!(one("    b: { type: string, not: {} }\n", "").0, "CW0511");
    assert_eq!(one("", "layout: [aa]\n  - x\n").0.len(), 6);
    assert_eq!(
        one("    b: { type: string, title: B }\n", "layout: [ b ]\n"),
        expect(
            "CW0516",
            8,
            "the layout leaves out `a`, which the schema requires: nobody could submit the form"
        )
    );
    assert_eq!(
        one("", "layout: [ a, a ]\n"),
        expect("CW0518", 7, "the field `a` stands in the layout twice")
    );
    assert_eq!(
        one("", "layout: [ { field: a, control: money } ]\n"),
        expect(
            "CW0517",
            7,
            "the control `money` does not fit the field `a`"
        )
    );
    assert_eq!(
        findings("title: T\nschema: { type: string }\n"),
        [expect(
            "CW0512",
            2,
            "the schema of a form describes an object with properties"
        )]
    );
    assert_eq!(findings("title: T\nschmea: {}\n")[0].0, "CW0102");
    let (_, found) = read("f", "f.yaml", &base("", "layout: [ a, ab ]\n"));
    assert_eq!(
        found[0].message,
        "the schema has no property `ab` to ask for"
    );
    assert_eq!(found[0].help.as_deref(), Some("did you mean `a`?"));
}

/// Values that the form above accepts, as a page can hold them: no empty text and no null.
fn accepted() -> impl Strategy<Value = Value> {
    let text = || "[a-zA-Zäß€ ,.\n\"&]{0,20}[a-z]";
    let line = || "[a-zA-Zäß€ ,.\"&]{0,20}[a-z]";
    let money = |range: std::ops::RangeInclusive<i64>| {
        range.prop_map(|minor| json!({"minor": minor, "currency": "AUD"}))
    };
    let option = |strategy: BoxedStrategy<Value>| prop::option::of(strategy);
    let quote = (line(), money(i64::MIN + 1..=i64::MAX))
        .prop_map(|(supplier, price)| json!({"supplier": supplier, "price": price}));
    (
        (
            text(),
            money(1..=200_000),
            prop_oneof![Just("rent"), Just("school-costs")],
        ),
        line(),
        prop::sample::subsequence(vec!["a", "b", "c"], 0..=3).prop_shuffle(),
        option(
            (1900_u32..2100, 1_u32..=12, 1_u32..=28)
                .prop_map(|(y, m, d)| json!(format!("{y:04}-{m:02}-{d:02}")))
                .boxed(),
        ),
        option(any::<bool>().prop_map(Value::from).boxed()),
        option((0_i64..=20).prop_map(Value::from).boxed()),
        option(line().prop_map(Value::from).boxed()),
        option(
            prop::collection::vec(quote, 1..=3)
                .prop_map(Value::from)
                .boxed(),
        ),
    )
        .prop_map(
            |((purpose, money, kind), street, tags, needed, urgent, children, town, quotes)| {
                let mut value = json!({"purpose": purpose, "money": money, "kind": kind,
                "address": {"street": street}, "tags": tags, "form": "v2"});
                let members: &mut Map<String, Value> = value.as_object_mut().unwrap();
                for (name, member) in [
                    ("needed", needed),
                    ("urgent", urgent),
                    ("children", children),
                    ("quotes", quotes),
                ] {
                    members.extend(member.map(|member| (name.to_owned(), member)));
                }
                if let Some(town) = town {
                    value["address"]["town"] = town;
                }
                value
            },
        )
}

proptest! {
    #[test]
    fn accepted_values_survive_a_page(value in accepted()) {
        let form = form(REQUEST);
        prop_assert_eq!(form.check(&value), vec![]);
        prop_assert_eq!(form.gather(&form.spread(&value)), value);
    }

    #[test]
    fn nothing_posted_is_too_strange(
        pairs in prop::collection::vec(
            ("[a-z.0-9]{0,12}|money|quotes.[0-9]{1,20}.price|children", ".{0,12}"),
            0..12,
        ),
    ) {
        let form = form(REQUEST);
        let value = form.gather(&pairs);
        form.check(&value);
        form.spread(&value);
    }
}
