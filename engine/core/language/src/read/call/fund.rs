//! `fund.reserve`, `fund.commit`, `fund.release`: money set aside, spent and given back.

use super::argument::{Arguments, computed};
use super::{arguments, found};
use crate::Term;
use crate::diagnostic::{Findings, suggestion};
use crate::read::Reader;
use crate::read::tasks::{Body, Found};
use crate::yaml::{Content, Entry, Node};

const MONEY: &str = "money: { minor: 130000, currency: AUD }";
const RESERVATION: &str = "reservation: ${ $steps.reserve.reservation }";

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>, name: &str) -> Option<Found> {
    let owner = body.fields.owner.as_str();
    let function = format!("call: {name}");
    let all = Arguments::open(&mut reader.findings, &function, owner, arguments(body))?;
    let findings = &mut reader.findings;
    match name {
        "fund.reserve" => {
            all.refuse_unknown(findings, &["fund", "money", "expires"]);
            if let Some(entry) = all.required(findings, "fund", "fund: <name in pack.yaml>") {
                fund(reader, &all, entry);
            }
            let findings = &mut reader.findings;
            if let Some(entry) = all.required(findings, "money", MONEY) {
                money(findings, &all, entry);
            }
            if let Some(entry) = all.get("expires") {
                expires(findings, &all, entry);
            }
        }
        "fund.commit" => {
            all.refuse_unknown(findings, &["reservation", "money"]);
            all.required(findings, "reservation", RESERVATION);
            if let Some(entry) = all.required(findings, "money", MONEY) {
                money(findings, &all, entry);
            }
        }
        _ => {
            all.refuse_unknown(findings, &["reservation"]);
            all.required(findings, "reservation", RESERVATION);
        }
    }
    found(reader, body, name, None)
}

fn fund(reader: &mut Reader<'_>, all: &Arguments<'_>, entry: &Entry) {
    if computed(&entry.value) {
        return;
    }
    let Some(name) = entry.value.as_text() else {
        all.expected(
            &mut reader.findings,
            entry,
            "the name of a fund",
            "fund: <name in pack.yaml>",
        );
        return;
    };
    let Some(pack) = &reader.surroundings.pack else {
        return;
    };
    if !pack.funds.contains(name) {
        let known = pack.funds.iter().map(String::as_str);
        reader
            .findings
            .error(
                "CW0408",
                entry.place(),
                format!("the pack has no fund `{name}`"),
            )
            .help(suggestion(name, known, "add it to `funds` in pack.yaml"));
    }
}

/// An amount that is written out, whole or in part.
pub(super) fn money(findings: &mut Findings, all: &Arguments<'_>, entry: &Entry) {
    if computed(&entry.value) {
        return;
    }
    let Content::Map(parts) = &entry.value.content else {
        all.expected(findings, entry, "an amount of money", MONEY);
        return;
    };
    for part in parts {
        let well = computed(&part.value)
            || match part.key.text.as_str() {
                "minor" => part.value.as_integer().is_some_and(|minor| minor >= 0),
                "currency" => is_currency(&part.value),
                _ => false,
            };
        if !well {
            findings
                .error(
                    "CW0416",
                    part.place(),
                    format!("`{}` is not part of an amount", part.key.text),
                )
                .help(format!(
                    "`minor` is the amount in cents, a whole number; `currency` three capital \
                     letters: `{MONEY}`"
                ));
        }
    }
    for key in ["minor", "currency"] {
        if !parts.iter().any(|part| part.key.text == key) {
            findings
                .error(
                    "CW0416",
                    entry.key.place,
                    format!("`{}` has no `{key}`", entry.key.text),
                )
                .help(format!("write `{MONEY}`"));
        }
    }
}

fn is_currency(node: &Node) -> bool {
    let code = node.as_text().unwrap_or_default();
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn expires(findings: &mut Findings, all: &Arguments<'_>, entry: &Entry) {
    if computed(&entry.value) {
        return;
    }
    match entry.value.as_text().map(Term::parse) {
        Some(Ok(_)) => {}
        Some(Err(problem)) => {
            findings
                .error(
                    "CW0411",
                    entry.place(),
                    format!("`expires` is not a length of time: {problem}"),
                )
                .help("write `10 business days`, `4 business hours`, `P3D` or `PT4H`");
        }
        None => all.expected(
            findings,
            entry,
            "a length of time",
            "expires: 10 business days",
        ),
    }
}
