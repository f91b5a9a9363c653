//! What a plugin may use is what all three sides allow, and a denial names the line to add.

use serde_json::json;

use super::{Grant, OperatorSide, PackSide, Side};
use crate::manifest::{Manifest, SecretUse};
use crate::origin::Origin;

fn manifest() -> Manifest {
    Manifest::read(
        r#"
        schema = 1
        name = "pay"
        version = "0.1.0"
        [[http]]
        origin = "{config.endpoint}"
        methods = ["GET", "POST"]
        credential = "key"
        reason = "pays"
        [[http]]
        origin = "https://rates.example"
        methods = ["GET"]
        reason = "looks up rates"
        [[secret]]
        name = "key"
        use = "http"
        reason = "the partner asks for it"
        "#,
    )
    .unwrap()
}

fn origin(text: &str) -> Origin {
    Origin::read(text).unwrap()
}

fn operator(hosts: &[&str]) -> OperatorSide {
    OperatorSide {
        config: json!({"endpoint": "https://pay.example"}),
        hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
        secrets: [("key".to_owned(), "s3cret-value".to_owned())].into(),
        heard: false,
    }
}

fn pack(origins: &[&str], secrets: &[&str]) -> PackSide {
    let own = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    PackSide {
        config: json!({}),
        origins: own(origins),
        secrets: own(secrets),
    }
}

fn allowed(grant: &Grant) -> Vec<String> {
    grant
        .origins
        .iter()
        .map(|granted| granted.origin.to_string())
        .collect()
}

#[test]
fn each_side_can_only_narrow() {
    let both = ["https://pay.example", "https://rates.example"];
    let hosts = [
        "pay.example:443",
        "rates.example:443",
        "elsewhere.example:443",
    ];
    for (pack, hosts, expected) in [
        (None, &hosts[..], &both[..]),
        (None, &hosts[..1], &both[..1]),
        (None, &[], &[]),
        (Some(pack(&both, &[])), &hosts[..], &both[..]),
        (Some(pack(&both[1..], &[])), &hosts[..], &both[1..]),
        (Some(pack(&[], &[])), &hosts[..], &[]),
        (
            Some(pack(&["{config.endpoint}"], &[])),
            &hosts[..],
            &both[..1],
        ),
        (
            Some(pack(&["https://elsewhere.example"], &[])),
            &hosts[..],
            &[],
        ),
        (Some(pack(&both, &[])), &["https://pay.example"], &both[..1]),
        (
            Some(pack(&both, &[])),
            &["http://pay.example", "pay.example:80"],
            &[],
        ),
    ] {
        let grant = Grant::intersect(&manifest(), pack.as_ref(), &operator(hosts));
        assert_eq!(allowed(&grant), expected, "{pack:?} {hosts:?}");
    }
}

#[test]
fn a_pack_that_binds_the_endpoint_allows_it_and_the_operator_may_move_it() {
    let pack = PackSide {
        config: json!({"endpoint": "https://pay.example", "fee": 2}),
        ..pack(&[], &[])
    };
    let operator = OperatorSide {
        config: json!({"endpoint": "http://127.0.0.1:9"}),
        ..operator(&["127.0.0.1:9"])
    };
    let grant = Grant::intersect(&manifest(), Some(&pack), &operator);
    assert_eq!(allowed(&grant), ["http://127.0.0.1:9"]);
    assert!(grant.origins[0].private);
    assert_eq!(
        grant.config,
        json!({"endpoint": "http://127.0.0.1:9", "fee": 2})
    );
}

#[test]
fn a_denial_names_every_line_to_add() {
    let deny = |pack: Option<&PackSide>, hosts: &[&str], to: &str, method: &str| {
        Grant::intersect(&manifest(), pack, &operator(hosts))
            .origin(&origin(to), method)
            .unwrap_err()
    };
    let narrow = pack(&[], &[]);
    for (denial, expected) in [
        (
            deny(
                None,
                &["rates.example:443"],
                "https://rates.example",
                "POST",
            ),
            &[
                "plugin `pay` may not send POST",
                "asks for GET there",
                "add `\"POST\"`",
            ][..],
        ),
        (
            deny(None, &[], "https://rates.example", "GET"),
            &[
                "--allow-host rates.example:443",
                "hosts = [\"rates.example:443\"]",
            ],
        ),
        (
            deny(
                Some(&narrow),
                &["rates.example:443"],
                "https://rates.example",
                "GET",
            ),
            &[
                "in pack.yaml, under `plugins: pay:`",
                "origins: [ \"https://rates.example\" ]",
            ],
        ),
        (
            deny(Some(&narrow), &[], "https://rates.example", "GET"),
            &["in pack.yaml", "--allow-host rates.example:443"],
        ),
        (
            deny(Some(&narrow), &[], "https://evil.example", "GET"),
            &[
                "in plugin.toml add `[[http]]`",
                "in pack.yaml",
                "--allow-host evil.example:443",
            ],
        ),
    ] {
        for part in expected {
            assert!(denial.contains(part), "{part}: {denial}");
        }
    }
    let sided = deny(
        Some(&narrow),
        &["rates.example:443"],
        "https://rates.example",
        "GET",
    );
    assert!(!sided.contains("--allow-host"), "{sided}");
}

#[test]
fn an_endpoint_that_nobody_bound_is_said_to_be_unbound() {
    let operator = OperatorSide {
        config: json!({}),
        ..operator(&["pay.example:443"])
    };
    let grant = Grant::intersect(&manifest(), None, &operator);
    let denial = grant
        .origin(&origin("https://pay.example"), "GET")
        .unwrap_err();
    assert!(
        denial.contains("holds no origin under `endpoint`"),
        "{denial}"
    );
}

#[test]
fn a_secret_goes_only_where_its_manifest_sends_it() {
    let all = operator(&["pay.example:443", "rates.example:443"]);
    let grant = Grant::intersect(&manifest(), None, &all);
    assert!(grant.credential("key", &grant.origins[0]).is_ok());
    let elsewhere = grant.credential("key", &grant.origins[1]).unwrap_err();
    assert!(
        elsewhere.contains("binds it to another origin"),
        "{elsewhere}"
    );
    let revealed = grant.secret("key", SecretUse::Reveal).unwrap_err();
    assert!(revealed.contains("granted for `http`"), "{revealed}");
    let unknown = grant.secret("other", SecretUse::Hmac).unwrap_err();
    assert!(
        unknown.contains("in plugin.toml add `[[secret]]`"),
        "{unknown}"
    );
}

#[test]
fn a_secret_needs_pack_and_operator() {
    let endpoint = "https://pay.example";
    let denied = |pack: &PackSide, operator: &OperatorSide| {
        let grant = Grant::intersect(&manifest(), Some(pack), operator);
        let missing = grant
            .withheld
            .iter()
            .find(|w| matches!(w.what, super::Asked::Secret(_)));
        (
            grant.secret("key", SecretUse::Http).unwrap_err(),
            missing.unwrap().missing.clone(),
        )
    };
    let full = operator(&["pay.example:443"]);
    let (text, missing) = denied(&pack(&[endpoint], &[]), &full);
    assert!(text.contains("`secrets: [ key ]`"), "{text}");
    assert_eq!(missing, [Side::Pack]);
    let poor = OperatorSide {
        secrets: std::collections::BTreeMap::new(),
        ..full.clone()
    };
    let (text, missing) = denied(&pack(&[endpoint], &["key"]), &poor);
    assert!(text.contains("[plugins.secrets]"), "{text}");
    assert_eq!(missing, [Side::Operator]);
    let grant = Grant::intersect(&manifest(), Some(&pack(&[endpoint], &["key"])), &full);
    assert!(grant.secret("key", SecretUse::Http).is_ok());
}

#[test]
fn values_of_secrets_are_never_shown() {
    let operator = operator(&["pay.example:443"]);
    let grant = Grant::intersect(&manifest(), None, &operator);
    let shown = format!("{operator:?} {grant:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_special_address_needs_the_operator_to_name_it() {
    let named = |hosts: &[&str], endpoint: &str, address: &str| {
        let operator = OperatorSide {
            config: json!({ "endpoint": endpoint }),
            ..operator(hosts)
        };
        let grant = Grant::intersect(&manifest(), None, &operator);
        grant.connection(&grant.origins[0], address.parse().unwrap())
    };
    for (hosts, endpoint, address, fine) in [
        (
            &["pay.example:443"][..],
            "https://pay.example",
            "9.9.9.9:443",
            true,
        ),
        (
            &["pay.example:443"],
            "https://pay.example",
            "10.0.0.5:443",
            false,
        ),
        (
            &["pay.example:443"],
            "https://pay.example",
            "127.0.0.1:443",
            false,
        ),
        (
            &["pay.example:443"],
            "https://pay.example",
            "[::ffff:10.0.0.5]:443",
            false,
        ),
        (
            &["pay.example:443", "10.0.0.5:443"],
            "https://pay.example",
            "10.0.0.5:443",
            true,
        ),
        (
            &["pay.example:443", "10.0.0.5:443"],
            "https://pay.example",
            "[::ffff:10.0.0.5]:443",
            true,
        ),
        (
            &["pay.example:443", "10.0.0.5:80"],
            "https://pay.example",
            "10.0.0.5:443",
            false,
        ),
        (
            &["pay.example:443", "10.0.0.5:443"],
            "https://pay.example",
            "10.0.0.6:443",
            false,
        ),
        (&["localhost:80"], "http://localhost", "127.0.0.1:80", true),
        (&["localhost:80"], "http://localhost", "[::1]:80", true),
        (&["localhost:80"], "http://localhost", "10.0.0.5:80", false),
        (&["127.0.0.1:80"], "http://127.0.0.1", "127.0.0.1:80", true),
        (
            &["169.254.169.254:80"],
            "http://169.254.169.254",
            "169.254.169.254:80",
            true,
        ),
    ] {
        let result = named(hosts, endpoint, address);
        assert_eq!(result.is_ok(), fine, "{hosts:?} {address}: {result:?}");
        if let Err(text) = result {
            assert!(text.contains("--allow-host"), "{text}");
        }
    }
}

#[test]
fn entries_that_can_never_match_are_reported() {
    let operator = operator(&[
        "pay.example:443",
        "https://pay.example",
        "[::1]:80",
        "pay.example",
        "pay.example:443/",
        "https://pay.example/v1",
        "*.example:443",
        "127.1:80",
        "user@pay.example:443",
    ]);
    let problems = operator.problems();
    assert_eq!(problems.len(), 6, "{problems:#?}");
    assert!(
        problems[0].contains("write `pay.example:443`"),
        "{}",
        problems[0]
    );
}
