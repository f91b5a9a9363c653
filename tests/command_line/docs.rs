//! `casewright docs`: the page of a pack, what is in it and what never is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{casewright, copy};

const SAMPLE: &str = "workflows/intensive-family-support";

fn page_of(pack: &str) -> String {
    let output = casewright(&["docs", pack], "");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    String::from_utf8(output.stdout).unwrap()
}

/// Exit code and what was said.
fn docs(arguments: &[&str]) -> (Option<i32>, String) {
    let output = casewright(&[&["docs"], arguments].concat(), "");
    let told = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(told).unwrap())
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&#38;").replace('<', "&#60;");
    let text = text.replace('>', "&#62;").replace('"', "&#34;");
    text.replace('\'', "&#39;")
}

/// A pack with these documents by name, given from `do` on.
fn pack(documents: &[(&str, &str)], more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let head = "namespace: tests\ntitle: <script>alert('pack')</script> & co\ntimeZone: Etc/UTC\n\
                roles:\n  case-worker: { title: 'Case <b>worker</b>', starts: true }\n";
    fs::write(folder.path().join("pack.yaml"), format!("{head}{more}")).unwrap();
    for (name, tasks) in documents {
        let text = format!(
            "document:\n  dsl: '1.0.3'\n  namespace: tests\n  name: {name}\n  version: '1.0.0'\n\
             {tasks}"
        );
        fs::write(folder.path().join(format!("{name}.yaml")), text).unwrap();
    }
    folder
}

fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Every tag is closed by its like, names are unique, links lead to one of them, nothing is fetched
/// and nothing runs.
#[track_caller]
fn check_sound(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").unwrap();
    let (mut names, mut links) = (BTreeSet::new(), BTreeSet::new());
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').unwrap();
        rest = after;
        let name = tag.split([' ', '\n']).next().unwrap();
        if let Some(closed) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "at {rest:.80}");
            continue;
        }
        assert_ne!(name, "script");
        assert!(!tag.contains(" on") && !tag.contains(" src="), "<{tag}>");
        for (attribute, found) in [(" id=\"", &mut names), (" href=\"", &mut links)] {
            if let Some((_, value)) = tag.split_once(attribute) {
                let value = value.split('"').next().unwrap();
                assert!(
                    found.insert(value) || attribute == " href=\"",
                    "twice {value}"
                );
            }
        }
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    for link in links {
        let name = link.strip_prefix('#').unwrap_or_else(|| panic!("{link}"));
        assert!(names.contains(name), "{link} leads nowhere");
    }
}

/// Titles of documents and of tasks, without those that are worked out.
fn titles(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "title" && !text.starts_with("${") => {
                        found.insert(text.clone());
                    }
                    _ => titles(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| titles(item, found)),
        _ => {}
    }
}

#[test]
fn the_page_of_the_sample_pack_tells_all_of_it() {
    let page = page_of(SAMPLE);
    check_sound(&page);
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(SAMPLE);
    let mut expected = BTreeSet::new();
    for folder in [root.clone(), root.join("forms")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|found| found == "yaml") {
                let text = fs::read_to_string(path).unwrap();
                let value: Value = serde_yaml::from_str(&text).unwrap();
                // A form that no workflow asks for has no place, nor have its inner titles.
                let form = value.get("schema").is_some();
                titles(if form { &Value::Null } else { &value }, &mut expected);
            }
        }
    }
    assert!(expected.len() > 50, "{expected:?}");
    for title in &expected {
        assert!(page.contains(&escaped(title)), "{title}");
    }
    for said in [
        "Brokerage of [money] for [case number]",
        "Team leader up to $2,000.00",
        "Nobody approves what they asked for, whatever role they hold",
        "step 7 ended with “Ask for changes”",
        "whoever did step 1, Write down the referral",
        "within 3 business days",
        "1 business day before it is due",
        "What other sources did you ask first?",
        "org.family.consent-taken-back",
        "Family support brokerage 2026-27",
        "Sees how the work of the agency ends, in numbers",
        "Each time that a case was open counts once",
        "as partly reached",
    ] {
        assert!(page.contains(&escaped(said)), "{said}");
    }
    assert_eq!(
        page,
        page_of(&format!("{SAMPLE}/pack.yaml")),
        "the same page again"
    );
}

const HOSTILE: &str = "  title: \"</title><script>alert(1)</script> \\u202Eback\"
  summary: '<img src=x onerror=alert(2)>'
do:
  - ask:
      call: human-task
      with:
        title: \"<script>alert('task')</script> \\u202Eback\"
        assign: { role: case-worker }
  - next:
      switch:
        - '<b>':
            when: ${ .a == \"</code><script>\" }
            then: end
";

#[test]
fn what_authors_wrote_is_text() {
    let folder = pack(&[("bad", HOSTILE)], "");
    let page = page_of(text_of(folder.path()));
    check_sound(&page);
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("<b>"));
    assert!(!page.contains('\u{202e}'));
    for said in [
        "<script>alert('pack')</script> & co",
        "<script>alert('task')</script> \u{fffd}back",
        "<img src=x onerror=alert(2)>",
        "</code><script>",
        "Case <b>worker</b>",
    ] {
        assert!(page.contains(&escaped(said)), "{said}");
    }
}

const WIDE: &str = "use: { secrets: [ homes-token ] }
schedule: { cron: '0 9 * * mon-fri' }
do:
  - both:
      fork:
        branches:
          - one: { wait: PT90M }
          - two:
              emit: { event: { with: { type: org.sent, source: urn:tests, data: { a: 1 } } } }
  - each:
      for: { in: '${ .people }' }
      do:
        - look:
            try:
              - get:
                  call: http
                  with:
                    method: get
                    endpoint:
                      uri: https://homes.example/v1
                      authentication: { bearer: { use: homes-token } }
            catch:
              errors: { with: { status: 503 } }
              retry: { delay: PT5S, limit: { attempt: { count: 3 } } }
  - news:
      listen:
        to: { any: [ { with: { type: org.news } }, { with: { type: org.sent } } ] }
  - other: { run: { workflow: { namespace: tests, name: small, version: '1.0.0' } } }
  - stop: { raise: { error: { type: urn:e, status: 400, title: It is over } } }
";

#[test]
fn every_kind_of_task_has_its_words() {
    let small = "do:\n  - last: { set: { outcome: all-done } }\n";
    let more = "http: { hosts: [ 'homes.example:443' ] }\nteams: { north: Team <north> }\n";
    let folder = pack(&[("wide", WIDE), ("small", small)], more);
    let page = page_of(text_of(folder.path()));
    check_sound(&page);
    for said in [
        "At 09:00 on Monday to Friday",
        "all at once; it goes on when all are done",
        "1 hour and 30 minutes",
        "this side of step 1 is done",
        "Once for",
        "the next round of step 2",
        "with a problem of the number 503",
        "at most 3 times",
        "after 5 seconds",
        "https://homes.example/v1",
        "homes.example:443",
        "homes-token",
        "org.news",
        "Waits for the first of these events",
        "It waits until that has ended.",
        "It is over",
        "All done",
        "Team <north>",
        "The pack has no tests.",
    ] {
        assert!(page.contains(&escaped(said)), "{said}");
    }
}

const DESCRIBED: &str = "use: { secrets: [ reader, login ] }
do:
  - offered:
      call: openapi
      with:
        document:
          endpoint:
            uri: https://homes.example/openapi.json
            authentication: { basic: { use: reader } }
        operationId: findHomes
        authentication: { oauth2: { use: login } }
  - named:
      call: http
      with:
        method: get
        endpoint:
          uri: https://homes.example/v1
          authentication:
            oidc:
              authority: https://login.example/{realm}
              grant: client_credentials
              client: { id: casewright, authentication: none }
";

#[test]
fn whoever_is_asked_on_the_way_is_told_too() {
    let folder = pack(&[("described", DESCRIBED)], "");
    let page = page_of(text_of(folder.path()));
    check_sound(&page);
    for said in [
        "another service for something that it describes itself:",
        "findHomes",
        "https://homes.example/openapi.json",
        "https://homes.example/v1",
        "https://login.example/{realm}",
        "reader",
        "login",
    ] {
        assert!(page.contains(&escaped(said)), "{said}");
    }
}

#[test]
fn what_a_task_counts_its_days_by_is_told() {
    let tasks = "do:
  - visit:
      call: human-task
      with:
        title: Visit
        assign: { role: case-worker }
        due: 2 business days
        calendar: field
";
    let more = "calendars: { field: field.ics, office: field.ics }\ncalendar: office\n";
    let folder = pack(&[("visits", tasks)], more);
    let calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\n\
                    END:VCALENDAR\r\n";
    fs::write(folder.path().join("field.ics"), calendar).unwrap();
    let page = page_of(text_of(folder.path()));
    check_sound(&page);
    let said = "by the calendar field, whatever the case counts by";
    assert!(page.contains(said), "{page}");
}

/// What is not known is never told as if it were not there.
#[test]
fn plugins_that_were_not_built_are_not_told_as_harmless() {
    let call = "do:\n  - pay: { call: payment-issue.pay, with: { reference: a } }\n";
    let more = "plugins: { payment-issue: { config: { endpoint: 'https://pay.example' } } }\n";
    let (folder, none) = (pack(&[("one", call)], more), tempfile::tempdir().unwrap());
    let (code, page) = docs(&[text_of(folder.path()), "--plugins", text_of(none.path())]);
    assert_eq!(code, Some(0), "{page}");
    check_sound(page.trim_end());
    assert!(page.contains("The plugins were not built where this page was made"));
    assert!(page.contains("whom it reaches and which secrets it asks for is not told"));
    assert!(page.contains("what the plugins ask for is not known here"));
    assert!(!page.contains("It reaches nobody outside"));
}

#[test]
fn a_pack_with_mistakes_is_drawn_and_nothing_is_written() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("page.html");
    for (file, right, wrong, said) in [
        (
            "brokerage.yaml",
            "then: giveBack",
            "then: giveback",
            "giveBack",
        ),
        (
            "brokerage.yaml",
            "${ $steps.check.ok }",
            "${ limit(1; ) }",
            "limit",
        ),
        (
            "tests/brokerage.test.yaml",
            "complete: mend",
            "complete: mind",
            "mind",
        ),
    ] {
        let pack = place.path().join("pack");
        let _ = fs::remove_dir_all(&pack);
        copy(SAMPLE, &pack);
        let text = fs::read_to_string(pack.join(file)).unwrap();
        let broken = text.replace(right, wrong);
        assert_ne!(text, broken);
        fs::write(pack.join(file), broken).unwrap();
        let (code, told) = docs(&[text_of(&pack), "--out", text_of(&out)]);
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains(file) && told.contains(said), "{told}");
        assert!(!told.contains("<html"), "{told}");
        assert!(!out.exists());
    }
}

#[test]
fn a_file_is_replaced_by_a_whole_one_and_nothing_else_is() {
    let folder = pack(&[("bad", HOSTILE)], "");
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("page.html");
    let write = |out: &Path| docs(&[text_of(folder.path()), "--out", text_of(out)]);
    fs::write(&out, "before").unwrap();
    assert_eq!(write(&out), (Some(0), String::new()));
    let page = fs::read_to_string(&out).unwrap();
    check_sound(page.trim_end());

    let link = place.path().join("link.html");
    std::os::unix::fs::symlink(&out, &link).unwrap();
    for no_file in [place.path(), &link] {
        let (code, told) = write(no_file);
        assert_eq!(code, Some(3), "{told}");
        assert!(told.contains("no regular file"), "{told}");
    }
    let (code, told) = write(&place.path().join("nowhere/page.html"));
    assert_eq!(code, Some(3), "{told}");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&out).unwrap(), page);
    let left: Vec<_> = fs::read_dir(place.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn what_is_no_pack_is_said() {
    let empty = tempfile::tempdir().unwrap();
    let document = format!("{SAMPLE}/brokerage.yaml");
    for place in [text_of(empty.path()), &document] {
        let (code, told) = docs(&[place]);
        assert_eq!(code, Some(3), "{told}");
        assert!(told.contains("is no pack"), "{told}");
    }
    let (code, told) = docs(&["nowhere"]);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("cannot read nowhere"), "{told}");
    assert_eq!(docs(&[]).0, Some(2));
    assert_eq!(docs(&[SAMPLE, "--loud"]).0, Some(2));
}
