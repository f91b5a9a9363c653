//! `fund.reserve`, `fund.commit`, `fund.release`: money set aside, spent and given back.

use super::argument::{Arguments, computed};
use super::{arguments, found, money_goes_out};
use crate::Term;
use crate::diagnostic::{Findings, suggestion};
use crate::read::Reader;
use crate::read::tasks::{Body, Found};
use crate::yaml::{Content, Entry, Node};

const MONEY: &str = "money: { minor: 130000, currency: AUD }";
const INVOICE: &str = "invoice: { supplier: '${ .supplier.taxNumber }', number: '${ .number }' }";
const RESERVATION: &str = "reservation: ${ $steps.reserve.reservation }";

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>, name: &str) -> Option<Found> {
    let owner = body.fields.owner.as_str();
    let function = format!("call: {name}");
    let mut all = Arguments::open(&mut reader.findings, &function, owner, arguments(body))?;
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
            all.refuse_unknown(findings, &["reservation", "money", "invoice"]);
            all.required(findings, "reservation", RESERVATION);
            if let Some(entry) = all.required(findings, "money", MONEY) {
                money(findings, &all, entry);
            }
            if let Some(entry) = all.get("invoice") {
                invoice(findings, &all, entry);
            }
            money_goes_out(reader, body.entry, name);
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
    let mut unknown = false;
    for part in parts {
        let wanted = match part.key.text.as_str() {
            "minor" if is_minor(&part.value) => continue,
            "currency" if is_currency(&part.value) => continue,
            "minor" => "a whole number of cents, such as 130000",
            "currency" => "three capital letters, such as AUD",
            key => {
                unknown = true;
                findings
                    .error(
                        "CW0416",
                        part.key.place,
                        format!("an amount has no `{key}`"),
                    )
                    .help(format!("write `{MONEY}`"));
                continue;
            }
        };
        let key = &part.key.text;
        findings
            .error(
                "CW0416",
                part.place(),
                format!("`{key}` of an amount must be {wanted}"),
            )
            .help(format!("write `{MONEY}`"));
    }
    let missing = ["minor", "currency"]
        .into_iter()
        .find(|key| !parts.iter().any(|part| part.key.text == *key));
    if let Some(key) = missing.filter(|_| !unknown) {
        findings
            .error(
                "CW0416",
                entry.key.place,
                format!("`{}` has no `{key}`", entry.key.text),
            )
            .help(format!("write `{MONEY}`"));
    }
}

/// What is written out of it: supplier and number, both text.
fn invoice(findings: &mut Findings, all: &Arguments<'_>, entry: &Entry) {
    if computed(&entry.value) {
        return;
    }
    let Content::Map(parts) = &entry.value.content else {
        all.expected(findings, entry, "an invoice", INVOICE);
        return;
    };
    let mut told = false;
    for part in parts {
        let key = part.key.text.as_str();
        let text = part
            .value
            .as_text()
            .is_some_and(|text| text.chars().any(char::is_alphanumeric));
        let problem = match key {
            "supplier" | "number" if text || computed(&part.value) => continue,
            "supplier" | "number" => {
                format!("`{key}` of an invoice must be text with letters or digits")
            }
            _ => format!("an invoice has no `{key}`"),
        };
        told = true;
        let finding = findings.error("CW0472", part.place(), problem);
        finding.help(format!("write `{INVOICE}`"));
    }
    let lacks = |key: &&str| !parts.iter().any(|part| part.key.text == *key);
    let missing = ["supplier", "number"].into_iter().find(lacks);
    if let Some(key) = missing.filter(|_| !told) {
        let message = format!("`invoice` has no `{key}`");
        let finding = findings.error("CW0472", entry.key.place, message);
        finding.help(format!("write `{INVOICE}`"));
    }
}

fn is_minor(node: &Node) -> bool {
    computed(node) || node.as_integer().is_some_and(|minor| minor >= 0)
}

fn is_currency(node: &Node) -> bool {
    let code = node.as_text().unwrap_or_default();
    computed(node) || code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
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
                    format!("`expires` of {} is not a length of time", all.owner),
                )
                .help(problem);
        }
        None => all.expected(
            findings,
            entry,
            "a length of time",
            "expires: 10 business days",
        ),
    }
}
