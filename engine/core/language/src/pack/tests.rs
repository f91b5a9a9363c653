//! `pack.yaml` whole and least, and each mistake in it with its code, its line and its remedy.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

const PACK: &str = "\
namespace: family-services
title: Intensive family support
timeZone: Australia/Melbourne
calendar: victoria
calendars:
  victoria: calendars/victoria.ics
roles:
  case-worker: { title: Case worker, starts: true }
  team-leader: { title: Team leader, includes: [case-worker], administers: true }
teams:
  north: Northern team
funds:
  brokerage: { title: Brokerage, allocated: { minor: 5000000, currency: AUD } }
policies:
  brokerage-limits:
    - { role: team-leader, upTo: { minor: 200000, currency: AUD } }
plugins:
  payment-issue:
    config: { endpoint: https://pay.example }
    origins: [ https://pay.example ]
    secrets: [ payment-key ]
  evidence:
caseNumber: IFS-{year}-{number:5}
disclosure:
  purposes: { housing: Finding a home }
  recipients: { housing-register: The housing register }
  bases: { s159m: Without consent }
";

fn found(text: &str) -> Vec<(&'static str, usize, String, Option<String>)> {
    let (pack, findings) = read_pack("pack.yaml", text);
    assert_eq!(pack.is_none(), !findings.is_empty());
    findings
        .into_iter()
        .map(|found| (found.code, found.line, found.message, found.help))
        .collect()
}

#[test]
fn a_whole_pack_is_read() {
    let (pack, findings) = read_pack("pack.yaml", PACK);
    assert_eq!(findings, []);
    let pack = pack.unwrap();
    assert_eq!(pack.namespace, "family-services");
    assert_eq!(pack.calendars["victoria"], "calendars/victoria.ics");
    assert!(pack.roles["case-worker"].starts && !pack.roles["case-worker"].administers);
    assert!(pack.administers(&["case-worker".to_owned(), "team-leader".to_owned()].into()));
    assert!(!pack.administers(&["case-worker".to_owned()].into()));
    assert_eq!(pack.roles["team-leader"].includes, ["case-worker"]);
    assert_eq!(pack.funds["brokerage"].allocated_minor, 5_000_000);
    let row = &pack.policies["brokerage-limits"][0];
    assert_eq!(
        (row.role.as_str(), row.up_to_minor, row.currency.as_str()),
        ("team-leader", 200_000, "AUD")
    );
    assert_eq!(pack.disclosure.purposes["housing"], "Finding a home");
    assert_eq!(
        pack.disclosure.recipients.len() + pack.disclosure.bases.len(),
        2
    );
    assert_eq!(pack.plugins["payment-issue"].secrets, ["payment-key"]);
    assert_eq!(pack.plugins["evidence"].config, serde_json::json!({}));
    assert_eq!(pack.case_number, "IFS-{year}-{number:5}");
}

#[test]
fn the_least_pack_is_read() {
    let (pack, findings) = read_pack("pack.yaml", "namespace: a\ntitle: A\ntimeZone: UTC\n");
    assert_eq!(findings, []);
    assert_eq!(pack.unwrap().case_number, "CASE-{year}-{number:5}");
}

#[test]
fn each_mistake_has_a_code_a_line_and_a_remedy() {
    for (from, to, code, line, message) in [
        (
            "namespace: family-services",
            "namespace: Family_Services",
            "CW0520",
            1,
            "`Family_Services` cannot be a namespace",
        ),
        (
            "timeZone: Australia/Melbourne",
            "timeZone: AEST",
            "CW0526",
            3,
            "`AEST` is not the name of a time zone",
        ),
        (
            "calendar: victoria",
            "calendar: vctoria",
            "CW0523",
            4,
            "there is no calendar `vctoria` in this pack",
        ),
        (
            "calendars/victoria.ics",
            "../victoria.ics",
            "CW0529",
            6,
            "the calendar `victoria` is not an `.ics` file within the pack",
        ),
        (
            "includes: [case-worker]",
            "includes: [caseworker]",
            "CW0521",
            9,
            "there is no role `caseworker` in this pack",
        ),
        (
            "starts: true",
            "starts: true, includes: [team-leader]",
            "CW0528",
            8,
            "the role `case-worker` includes itself",
        ),
        (
            "role: team-leader",
            "role: teamleader",
            "CW0521",
            16,
            "there is no role `teamleader` in this pack",
        ),
        (
            "minor: 200000, currency: AUD",
            "minor: 200000, currency: ADU",
            "CW0522",
            16,
            "`ADU` is not a currency of ISO 4217",
        ),
        (
            "minor: 200000",
            "minor: 0",
            "CW0525",
            16,
            "`upTo` of a row of the policy `brokerage-limits` must be 1 or more",
        ),
        (
            "origins: [ https://pay.example ]",
            "origins: [ pay.example/x ]",
            "CW0527",
            20,
            "`pay.example/x` is not an origin",
        ),
        (
            "{number:5}",
            "{nr}",
            "CW0524",
            23,
            "`caseNumber` has no `{nr}`; there are `{year}` and `{number}`",
        ),
        (
            "-{number:5}",
            "",
            "CW0524",
            23,
            "`caseNumber` has no `{number}`, so that all cases would have the same",
        ),
        (
            "teams:",
            "taems:",
            "CW0102",
            10,
            "unknown key `taems` in the pack",
        ),
        (
            "title: Brokerage,",
            "",
            "CW0101",
            13,
            "the fund `brokerage` has no `title`",
        ),
        (
            "minor: 200000",
            "minor: 2000.00",
            "CW0103",
            16,
            "`upTo` of a row of the policy `brokerage-limits` must be a whole number \
             of minor units, found `2000`",
        ),
    ] {
        let text = PACK.replacen(from, to, 1);
        assert_ne!(text, PACK, "{from}");
        let found = found(&text);
        let brief: Vec<_> = found
            .iter()
            .map(|(code, line, message, _)| (*code, *line, message.as_str()))
            .collect();
        assert!(brief.contains(&(code, line, message)), "{to}: {brief:#?}");
        assert!(
            found
                .iter()
                .any(|(found, _, _, help)| *found == code && (help.is_some() || code == "CW0103")),
            "{to}"
        );
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = PACK
        .replace("AUD", "AUS")
        .replace("Australia/Melbourne", "here")
        .replace("team-leader, upTo", "leader, upTo");
    let codes: Vec<_> = found(&text).into_iter().map(|(code, ..)| code).collect();
    assert_eq!(codes, ["CW0526", "CW0522", "CW0521", "CW0522"]);
}
