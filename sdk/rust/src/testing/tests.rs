//! The fake world fails tests that deserve it, and gives what it was told.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;

use super::{Answer, World};
use crate::http::{Credential, Method};
use crate::log::Level;
use crate::progress::Signal;
use crate::secrets::SecretError;
use crate::{clock, http, kv, log, progress, secrets};

fn fails(world: &World, code: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| world.run(code))).expect_err("must fail");
    panic.downcast_ref::<String>().cloned().expect("a message")
}

#[test]
fn surprises_fail_the_test() {
    let url = "http://a.test/x";
    let send = |request: http::Request| drop(request.send());

    let said = fails(&World::new(), || send(http::get(url)));
    assert_eq!(said, "nothing expects the request GET http://a.test/x");

    let world = World::new();
    world.expect(Method::Get, url).answer(Answer::empty(204));
    assert_eq!(
        fails(&world, || ()),
        "expected but never sent: GET http://a.test/x"
    );
    assert!(fails(&world, || send(http::post(url))).contains("another request"));

    world
        .expect(Method::Post, url)
        .json(json!({ "a": 1 }))
        .answer(Answer::empty(204));
    assert!(fails(&world, || send(http::post(url).json(&json!({ "a": 2 })))).contains("body"));

    world
        .expect(Method::Get, url)
        .header("X-A", "1")
        .answer(Answer::empty(204));
    assert!(fails(&world, || send(http::get(url).header("x-a", "2"))).contains("header `X-A`"));

    let bearer = Credential::Bearer("token".into());
    world
        .expect(Method::Get, url)
        .credential(bearer)
        .answer(Answer::empty(204));
    assert!(fails(&world, || send(http::get(url))).contains("credential"));
}

#[test]
fn a_world_gives_what_it_was_told() {
    let world = World::new()
        .now_unix_ms(7)
        .secret("key", "Jefe")
        .cancelled();
    world.run(|| {
        assert_eq!(clock::now_unix_ms(), 7);
        assert_ne!(clock::random_bytes(8), clock::random_bytes(8));
        assert_eq!(progress::report(Some(50), "half"), Signal::CancelRequested);
        assert_eq!(secrets::reveal("key"), Ok("Jefe".into()));
        assert_eq!(secrets::reveal("other"), Err(SecretError::NotFound));
        // RFC 4231, test case 2.
        let mac = secrets::hmac_sha256("key", b"what do ya want for nothing?").unwrap();
        assert_eq!(mac[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert_eq!(kv::put("cursor", b"1", None, None), Ok(true));
        assert_eq!(kv::put("cursor", b"2", None, None), Ok(false));
        assert_eq!(kv::put("cursor", b"2", Some(1), None), Ok(true));
        assert_eq!(kv::get("cursor").unwrap().unwrap().version, 2);
        kv::delete("cursor").unwrap();
        assert_eq!(kv::get("cursor"), Ok(None));
        log::warn("careful", &[("status", "503")]);
    });
    let [line] = world.log().try_into().unwrap();
    assert_eq!(
        (line.level, line.message.as_str()),
        (Level::Warn, "careful")
    );
}
