//! A calendar that changes, by API and console: what is due says where it comes from, an
//! administrator sees what would move, and decides. It is Monday 23 November 2026, noon.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::agency::{Agency, pack_files};
use crate::browser::Browser;

const VISIT: &str = "
document:
  dsl: '1.0.3'
  namespace: little
  name: visit
  version: '1.0.0'
do:
  - visit:
      call: human-task
      with: { title: Visit the family, assign: { role: case-worker }, due: 2 business days }
";

const CALENDARS: &str = "
calendars:
  qld: qld.ics
  early: { file: qld.ics, workingDays: [ monday, tuesday ] }
calendar: qld
whenCalendarsChange: ask
";

const BEFORE: &str = "2026-11-25T13:59:59.999Z";
const AFTER: &str = "2026-11-26T13:59:59.999Z";
const CHANGES: &str = "/api/v1/calendars/changes";

/// The agency's pack with calendars; these days of November are holidays.
fn pack(holidays: &[u8]) -> Value {
    let mut files: BTreeMap<_, _> = pack_files().into_iter().collect();
    let text = format!("{}{CALENDARS}", files["pack.yaml"]);
    files.insert("pack.yaml".to_owned(), text);
    files.insert("visit.yaml".to_owned(), VISIT.to_owned());
    let events = holidays.iter().map(|day| {
        format!(
            "BEGIN:VEVENT\r\nUID:{day}\r\nDTSTART;VALUE=DATE:202611{day}\r\nSUMMARY:Show day\r\n\
             END:VEVENT\r\n"
        )
    });
    let events: Vec<_> = events.collect();
    let ical = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n{}END:VCALENDAR\r\n",
        events.concat()
    );
    files.insert("qld.ics".to_owned(), ical);
    json!({ "files": files })
}

/// An agency with an open task, whose calendar has changed since.
async fn changed(agency: &Agency) -> Value {
    let (alex, casey) = (agency.client("alex").await, agency.client("casey").await);
    alex.post("/api/v1/packs", &pack(&[])).await.is(201);
    let start = json!({"workflow": "visit"});
    let started = casey.post("/api/v1/instances", &start).await;
    let item = casey.item(&started.is(201).json(), "visit").await;
    assert_eq!(item["due"], BEFORE);
    assert_eq!(item["deadline"]["rule"], "2 business days");
    assert_eq!(item["deadline"]["from"], "2026-11-23T02:00:00Z");
    assert_eq!(item["deadline"]["calendar"], "qld");
    alex.post("/api/v1/packs", &pack(&[24])).await.is(201);
    item
}

#[tokio::test]
async fn an_administrator_sees_what_would_move_and_decides() {
    let agency = Agency::open().await;
    let item = changed(&agency).await;
    let (alex, casey) = (agency.client("alex").await, agency.client("casey").await);
    casey.get(CHANGES).await.problem(403, "not-assigned");
    let list = alex.get(CHANGES).await.is(200).json();
    let change = list["items"].as_array().unwrap().iter();
    let change = change.clone().find(|one| one["calendar"] == "qld").unwrap();
    assert_eq!(
        (&change["state"], &change["policy"]),
        (&json!("asked"), &json!("ask"))
    );
    let lines = alex.get(&format!("{CHANGES}/qld")).await.is(200).json();
    let line = &lines["items"][0];
    assert_eq!(line["workItem"], item["id"]);
    assert_eq!(
        (&line["due"], &line["newDue"]),
        (&json!(BEFORE), &json!(AFTER))
    );
    let apply = format!("{CHANGES}/qld/apply");
    let reason = json!({"reason": "The council has moved the day"});
    casey
        .post(&apply, &reason)
        .await
        .problem(403, "not-assigned");
    let empty = json!({"reason": " "});
    alex.post(&apply, &empty)
        .await
        .problem(422, "invalid-input");
    let other = format!("{CHANGES}/vic/apply");
    alex.post(&other, &reason)
        .await
        .problem(409, "no-calendar-change");
    alex.post(&apply, &reason).await.is(200);
    agency.engine.quiet().await.unwrap();
    let id = item["id"].as_str().unwrap();
    let moved = casey.get(&format!("/api/v1/work-items/{id}")).await.json();
    assert_eq!(moved["due"], AFTER);
    assert_eq!(moved["deadline"]["moved"]["from"], BEFORE);
    let case = item["case"].as_str().unwrap();
    let timeline = casey.get(&format!("/api/v1/cases/{case}/timeline")).await;
    timeline.shows(&["moved, since the calendar “Qld” changed."]);
}

#[tokio::test]
async fn the_page_shows_both_moments_and_keeps_with_a_reason() {
    let agency = Agency::open().await;
    let item = changed(&agency).await;
    let casey = Browser::signed_in(&agency, "casey").await;
    casey.get("/admin/calendars").await.is(403);
    let task = format!("/tasks/{}", item["id"].as_str().unwrap());
    casey
        .get(&task)
        .await
        .shows(&["2 business days from Mon 23 Nov 2026, calendar qld"]);
    let alex = Browser::signed_in(&agency, "alex").await;
    alex.get("/admin/calendars")
        .await
        .is(200)
        .shows(&["/admin/calendars/qld", "Somebody has to decide"]);
    let page = alex.get("/admin/calendars/qld").await;
    page.is(200)
        .shows(&["Wed 25 Nov 2026", "Thu 26 Nov 2026", "2 business days from"]);
    let (apply, keep) = ("/admin/calendars/qld/apply", "/admin/calendars/qld/keep");
    let silent = alex.press(&page, apply, keep, &[("reason", "")]).await;
    silent.is(422).shows(&["Say in a few words why"]);
    let why = [("reason", "Families were told <already>")];
    let kept = alex.press(&page, apply, keep, &why).await;
    alex.follow(&kept)
        .await
        .is(200)
        .shows(&["open due dates stayed (Families were told &#60;already&#62;)"]);
    agency.engine.quiet().await.unwrap();
    let client = agency.client("casey").await;
    let id = item["id"].as_str().unwrap();
    let same = client.get(&format!("/api/v1/work-items/{id}")).await.json();
    assert_eq!(same["due"], BEFORE);
}

#[tokio::test]
async fn a_case_counts_its_days_by_the_calendar_it_is_given() {
    let agency = Agency::open().await;
    let (alex, casey) = (agency.client("alex").await, agency.client("casey").await);
    alex.post("/api/v1/packs", &pack(&[])).await.is(201);
    let start = |calendar: &str| json!({"workflow": "visit", "calendar": calendar});
    let unknown = casey.post("/api/v1/instances", &start("erly")).await;
    unknown
        .problem(422, "unknown-calendar")
        .shows(&["there are: early, qld"]);
    let started = casey.post("/api/v1/instances", &start("early")).await;
    let started = started.is(201).json();
    let item = casey.item(&started, "visit").await;
    assert_eq!(item["due"], "2026-11-30T13:59:59.999Z", "Tuesday, Monday");
    let path = format!(
        "/api/v1/cases/{}/calendar",
        started["case"].as_str().unwrap()
    );
    let shown = casey.get(&path).await.is(200).json();
    assert_eq!(shown["calendar"], "early");
    let browser = Browser::signed_in(&agency, "casey").await;
    let page = format!("/cases/{}", started["case"].as_str().unwrap());
    browser.get(&page).await.shows(&["the calendar early"]);
    let lee = agency.client("lee").await;
    lee.post(&path, &json!({"calendar": "qld"}))
        .await
        .problem(403, "not-assigned");
    casey.post(&path, &json!({"calendar": "qld"})).await.is(200);
    casey.post(&path, &json!({"calendar": null})).await.is(200);
    casey
        .post(&path, &json!({"calendar": "none"}))
        .await
        .problem(422, "unknown-calendar");
    // The page of the case offers it to whoever may, and nobody else.
    let of_case = format!("/cases/{}", started["case"].as_str().unwrap());
    let form = browser.get(&of_case).await;
    form.is(200)
        .shows(&["Count the days of this case by another calendar"]);
    let action = format!("{of_case}/calendar");
    let chosen = [("calendar", "early")];
    let sent = browser.submit(&form, &action, &chosen).await;
    let told = browser.follow(&sent).await;
    told.is(200).shows(&[
        "The calendar of the case was saved",
        "the calendar early",
        "<option value=\"early\" selected>",
    ]);
    assert_eq!(casey.get(&path).await.json()["calendar"], "early");
    let back = browser.submit(&told, &action, &[("calendar", "")]).await;
    let told = browser.follow(&back).await;
    told.is(200).lacks(&["the calendar early"]);
    let unknown = browser
        .submit(&told, &action, &[("calendar", "none")])
        .await;
    unknown.is(422);
    let other = Browser::signed_in(&agency, "lee").await;
    let page = other.get(&of_case).await;
    page.is(200).lacks(&["by another calendar"]);
    // On the page a new case is asked for it where there is a choice.
    let page = browser.get("/start/visit").await;
    page.shows(&[
        "Days of this case are counted by",
        "<option value=\"early\"",
    ]);
    let chosen = [("_calendar", "early")];
    let sent = browser.submit(&page, "/start/visit", &chosen).await;
    let task = browser.follow(&sent).await;
    task.shows(&["Mon 30 Nov 2026", "calendar early"]);
}
