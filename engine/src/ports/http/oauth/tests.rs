//! Requests for tokens and their answers, as the standards write them.

use super::*;

fn asking(scheme: Scheme, words: Value) -> Result<Asking, String> {
    let Value::Object(words) = words else {
        panic!("words are an object")
    };
    Asking::of(scheme, &words)
}

fn of(words: Value) -> Asking {
    asking(Scheme::Oauth2, words).unwrap_or_else(|reason| panic!("{reason}"))
}

fn sent(words: Value) -> (Outgoing, String) {
    let outgoing = of(words).ask("https://login.example/token".to_owned(), "north");
    let body = String::from_utf8(outgoing.body.clone()).unwrap();
    (outgoing, body)
}

const AUTHORITY: &str = "https://login.example/realms/one";

fn client() -> Value {
    json!({
        "authority": AUTHORITY,
        "grant": "client_credentials",
        "client": { "id": "a b", "secret": "s:é&" },
    })
}

fn with(mut words: Value, more: Value) -> Value {
    let (Value::Object(members), Value::Object(more)) = (&mut words, more) else {
        panic!("objects")
    };
    members.extend(more);
    words
}

#[test]
fn a_client_says_who_it_is_in_each_way() {
    let (outgoing, body) = sent(client());
    assert_eq!(
        body,
        "grant_type=client_credentials&client_id=a%20b&client_secret=s%3A%C3%A9%26"
    );
    assert_eq!(outgoing.method, "POST");
    assert!(outgoing.credential.is_none() && !outgoing.follow);
    let basic = json!({ "id": "a b", "secret": "s:é&", "authentication": "client_secret_basic" });
    let (outgoing, body) = sent(with(client(), json!({ "client": basic })));
    assert_eq!(body, "grant_type=client_credentials");
    let Some(Credential::Basic(id, secret)) = outgoing.credential else {
        panic!("a basic credential")
    };
    assert_eq!(
        (id.as_str(), secret),
        ("a%20b", Secret::new("s%3A%C3%A9%26"))
    );
    let signed = json!({ "id": "a", "assertion": "x.y.z", "authentication": "private_key_jwt" });
    let (_, body) = sent(with(client(), json!({ "client": signed })));
    assert!(body.contains("client_assertion=x.y.z&") || body.ends_with("client_assertion=x.y.z"));
    assert!(
        body.contains("client_assertion_type=urn%3Aietf%3Aparams"),
        "{body}"
    );
    let public = json!({ "id": "a", "authentication": "none" });
    let (_, body) = sent(with(client(), json!({ "client": public })));
    assert_eq!(body, "grant_type=client_credentials&client_id=a");
}

#[test]
fn a_grant_says_what_it_needs() {
    let scopes = json!({ "scopes": ["read", "write"], "audiences": ["homes", "people"] });
    let (_, body) = sent(with(client(), scopes));
    assert!(
        body.starts_with(
            "grant_type=client_credentials&scope=read%20write&audience=homes%20people&"
        ),
        "{body}"
    );
    let password = json!({ "grant": "password", "username": "kim", "password": "pw" });
    let (_, body) = sent(with(json!({ "authority": AUTHORITY }), password));
    assert_eq!(body, "grant_type=password&username=kim&password=pw");
    let exchange = json!({
        "grant": EXCHANGE,
        "subject": { "token": "t1", "type": "urn:x" },
        "actor": { "token": "t2", "type": "urn:y" },
    });
    let (_, body) = sent(with(client(), exchange));
    assert!(
        body.contains("&subject_token=t1&subject_token_type=urn%3Ax&actor_token=t2&"),
        "{body}"
    );
    let json_sent = json!({ "request": { "encoding": "application/json" } });
    let (outgoing, body) = sent(with(client(), json_sent));
    let said: Value = serde_json::from_str(&body).unwrap();
    let expected = json!({
        "grant_type": "client_credentials", "client_id": "a b", "client_secret": "s:é&",
    });
    assert_eq!(said, expected);
    let kind = ("content-type".to_owned(), "application/json".to_owned());
    assert!(outgoing.headers.contains(&kind));
}

#[test]
fn the_endpoint_is_where_the_language_says() {
    let place = |scheme, words: Value| match asking(scheme, words).map(|it| it.endpoint()) {
        Ok(Endpoint::Known(url)) => url,
        Ok(Endpoint::Described(url)) => format!("? {url}"),
        Err(reason) => reason,
    };
    let at = |authority: &str| with(client(), json!({ "authority": authority }));
    let path = |words, path: &str| with(words, json!({ "endpoints": { "token": path } }));
    let described = format!("? {AUTHORITY}{DESCRIPTION}");
    let whole = format!("{AUTHORITY}{DESCRIPTION}");
    for (scheme, words, expected) in [
        (
            Scheme::Oauth2,
            client(),
            format!("{AUTHORITY}/oauth2/token"),
        ),
        (
            Scheme::Oauth2,
            at("https://a.example/"),
            "https://a.example/oauth2/token".to_owned(),
        ),
        (
            Scheme::Oauth2,
            path(client(), "/auth/token"),
            format!("{AUTHORITY}/auth/token"),
        ),
        (
            Scheme::Oauth2,
            path(client(), "auth/token"),
            format!("{AUTHORITY}/auth/token"),
        ),
        (
            Scheme::Oauth2,
            path(client(), "https://b.example/t"),
            "https://b.example/t".to_owned(),
        ),
        (Scheme::Oauth2, at(&whole), described.clone()),
        (
            Scheme::Oauth2,
            path(at(&whole), "/t"),
            format!("{AUTHORITY}/t"),
        ),
        (Scheme::Oidc, client(), described.clone()),
        (
            Scheme::Oidc,
            at(&format!("{AUTHORITY}/")),
            described.clone(),
        ),
        (Scheme::Oidc, at(&whole), described),
    ] {
        assert_eq!(place(scheme, words), expected);
    }
}

#[test]
fn what_is_missing_or_of_another_kind_is_named_without_its_value() {
    for (more, named) in [
        (json!({ "authority": null }), "`authority`"),
        (json!({ "grant": "implicit-7f3a" }), "`grant`"),
        (json!({ "client": { "secret": "7f3a" } }), "`client.id`"),
        (
            json!({ "client": { "id": "a", "secret": 73 } }),
            "`client.secret`",
        ),
        (json!({ "client": {} }), "`client.id`"),
        (
            json!({ "client": { "id": "a", "authentication": "client_secret_basic" } }),
            "`client.secret`",
        ),
        (
            json!({ "client": { "id": "a", "authentication": "private_key_jwt" } }),
            "`client.assertion`",
        ),
        (
            json!({ "client": { "id": "a", "authentication": "client_secret_jwt" } }),
            "`client.authentication`",
        ),
        (
            json!({ "request": { "encoding": "xml" } }),
            "`request.encoding`",
        ),
        (json!({ "scopes": "read" }), "`scopes`"),
        (
            json!({ "grant": "password", "username": "7f3a" }),
            "`password`",
        ),
        (
            json!({ "grant": EXCHANGE, "subject": { "token": "7f3a" } }),
            "`subject.type`",
        ),
    ] {
        let reason = asking(Scheme::Oauth2, with(client(), more)).err().unwrap();
        assert!(reason.contains(named), "{named}: {reason}");
        assert!(!reason.contains("7f3a"), "{reason}");
    }
}

fn answered(status: u16, body: &str) -> Result<Token, Unanswered> {
    given(&client(), status, body)
}

fn given(words: &Value, status: u16, body: &str) -> Result<Token, Unanswered> {
    of(words.clone()).given(&Answer {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    })
}

#[test]
fn a_token_lives_as_long_as_it_is_told() {
    for (body, life) in [
        (
            r#"{"access_token":"t","expires_in":300,"token_type":"Bearer"}"#,
            300,
        ),
        (
            r#"{"access_token":"t","expires_in":"90","token_type":"bearer"}"#,
            90,
        ),
        (r#"{"access_token":"t"}"#, 60),
        (r#"{"access_token":"t","expires_in":-5}"#, 0),
        (r#"{"access_token":"t","expires_in":1e300}"#, 60),
        (r#"{"access_token":"t","expires_in":99999999}"#, 24 * 3600),
    ] {
        let token = answered(200, body).unwrap_or_else(|_| panic!("{body}"));
        assert_eq!(token.life, Duration::from_secs(life), "{body}");
    }
}

#[test]
fn what_an_authority_says_is_not_repeated() {
    let text = |answer: Result<Token, Unanswered>| match answer {
        Err(Unanswered::NotKnown(sentence)) => format!("401 {sentence}"),
        Err(Unanswered::NoToken(status, sentence)) => format!("{status} {sentence}"),
        _ => panic!("another answer"),
    };
    for (status, body, expected) in [
        (
            400,
            r#"{"error":"invalid_client","error_description":"7f3a"}"#,
            "401 the token endpoint refused this client: 400 (invalid_client)",
        ),
        (
            401,
            r#"{"error":"7f3a"}"#,
            "401 the token endpoint refused this client: 401",
        ),
        (
            403,
            "7f3a",
            "401 the token endpoint refused this client: 403",
        ),
        (404, "", "404 the token endpoint answered 404"),
        (302, "7f3a", "302 the token endpoint answered 302"),
        (503, "7f3a", "503 the token endpoint answered 503"),
        (200, "7f3a", "502 the token endpoint gave no `access_token`"),
        (
            200,
            r#"{"access_token":7}"#,
            "502 the token endpoint gave no `access_token`",
        ),
        (
            200,
            r#"{"access_token":"7f3a","token_type":"mac"}"#,
            "502 the token endpoint gave a token that is no bearer token",
        ),
    ] {
        assert_eq!(text(answered(status, body)), expected);
    }
}

#[test]
fn a_token_of_another_issuer_is_not_used() {
    let words = with(client(), json!({ "issuers": ["https://login.example"] }));
    // {"iss":"https://login.example"} and {"iss":"https://evil.example"}
    let own = "e30.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUifQ.sig";
    let other = "e30.eyJpc3MiOiJodHRwczovL2V2aWwuZXhhbXBsZSJ9.sig";
    let body = |token: &str| json!({ "access_token": token }).to_string();
    assert!(given(&words, 200, &body(own)).is_ok());
    for token in [other, "opaque", "e30.!!.sig", "e30.e30.sig"] {
        let refused = given(&words, 200, &body(token));
        assert!(matches!(refused, Err(Unanswered::NotKnown(_))), "{token}");
    }
}

#[test]
fn a_description_names_the_endpoint() {
    let described = |status, body: &str| {
        Asking::described(&Answer {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        })
    };
    let body = r#"{"issuer":"x","token_endpoint":"https://b.example/t"}"#;
    assert_eq!(described(200, body).as_deref(), Ok("https://b.example/t"));
    for (status, body) in [
        (200, "{}"),
        (200, "7f3a"),
        (404, body),
        (302, body),
        (204, ""),
    ] {
        assert!(matches!(
            described(status, body),
            Err(Unanswered::NoToken(300..=599, _))
        ));
    }
}
