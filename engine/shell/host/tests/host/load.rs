//! What the host takes and what it refuses, and how it says so.

use std::path::Path;
use std::sync::Arc;

use casewright_host::folder::{FolderError, Severity, Shelf};
use casewright_host::grant::Grant;
use casewright_host::manifest::Limits;
use casewright_host::plugin::{Context, EffectKind, Host, LoadError, Pending, Reason, Reply};
use serde_json::json;

use crate::guest::{DESCRIPTION, ECHO, Guest, invoking, load, run};

async fn refused(component: &[u8]) -> String {
    Host::new(None)
        .unwrap()
        .load("guest", component)
        .await
        .unwrap_err()
        .to_string()
}

#[tokio::test]
async fn only_components_are_taken() {
    let core = wat::parse_str("(module (memory 1))").unwrap();
    let invalid = [&invoking(ECHO)[..], b"\x00\x05junk!"].concat();
    for (bytes, part) in [
        (&b""[..], "not WebAssembly"),
        (b"#!/bin/sh", "not WebAssembly"),
        (b"\x7fELF\x02\x01\x01", "never taken from outside"),
        (&core, "a core WebAssembly module"),
        (&invalid, "is not valid"),
        (&vec![0; 33 << 20], "at most 33554432"),
    ] {
        let error = refused(bytes).await;
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn features_that_are_off_are_refused() {
    for text in [
        "(component (core module (memory i64 1)))",
        "(component (core module (memory 1 1 shared)))",
        "(component (core module (type (struct))))",
        "(component (core module (tag)))",
    ] {
        let error = refused(&wat::parse_str(text).unwrap()).await;
        assert!(error.contains("is not valid"), "{text}: {error}");
    }
}

#[tokio::test]
async fn a_component_of_another_world_is_refused() {
    for (text, part) in [
        ("(component)", "does not export `casewright:plugin/guest"),
        (
            "(component (import \"wasi:cli/environment@0.2.0\" (instance)))",
            "WASI is not offered",
        ),
        (
            "(component (import \"casewright:plugin/files@0.1.0\" (instance)))",
            "this host offers",
        ),
        (
            "(component (import \"casewright:plugin/log@2.0.0\" (instance)))",
            "version 0.1",
        ),
        ("(component (import \"x\" (func)))", "it imports `x`"),
    ] {
        let error = refused(&wat::parse_str(text).unwrap()).await;
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[tokio::test]
async fn describe_may_only_describe() {
    let clock =
        r#"(import "casewright:plugin/clock@0.1.0" "now-unix-ms" (func $now (result i64)))"#;
    for (guest, part) in [
        (
            Guest {
                head: clock,
                describe: "(drop (call $now))",
                ..Guest::default()
            },
            "describe() called `clock.now-unix-ms`",
        ),
        (
            Guest {
                describe: "(loop $l (br $l))",
                ..Guest::default()
            },
            "describe() failed",
        ),
        (
            Guest {
                describe: "unreachable",
                ..Guest::default()
            },
            "plugin.trap",
        ),
        (
            Guest {
                tail: "(table 9000000 funcref)",
                ..Guest::default()
            },
            "9000000",
        ),
        (
            Guest {
                pages: 2000,
                ..Guest::default()
            },
            "131072000 bytes of memory",
        ),
        (
            Guest {
                description: "{}",
                ..Guest::default()
            },
            "this engine reads",
        ),
        (
            Guest {
                description: "",
                ..Guest::default()
            },
            "not strict JSON",
        ),
    ] {
        let error = refused(&guest.component()).await;
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_loaded_plugin_tells_what_it_offers() {
    let host = Host::new(None).unwrap();
    let plugin = load(&host, &invoking(ECHO)).await;
    let function = plugin.description.function("run").unwrap();
    assert_eq!(
        (function.title.as_str(), function.effect),
        ("Run", EffectKind::None)
    );
    assert_eq!(plugin.digest.len(), 64);
    let input = json!({"text": "Zoë", "list": [1, 2.5, null]});
    assert_eq!(
        run(&host, &plugin, &input, &Limits::default()).await,
        Ok(input)
    );
    let grant = Arc::new(Grant::default());
    let (input, limits) = (json!(1), Limits::default());
    let failure = host
        .invoke(
            &plugin,
            "charge",
            &input,
            &Context::default(),
            &grant,
            &limits,
        )
        .await
        .unwrap_err();
    assert_eq!(failure.code, "plugin.unknown-function");
    assert!(
        failure.message.contains("it offers run"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_step_whose_deadline_has_passed_is_not_begun() {
    let host = Host::new(None).unwrap();
    let plugin = load(&host, &invoking(ECHO)).await;
    let context = Context {
        deadline_unix_ms: 1,
        ..Context::default()
    };
    let (input, limits) = (json!(1), Limits::default());
    let grant = Arc::new(Grant::default());
    let result = host
        .invoke(&plugin, "run", &input, &context, &grant, &limits)
        .await;
    assert_eq!(result.unwrap_err().code, "plugin.deadline");
}

fn install(root: &Path, name: &str, manifest: &str, component: Option<&[u8]>) {
    let folder = root.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("plugin.toml"), manifest).unwrap();
    if let Some(component) = component {
        std::fs::write(folder.join(format!("{name}.wasm")), component).unwrap();
    }
}

fn manifest(name: &str) -> String {
    format!("schema = 1\nname = \"{name}\"\nversion = \"0.1.0\"\n")
}

#[tokio::test]
async fn folders_are_opened_and_one_broken_plugin_keeps_no_other_away() {
    let root = tempfile::tempdir().unwrap();
    install(
        root.path(),
        "a-good",
        &manifest("a-good"),
        Some(&invoking(ECHO)),
    );
    install(root.path(), "b-unbuilt", &manifest("b-unbuilt"), None);
    install(root.path(), "c-other", &manifest("another"), None);
    install(root.path(), "d-bad", "schema = 9", None);
    install(
        root.path(),
        "e-core",
        &manifest("e-core"),
        Some(b"\0asm\x01\0\0\0"),
    );
    std::fs::create_dir(root.path().join("not-a-plugin")).unwrap();
    let host = Host::new(None).unwrap();
    let opened = host.open_all(root.path()).await.unwrap();
    assert_eq!(opened.len(), 5);
    assert_eq!(opened[0].as_ref().unwrap().manifest.name, "a-good");
    assert!(matches!(opened[1], Err(FolderError::NotBuilt(_))));
    assert!(matches!(opened[2], Err(FolderError::Name { .. })));
    assert!(matches!(opened[3], Err(FolderError::Manifest(..))));
    assert!(matches!(
        opened[4],
        Err(FolderError::Load(_, LoadError::Compile(_)))
    ));
    assert_eq!(host.check(&root.path().join("a-good")).await, []);
    let findings = host.check(&root.path().join("b-unbuilt")).await;
    assert_eq!(findings[0].severity, Severity::Problem);
    assert!(findings[0].message.contains("casewright plugin build"));
}

#[tokio::test]
async fn check_advises_on_what_could_be_better() {
    let root = tempfile::tempdir().unwrap();
    let description = DESCRIPTION
        .replace("\"none\"", "\"keyed\"")
        .replace("false", "true");
    let guest = Guest {
        description: &description,
        ..Guest::default()
    };
    let text = manifest("pay") + "[[secret]]\nname = \"key\"\nuse = \"reveal\"\nreason = \"x\"";
    install(root.path(), "pay", &text, Some(&guest.component()));
    let findings = Host::new(None)
        .unwrap()
        .check(&root.path().join("pay"))
        .await;
    let text: String = findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    assert!(
        findings
            .iter()
            .all(|finding| finding.severity == Severity::Advice)
    );
    for part in [
        "reads the secret `key` itself",
        "asks for no [[http]]",
        "may answer later",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn several_versions_stand_side_by_side() {
    let root = tempfile::tempdir().unwrap();
    let host = Host::new(None).unwrap();
    let mut shelf = Shelf::default();
    install(root.path(), "pay", &manifest("pay"), Some(&invoking(ECHO)));
    let old = shelf.put(host.open(&root.path().join("pay")).await.unwrap());
    let constant = Guest {
        tail: "(data (i32.const 9000) \"2\")",
        invoke: "(call $done (i32.const 9000) (i32.const 1))",
        ..Guest::default()
    };
    install(
        root.path(),
        "pay",
        &manifest("pay"),
        Some(&constant.component()),
    );
    let new = shelf.put(host.open(&root.path().join("pay")).await.unwrap());
    assert_ne!(old.plugin.digest, new.plugin.digest);
    let limits = Limits::default();
    for (digest, expected) in [(Some(old.plugin.digest.as_str()), 1), (None, 2)] {
        let (installed, function) = shelf.function("pay.run", digest).unwrap();
        assert_eq!(function.name, "run");
        let answer = run(&host, &installed.plugin, &json!(1), &limits).await;
        assert_eq!(answer, Ok(json!(expected)));
    }
    assert_eq!(shelf.all().count(), 1);
    assert!(shelf.function("pay.charge", None).is_none());
    assert!(
        shelf
            .function("other.run", Some(&old.plugin.digest))
            .is_none()
    );
}

/// Answers `pending` with its input as state, and its state when it goes on.
fn pending(resumes: bool) -> Vec<u8> {
    let description = DESCRIPTION.replace("\"resumes\":false", &format!("\"resumes\":{resumes}"));
    Guest {
        description: &description,
        invoke: &ECHO.replace("$done", "$pend"),
        resume: ECHO,
        ..Guest::default()
    }
    .component()
}

#[tokio::test]
async fn an_answer_that_comes_later_goes_on_with_its_state() {
    let host = Host::new(None).unwrap();
    let plugin = load(&host, &pending(true)).await;
    let (grant, limits) = (Arc::new(Grant::default()), Limits::default());
    let (context, state) = (Context::default(), json!({"number": "H-1"}));
    let reply = host
        .invoke(&plugin, "run", &state, &context, &grant, &limits)
        .await;
    let expected = Pending {
        correlation: Vec::new(),
        expires_unix_ms: None,
        poll_after_ms: Some(5_000),
        state: state.clone(),
    };
    assert_eq!(reply, Ok(Reply::Pending(expected)));
    for reason in [
        Reason::Callback {
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: b"{}".to_vec(),
        },
        Reason::Poll,
        Reason::Expired,
        Reason::Cancelled,
    ] {
        let reply = host
            .resume(&plugin, "run", &state, reason, &context, &grant, &limits)
            .await;
        assert_eq!(reply, Ok(Reply::Done(state.clone())));
    }
}

#[tokio::test]
async fn a_later_answer_is_only_for_functions_that_say_so_and_bounded() {
    let host = Host::new(None).unwrap();
    let (grant, limits) = (Arc::new(Grant::default()), Limits::default());
    let large = json!("x".repeat(64 * 1024));
    for (resumes, input, code) in [
        (false, json!(1), "plugin.pending"),
        (true, large, "plugin.bad-output"),
    ] {
        let plugin = load(&host, &pending(resumes)).await;
        let context = Context::default();
        let reply = host
            .invoke(&plugin, "run", &input, &context, &grant, &limits)
            .await;
        assert_eq!(reply.unwrap_err().code, code);
    }
}
