//! Whoever stands in a case finds nothing of it behind any door. The doors of the API are those of
//! `/openapi.json`, the pages those of the console's own list: a new one that forgets the wall
//! fails here, and one with a new word in its path asks to be told what it means.

use casewright_runtime::identity::NewUser;
use serde_json::{Value, json};

use crate::agency::{Agency, Answer, Client, PASSPHRASE, pack_files, put_in_force};
use crate::browser::Browser;

const FALL: &str = "
document: { dsl: '1.0.3', namespace: little, name: fall, version: '1.0.0' }
do:
  - fail:
      raise: { error: { type: 'https://little.example/fall', status: 500 } }
";

const RETENTION: &str = "
retention:
  asks: [director]
  decides: [director]
  holds: [director]
  recipients: { department: The department }
  classes: { file: { title: The file, keep: P7Y, from: closed } }
";

/// Kim does everything an agency can ask of somebody, keeping the walls included.
async fn agency() -> Agency {
    let agency = Agency::open().await;
    let files = pack_files();
    let text = &files
        .iter()
        .find(|(path, _)| path == "pack.yaml")
        .unwrap()
        .1;
    let roles = "roles:\n  director: { title: Director, walls: true }\n";
    let pack = format!("{}{RETENTION}", text.replace("roles:\n", roles));
    put_in_force(&agency.engine, &[("pack.yaml", &pack), ("fall.yaml", FALL)]).await;
    let all = ["case-worker", "team-leader", "administrator", "director"];
    for (sign_in, roles) in [
        ("kim", &all[..]),
        ("dana", &["director", "case-worker"][..]),
    ] {
        let user = NewUser {
            agency: "little".to_owned(),
            id: format!("u-{sign_in}"),
            sign_in: sign_in.to_owned(),
            display_name: sign_in.to_uppercase(),
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
            passphrase: PASSPHRASE.to_owned(),
        };
        agency.engine.put_user(user).await.unwrap();
    }
    agency
}

/// A case with something of everything, begun by Kim: what stands for what in paths, and what of
/// the case nobody may see who may not open it.
pub(crate) struct File {
    pub(crate) words: Vec<(&'static str, String)>,
    pub(crate) marks: Vec<String>,
}

pub(crate) fn id(answer: &Answer) -> String {
    let json = answer.is(201).json();
    json["id"].as_str().unwrap().to_owned()
}

async fn file(kim: &Client<'_>) -> File {
    let instance = kim.start().await;
    let case = instance["case"].as_str().unwrap().to_owned();
    let item = kim.item(&instance, "request").await;
    kim.claim(&item).await.is(200);
    let draft = json!({"data": {"what": "A bed for Mai"}, "comment": null});
    kim.draft("PUT", &item, Some(&draft)).await.is(200);
    let fallen = json!({"workflow": "fall", "case": case});
    let fallen = id(&kim.post("/api/v1/instances", &fallen).await);
    let path = format!("/api/v1/cases/{case}");
    let mai = json!({
        "name": "Mai Nguyen", "relation": "parent",
        "address": {"text": "1 Hidden Lane", "confidential": true},
    });
    let person = id(&kim.post(&format!("{path}/persons"), &mai).await);
    let agreed = json!({
        "person": person, "purposes": ["housing"], "recipients": ["register"],
        "what": "Who lives with us", "how": "spoken",
        "givenOn": "2026-01-01", "expiresOn": "2099-12-31",
    });
    let consent = id(&kim.post(&format!("{path}/consents"), &agreed).await);
    let note = json!({"text": "The kettle broke"});
    let note = id(&kim.post(&format!("{path}/notes"), &note).await);
    let headers = [("content-disposition", "attachment; filename=\"kettle.pdf\"")];
    let pdf = b"%PDF-1.7 receipt of a kettle".to_vec();
    let document = format!("{path}/documents?kind=receipt");
    let document = id(&kim.upload(&document, pdf, &headers).await);
    let held = json!({"reason": "A court asks about the kettle"});
    let held = kim.post(&format!("{path}/retention/holds"), &held).await;
    let hold = text(&held.is(201).json()["holds"][0]["id"]);
    let (run, item) = (text(&instance["id"]), text(&item["id"]));
    let number = text(&kim.get(&path).await.json()["number"]);
    let said = [
        "Mai Nguyen",
        "Hidden Lane",
        "kettle",
        "Who lives with us",
        "A bed for Mai",
    ];
    let marks = [
        &case, &number, &run, &fallen, &item, &person, &consent, &note, &document, &hold,
    ];
    File {
        marks: marks
            .into_iter()
            .cloned()
            .chain(said.map(str::to_owned))
            .collect(),
        words: vec![
            ("cases/{id}", case),
            ("instances/{id}", run),
            ("work-items/{id}", item.clone()),
            ("tasks/{id}", item),
            ("{person}", person),
            ("{consent}", consent),
            ("{document}", document),
            ("{hold}", hold),
            ("{workflow}", "help".to_owned()),
            ("{token}", "nobody".to_owned()),
        ]
        .into_iter()
        .chain(elsewhere())
        .collect(),
    }
}

/// Words of paths that are about no case.
pub(crate) fn elsewhere() -> Vec<(&'static str, String)> {
    let words = [
        ("absences/{id}", "none"),
        ("{calendar}", "none"),
        ("{name}", "none"),
        ("{fund}", "help"),
        ("{number}", "0"),
    ];
    words.map(|(word, value)| (word, value.to_owned())).into()
}

/// What is not there for anybody: no calendar changed, and the case has no plan.
fn empty(path: &str) -> bool {
    path.ends_with("/none") || path.contains("/plan")
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl File {
    pub(crate) fn word(&self, name: &str) -> &str {
        let found = self.words.iter().find(|(word, _)| *word == name);
        &found.unwrap().1
    }

    /// The path with what stands for its words; whether it is about this case.
    pub(crate) fn filled(&self, path: &str) -> (String, bool) {
        let mut filled = path.to_owned();
        let mut about = false;
        for (word, value) in &self.words {
            let there = filled.contains(word);
            let none = elsewhere().iter().any(|(other, _)| other == word);
            about |= there && !none && !matches!(*word, "{workflow}" | "{token}");
            let with = match word.strip_suffix("{id}") {
                Some(before) => format!("{before}{value}"),
                None => value.clone(),
            };
            filled = filled.replace(word, &with);
        }
        assert!(
            !filled.contains('{'),
            "{path}: say in `file` what stands for this word, and ask it here"
        );
        (filled, about)
    }

    #[track_caller]
    pub(crate) fn hidden(&self, door: &str, answer: &Answer) {
        let told = self.marks.iter().find(|mark| answer.text.contains(*mark));
        assert_eq!(told, None, "{door} tells of the case: {}", answer.text);
    }

    pub(crate) fn told(&self, answer: &Answer) -> bool {
        self.marks.iter().any(|mark| answer.text.contains(mark))
    }
}

/// Paths of the API with their methods, each filled.
pub(crate) async fn doors(kim: &Client<'_>, file: &File) -> Vec<(String, String, bool)> {
    let document = kim.get("/openapi.json").await.is(200).json();
    let mut doors = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let (filled, about) = file.filled(path);
            doors.push((method.clone(), filled, about));
        }
    }
    assert!(doors.len() > 40, "the document lists the doors");
    doors
}

#[tokio::test]
async fn no_door_shows_anything_of_a_case_to_whoever_stands_in_it() {
    let agency = agency().await;
    let (kim, dana) = (agency.client("kim").await, agency.client("dana").await);
    let file = file(&kim).await;
    let doors = doors(&kim, &file).await;
    let mut telling = 0;
    for (method, path, about) in &doors {
        if method == "get" {
            let before = kim.get(path).await;
            assert!(
                before.status != 404 || empty(path),
                "{path}: there before, so the test sees it go"
            );
            telling += usize::from(!about && file.told(&before));
        }
    }
    assert!(
        telling >= 4,
        "runs, tasks, cases and the feed tell of it before"
    );

    let case = format!("/api/v1/cases/{}", file.word("cases/{id}"));
    let wall = json!({"person": "kim", "reason": "Kim's sister lives there"});
    dana.post(&format!("{case}/walls"), &wall).await.is(201);
    for (method, path, about) in &doors {
        let answer = match method.as_str() {
            "get" => kim.get(path).await,
            "put" => kim.put(path, &json!({}), &[]).await,
            "post" if path.ends_with("documents") => kim.upload(path, Vec::new(), &[]).await,
            "delete" => {
                let item = json!({"id": file.word("work-items/{id}")});
                kim.draft("DELETE", &item, None).await
            }
            "post" => kim.post(path, &json!({})).await,
            other => panic!("{other} {path}: ask it here"),
        };
        let door = format!("{method} {path}");
        file.hidden(&door, &answer);
        if *about && (method == "get" || method == "delete") {
            answer.problem(404, "not-found");
        }
        assert!(!about || !answer.status.is_success(), "{door}");
    }
    for (path, status) in [
        (format!("/work-items?case={}", file.word("cases/{id}")), 404),
        (
            format!("/work-items?instance={}", file.word("instances/{id}")),
            200,
        ),
        ("/work-items?claimedBy=u-kim".to_owned(), 200),
        ("/work-items?state=completed".to_owned(), 200),
        ("/instances?status=faulted".to_owned(), 200),
        ("/instances?status=waiting".to_owned(), 200),
    ] {
        let answer = kim.get(&format!("/api/v1{path}")).await;
        file.hidden(&path, answer.is(status));
    }
    // For others everything is as it was.
    assert!(file.told(dana.get("/api/v1/cases").await.is(200)));
    dana.get(&case)
        .await
        .is(200)
        .shows(&[file.word("instances/{id}")]);
}

#[tokio::test]
async fn what_is_well_formed_is_not_there_either() {
    let agency = agency().await;
    let (kim, dana) = (agency.client("kim").await, agency.client("dana").await);
    let file = file(&kim).await;
    let (case, run) = (file.word("cases/{id}"), file.word("instances/{id}"));
    let (item, person) = (file.word("work-items/{id}"), file.word("{person}"));
    let key = [("idempotency-key", "once")];
    let again = json!({"workflow": "fall", "case": case});
    let start = "/api/v1/instances";
    kim.post_with(start, &again, &key).await.is(201);
    let wall = json!({"person": "kim", "reason": "a cousin"});
    let walls = format!("/api/v1/cases/{case}/walls");
    dana.post(&walls, &wall).await.is(201);
    let done = json!({"outcome": "done", "data": {
        "what": "A bed", "money": {"minor": 100, "currency": "AUD"}}});
    let reason = json!({"reason": "it is mended"});
    let lift = json!({"reason": "me", "until": "2026-12-01"});
    let kept = format!("/api/v1/cases/{case}/retention");
    let decide = json!({"request": "q1", "reason": "it is over"});
    let hold = file.word("{hold}");
    for (path, body) in [
        (format!("{kept}/holds"), reason.clone()),
        (format!("{kept}/holds/{hold}/lift"), reason.clone()),
        (
            format!("{kept}/transfers"),
            json!({"to": "department", "on": "2026-11-23"}),
        ),
        (format!("{kept}/erasure"), reason.clone()),
        (format!("{kept}/erasure/agree"), decide.clone()),
        (format!("{kept}/erasure/decline"), decide),
        (start.to_owned(), json!({"workflow": "help", "case": case})),
        (format!("{start}/{run}/cancel"), json!({})),
        (format!("{start}/{run}/retry"), reason.clone()),
        (format!("{start}/{run}/migrate"), reason.clone()),
        (format!("/api/v1/work-items/{item}/claim"), json!({})),
        (format!("/api/v1/work-items/{item}/release"), json!({})),
        (format!("/api/v1/work-items/{item}/hold"), reason.clone()),
        (format!("/api/v1/work-items/{item}/skip"), reason.clone()),
        (format!("/api/v1/work-items/{item}/complete"), done),
        (
            format!("/api/v1/cases/{case}/notes"),
            json!({"text": "I was here"}),
        ),
        (
            format!("/api/v1/cases/{case}/persons"),
            json!({"name": "A", "relation": "other"}),
        ),
        (
            format!("/api/v1/cases/{case}/persons/{person}/show-address"),
            json!({}),
        ),
        (walls.clone(), json!({"reason": "again"})),
        (format!("{walls}/u-kim/lift"), lift),
        (format!("{walls}/u-kim/take-away"), reason),
    ] {
        let answer = kim.post(&path, &body).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
        file.hidden(&path, &answer);
    }
    // Nor is what was answered before told again.
    kim.post_with(start, &again, &key)
        .await
        .problem(404, "not-found");
    let draft = json!({"id": item});
    let body = json!({"data": {}, "comment": null});
    kim.draft("PUT", &draft, Some(&body))
        .await
        .problem(404, "not-found");
}

/// The console's own list of routes that are drawn for somebody who asks.
pub(crate) fn pages() -> Vec<String> {
    let list = include_str!("../../src/console.rs");
    let routes = list.split(".route(").skip(1);
    let pages = routes.filter(|route| route.contains("get("));
    let paths = pages.filter_map(|route| Some(route.split('"').nth(1)?.to_owned()));
    paths.collect()
}

#[tokio::test]
async fn no_page_shows_anything_of_a_case_to_whoever_stands_in_it() {
    let agency = agency().await;
    let (kim, dana) = (agency.client("kim").await, agency.client("dana").await);
    let file = file(&kim).await;
    let browser = Browser::signed_in(&agency, "kim").await;
    let pages = pages();
    assert!(pages.len() > 15, "{pages:?}");
    for page in &pages {
        let (path, _) = file.filled(page);
        let before = browser.get(&path).await.status;
        assert!(before != 404 || empty(&path), "{path}: there before");
    }
    let case = file.word("cases/{id}");
    let wall = json!({"person": "kim", "reason": "a cousin"});
    let walls = format!("/api/v1/cases/{case}/walls");
    dana.post(&walls, &wall).await.is(201);
    for page in &pages {
        let (path, about) = file.filled(page);
        let answer = browser.get(&path).await;
        file.hidden(&path, &answer);
        assert_eq!(answer.status == 404, about || empty(&path), "{path}");
    }
    let number = &file.marks[1];
    for path in ["/tasks?case=", "/start?case=", "/start/help?case="] {
        let answer = browser.get(&format!("{path}{case}")).await;
        answer.lacks(&[number, "Mai Nguyen", file.word("tasks/{id}")]);
    }
}

#[tokio::test]
async fn a_wall_is_declared_lifted_and_taken_away_on_record() {
    let agency = agency().await;
    let (kim, dana) = (agency.client("kim").await, agency.client("dana").await);
    let casey = agency.client("casey").await;
    let instance = casey.ask(10_000).await;
    let case = format!("/api/v1/cases/{}", instance["case"].as_str().unwrap());
    let walls = format!("{case}/walls");
    let reason = json!({"reason": "a cousin of mine"});
    let other = json!({"person": "lee", "reason": "a cousin of hers"});
    casey
        .post(&walls, &other)
        .await
        .problem(403, "not-assigned");
    let unknown = json!({"person": "nobody", "reason": "x"});
    dana.post(&walls, &unknown)
        .await
        .problem(422, "form-invalid");
    dana.post(&walls, &json!({"reason": " "}))
        .await
        .problem(422, "form-invalid");
    let wall = kim.post(&walls, &reason).await.is(201).json();
    assert_eq!(
        (&wall["person"]["id"], &wall["closed"]),
        (&json!("u-kim"), &json!(true))
    );
    kim.get(&case).await.problem(404, "not-found");

    let lift = format!("{walls}/kim/lift");
    let until = |day: &str| json!({"reason": "nobody else tonight", "until": day});
    casey
        .post(&lift, &until("2026-12-01"))
        .await
        .problem(403, "not-assigned");
    for wrong in ["2026-11-22", "2027-02-22"] {
        dana.post(&lift, &until(wrong))
            .await
            .problem(422, "form-invalid");
    }
    let lifted = dana.post(&lift, &until("2026-12-01")).await.is(200).json();
    assert_eq!(
        (&lifted["closed"], &lifted["lifted"]["until"]),
        (&json!(false), &json!("2026-12-01"))
    );
    kim.get(&case).await.is(200);
    // Reading is open again, deciding is not, and nobody widens their own way.
    let item = kim.item(&instance, "decision").await;
    assert_eq!(item["barred"]["code"], "self-approval");
    kim.claim(&item).await.problem(403, "self-approval");
    kim.post(&lift, &until("2026-12-24"))
        .await
        .problem(403, "own-wall");
    let away = format!("{walls}/kim/take-away");
    kim.post(&away, &json!({"reason": "no"}))
        .await
        .problem(403, "own-wall");
    dana.post(&away, &json!({"reason": "another Kim"}))
        .await
        .is(200);
    kim.claim(&item).await.is(200);

    let timeline = dana.get(&format!("{case}/timeline")).await.is(200).json();
    let said = timeline["items"].as_array().unwrap().iter();
    let said: Vec<_> = said
        .filter(|entry| text(&entry["action"]).starts_with("wall-"))
        .map(|entry| (text(&entry["action"]), text(&entry["title"])))
        .collect();
    let kim = |action: &str| (action.to_owned(), "KIM".to_owned());
    // The latest is first.
    let expected = ["wall-taken-away", "wall-lifted", "wall-declared"].map(kim);
    assert_eq!(said, expected);
}

#[tokio::test]
async fn the_page_of_walls_works_without_a_script() {
    let agency = agency().await;
    let casey = agency.client("casey").await;
    let instance = casey.start().await;
    let case = format!("/cases/{}", instance["case"].as_str().unwrap());
    let walls = format!("{case}/walls");
    let (kim, dana) = (
        Browser::signed_in(&agency, "kim").await,
        Browser::signed_in(&agency, "dana").await,
    );
    let page = kim.get(&walls).await;
    let empty = kim.submit(&page, &walls, &[("reason", "")]).await;
    empty.is(422).shows(&["Say why"]);
    let own = kim
        .submit(&page, &walls, &[("reason", "<b>sister</b>")])
        .await;
    assert_eq!(own.is(303).header("location"), "/cases");
    kim.get(&walls).await.is(404);
    let page = dana.get(&walls).await;
    page.is(200)
        .shows(&["KIM", "May not open the case", "&#60;b&#62;sister"]);
    let lift = format!("{walls}/u-kim/lift");
    let pairs = [("until", "2026-11-30"), ("reason", "nobody else")];
    dana.submit(&page, &lift, &pairs).await.is(303);
    kim.get(&walls)
        .await
        .is(200)
        .shows(&["May read the case until Mon 30 Nov 2026"]);
}
