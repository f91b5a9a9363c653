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
    if !is(path, "rs") || documented {
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

/// rustfmt breaks most lines, but gives up on an expression that holds a long literal.
fn is_not_too_wide(path: &Path, text: &str) -> Vec<String> {
    if !is(path, "rs") {
        return Vec::new();
    }
    let numbered = (1..).zip(text.lines());
    numbered
        .filter(|(_, line)| line.chars().count() > WIDTH_MAX && !cannot_be_broken(line))
        .map(|(number, _)| format!("line {number} is wider than {WIDTH_MAX}"))
        .collect()
}

/// A line that is one raw literal, in which a break would be part of the text, or one address.
fn cannot_be_broken(line: &str) -> bool {
    let alone = line
        .trim()
        .trim_start_matches(['/', '!', '*', ' '])
        .trim_end_matches([',', ';']);
    let quoted = |open: &str, close: &str| {
        let inner = alone.strip_prefix(open);
        let inner = inner.and_then(|rest| rest.strip_suffix(close));
        inner.is_some_and(|inner| !inner.contains(close))
    };
    let address = alone.trim_matches(['"', '<', '>']);
    let is_address = address.starts_with("https://") || address.starts_with("http://");
    quoted("r\"", "\"") || quoted("r#\"", "\"#") || is_address && !address.contains(' ')
}

fn has_no_loose_ends(path: &Path, text: &str) -> Vec<String> {
    // Written in two parts, so that this file does not break its own rule.
    let later = concat!("TO", "DO");
    let never = [concat!("FIX", "ME"), concat!("unimplemented", "!(")];
    let code = ["rs", "js", "py", "sh", "css", "html", "yaml", "toml", "wit"];
    if !code.iter().any(|extension| is(path, extension)) {
        return Vec::new();
    }
    let undone = |line: &str| {
        let mut waiting = line.split(later).skip(1);
        never.iter().any(|mark| line.contains(mark)) || !waiting.all(has_a_number)
    };
    let numbered = (1..).zip(text.lines());
    numbered
        .filter(|(_, line)| undone(line))
        .map(|(number, _)| format!("line {number} leaves something undone, without a number"))
        .collect()
}

/// `(#12)`: where it is told what is left to do.
fn has_a_number(rest: &str) -> bool {
    let digits = rest
        .strip_prefix("(#")
        .and_then(|rest| rest.split_once(')'));
    digits.is_some_and(|(digits, _)| digits.parse::<u32>().is_ok())
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
#[track_caller]
fn check(rule: Rule, path: &str, good: &str, bad: &str) {
    assert_eq!(rule(Path::new(path), good), Vec::<String>::new());
    assert_eq!(rule(Path::new(path), bad).len(), 1, "{bad:.60}");
}

#[test]
fn a_module_without_docs_is_found() {
    let rule = begins_with_module_docs;
    check(rule, "a.rs", "//! For tests.\n", "use std::fs;\n");
    check(rule, "a/tests.rs", "\n//! For tests.\n", "use super::*;\n");
    check(
        rule,
        "a.rs",
        "#![doc = include_str!(\"a.md\")]\n",
        "// For tests.\n",
    );
}

#[test]
fn a_long_file_without_a_reason_is_found() {
    let long = "//! x\n".repeat(LINES_MAX + 1);
    let explained = format!("//! Long because of a table.\n{long}");
    check(is_not_too_long, "a.rs", &explained, &long);
    let longest = "//! x\n".repeat(LINES_MAX);
    let late = format!("{longest}//! Long because of a table.\n");
    check(is_not_too_long, "a.rs", &longest, &late);
}

#[test]
fn a_wide_line_is_found_whatever_is_on_it() {
    let x = |count| "x".repeat(count);
    let address = format!("https://agency.example/{}", x(WIDTH_MAX));
    for (good, bad) in [
        (format!("// {}", x(97)), format!("// {}", x(98))),
        (format!("let x = {};", x(91)), format!("let x = {};", x(92))),
        (
            format!("// {}", "é".repeat(97)),
            format!("//! | {} |", x(95)),
        ),
        (
            format!("    r\"{}\",", x(100)),
            format!("    \"{}\",", x(100)),
        ),
        (
            format!("r#\"{}\"#;", x(100)),
            format!("f(r#\"{}\"#);", x(100)),
        ),
        (format!("/// <{address}>"), format!("/// see {address}")),
        (
            format!("    \"{address}\","),
            format!("    f(\"{address}\");"),
        ),
        (String::new(), format!("r\"{}\", r\"{}\"", x(50), x(50))),
    ] {
        check(is_not_too_wide, "a.rs", &good, &bad);
    }
}

#[test]
fn what_is_left_undone_without_a_number_is_found() {
    let numbered = concat!("// TO", "DO(#12): later\n");
    for bad in [
        concat!("// TO", "DO: later\n"),
        concat!("// TO", "DO(soon): later\n"),
        concat!("// TO", "DO(#): later\n"),
        concat!("// TO", "DO(#1): one, TO", "DO: another\n"),
        concat!("// FIX", "ME\n"),
        concat!("unimplemented", "!()\n"),
    ] {
        check(has_no_loose_ends, "a.rs", numbered, bad);
    }
    check(
        has_no_loose_ends,
        "a.py",
        "x = 1\n",
        concat!("# TO", "DO\n"),
    );
}

#[test]
fn a_link_to_nowhere_is_found() {
    let rule = has_links_that_lead_somewhere;
    check(rule, "README.md", "[a](LICENSE)", "[a](NOWHERE.md)");
    check(
        rule,
        "README.md",
        "[a](https://agency.example)",
        "[a](NOWHERE.md#part)",
    );
    check(
        rule,
        "engine/ARCHITECTURE.md",
        "[a](decisions/README.md)",
        "[a](LICENSE)",
    );
}

#[test]
fn the_name_of_a_machine_is_found() {
    check(
        names_no_machine,
        "a.sh",
        "cd target",
        concat!("cd /ro", "ot/x"),
    );
}

#[test]
fn the_files_of_the_repository_are_looked_at() {
    let files = files();
    for name in ["tests/tidy.rs", "README.md", "engine/src/main.rs"] {
        assert!(
            files.contains(&PathBuf::from(name)),
            "{name} is not looked at"
        );
    }
}
