//! `casewright diff`: what a change changes, as people read it and as programs do.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{casewright, copy};

const PACK: &str = "workflows/intensive-family-support";

/// The sample pack, and a copy of it in which each of these texts is replaced.
fn changed(changes: &[(&str, &str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("pack");
    copy(PACK, &pack);
    for (file, before, after) in changes {
        let path = pack.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(before), "{file}: {before}");
        fs::write(&path, text.replacen(before, after, 1)).unwrap();
    }
    (folder, pack)
}

fn diff(arguments: &[&str]) -> (Option<i32>, String) {
    let output = casewright(&[&["diff"], arguments].concat(), "");
    let told = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(told).unwrap())
}

fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_pack_is_compared_in_plain_words() {
    let (_folder, pack) = changed(&[
        (
            "brokerage.yaml",
            "due: 3 business days",
            "due: 5 business days",
        ),
        (
            "brokerage.yaml",
            "assign: { role: team-leader }",
            "assign: { role: service-manager }",
        ),
        (
            "brokerage.yaml",
            "  - route:\n",
            "  - second:\n      call: approval\n      with:\n        title: A second look\n        \
             assign: { role: service-manager }\n  - route:\n",
        ),
        (
            "pack.yaml",
            "upTo: { minor: 200000",
            "upTo: { minor: 300000",
        ),
        ("pack.yaml", "title: Team leader", "title: Leader of a team"),
    ]);
    let (code, told) = diff(&[PACK, text_of(&pack)]);
    assert_eq!(code, Some(0), "{told}");
    for line in [
        "      Who: Team leader -> Service manager",
        "      Due: within 3 business days -> within 5 business days",
        "  + added: A second look (second, brokerage.yaml:91)",
        "  ~ changed: Limit `brokerage-limits`",
        "  ~ changed: Role `team-leader`",
        "      Title: Team leader -> Leader of a team",
    ] {
        assert!(told.contains(&format!("{line}\n")), "{line}\n{told}");
    }
    assert!(
        !told.contains("intake"),
        "what did not change is not told: {told}"
    );
    let (_, told) = diff(&[PACK, text_of(&pack), "--json"]);
    let printed: Value = serde_json::from_str(&told).unwrap();
    let changes = printed["workflows"][0]["changes"].as_array().unwrap();
    let added = changes.iter().find(|change| change["what"] == "added");
    assert_eq!(added.unwrap()["task"], "second");
    let (_, told) = diff(&[PACK, text_of(&pack), "--workflow", "brokerage"]);
    assert!(!told.contains("Limit"), "{told}");
    let (_, told) = diff(&[PACK, PACK]);
    assert_eq!(told, "Nothing is different.\n");
}

#[test]
fn one_picture_shows_what_is_new_changed_and_gone_in_words_too() {
    let (_folder, pack) = changed(&[
        (
            "brokerage.yaml",
            "due: 3 business days",
            "due: 5 business days",
        ),
        (
            "brokerage.yaml",
            "  - route:\n",
            "  - second:\n      call: approval\n      with:\n        title: A second look\n        \
             assign: { role: service-manager }\n  - route:\n",
        ),
    ]);
    let (new, old) = (
        pack.join("brokerage.yaml"),
        format!("{PACK}/brokerage.yaml"),
    );
    let (code, picture) = diff(&[&old, text_of(&new), "--format", "mermaid"]);
    assert_eq!(code, Some(0), "{picture}");
    assert!(
        picture.contains("[[\"Second<br>Service manager<br>New\"]]"),
        "{picture}"
    );
    assert!(
        picture.contains("[[\"Decision<br>Team leader<br>Changed\"]]"),
        "{picture}"
    );
    // The other way round it is taken out, with the arrows that led there.
    let (_, picture) = diff(&[text_of(&new), &old, "--format", "mermaid"]);
    assert!(
        picture.contains("[[\"Second<br>Service manager<br>Taken out\"]]"),
        "{picture}"
    );
    assert!(picture.contains("|\"before\"|"), "{picture}");
    let (_, picture) = diff(&[text_of(&new), &old, "--format", "svg"]);
    assert!(picture.starts_with("<svg") && picture.contains(">Taken out</text>"));
    let (_, page) = diff(&[text_of(&new), &old, "--format", "html"]);
    assert!(page.contains("<del>within 5 business days</del>"), "{page}");
    assert!(page.contains("<svg"), "{page}");
}

#[test]
fn what_cannot_be_compared_is_told() {
    let (_folder, pack) = changed(&[("brokerage.yaml", "call: approval", "call: aproval")]);
    let (code, told) = diff(&[PACK, text_of(&pack)]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("brokerage.yaml:"), "{told}");
    let one = format!("{PACK}/brokerage.yaml");
    let (code, told) = diff(&[PACK, &one]);
    assert_eq!(code, Some(2), "{told}");
    let (code, told) = diff(&[PACK, PACK, "--workflow", "brokrage"]);
    assert_eq!((code, told.contains("brokrage")), (Some(2), true), "{told}");
    let (code, _) = diff(&[PACK, "nowhere"]);
    assert_eq!(code, Some(3));
}
