//! Rules of the tree that no compiler checks. Each rule has a test that sees it fail.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LINES_MAX: usize = 700;
const WIDTH_MAX: usize = 100;

/// A sentence for each breach of a rule in one file.
type Rule = fn(path: &Path, text: &str) -> Vec<String>;

const RULES: &[Rule] = &[
    begins_with_module_docs,
    is_not_too_long,
    is_not_too_wide,
    has_no_loose_ends,
    has_links_that_lead_somewhere,
    names_no_machine,
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

fn begins_with_module_docs(path: &Path, text: &str) -> Vec<String> {
    let documented = text
        .lines()
        .find(|line| !line.is_empty())
        .is_some_and(|line| line.starts_with("//!") || line.starts_with("#![doc = include_str!"));
    // The unit tests of a module stand beside it and are about what it is about.
    let is_tests = path.file_name().is_some_and(|name| name == "tests.rs");
    if !is(path, "rs") || documented || is_tests {
        return Vec::new();
    }
    vec!["begin with `//!`: what the module is for and what it does not do".to_owned()]
}

fn is_not_too_long(path: &Path, text: &str) -> Vec<String> {
    let excused = text
        .lines()
        .take(10)
        .any(|line| line.starts_with("//! Long because"));
    if !is(path, "rs") || excused || text.lines().count() <= LINES_MAX {
        return Vec::new();
    }
    vec![format!(
        "more than {LINES_MAX} lines; split it by nouns, or say `Long because` in its head"
    )]
}

/// rustfmt sees to code; what it leaves alone are comments.
fn is_not_too_wide(path: &Path, text: &str) -> Vec<String> {
    if !is(path, "rs") {
        return Vec::new();
    }
    let wide = |(_, line): &(usize, &str)| {
        let comment = line.trim_start().starts_with("//") && !line.starts_with("//! |");
        comment && line.chars().count() > WIDTH_MAX && !line.contains("://")
    };
    let numbered = (1..).zip(text.lines());
    numbered
        .filter(wide)
        .map(|(number, _)| format!("line {number} is too wide"))
        .collect()
}

fn has_no_loose_ends(path: &Path, text: &str) -> Vec<String> {
    // Written in two parts, so that this file does not break its own rule.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("unimplemented", "!("),
    ];
    if !is(path, "rs") {
        return Vec::new();
    }
    let numbered = (1..).zip(text.lines());
    numbered
        .filter(|(_, line)| marks.iter().any(|mark| line.contains(mark)))
        .map(|(number, _)| format!("line {number} leaves something undone"))
        .collect()
}

fn has_links_that_lead_somewhere(path: &Path, text: &str) -> Vec<String> {
    if !is(path, "md") {
        return Vec::new();
    }
    let folder = root().join(path.parent().unwrap());
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    targets
        .map(|target| target.split('#').next().unwrap())
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .filter(|target| !folder.join(target).exists())
        .map(|target| format!("the link to `{target}` leads nowhere"))
        .collect()
}

fn names_no_machine(path: &Path, text: &str) -> Vec<String> {
    let hosts = [
        concat!("registry.npm", "js"),
        concat!("index.crates", ".io"),
    ];
    let homes = [
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/wo", "rk/"),
    ];
    let found = hosts
        .iter()
        .chain(&homes)
        .filter(|name| text.contains(**name));
    let _ = path;
    found
        .map(|name| format!("`{name}` is of a machine, not of the product"))
        .collect()
}

/// Files that the repository holds or is about to hold.
fn files() -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "git ls-files failed");
    let list = String::from_utf8(output.stdout).unwrap();
    list.lines()
        .map(PathBuf::from)
        .filter(|path| root().join(path).is_file())
        .collect()
}

#[test]
fn the_tree_is_tidy() {
    let mut breaches = Vec::new();
    for path in files() {
        // What is not text has no lines to check.
        let Ok(text) = fs::read_to_string(root().join(&path)) else {
            continue;
        };
        for rule in RULES {
            breaches.extend(
                rule(&path, &text)
                    .iter()
                    .map(|said| format!("{}: {said}", path.display())),
            );
        }
    }
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

/// The rule must pass the first text and find fault with the second.
fn check(rule: Rule, path: &str, good: &str, bad: &str) {
    assert_eq!(rule(Path::new(path), good), Vec::<String>::new());
    assert_eq!(rule(Path::new(path), bad).len(), 1, "{bad:.60}");
}

#[test]
fn each_rule_sees_its_breach() {
    check(
        begins_with_module_docs,
        "a.rs",
        "//! For tests.\n",
        "use std::fs;\n",
    );
    let long = "//! x\n".repeat(LINES_MAX + 1);
    check(
        is_not_too_long,
        "a.rs",
        &format!("//! Long because of a table.\n{long}"),
        &long,
    );
    check(
        is_not_too_wide,
        "a.rs",
        &format!("// {}", "x".repeat(WIDTH_MAX - 3)),
        &format!("// {}", "x".repeat(WIDTH_MAX - 2)),
    );
    check(
        has_no_loose_ends,
        "a.rs",
        "//! x\n",
        concat!("// TO", "DO: later\n"),
    );
    check(
        has_links_that_lead_somewhere,
        "README.md",
        "[a](LICENSE)",
        "[a](NOWHERE.md)",
    );
    check(
        names_no_machine,
        "a.sh",
        "cd target",
        concat!("cd /ro", "ot/x"),
    );
}
