//! The command line as a person types it: what it prints and how it ends.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::io::{BufRead as _, Write};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

#[path = "command_line/diff.rs"]
mod diff;
#[path = "command_line/docs.rs"]
mod docs;
#[path = "command_line/mistakes.rs"]
mod mistakes;
#[path = "command_line/tests.rs"]
mod tests;

/// Runs the binary at the root of the checkout.
fn casewright(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_casewright"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(arguments)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

struct Document(tempfile::NamedTempFile);

impl Document {
    /// A document with these tasks, given as YAML at the left margin.
    fn new(tasks: &str) -> Self {
        let head =
            "document:\n  dsl: '1.0.3'\n  namespace: tests\n  name: it\n  version: '1.0.0'\ndo:\n";
        let mut file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
        file.write_all(head.as_bytes()).unwrap();
        for line in tasks.lines() {
            writeln!(file, "  {line}").unwrap();
        }
        Self(file)
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }
}

/// Runs a document and gives the exit code and the printed object.
fn run(tasks: &str, input: &str) -> (i32, Value) {
    let document = Document::new(tasks);
    let output = casewright(&["run", document.path(), "--input", "-", "--json"], input);
    let text = String::from_utf8(output.stdout).unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    let printed = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}\n{talk}"));
    (output.status.code().unwrap(), printed)
}

#[test]
fn run_prints_what_became_of_a_document() {
    let (code, printed) = run(
        "- one:\n    set: { x: '${ .a + 1 }' }\n- two:\n    set: { y: '${ $steps.one.x * 2 }' }",
        r#"{"a": 2}"#,
    );
    assert_eq!(code, 0, "{printed:#}");
    assert_eq!(printed["status"], "completed");
    assert_eq!(printed["output"]["y"], 6);
    assert_eq!(printed["error"], Value::Null);
    assert_eq!(printed["waiting"], Value::Array(Vec::new()));
    let tasks: Vec<_> = printed["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| {
            (
                task["name"].as_str().unwrap(),
                task["reference"].as_str().unwrap(),
                task["status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        tasks,
        [
            ("one", "/do/0/one", "completed"),
            ("two", "/do/1/two", "completed")
        ]
    );
}

#[test]
fn a_faulted_document_names_the_task() {
    let tasks = "\
- outer:
    try:
      - inner:
          raise: { error: { type: 'https://agency.example/e', status: 418, title: Tea } }
    catch:
      errors: { with: { status: 500 } }";
    let (code, printed) = run(tasks, "{}");
    assert_eq!(code, 1, "{printed:#}");
    assert_eq!(printed["status"], "faulted");
    assert_eq!(printed["error"]["instance"], "/do/0/outer/try/0/inner");
    assert_eq!(printed["error"]["status"], 418);
}

#[test]
fn run_never_waits_for_a_person() {
    let tasks =
        "- ask:\n    call: human-task\n    with: { title: Ask, assign: { role: case-worker } }";
    let (code, printed) = run(tasks, "{}");
    assert_eq!(code, 4, "{printed:#}");
    assert_eq!(printed["status"], "waiting");
    assert_eq!(printed["waiting"][0]["kind"], "work-item");
    assert_eq!(printed["waiting"][0]["task"], "ask");
    let (code, printed) = run("- long:\n    wait: { hours: 2 }", "{}");
    assert_eq!(
        (code, &printed["waiting"][0]["kind"]),
        (4, &Value::from("timer")),
        "{printed:#}"
    );
}

const REPLY: &str = "
- reply:
    listen:
      to:
        one:
          with: { type: org.reply }
          correlate:
            family: { from: .data.family, expect: '${ $workflow.input.family }' }
";

/// Runs a document with these events.
fn run_with_events(tasks: &str, input: &str, events: &[&str]) -> (i32, Value) {
    let document = Document::new(tasks);
    let files: Vec<tempfile::NamedTempFile> = events
        .iter()
        .map(|event| {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(event.as_bytes()).unwrap();
            file
        })
        .collect();
    let mut arguments = vec!["run", document.path(), "--input", "-", "--json"];
    for file in &files {
        arguments.extend(["--event", file.path().to_str().unwrap()]);
    }
    let output = casewright(&arguments, input);
    let text = String::from_utf8(output.stdout).unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    let printed = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}\n{talk}"));
    (output.status.code().unwrap(), printed)
}

#[test]
fn run_takes_the_events_that_are_given_and_waits_for_no_other() {
    let other = r#"{"type": "org.reply", "data": {"family": "f8"}}"#;
    let reply = r#"{"type": "org.reply", "data": {"family": "f7", "yes": true}}"#;
    let input = r#"{"family": "f7"}"#;
    let (code, printed) = run_with_events(REPLY, input, &[other, reply]);
    assert_eq!(code, 0, "{printed:#}");
    assert_eq!(printed["output"][0]["yes"], true, "{printed:#}");

    let (code, printed) = run_with_events(REPLY, input, &[other]);
    assert_eq!(code, 4, "{printed:#}");
    assert_eq!(printed["status"], "waiting");
    assert_eq!(printed["waiting"][0]["kind"], "event");
    assert_eq!(printed["waiting"][0]["task"], "reply");
    assert_eq!(printed["waiting"][0]["events"][0], "org.reply");
}

/// What is reported is one run; that there are more is not left out.
#[test]
fn run_says_that_its_events_began_more_runs_than_the_one_it_reports() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let document = at(
        "it.yaml",
        "document: { dsl: '1.0.3', namespace: tests, name: it, version: '1.0.0' }\n\
         schedule: { on: { one: { with: { type: org.reply } } } }\n\
         do:\n  - first: { set: { n: '${ .[0].data.n }' } }\n",
    );
    let event = |n: u8| {
        at(
            &format!("{n}.json"),
            &format!("{{\"type\": \"org.reply\", \"data\": {{\"n\": {n}}}}}"),
        )
    };
    let (one, two, three) = (event(1), event(2), event(3));
    let run = |events: &[&String]| {
        let mut arguments = vec!["run", document.as_str(), "--json"];
        for event in events {
            arguments.extend(["--event", event.as_str()]);
        }
        let output = casewright(&arguments, "");
        assert_eq!(output.status.code(), Some(0));
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        (printed, String::from_utf8(output.stderr).unwrap())
    };
    let (printed, said) = run(&[&one, &two, &three]);
    assert_eq!(printed["output"]["n"], 1, "{printed:#}");
    assert_eq!(printed["others"], 2, "{printed:#}");
    assert!(
        said.contains("2 more runs began with these events"),
        "{said}"
    );
    let (printed, said) = run(&[&two]);
    assert_eq!(printed["output"]["n"], 2, "{printed:#}");
    assert!(printed.get("others").is_none() && said.is_empty(), "{said}");
}

#[test]
fn an_instance_hears_what_its_own_case_emits() {
    let tasks = "
- tell:
    emit: { event: { with: { source: urn:a, type: told, data: { x: 1 } } } }
- hear:
    listen: { to: { one: { with: { type: told } } } }
";
    let (code, printed) = run(tasks, "{}");
    assert_eq!(code, 0, "{printed:#}");
    assert_eq!(printed["output"][0]["x"], 1, "{printed:#}");
}

#[test]
fn an_invalid_document_has_every_mistake_listed() {
    let document = Document::new("- a:\n    sett: { x: 1 }\n- b:\n    set: { x: 1 }\n    then: c");
    let output = casewright(&["validate", document.path(), "--json"], "");
    assert_eq!(output.status.code(), Some(1));
    let list: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let lines: Vec<_> = list
        .iter()
        .map(|found| found["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [8, 11], "{list:#?}");
    for found in &list {
        assert!(
            found["code"].as_str().unwrap().starts_with("CW"),
            "{found:#}"
        );
        assert!(found["column"].as_u64().unwrap() > 0, "{found:#}");
        assert!(found["help"].is_string(), "{found:#}");
    }
}

/// Tasks that each set `x` to one of the expressions, under the names `t0`, `t1` and so on.
fn setting(programs: &[&str], task: impl Fn(usize, &str) -> String) -> String {
    let quoted = |program: &str| format!("'${{ {} }}'", program.replace('\'', "''"));
    let tasks = programs.iter().enumerate();
    tasks
        .map(|(index, program)| task(index, &quoted(program)))
        .collect()
}

#[test]
fn expressions_that_reach_outside_are_refused_before_anything_runs() {
    let parentheses = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let deep = format!("{}1{}", "[".repeat(2_000), "]".repeat(2_000));
    let programs = [
        "env",
        "env.PATH",
        "$ENV.PATH",
        "input",
        "[inputs]",
        "input_filename",
        "now",
        "now | todate",
        "halt",
        "halt_error",
        "\"bye\" | halt_error(1)",
        "$__loc__",
        "$__prog_args",
        "debug",
        "stderr",
        "input_line_number",
        "localtime",
        "import \"a\" as a; .",
        "include \"a\"; .",
        "modulemeta",
        "get_search_list",
        &parentheses,
        &deep,
    ];
    let set = |index, quoted: &str| format!("- t{index}:\n    set: {{ x: {quoted} }}\n");
    let document = Document::new(&setting(&programs, set));
    for arguments in [
        &["run", document.path(), "--json"][..],
        &["validate", document.path(), "--json"],
    ] {
        let output = casewright(arguments, "");
        assert_eq!(output.status.code(), Some(1));
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        let list = printed.get("diagnostics").unwrap_or(&printed);
        let lines: Vec<_> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|found| &found["line"])
            .collect();
        // The head of the document has six lines; each task has two.
        let expected: Vec<_> = (0..programs.len()).map(|index| 8 + 2 * index).collect();
        assert_eq!(lines, expected, "{list:#}");
    }
}

#[test]
fn expressions_that_take_too_much_end_as_errors_and_the_engine_goes_on() {
    const TIME: &str = "more than 250 ms of processor time";
    const MEMORY: &str = "more than 64 MiB of memory";
    let programs: [(&str, &[&str]); 20] = [
        ("def f: f; f", &[TIME]),
        ("def f: 1 + f; f", &[TIME, MEMORY]),
        ("[range(1e12)]", &[TIME, MEMORY]),
        ("last(range(1e12))", &[TIME]),
        ("\"x\" * 1e10", &[TIME, MEMORY, "cannot calculate"]),
        ("\"x\" * 10000000000", &[TIME, MEMORY]),
        ("[limit(1e9; repeat(1))]", &[TIME, MEMORY]),
        ("[repeat(1)]", &[TIME, MEMORY]),
        ("first(repeat(1) | select(. > 1))", &[TIME]),
        ("reduce range(1e9) as $i (0; . + 1)", &[TIME]),
        (
            "reduce range(1e5) as $i (null; [.])",
            &["nested more than 100 deep", MEMORY, TIME],
        ),
        ("reduce range(40) as $i (\"x\"; . + .)", &[TIME, MEMORY]),
        ("[foreach range(1e9) as $i (0; . + $i)]", &[TIME, MEMORY]),
        ("until(false; . )", &[TIME]),
        ("[[range(1000)] | combinations(9)]", &[TIME, MEMORY]),
        (
            "\"a\" | test(\"((a{500}){500}){500}\")",
            &["cannot be read", "regex", MEMORY],
        ),
        (
            "\"a\" * 1000 | [match(\"(a*)*(a*)*b\"; \"g\")] | until(false; .)",
            &[TIME],
        ),
        ("1e1000", &["not a finite number"]),
        ("\"x\" * 1048600", &["larger than 1 MiB"]),
        // Well within the time: what the allocator of this very binary reserves must not count.
        ("\"x\" * 200000000 | length", &[MEMORY]),
    ];
    let sources = programs.map(|(program, _)| program);
    let tasks = setting(&sources, |index, quoted| {
        format!(
            "- t{index}:\n    try:\n      - it:\n          set: {{ x: {quoted} }}\n    catch:\n\
             \x20     as: problem\n      do:\n        - note:\n\
             \x20           set: {{ detail: '${{ $problem.detail }}' }}\n"
        )
    });
    let details: Vec<_> = (0..programs.len())
        .map(|index| format!("$steps.t{index}.detail"))
        .collect();
    // What takes no time must not be slow either: text in pieces, and a pattern that backtracking
    // would never finish.
    let chain = format!(
        "\"{}b\"{}",
        "a".repeat(150),
        " | ltrimstr(\"a\")".repeat(200)
    );
    let after = format!(
        "- after:\n    set:\n      details: '${{ [{}] }}'\n      chain: '${{ {chain} }}'\n\
         \x20     pattern: '${{ \"a\" * 5000 | test(\"^(a+)+$x\") }}'\n",
        details.join(", ")
    );
    let (code, printed) = run(&(tasks + &after), "{}");
    assert_eq!(code, 0, "{printed:#}");
    assert_eq!(printed["output"]["chain"], "b");
    assert_eq!(printed["output"]["pattern"], false);
    let said = printed["output"]["details"].as_array().unwrap();
    assert_eq!(said.len(), programs.len());
    for ((program, sentences), detail) in programs.iter().zip(said) {
        let detail = detail.as_str().unwrap();
        let clear = sentences.iter().any(|sentence| detail.contains(sentence));
        assert!(clear, "{program}: {detail}");
    }
}

#[test]
fn wrong_usage_and_a_wrong_environment_have_their_exit_codes() {
    let code = |arguments: &[&str]| casewright(arguments, "").status.code();
    assert_eq!(code(&["frobnicate"]), Some(2));
    assert_eq!(code(&["run"]), Some(2));
    assert_eq!(code(&["explain", "CW9999"]), Some(2));
    assert_eq!(code(&["run", "nowhere.yaml"]), Some(3));
    assert_eq!(code(&["validate", "nowhere.yaml"]), Some(3));
    assert_eq!(code(&["serve", "--config", "nowhere.toml"]), Some(3));
}

#[test]
fn a_shell_is_told_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let output = casewright(&["completions", shell], "");
        let text = String::from_utf8(output.stdout).unwrap();
        for word in ["validate", "init", "config"] {
            assert!(text.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(
        casewright(&["completions", "dos"], "").status.code(),
        Some(2)
    );
}

#[test]
fn the_sample_packs_are_valid() {
    let output = casewright(&["validate", "workflows"], "");
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn the_sample_packs_pass_their_own_tests() {
    let output = casewright(&["test", "workflows", "--json"], "");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{printed:#}");
    assert!(printed["passed"].as_u64().unwrap() > 10, "{printed:#}");
}

#[test]
fn an_editor_is_told_the_names_of_a_pack_that_is_well() {
    let pack = "workflows/intensive-family-support";
    let output = casewright(&["schema", "--pack", pack], "");
    assert_eq!(output.status.code(), Some(0));
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let forms = schema["definitions"]["formName"]["anyOf"][0]["enum"].as_array();
    assert!(forms.unwrap().contains(&"brokerage-request".into()));
    for (kind, pointer, name) in [
        ("form", "/definitions/line/properties/control/enum", "radio"),
        ("pack", "/definitions/roleName/anyOf/0/enum", "team-leader"),
        ("test", "/definitions/workflowName/enum", "brokerage"),
        ("test", "/definitions/refusalName/enum", "self-approval"),
    ] {
        let output = casewright(&["schema", "--kind", kind, "--pack", pack], "");
        let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
        let names = schema.pointer(pointer).and_then(Value::as_array).unwrap();
        assert!(names.contains(&name.into()), "{names:?}");
    }
    let no_pack = casewright(&["schema", "--pack", "sdk"], "");
    assert_eq!(no_pack.status.code(), Some(3));
    let folder = tempfile::tempdir().unwrap();
    copy(pack, folder.path());
    std::fs::write(folder.path().join("pack.yaml"), "namespce: a\n").unwrap();
    let broken = casewright(&["schema", "--pack", folder.path().to_str().unwrap()], "");
    assert_eq!(broken.status.code(), Some(1));
    assert!(broken.stdout.is_empty());
    let told = String::from_utf8(broken.stderr).unwrap();
    assert!(told.contains("casewright validate"), "{told}");
}

#[test]
fn a_pack_is_looked_at_each_time_it_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let agency = folder.path().join("north");
    let output = casewright(&["init", agency.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(0));
    let pack = agency.join("pack");
    let mut dev = Command::new(env!("CARGO_BIN_EXE_casewright"))
        .args(["dev", pack.to_str().unwrap()])
        .env("NO_COLOR", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = std::io::BufReader::new(dev.stdout.take().unwrap()).lines();
    // Whatever is said up to the line with which it waits.
    let mut round = || {
        let mut told = String::new();
        for line in said.by_ref() {
            told += &line.unwrap();
            told.push('\n');
            if told.ends_with("waiting for a file of the pack to be saved\n") {
                return told;
            }
        }
        panic!("it ended: {told}");
    };
    let told = round();
    assert!(told.contains("all well; waiting"), "{told}");
    let file = pack.join("ask-for-help.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    // As editors save: the whole file at once.
    let save = |text: &str| {
        let beside = folder.path().join("beside");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(beside, &file).unwrap();
    };
    save(&text.replace("form: request", "form: reqest"));
    let told = round();
    assert!(
        told.contains("CW0406") && told.contains("not well yet"),
        "{told}"
    );
    save(&text);
    let told = round();
    assert!(told.contains("all well; waiting"), "{told}");
    dev.kill().unwrap();
    dev.wait().unwrap();
    let nowhere = casewright(&["dev", "/"], "");
    assert_eq!(nowhere.status.code(), Some(2));
}

#[test]
fn a_test_that_fails_says_what_it_found_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("pack");
    copy("workflows/intensive-family-support", &pack);
    let file = pack.join("tests/brokerage.test.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, _) = text.split_once("  - test: Nobody").unwrap();
    let wrong = before.replace("outcome: paid, payment: P-1", "outcome: paid, payment: P-2");
    assert_ne!(before, wrong);
    std::fs::write(&file, wrong).unwrap();
    let output = casewright(&["test", file.to_str().unwrap()], "");
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("expected `payment` of the output to be \"P-2\", found \"P-1\""),
        "{told}"
    );
    assert!(told.contains("0 passed, 1 failed"), "{told}");
}

/// A folder with everything in it.
fn copy(from: &str, to: &std::path::Path) {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap();
    let mut left = vec![(root.join(from), to.to_owned())];
    while let Some((from, to)) = left.pop() {
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let (path, name) = entry
                .map(|entry| (entry.path(), entry.file_name()))
                .unwrap();
            if path.is_dir() {
                left.push((path, to.join(name)));
            } else {
                std::fs::copy(path, to.join(name)).unwrap();
            }
        }
    }
}

#[test]
fn a_plugin_is_built_by_its_name_and_checked_where_it_was_built() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let built = casewright(&["plugin", "build", "evidence-check", "--out", out], "");
    let told = String::from_utf8(built.stdout).unwrap();
    assert_eq!(built.status.code(), Some(0), "{told}");
    let checked = casewright(&["plugin", "check", told.trim()], "");
    let said = String::from_utf8(checked.stdout).unwrap();
    assert_eq!(checked.status.code(), Some(0), "{said}");
    assert!(said.contains("evidence-check"), "{said}");
    for command in ["build", "check"] {
        let missing = casewright(&["plugin", command, "no-such"], "");
        let error = String::from_utf8(missing.stderr).unwrap();
        assert_ne!(missing.status.code(), Some(0));
        assert!(error.contains("no-such"), "{error}");
    }
}

#[test]
fn a_bad_plugin_ends_as_a_failed_task_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let built = casewright(&["plugin", "build", "tests/hostile", "--out", out], "");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let reasons = [
        ("spin", "plugin.out-of-fuel"),
        ("hoard", "plugin.memory"),
        ("babble", "plugin.output-too-large"),
        ("trip", "plugin.trap"),
        ("phone", "hostile."),
    ];
    for (function, code) in reasons {
        let document = Document::new(&format!(
            "- bad:\n    call: hostile.{function}\n    with: {{}}"
        ));
        let arguments = ["run", document.path(), "--json", "--plugins", out];
        let output = casewright(&arguments, "");
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{function}: {printed:#}");
        let kind = printed["error"]["type"].as_str().unwrap();
        assert!(
            kind.starts_with(&format!("urn:casewright:error:{code}")),
            "{printed:#}"
        );
        assert_eq!(printed["error"]["instance"], "/do/0/bad");
        assert!(
            !printed["error"]["detail"].as_str().unwrap().is_empty(),
            "{printed:#}"
        );
    }
}
