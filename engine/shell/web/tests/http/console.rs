//! The console without a script: sign in, ask, see oneself barred, decide, read the timeline.

use std::sync::atomic::Ordering;

use axum::http::header;

use crate::agency::{Agency, PASSPHRASE};
use crate::browser::{Browser, hidden};

#[tokio::test]
async fn the_story_is_told_with_plain_forms() {
    let agency = Agency::open().await;
    let casey = Browser::signed_in(&agency, "casey").await;

    let start = casey.get("/start/help").await;
    start.is(200).shows(&["<h1>Help for a family</h1>"]);
    let task = casey
        .follow(&casey.submit(&start, "/start/help", &[]).await)
        .await;
    task.is(200).shows(&[
        "<h1><bdi>Ask for help</bdi></h1>",
        "role=\"status\"",
        "Take this task",
    ]);
    let request = action(&task.text, "/claim");
    let task = casey
        .follow(&casey.submit(&task, &format!("{request}/claim"), &[]).await)
        .await;
    task.is(200)
        .shows(&["What is it?", "Save and finish", "Give this task back"]);

    // Nothing that was typed is lost when something is missing.
    let complete = format!("{request}/complete");
    let typed = [
        ("what", ""),
        ("why", "For <Amira>"),
        ("money", "1,300"),
        ("_outcome", "done"),
    ];
    let wrong = casey.submit(&task, &complete, &typed).await;
    wrong.is(422).shows(&[
        "<title>Error: Ask for help",
        "There is a problem",
        "<a href=\"#f-what\">",
        "For &#60;Amira&#62;</textarea>",
    ]);
    let typed = [
        ("what", "A bed"),
        ("why", ""),
        ("money", "1300"),
        ("_outcome", "done"),
    ];
    let done = casey
        .follow(&casey.submit(&wrong, &complete, &typed).await)
        .await;
    done.is(200)
        .shows(&["This task is closed", "Your answer was saved."]);

    // Who asked is told why they cannot decide, and finds no button that could.
    let queue = casey.get("/tasks").await;
    queue
        .is(200)
        .shows(&["Help for LA-2026-00001", "Due this week"])
        .lacks(&["/claim\""]);
    let decision = link(&queue.text, "/tasks/", "Help for LA-2026-00001");
    let barred = casey.get(&decision).await;
    barred
        .is(200)
        .shows(&["You cannot decide this"])
        .lacks(&["_outcome", "/claim"]);

    let lee = Browser::signed_in(&agency, "lee").await;
    let task = lee.get(&decision).await;
    task.is(200).shows(&[
        "<dt>Amount</dt><dd><bdi>$1,300.00</bdi>",
        "Family help</th><td class=\"number\" data-label=\"Left\">$3,700.00",
        "Casey Brown started “Help for a family”.",
        "Casey Brown finished “Ask for help”.",
    ]);
    let task = lee
        .follow(&lee.submit(&task, &format!("{decision}/claim"), &[]).await)
        .await;
    let complete = format!("{decision}/complete");
    let unsaid = lee
        .submit(
            &task,
            &complete,
            &[("_outcome", "decline"), ("_comment", " ")],
        )
        .await;
    unsaid
        .is(422)
        .shows(&["Enter a reason to decline", "href=\"#comment\""]);
    let enter = lee
        .submit(&unsaid, &complete, &[("_comment", "Good plan")])
        .await;
    enter.is(422).shows(&[
        "Choose an answer: approve, decline, ask for changes",
        "Good plan",
    ]);
    let pairs = [("_outcome", "approve"), ("_comment", "Good plan")];
    let done = lee.submit(&enter, &complete, &pairs).await;
    // The same click again is the same request: one decision, the same answer.
    let again = lee.submit(&enter, &complete, &pairs).await;
    assert_eq!(
        done.is(303).header("location"),
        again.is(303).header("location")
    );

    let case = link(&queue.text, "/cases/", "LA-2026-00001");
    let case = lee.get(&case).await;
    case.is(200).shows(&[
        "<h1>Case LA-2026-00001</h1>",
        "Lee Tanaka approved “Help for LA-2026-00001”.",
        "Good plan",
        "Money was paid out (Family help).",
        "“Help for a family” came to its end.",
        "Today, Monday 23 November 2026",
        "No open tasks.",
    ]);
    case.lacks(&["payload", "resume", "looked at this case."]);
    let words = case.text.replace("href=\"/instances/", "");
    assert!(!words.contains("nstance"), "a word of programs in {words}");
    let drawn = link(&case.text, "/instances/", "Help for a family");
    let drawn = lee.get(&drawn).await;
    drawn
        .is(200)
        .shows(&["<svg ", "<h2 id=\"steps\">All steps</h2>", ">Done<"]);
    drawn.lacks(&["Here now", "Good plan"]);
    lee.get("/instances/i-nobodys").await.is(404);
    let one_decision = case.text.matches("Lee Tanaka approved").count();
    assert_eq!(one_decision, 1);
}

#[tokio::test]
async fn changes_asked_for_come_back_in_a_filled_form() {
    let agency = Agency::open().await;
    let (api, lee) = (agency.client("casey").await, agency.client("lee").await);
    let instance = api.ask(130_000).await;
    let item = lee.item(&instance, "decision").await;
    lee.claim(&item).await.is(200);
    let back = serde_json::json!({"outcome": "ask-for-changes", "comment": "Cheaper?"});
    lee.complete(&item, &back).await.is(200);
    let item = api.item(&instance, "request").await;
    api.claim(&item).await.is(200);
    let casey = Browser::signed_in(&agency, "casey").await;
    let page = casey
        .get(&format!("/tasks/{}", item["id"].as_str().unwrap()))
        .await;
    page.is(200).shows(&[
        "<dt>Changes asked for</dt><dd><bdi>Cheaper?</bdi>",
        "value=\"A bed &#60;b&#62;now&#60;/b&#62;\"",
        "value=\"1300.00\"",
        "Lee Tanaka asked for changes to “Help for LA-2026-00001”.",
    ]);
    page.lacks(&["<b>now"]);
}

#[tokio::test]
async fn a_lost_race_is_a_page_with_the_reason() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let instance = casey.ask(1_000).await;
    let item = casey.item(&instance, "decision").await;
    let path = format!("/tasks/{}", item["id"].as_str().unwrap());
    let (lee, sam) = (
        Browser::signed_in(&agency, "lee").await,
        Browser::signed_in(&agency, "sam").await,
    );
    let (for_lee, for_sam) = (lee.get(&path).await, sam.get(&path).await);
    let claim = format!("{path}/claim");
    lee.submit(&for_lee, &claim, &[]).await.is(303);
    let late = sam.submit(&for_sam, &claim, &[]).await;
    late.is(409).shows(&[
        "Somebody else has this task",
        "Taken by <bdi>Lee Tanaka</bdi>",
    ]);
    late.lacks(&["/claim\"", "/complete"]);

    // Lee answers in one window what the other window has answered already.
    let complete = format!("{path}/complete");
    let window = lee.get(&path).await;
    let other = lee.get(&path).await;
    lee.submit(&window, &complete, &[("_outcome", "approve")])
        .await
        .is(303);
    let pairs = [("_outcome", "decline"), ("_comment", "Not needed")];
    let late = lee.submit(&other, &complete, &pairs).await;
    late.is(409).shows(&[
        "This has been decided",
        "What you had entered",
        "Not needed",
    ]);
}

#[tokio::test]
async fn sessions_begin_at_sign_in_and_end_at_sign_out() {
    let agency = Agency::open().await;
    let stranger = Browser::new(&agency);
    let answer = stranger.get("/tasks?view=mine").await;
    assert_eq!(
        answer.is(303).header("location"),
        "/sign-in?return_to=/tasks%3Fview%3Dmine"
    );
    let pairs = [
        ("name", "casey"),
        ("passphrase", "wrong"),
        ("return_to", "/cases"),
    ];
    let wrong = stranger.send_pairs("/sign-in", &pairs).await;
    wrong.is(422).shows(&[
        "<title>Error: Sign in",
        "value=\"casey\"",
        "value=\"/cases\"",
    ]);
    wrong.lacks(&["value=\"wrong\""]);
    assert!(!wrong.headers.contains_key(header::SET_COOKIE));
    let pairs = [
        ("name", " Casey "),
        ("passphrase", PASSPHRASE),
        ("return_to", "//evil.example"),
    ];
    let right = stranger.send_pairs("/sign-in", &pairs).await;
    assert_eq!(right.is(303).header("location"), "/tasks");
    assert!(
        right
            .header("set-cookie")
            .ends_with("; Path=/; HttpOnly; SameSite=Lax")
    );

    let first = Browser::signed_in(&agency, "casey").await;
    let page = first.get("/tasks").await;
    page.is(200).shows(&["Signed in as <bdi>Casey Brown</bdi>"]);
    // Signing in again ends the session before it.
    let pairs = [("name", "casey"), ("passphrase", PASSPHRASE)];
    let again = first.send_pairs("/sign-in", &pairs).await;
    assert!(!again.header("set-cookie").starts_with(&first.cookie));
    first.get("/tasks").await.is(303);

    let second = Browser::signed_in(&agency, "casey").await;
    let page = second.get("/tasks").await;
    let out = second.submit(&page, "/sign-out", &[]).await;
    assert_eq!(out.is(303).header("location"), "/sign-in");
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    second.get("/tasks").await.is(303);

    // A form sent after that does nothing, and shows what was typed.
    let late = [
        ("_token", "x"),
        ("_comment", "My <reason>"),
        ("what", "A bed"),
    ];
    let answer = second.send_pairs("/tasks/w-1/complete", &late).await;
    answer
        .is(401)
        .shows(&["Your sign-in has ended", "My &#60;reason&#62;", "A bed"]);
    answer.shows(&["href=\"/sign-in?return_to=/tasks/w-1\""]);
}

#[tokio::test]
async fn pages_that_are_not_there_are_plain_pages() {
    let agency = Agency::open().await;
    let casey = Browser::signed_in(&agency, "casey").await;
    casey
        .get("/tasks/w-0")
        .await
        .is(404)
        .shows(&["<h1>Page not found</h1>"]);
    casey
        .get("/cases/c-0")
        .await
        .is(404)
        .shows(&["<h1>Page not found</h1>"]);
    casey.get("/start/nothing").await.is(404);
    casey
        .get("/nowhere")
        .await
        .is(404)
        .shows(&["<h1>Page not found</h1>"]);
    casey.get("/tasks?cursor=%FF&view=%00").await;
    let refused = casey.send_pairs("/cases", &[]).await;
    refused
        .is(405)
        .shows(&["<h1>This address cannot be used that way</h1>"]);
    let lee = Browser::signed_in(&agency, "lee").await;
    let start = lee.get("/start/help").await;
    let refused = lee.submit(&start, "/start/help", &[]).await;
    refused.is(403).shows(&["This is not yours to decide"]);
    assert!(!hidden(&refused, "/start/help").is_empty());
}

#[tokio::test]
async fn a_full_disk_is_said_and_reading_goes_on() {
    let agency = Agency::open().await;
    let casey = Browser::signed_in(&agency, "casey").await;
    let api = agency.client("casey").await;
    let page = casey.get("/start/help").await;
    // Under the reserve for changes, above that for the record of who looked.
    agency.room.store(40 * 1024 * 1024, Ordering::SeqCst);
    let full = casey.submit(&page, "/start/help", &[]).await;
    full.is(507).shows(&[
        "The service cannot save anything at the moment",
        "Nothing was changed.",
    ]);
    let body = serde_json::json!({"workflow": "help"});
    api.post("/api/v1/instances", &body)
        .await
        .problem(507, "disk-full");
    casey.get("/tasks").await.is(200);
    casey.get("/cases").await.is(200);
    agency.room.store(u64::MAX, Ordering::SeqCst);
    casey.submit(&full, "/start/help", &[]).await.is(303);
}

/// The address of the form whose action ends so, without the end.
fn action(page: &str, end: &str) -> String {
    let actions = page
        .split("action=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap());
    let mut found = actions.filter_map(|action| action.strip_suffix(end));
    found
        .next()
        .unwrap_or_else(|| panic!("no {end} in {page}"))
        .to_owned()
}

/// The address of the link with this prefix and text.
fn link(page: &str, prefix: &str, text: &str) -> String {
    let start = format!("href=\"{prefix}");
    let found = page.split(&start).skip(1).find_map(|rest| {
        let (id, rest) = rest.split_once('"')?;
        rest.split("</a>")
            .next()?
            .contains(text)
            .then(|| format!("{prefix}{id}"))
    });
    found.unwrap_or_else(|| panic!("no link {prefix} {text} in {page}"))
}
