//! `retention` of a pack whole, and each mistake in it.

use super::*;

const ROLES: &str =
    "  asks: [team-leader]\n  decides: [team-leader, case-worker]\n  holds: [team-leader]\n";

fn with(roles: &str, classes: &str) -> String {
    let reasons = "closingReasons:\n  moved: { title: Moved, counts: excluded }\n";
    format!("{PACK}{reasons}retention:\n{roles}{classes}")
}

fn class(keys: &str) -> String {
    with(
        ROLES,
        &format!("  classes:\n    file: {{ title: The file, {keys} }}\n"),
    )
}

#[test]
fn classes_and_roles_are_read() {
    let text = with(
        ROLES,
        "  recipients: { department: The department }
  classes:
    file: { title: The file, keep: P7Y, from: closed }
    children: { title: Children, keep: P1Y6M, from: born, relations: [child, sibling] }
    safety: { title: Safety, keep: P30Y, from: closed, workflows: [escalation] }
    moved: { title: Moved, keep: P18M, from: closed, reasons: [moved], dispose: transfer }
",
    );
    let (pack, findings) = read_pack("pack.yaml", &text);
    assert_eq!(findings, []);
    let pack = pack.unwrap();
    let kept = &pack.retention;
    let keep = |name: &str| kept.classes[name].keep;
    assert_eq!(
        ["file", "children", "moved"].map(keep),
        [(7, 0), (1, 6), (0, 18)]
    );
    assert_eq!(kept.classes["children"].from, KeptFrom::Born);
    assert_eq!(kept.classes["children"].relations, ["child", "sibling"]);
    assert_eq!(kept.classes["moved"].dispose, Dispose::Transfer);
    assert_eq!(kept.classes["file"].dispose, Dispose::Erase);
    assert_eq!(kept.recipients["department"], "The department");
    let held = |role: &str| BTreeSet::from([role.to_owned()]);
    assert!(kept.may_ask(&held("team-leader")) && !kept.may_ask(&held("case-worker")));
    assert!(kept.may_decide(&held("case-worker")) && !kept.may_hold(&held("case-worker")));
    // Which workflows there are show the documents beside it.
    let known = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(
        check_pack("pack.yaml", &text, &pack, &known(&["escalation"])),
        []
    );
    let told = check_pack("pack.yaml", &text, &pack, &known(&["escalations"]));
    assert_eq!((told[0].code, told.len()), ("CW0492", 1));
    assert_eq!(told[0].help.as_deref(), Some("did you mean `escalations`?"));
    let line = text.lines().nth(told[0].line - 1).unwrap();
    assert!(line.contains("[escalation]"), "{line}");
}

#[test]
fn a_pack_without_it_erases_nothing() {
    let (pack, _) = read_pack("pack.yaml", PACK);
    assert_eq!(pack.unwrap().retention, Retention::default());
}

#[test]
fn every_mistake_has_its_code_and_its_remedy() {
    let role = |wrong: &str| {
        let roles = ROLES.replace("asks: [team-leader]", wrong);
        with(
            &roles,
            "  classes:\n    file: { title: F, keep: P7Y, from: closed }\n",
        )
    };
    let kept = |keep: &str| class(&format!("keep: {keep}, from: closed"));
    for (text, code) in [
        (role("asks: [teamleader]"), "CW0490"),
        (kept("P7D"), "CW0491"),
        (kept("PT24H"), "CW0491"),
        (kept("P1YT1H"), "CW0491"),
        (kept("P0Y"), "CW0491"),
        (kept("P0M"), "CW0491"),
        (kept("P-7Y"), "CW0491"),
        (kept("P"), "CW0491"),
        (kept("P6M1Y"), "CW0491"),
        (kept("P151Y"), "CW0491"),
        (kept("7 years"), "CW0491"),
        (class("keep: P7Y, from: closed, reasons: [move]"), "CW0493"),
        (class("keep: P7Y, from: opened"), "CW0494"),
        (class("keep: P7Y, from: closed, dispose: burn"), "CW0494"),
        (class("keep: P7Y, from: born"), "CW0495"),
        (class("keep: P7Y, from: born, relations: [kid]"), "CW0495"),
        (class("keep: P7Y, from: closed, workflows: []"), "CW0496"),
        (class("keep: P7Y, from: born, relations: []"), "CW0496"),
        (with(ROLES, "  classes: {}\n"), "CW0496"),
        (role("asks: []"), "CW0497"),
        (
            class("keep: P7Y, from: closed, dispose: transfer"),
            "CW0498",
        ),
        (role("asks: [team-leader, team-leader]"), "CW0499"),
        (
            class("keep: P7Y, from: born, relations: [child, child]"),
            "CW0499",
        ),
    ] {
        let told = found(&text);
        let codes: Vec<_> = told.iter().map(|one| one.0).collect();
        assert_eq!(codes, [code], "{text}");
        assert!(told[0].3.is_some(), "{text}");
    }
    let missing = found(&with(
        "",
        "  classes:\n    file: { title: F, keep: P7Y, from: closed }\n",
    ));
    assert_eq!(missing.len(), 3, "{missing:?}");
}
