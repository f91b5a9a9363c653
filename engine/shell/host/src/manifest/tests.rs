//! `plugin.toml` whole and least, and what is said of each mistake in it.

use super::{Limits, Manifest, OriginRequest, SecretUse};

const FULL: &str = r#"
schema = 1
name = "payment-issue"
version = "0.1.0"
title = "Issue a payment"
[[http]]
origin = "{config.endpoint}"
methods = ["GET", "POST"]
credential = "payments-api"
reason = "sends the payment and asks for its state"
[[http]]
origin = "https://pay.example"
methods = ["POST"]
reason = "another"
[[secret]]
name = "payments-api"
use = "http"
reason = "the partner asks for it"
[limits]
memory_mib = 32
"#;

fn refused(text: &str) -> String {
    Manifest::read(text).unwrap_err().to_string()
}

#[test]
fn a_full_manifest_is_read() {
    let manifest = Manifest::read(FULL).unwrap();
    assert_eq!(manifest.name, "payment-issue");
    assert_eq!(
        manifest.http[0].origin,
        OriginRequest::Config("endpoint".to_owned())
    );
    assert_eq!(manifest.http[1].origin.to_string(), "https://pay.example");
    assert_eq!(manifest.secrets[0].purpose, SecretUse::Http);
    let expected = Limits {
        memory_bytes_max: 32 << 20,
        ..Limits::default()
    };
    assert_eq!(manifest.limits, expected);
}

#[test]
fn a_small_manifest_gets_the_defaults() {
    let text = "schema = 1\nname = \"a\"\nversion = \"1.0.0\"";
    let manifest = Manifest::read(text).unwrap();
    assert_eq!(manifest.title, "a");
    assert_eq!(manifest.limits, Limits::default());
    assert!(manifest.http.is_empty() && manifest.secrets.is_empty());
}

#[test]
fn each_mistake_says_what_to_write() {
    for (from, to, expected) in [
        ("schema = 1", "schema = 2", "write `schema = 1`"),
        (
            "schema = 1",
            "schema = 1\ncolour = 3",
            "unknown field `colour`, expected one of",
        ),
        ("\"payment-issue\"", "\"Payment\"", "a lower-case letter"),
        (
            "\"payment-issue\"",
            "\"fund\"",
            "belongs to a function of the engine",
        ),
        ("\"0.1.0\"", "\"1\"", "such as `0.1.0`"),
        (
            "https://pay.example",
            "https://pay.example/v1",
            "more than an origin",
        ),
        (
            "https://pay.example",
            "pay.example",
            "write `https://host/path`",
        ),
        (
            "{config.endpoint}",
            "https://{config.region}.example",
            "{config.endpoint}",
        ),
        ("[\"POST\"]", "[]", "write `methods = [\"GET\"]`"),
        ("[\"POST\"]", "[\"post\"]", "method `post` is not offered"),
        ("\"another\"", "\" \"", "reason is empty"),
        (
            "use = \"http\"",
            "use = \"https\"",
            "expected one of `http`, `hmac`, `reveal`",
        ),
        (
            "use = \"http\"",
            "use = \"hmac\"",
            "give it `use = \"http\"`",
        ),
        (
            "credential = \"payments-api\"",
            "credential = \"other\"",
            "add a [[secret]]",
        ),
        ("memory_mib = 32", "memory_mib = 0", "write 1 to 512"),
        ("memory_mib = 32", "memory_mib = 4096", "write 1 to 512"),
        (
            "memory_mib = 32",
            "memory = 32",
            "`memory_mib`, `fuel`, `wall_ms`, `output_bytes`",
        ),
        ("memory_mib = 32", "fuel = 99000000000", "out of range"),
    ] {
        assert!(FULL.contains(from), "{from}");
        let error = refused(&FULL.replace(from, to));
        assert!(error.starts_with("plugin.toml: "), "{error}");
        assert!(error.contains(expected), "{to}: {error}");
    }
}

#[test]
fn a_secret_asked_for_twice_is_refused() {
    let twice = FULL.replace(
        "[limits]",
        "[[secret]]\nname = \"payments-api\"\nuse = \"hmac\"\nreason = \"x\"\n[limits]",
    );
    assert!(refused(&twice).contains("two [[secret]] are called `payments-api`"));
}
