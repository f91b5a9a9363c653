//! A hostile guest ends as a failure with a reason, while another plugin's calls go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use casewright_host::manifest::Limits;
use casewright_host::plugin::{Failure, FailureKind, Host};
use serde_json::{Value, json};

use crate::guest::{ECHO, Guest, invoking, limits, load, run};

/// Runs a guest once while another plugin of the same host is called without pause, on one thread
/// so that nothing hides a guest that does not let go.
fn beside_another(component: &[u8], limits: Limits) -> Result<Value, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let host = Arc::new(Host::new(None).unwrap());
        let echo = load(&host, &invoking(ECHO)).await;
        let hostile = load(&host, component).await;
        let (ended, count) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicUsize::new(0)),
        );
        let other = tokio::spawn({
            let (host, ended, count) = (host.clone(), ended.clone(), count.clone());
            async move {
                while !ended.load(Ordering::SeqCst) || count.load(Ordering::SeqCst) == 0 {
                    let number = json!(count.fetch_add(1, Ordering::SeqCst));
                    let answer = run(&host, &echo, &number, &Limits::default()).await;
                    assert_eq!(answer, Ok(number));
                    tokio::task::yield_now().await;
                }
            }
        });
        tokio::task::yield_now().await;
        let result = run(&host, &hostile, &json!(null), &limits).await;
        ended.store(true, Ordering::SeqCst);
        other.await.unwrap();
        // The guest itself can be called again: nothing of the broken call is left.
        let again = run(&host, &hostile, &json!(null), &limits).await;
        assert_eq!(again, result);
        result
    })
}

fn failure(component: &[u8], limits: Limits) -> Failure {
    beside_another(component, limits).unwrap_err()
}

fn expect(failure: &Failure, code: &str, part: &str) {
    assert_eq!(failure.code, code, "{}", failure.message);
    assert!(failure.message.contains(part), "{}", failure.message);
    assert!(!failure.sent);
}

const LOOP: &str = "(loop $again (br $again)) unreachable";

#[test]
fn a_loop_without_end_runs_out_of_fuel() {
    let failure = failure(&invoking(LOOP), limits("fuel = 50000000"));
    expect(&failure, "plugin.out-of-fuel", "50000000 units of fuel");
    assert_eq!(failure.kind, FailureKind::Permanent);
}

#[test]
fn a_loop_with_much_fuel_meets_its_deadline() {
    let failure = failure(&invoking(LOOP), limits("fuel = 20000000000\nwall_ms = 150"));
    expect(&failure, "plugin.deadline", "within 150 ms");
    assert_eq!(failure.kind, FailureKind::Retryable);
}

#[test]
fn asking_for_four_gigabytes_is_refused() {
    let body = format!(
        "(if (i32.eq (memory.grow (i32.const 65000)) (i32.const -1)) (then unreachable)) {ECHO}"
    );
    expect(
        &failure(&invoking(&body), Limits::default()),
        "plugin.memory",
        "67108864",
    );
}

#[test]
fn asking_bit_by_bit_is_refused_too() {
    let body = "(loop $more (br_if $more \
                (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
    expect(
        &failure(&invoking(body), limits("memory_mib = 8")),
        "plugin.memory",
        "8388608",
    );
}

#[test]
fn a_component_that_starts_too_large_is_refused() {
    let large = Guest {
        pages: 1000,
        ..Guest::default()
    }
    .component();
    expect(
        &failure(&large, limits("memory_mib = 8")),
        "plugin.memory",
        "8388608",
    );
}

#[test]
fn several_memories_count_together() {
    let guest = Guest {
        tail: "(memory $second 1)",
        invoke: "(loop $more (br_if $more (i32.ne (memory.grow $second (i32.const 16)) \
                 (i32.const -1)))) unreachable",
        ..Guest::default()
    };
    expect(
        &failure(&guest.component(), limits("memory_mib = 8")),
        "plugin.memory",
        "8388608",
    );
}

#[test]
fn a_hundred_megabytes_of_output_are_refused() {
    let body = "(drop (memory.grow (i32.const 1700))) (call $done (i32.const 131072) \
                (i32.const 104857600))";
    let failure = failure(&invoking(body), limits("memory_mib = 256"));
    expect(&failure, "plugin.output-too-large", "1048576");
}

#[test]
fn output_a_byte_over_the_limit_is_refused() {
    let body = "(drop (memory.grow (i32.const 40))) (call $done (i32.const 131072) \
                (i32.const 1048577))";
    let failure = failure(&invoking(body), Limits::default());
    expect(&failure, "plugin.output-too-large", "1048577 bytes");
}

#[test]
fn output_outside_the_memory_is_a_trap() {
    let body = "(call $done (i32.const 65536) (i32.const 1000000))";
    expect(
        &failure(&invoking(body), Limits::default()),
        "plugin.trap",
        "broke off",
    );
}

#[test]
fn a_trap_is_a_failure() {
    let failure = failure(&invoking("unreachable"), Limits::default());
    expect(&failure, "plugin.trap", "unreachable");
    assert_eq!(failure.kind, FailureKind::Permanent);
}

#[test]
fn deep_recursion_overflows_the_plugins_stack_only() {
    let guest = Guest {
        tail: "(func $deep (param i64 i64 i64 i64) (result i32) (i32.add (i32.const 1) \
               (call $deep (local.get 3) (local.get 2) (local.get 1) (local.get 0))))",
        invoke: "(call $deep (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4))",
        ..Guest::default()
    };
    let failure = failure(&guest.component(), Limits::default());
    expect(&failure, "plugin.stack", "calls itself too deeply");
}

#[test]
fn a_huge_table_is_refused() {
    let guest = Guest {
        tail: "(table $many 1 funcref)",
        invoke: "(if (i32.eq (table.grow $many (ref.null func) (i32.const 10000000)) \
                 (i32.const -1)) (then unreachable)) (i32.const 0)",
        ..Guest::default()
    };
    expect(
        &failure(&guest.component(), Limits::default()),
        "plugin.memory",
        "10000001 elements",
    );
}

const LOG: &str = r#"(import "casewright:plugin/log@0.1.0" "emit"
    (func $log (param i32 i32 i32 i32 i32)))"#;

#[test]
fn a_flood_of_log_lines_is_cut_and_the_call_goes_on() {
    let body = format!(
        "(local.set $count (i32.const 5000)) (loop $more \
         (call $log (i32.const 3) (i32.const 1024) (i32.const 60000) (i32.const 0) (i32.const 0)) \
         (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1))))) {ECHO}"
    );
    let guest = Guest {
        head: LOG,
        invoke: &body,
        ..Guest::default()
    };
    assert_eq!(
        beside_another(&guest.component(), Limits::default()),
        Ok(json!(null))
    );
}

#[test]
fn a_log_line_of_many_megabytes_is_refused() {
    let body = "(drop (memory.grow (i32.const 400))) (call $log (i32.const 3) (i32.const 0) \
                (i32.const 20000000) (i32.const 0) (i32.const 0)) (i32.const 0)";
    let guest = Guest {
        head: LOG,
        invoke: body,
        ..Guest::default()
    };
    let failure = failure(&guest.component(), Limits::default());
    expect(
        &failure,
        "plugin.output-too-large",
        "more data than the host takes",
    );
}

const RANDOM: &str = r#"(import "casewright:plugin/clock@0.1.0" "random-bytes"
    (func $random (param i32 i32)))"#;

#[test]
fn too_many_random_bytes_are_refused() {
    let body = "(call $random (i32.const 70000) (i32.const 16)) (i32.const 0)";
    let guest = Guest {
        head: RANDOM,
        invoke: body,
        ..Guest::default()
    };
    let failure = failure(&guest.component(), Limits::default());
    expect(&failure, "plugin.host-limit", "at most 65536");
}

#[test]
fn output_that_is_not_strict_json_is_refused() {
    for (text, part) in [
        ("nonsense", "not strict JSON"),
        ("{\\22a\\22:1,\\22a\\22:2}", "stands twice"),
        ("1 2", "not strict JSON"),
    ] {
        let length = text.replace("\\22", "\"").len();
        let guest = Guest {
            tail: &format!("(data (i32.const 9000) \"{text}\")"),
            invoke: &format!("(call $done (i32.const 9000) (i32.const {length}))"),
            ..Guest::default()
        };
        let failure = failure(&guest.component(), Limits::default());
        expect(&failure, "plugin.bad-output", part);
    }
    let nested = "(memory.fill (i32.const 9000) (i32.const 91) (i32.const 50000)) \
                  (call $done (i32.const 9000) (i32.const 50000))";
    let failure = failure(&invoking(nested), Limits::default());
    expect(&failure, "plugin.bad-output", "nested more than");
}

#[test]
fn output_that_is_not_text_is_refused() {
    let body = "(i32.store8 (i32.const 9000) (i32.const 255)) \
                (call $done (i32.const 9000) (i32.const 1))";
    let failure = failure(&invoking(body), Limits::default());
    expect(&failure, "plugin.bad-output", "not UTF-8");
}

#[test]
fn a_plugins_own_error_keeps_its_kind_and_code() {
    for (kind, expected) in [
        (0, FailureKind::Retryable),
        (1, FailureKind::Permanent),
        (2, FailureKind::Business),
    ] {
        let guest = Guest {
            tail: "(data (i32.const 8192) \"refused\") (data (i32.const 9000) \"no money\")",
            invoke: &format!(
                "(call $fail (i32.const {kind}) (i32.const 7) (i32.const 9000) (i32.const 8))"
            ),
            ..Guest::default()
        };
        let failure = failure(&guest.component(), Limits::default());
        expect(&failure, "refused", "no money");
        assert_eq!(failure.kind, expected);
    }
}

#[test]
fn a_plugin_cannot_speak_in_the_hosts_name() {
    let guest = Guest {
        tail: "(data (i32.const 8192) \"plugin.deadline\")",
        invoke: "(call $fail (i32.const 0) (i32.const 15) (i32.const 0) (i32.const 0))",
        ..Guest::default()
    };
    let failure = failure(&guest.component(), Limits::default());
    expect(&failure, "plugin.bad-output", "whose code is not");
}

#[test]
fn nothing_survives_a_call() {
    let guest = Guest {
        tail: "(global $calls (mut i32) (i32.const 48))",
        invoke: "(global.set $calls (i32.add (global.get $calls) (i32.const 1))) \
                 (i32.store8 (i32.const 9000) (global.get $calls)) \
                 (call $done (i32.const 9000) (i32.const 1))",
        ..Guest::default()
    };
    assert_eq!(
        beside_another(&guest.component(), Limits::default()),
        Ok(json!(1))
    );
}
