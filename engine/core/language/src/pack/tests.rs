//! `pack.yaml` whole and least, and each mistake in it with its code, its line and its remedy.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

mod retention;

const PACK: &str = "\
namespace: family-services
title: Intensive family support
timeZone: Australia/Melbourne
calendar: victoria
calendars:
  victoria: calendars/victoria.ics
roles:
  case-worker: { title: Case worker, starts: true }
  team-leader: { title: Team leader, includes: [case-worker], administers: true, reverses: true }
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

fn versions(pack: &Pack, name: &str) -> Vec<CalendarFile> {
    match &pack.calendars[name].days {
        Days::Versions(versions) => versions.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_whole_pack_is_read() {
    let (pack, findings) = read_pack("pack.yaml", PACK);
    assert_eq!(findings, []);
    let pack = pack.unwrap();
    assert_eq!(pack.namespace, "family-services");
    assert_eq!(
        versions(&pack, "victoria")[0].path,
        "calendars/victoria.ics"
    );
    assert_eq!(pack.when_changed("victoria"), WhenChanged::Keep);
    assert!(pack.roles["case-worker"].starts && !pack.roles["case-worker"].administers);
    assert!(pack.administers(&["case-worker".to_owned(), "team-leader".to_owned()].into()));
    assert!(!pack.administers(&["case-worker".to_owned()].into()));
    assert!(pack.reverses(&["team-leader".to_owned()].into()));
    assert!(!pack.reverses(&["case-worker".to_owned()].into()));
    assert_eq!(pack.roles["team-leader"].includes, ["case-worker"]);
    assert_eq!(pack.funds["brokerage"].allocated_minor, 5_000_000);
    let row = &pack.policies["brokerage-limits"].rows[0];
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

fn policy(written: &str) -> (Option<Policy>, Vec<String>) {
    let roles = "roles: { team-leader: { title: Team leader }, director: { title: Director } }";
    let pack = format!(
        "namespace: a\ntitle: A\ntimeZone: Australia/Brisbane\n{roles}\npolicies:\n  \
         limits: {written}\n"
    );
    let (pack, findings) = read_pack("pack.yaml", &pack);
    let told = findings
        .iter()
        .map(|one| format!("{} {}", one.code, one.message));
    let policy = pack.and_then(|pack| pack.policies.get("limits").cloned());
    (policy, told.collect())
}

#[test]
fn a_policy_says_for_what_from_when_and_what_counts_together() {
    let (read, told) = policy(
        "{ together: [ { by: [family, supplier], within: 7 days } ], limits: [ { role: director, \
         upTo: { minor: 9, currency: AUD }, category: [vehicle], from: 2027-07-01 } ] }",
    );
    assert_eq!(told, [""; 0]);
    let read = read.unwrap();
    assert_eq!(read.rows[0].category, ["vehicle"]);
    assert_eq!(read.rows[0].from.as_deref(), Some("2027-07-01"));
    assert_eq!(read.together[0].days, 7);
    assert_eq!(read.needs(), [Aspect::Supplier, Aspect::Category].into());
}

#[test]
fn petty_cash_is_an_amount() {
    let read = |written: &str| {
        let zone = "timeZone: Australia/Brisbane";
        read_pack(
            "pack.yaml",
            &format!("namespace: a\ntitle: A\n{zone}\n{written}\n"),
        )
    };
    let (pack, told) = read("pettyCash: { minor: 5000, currency: AUD }");
    assert_eq!(told, []);
    assert_eq!(pack.unwrap().petty_cash, Some((5_000, "AUD".to_owned())));
    assert_eq!(read("").0.unwrap().petty_cash, None);
    assert!(read("pettyCash: { minor: 0, currency: AUD }").0.is_none());
    assert!(read("pettyCash: 50").0.is_none());
}

#[test]
fn what_a_policy_cannot_mean_is_said_where_it_stands() {
    let row = "role: director, upTo: { minor: 9, currency: AUD }";
    let told = |written: String| policy(&written).1;
    let limits = |more: &str| told(format!("[ {{ {row}, {more} }} ]"));
    let together = |one: &str| {
        told(format!(
            "{{ limits: [ {{ {row} }} ], together: [ {one} ] }}"
        ))
    };
    assert_eq!(
        limits("from: 2027-02-30"),
        ["CW0540 `2027-02-30` is not a day"]
    );
    assert_eq!(
        limits("category: []"),
        ["CW0541 `category` of a row names nothing"]
    );
    assert_eq!(
        limits("fund: [' ']"),
        ["CW0541 `fund` of a row names nothing"]
    );
    let unknown = "CW0542 requests have no `suplier` to count together by";
    assert_eq!(together("{ by: [suplier], within: 7 days }"), [unknown]);
    for wrong in ["0 days", "367 days", "a week", "P7D", "7 business days"] {
        let told = together(&format!("{{ by: [family], within: {wrong} }}"));
        assert!(told[0].starts_with("CW0543 "), "{wrong}: {told:?}");
    }
    let nothing = "CW0541 `by` of `together` of the policy `limits` names nothing";
    assert_eq!(together("{ by: [], within: 7 days }"), [nothing]);
    assert!(told("{ together: [] }".to_owned())[0].contains("limits"));
}

#[test]
fn a_calendar_is_a_file_or_a_file_with_hours() {
    let pack = |calendar: &str| {
        let text = format!(
            "namespace: a\ntitle: A\ntimeZone: Australia/Brisbane\ncalendars:\n  desk: {calendar}\n"
        );
        super::read_pack("pack.yaml", &text)
    };
    let well = "{ file: calendars/desk.ics, opens: '08:30', closes: '16:00', cutOff: '15:00' }";
    let desk = versions(&pack(well).0.unwrap(), "desk").remove(0);
    assert_eq!(desk.path, "calendars/desk.ics");
    let hours = (desk.opens, desk.closes, desk.cut_off);
    assert_eq!(hours, (Some((8, 30)), Some((16, 0)), Some((15, 0))));
    let plain = pack("calendars/desk.ics").0.unwrap();
    let plain = versions(&plain, "desk").remove(0);
    assert_eq!(
        (plain.opens, plain.closes, plain.cut_off),
        (None, None, None)
    );
    for wrong in [
        "3 pm",
        "'24:00'",
        "'9:00'",
        "'09:60'",
        "15.5",
        "900",
        "'-1:00'",
        "[]",
        "'１5:00'",
    ] {
        let text = format!("{{ file: calendars/desk.ics, cutOff: {wrong} }}");
        let codes: Vec<_> = pack(&text).1.into_iter().map(|found| found.code).collect();
        assert_eq!(codes, ["CW0539"], "{wrong}");
    }
    for (wrong, code) in [
        ("{ cutOff: '15:00' }", "CW0101"),
        ("{ file: ../x.ics }", "CW0529"),
    ] {
        let codes: Vec<_> = pack(wrong).1.into_iter().map(|found| found.code).collect();
        assert_eq!(codes, [code], "{wrong}");
    }
}

#[test]
fn a_calendar_has_versions_or_is_joined_and_says_what_a_change_does() {
    let pack = |calendars: &str| {
        let text = format!(
            "namespace: a\ntitle: A\ntimeZone: Australia/Brisbane\n\
             calendars:\n  qld: qld.ics\n{calendars}\n"
        );
        super::read_pack("pack.yaml", &text)
    };
    let well = "  desk:\n    - { file: a.ics, cutOff: '15:00' }\n    \
                - { file: b.ics, workingDays: [tuesday, monday], from: 2027-01-01 }\n    \
                - { file: b.ics, from: '2028-01-01' }\n  \
                both: { latest: [ qld, desk ], whenChanged: ask }\n  \
                one: { versions: [ { file: c.ics } ], whenChanged: keep }\n\
                whenCalendarsChange: recompute";
    let (read, findings) = pack(well);
    assert_eq!(findings, []);
    let read = read.unwrap();
    let desk = versions(&read, "desk");
    let from: Vec<_> = desk.iter().map(|one| one.from.as_deref()).collect();
    assert_eq!(from, [None, Some("2027-01-01"), Some("2028-01-01")]);
    assert_eq!(desk[1].working_days, Some(vec![1, 2]));
    assert_eq!(
        read.calendars["both"].days,
        Days::Latest(vec!["qld".to_owned(), "desk".to_owned()])
    );
    for (name, when) in [
        ("desk", WhenChanged::Recompute),
        ("both", WhenChanged::Ask),
        ("one", WhenChanged::Keep),
        ("unknown", WhenChanged::Recompute),
    ] {
        assert_eq!(read.when_changed(name), when, "{name}");
    }
    for (wrong, code) in [
        ("  desk: []", "CW0544"),
        ("  desk: [ { file: a.ics, from: 2027-01-01 } ]", "CW0544"),
        ("  desk: [ { file: a.ics }, { file: b.ics } ]", "CW0544"),
        (
            "  desk: [ { file: a.ics }, { file: b.ics, from: 2027-02-01 }, \
             { file: b.ics, from: 2027-02-01 } ]",
            "CW0544",
        ),
        (
            "  desk: [ { file: a.ics }, { file: b.ics, from: soon } ]",
            "CW0540",
        ),
        ("  desk: { file: a.ics, from: 2027-01-01 }", "CW0102"),
        ("  desk: { file: a.ics, workingDays: [] }", "CW0545"),
        ("  desk: { file: a.ics, workingDays: [mon] }", "CW0545"),
        (
            "  desk: { file: a.ics, workingDays: [monday, monday] }",
            "CW0545",
        ),
        ("  desk: { file: a.ics, latest: [qld, qld] }", "CW0546"),
        ("  desk: { latest: [qld, qld], opens: '08:00' }", "CW0546"),
        ("  desk: { file: a.ics, whenChanged: never }", "CW0547"),
        ("whenCalendarsChange: sometimes", "CW0547"),
        ("  desk: { latest: [qld] }", "CW0549"),
        ("  desk: { earliest: [qld, vic] }", "CW0549"),
        ("  desk: { latest: [qld, desk] }", "CW0549"),
    ] {
        let codes: Vec<_> = pack(wrong).1.into_iter().map(|found| found.code).collect();
        assert_eq!(codes, [code], "{wrong}");
    }
}

#[test]
fn a_fund_has_days_that_follow_each_other() {
    let line = "allocated: { minor: 5000000, currency: AUD }";
    let with = |days: &str| PACK.replace(line, &format!("{line}, {days}"));
    let (pack, findings) = read_pack(
        "pack.yaml",
        &with("from: 2026-07-01, until: 2027-06-30, settleUntil: 2027-08-31"),
    );
    assert_eq!(findings, []);
    let fund = &pack.unwrap().funds["brokerage"];
    let days = [&fund.from, &fund.until, &fund.settle_until];
    let days = days.map(|day| day.as_deref().unwrap_or_default());
    assert_eq!(days, ["2026-07-01", "2027-06-30", "2027-08-31"]);
    for good in ["from: 2026-07-01", "from: 2026-07-01, until: 2026-07-01"] {
        assert_eq!(found(&with(good)), []);
    }
    for (wrong, code, message) in [
        ("until: 30 June", "CW0470", "`30 June` is not a day"),
        ("from: 2027-02-29", "CW0470", "`2027-02-29` is not a day"),
        (
            "from: 2026-07-01, until: 2026-06-30",
            "CW0471",
            "`until` is 2026-06-30, before `from`, which is 2026-07-01",
        ),
        (
            "until: 2027-06-30, settleUntil: 2027-06-29",
            "CW0471",
            "`settleUntil` is 2027-06-29, before `until`, which is 2027-06-30",
        ),
        (
            "settleUntil: 2027-06-29",
            "CW0471",
            "`settleUntil` without `until` says nothing",
        ),
    ] {
        let told = found(&with(wrong));
        assert_eq!(told.len(), 1, "{wrong}: {told:?}");
        assert_eq!((told[0].0, told[0].2.as_str()), (code, message), "{wrong}");
        assert!(told[0].3.is_some());
    }
}
