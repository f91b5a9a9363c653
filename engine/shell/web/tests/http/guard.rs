//! What holds for every answer: headers, no cross-site forms, and a GET that never decides.

use std::io::{self, Write};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::agency::Agency;
use crate::browser::{Browser, hidden};

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let agency = Agency::open().await;
    let casey = Browser::signed_in(&agency, "casey").await;
    let style = casey.get("/tasks").await;
    let style = style
        .text
        .split("href=\"/assets/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let style = format!("/assets/{style}");
    for path in [
        "/tasks",
        "/cases",
        "/start",
        "/nowhere",
        "/sign-in",
        &style,
        "/assets/none.css",
        "/api/v1/cases",
        "/api/v1/none",
        "/openapi.json",
        "/healthz",
        "/metrics",
    ] {
        let answer = casey.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        let cache = if path == style {
            "public, max-age=31536000, immutable"
        } else {
            "no-store"
        };
        assert_eq!(answer.header("cache-control"), cache, "{path}");
    }
    let page = casey.get("/tasks").await;
    page.lacks(&["<style", " style=", "onclick", "javascript:"]);
    assert_eq!(page.text.matches("<script").count(), 1);
}

#[tokio::test]
async fn forms_from_elsewhere_do_nothing() {
    let agency = Agency::open().await;
    let (casey, lee) = (
        Browser::signed_in(&agency, "casey").await,
        Browser::signed_in(&agency, "lee").await,
    );
    let page = casey.get("/start/help").await;
    let fields = hidden(&page, "/start/help");
    let fields: Vec<_> = fields
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let before = agency.state();
    for headers in [
        &[][..],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[
            ("origin", "http://127.0.0.1:8080"),
            ("sec-fetch-site", "cross-site"),
        ],
    ] {
        let answer = casey.send_with("/start/help", &fields, headers).await;
        answer.is(403).shows(&["This form cannot be used"]);
        let cookie = Request::post("/api/v1/instances")
            .header("cookie", &casey.cookie)
            .header("content-type", "application/json");
        let cookie = headers
            .iter()
            .fold(cookie, |request, (a, b)| request.header(*a, *b));
        let body = Body::from(r#"{"workflow": "help"}"#);
        agency
            .send(cookie.body(body).unwrap())
            .await
            .problem(403, "cross-origin");
        let pairs = [("name", "casey"), ("passphrase", crate::agency::PASSPHRASE)];
        casey.send_with("/sign-in", &pairs, headers).await.is(403);
    }
    // One's own page with somebody else's token, or with none.
    lee.send_pairs("/start/help", &fields).await.is(403);
    casey
        .send_pairs("/start/help", &[("_key", "k")])
        .await
        .is(403);
    assert_eq!(agency.state(), before);
    casey
        .send_with(
            "/start/help",
            &fields,
            &[("origin", "http://127.0.0.1:8080")],
        )
        .await
        .is(303);
    assert_ne!(agency.state(), before);
}

#[tokio::test]
async fn a_page_of_this_site_may_use_the_api_with_its_cookie() {
    let agency = Agency::open().await;
    let casey = Browser::signed_in(&agency, "casey").await;
    let request = Request::post("/api/v1/instances")
        .header("cookie", &casey.cookie)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/json");
    let request = request.body(Body::from(r#"{"workflow": "help"}"#)).unwrap();
    agency.send(request).await.is(201);
}

#[tokio::test]
async fn get_never_decides() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let instance = casey.ask(1_000).await;
    let item = casey.item(&instance, "decision").await;
    let (item, case) = (
        item["id"].as_str().unwrap(),
        instance["case"].as_str().unwrap(),
    );
    let id = instance["id"].as_str().unwrap();
    let document = casey.get("/openapi.json").await.json();
    let api = document["paths"].as_object().unwrap().keys().map(|path| {
        let id = match path.split('/').nth(3) {
            Some("cases") => case,
            Some("work-items") => item,
            _ => id,
        };
        path.replace("{id}", id)
    });
    let console = [
        "/",
        "/sign-in",
        "/sign-out",
        "/tasks",
        "/tasks/counts",
        "/start",
        "/start/help",
        "/cases",
    ];
    let pages = [
        "",
        "/claim",
        "/release",
        "/complete",
        "?done=sent",
        "/complete?_outcome=approve",
    ];
    let paths: Vec<String> = api
        .chain(console.map(str::to_owned))
        .chain(pages.map(|end| format!("/tasks/{item}{end}")))
        .chain(["", "?show=all"].map(|end| format!("/cases/{case}{end}")))
        .collect();
    assert!(paths.len() > 28);
    let lee = Browser::signed_in(&agency, "lee").await;
    let before = agency.state();
    for path in &paths {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let request = Request::builder().method(method).uri(path);
            let request = request.header("cookie", &lee.cookie).body(Body::empty());
            let answer = agency.send(request.unwrap()).await;
            assert!(answer.status.as_u16() < 500, "{method} {path}");
        }
    }
    assert_eq!(agency.state(), before);
}

/// What the log was told.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_is_told_the_route_and_why_a_request_was_not_served() {
    let lines = Lines::default();
    let kept = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || kept.clone());
    let _heard = tracing::subscriber::set_default(subscriber.finish());
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let case = casey.start().await["case"].as_str().unwrap().to_owned();
    casey.get(&format!("/api/v1/cases/{case}?about=Mai")).await;
    // Under the reserve for changes, above that for the record of who looked.
    agency.room.store(40 * 1024 * 1024, Ordering::SeqCst);
    let body = json!({"workflow": "help"});
    let full = casey.post("/api/v1/instances", &body).await;
    full.problem(507, "disk-full");
    let odd = Request::builder()
        .method("OTTOLINE")
        .uri("/api/v1/ottoline");
    agency.send(odd.body(Body::empty()).unwrap()).await;
    let said = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for line in [
        "DEBUG casewright_web::guard: request method=\"GET\" route=\"/api/v1/cases/{id}\" status=",
        "WARN casewright_web::guard: refused method=\"POST\" route=\"/api/v1/instances\" \
         status=507 code=\"disk-full\"",
        "request method=\"other\" route=\"none\" status=404",
    ] {
        assert!(said.contains(line), "{line} is missing in {said}");
    }
    let told = said
        .lines()
        .filter(|line| line.contains("casewright_web::"));
    let told: String = told.collect();
    for word in [case.as_str(), "about", "Mai", "ttoline", "OTTOLINE"] {
        assert!(!told.contains(word), "{word} is in {told}");
    }
}
