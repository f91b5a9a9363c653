//! The vectors of the standards, and what servers write.

use super::*;

fn asked(headers: &[&str]) -> Result<Option<Challenge>, String> {
    let headers = headers.iter();
    let headers = headers.map(|value| ("www-authenticate".to_owned(), (*value).to_owned()));
    Challenge::of(&headers.collect::<Vec<_>>())
}

fn answered(header: &str, user: &str, password: &str, cnonce: &str) -> String {
    let challenge = asked(&[header]).unwrap().unwrap();
    let turn = Memory::default().learn([0; 32], challenge);
    let password = Secret::new(password);
    answer(&turn, (user, &password), ("GET", "/dir/index.html"), cnonce)
}

const REALM: &str = "realm=\"http-auth@example.org\", qop=\"auth, auth-int\"";
const NONCE: &str = "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                     opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

#[test]
fn the_vectors_of_the_standards_hold() {
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        (
            "SHA-256",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
    ] {
        let header = format!("Digest {REALM}, algorithm={algorithm}, {NONCE}");
        let said = answered(&header, "Mufasa", "Circle of Life", CNONCE);
        assert!(said.contains(&format!("response=\"{response}\"")), "{said}");
        assert!(said.contains(&format!("algorithm={algorithm},")), "{said}");
        assert!(said.contains("qop=auth, nc=00000001, "), "{said}");
        assert!(said.contains("opaque=\"FQhe/qaU"), "{said}");
    }
    let old = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
    let said = answered(
        &format!("{old}, qop=auth"),
        "Mufasa",
        "Circle Of Life",
        "0a4f113b",
    );
    assert!(
        said.contains("\"6629fae49393a05397450978507c4ef1\""),
        "{said}"
    );
    assert!(!said.contains("algorithm"), "{said}");
    let said = answered(old, "Mufasa", "Circle Of Life", "0a4f113b");
    assert!(
        said.contains("\"670fd8c2df070c60b045671b8b24ff02\""),
        "{said}"
    );
    assert!(!said.contains("cnonce") && !said.contains("qop"), "{said}");
}

#[test]
fn the_strongest_challenge_is_answered() {
    let of = |headers: &[&str]| asked(headers).unwrap().map(|it| it.algorithm.name());
    let weak = format!("Digest {REALM}, {NONCE}");
    let strong = format!("digest {REALM}, algorithm=SHA-256, {NONCE}");
    let both = format!("Basic realm=\"a, b\", {strong}, Negotiate, {weak}");
    assert_eq!(of(&[&weak, &strong]), Some("SHA-256"));
    assert_eq!(of(&[&strong, &weak]), Some("SHA-256"));
    assert_eq!(of(&[&both]), Some("SHA-256"));
    assert_eq!(of(&["Basic realm=\"Digest\"", "Negotiate dG9r"]), None);
    assert_eq!(of(&[]), None);
}

#[test]
fn what_a_server_quotes_is_read_and_written() {
    let header =
        "Digest realm = \"a \\\"b\\\" \\\\c\",nonce=n1 , userhash=true, algorithm=MD5-sess";
    let challenge = asked(&[header]).unwrap().unwrap();
    assert_eq!(challenge.realm, "a \"b\" \\c");
    assert_eq!(challenge.nonce, "n1");
    let said = answered(header, "kim", "pw", "c1");
    assert!(said.contains("realm=\"a \\\"b\\\" \\\\c\""), "{said}");
    assert!(
        said.contains("userhash=true") && !said.contains("kim"),
        "{said}"
    );
    // Without `qop` the session still hashes what the client chose.
    assert!(
        said.contains("cnonce=\"c1\"") && !said.contains("nc="),
        "{said}"
    );
}

#[test]
fn what_cannot_be_answered_says_why() {
    for (header, word) in [
        (
            "Digest realm=\"a\", nonce=\"n\", algorithm=TIGER",
            "algorithm",
        ),
        (
            "Digest realm=\"a\", nonce=\"n\", qop=\"auth-int\"",
            "qop=auth",
        ),
        ("Digest realm=\"a\"", "nonce"),
        ("Digest", "nonce"),
    ] {
        let reason = asked(&[header]).unwrap_err();
        assert!(reason.contains(word), "{reason}");
    }
}

proptest::proptest! {
    /// Headers are foreign text; nothing in them is more than a challenge or none.
    #[test]
    fn no_header_is_too_strange(header in "([Dd]igest|[a-z]+|[ ,=\"\\\\]|realm=|nonce=|.){0,24}") {
        let _ = asked(&[&header]);
        let _ = asked(&[&format!("Digest realm=\"r\", nonce=\"n\", {header}")]);
    }
}

#[test]
fn each_answer_counts_on_and_belongs_to_one_owner() {
    let memory = Memory::default();
    let password = Secret::new("pw");
    let [north, south] = ["north", "south"].map(|it| key(it, "https://a", "kim", &password));
    let challenge = asked(&["Digest realm=a, nonce=n"]).unwrap().unwrap();
    assert_eq!(memory.learn(north, challenge.clone()).count, 1);
    assert_eq!(memory.next(&north).map(|turn| turn.count), Some(2));
    assert_eq!(memory.next(&north).map(|turn| turn.count), Some(3));
    assert!(memory.next(&south).is_none());
    memory.forget(&north);
    assert!(memory.next(&north).is_none());
    for index in 0..=KEPT_MAX {
        memory.learn(
            key("north", &index.to_string(), "kim", &password),
            challenge.clone(),
        );
    }
    let last = key("north", &KEPT_MAX.to_string(), "kim", &password);
    assert!(memory.next(&last).is_some());
    assert!(memory.lock().len() <= KEPT_MAX);
}
