//! A file is kept, held back, asked for and erased by its front doors; then it is not there, like
//! what never was.

use casewright_runtime::identity::NewUser;
use serde_json::{Value, json};

use crate::agency::{Agency, Client, PASSPHRASE, pack_files, put_in_force};
use crate::browser::Browser;
use crate::walls::text;

const END: &str = "
document: { dsl: '1.0.3', namespace: little, name: end, version: '1.0.0' }
do:
  - why: { call: human-task, with: { title: Why, assign: { role: case-worker } } }
  - close: { call: case.close, with: { reason: moved, consentGiven: true } }
";

const RETENTION: &str = "
closingReasons: { moved: { title: They moved, counts: excluded } }
retention:
  asks: [team-leader]
  decides: [director]
  holds: [team-leader, director]
  recipients: { department: The department }
  classes:
    file: { title: The file of a family, keep: P7Y, from: closed, dispose: transfer }
";

/// After the time of a case that was closed when the clock of the tests began.
const OVER: &str = "2033-11-24T02:00:00Z";

async fn agency() -> Agency {
    let agency = Agency::open().await;
    let files = pack_files();
    let (_, text) = files.iter().find(|(path, _)| path == "pack.yaml").unwrap();
    let roles = "roles:\n  director: { title: Director }\n";
    let pack = format!("{}{RETENTION}", text.replace("roles:\n", roles));
    put_in_force(&agency.engine, &[("pack.yaml", &pack), ("end.yaml", END)]).await;
    for sign_in in ["dana", "kim"] {
        let user = NewUser {
            agency: "little".to_owned(),
            id: format!("u-{sign_in}"),
            sign_in: sign_in.to_owned(),
            display_name: sign_in.to_uppercase(),
            roles: ["director".to_owned()].into(),
            passphrase: PASSPHRASE.to_owned(),
        };
        agency.engine.put_user(user).await.unwrap();
    }
    agency
}

/// Id of a case that is closed, and its number.
async fn closed(casey: &Client<'_>) -> (String, String) {
    let run = json!({"workflow": "end"});
    let run = casey.post("/api/v1/instances", &run).await.is(201).json();
    let item = casey.item(&run, "why").await;
    casey.claim(&item).await.is(200);
    let done = json!({"outcome": "done", "data": null});
    casey.complete(&item, &done).await.is(200);
    // The end is decided with the answer.
    let path = format!("/api/v1/instances/{}", text(&run["id"]));
    casey.get(&path).await.is(200).shows(&["\"completed\""]);
    let case = text(&run["case"]);
    let view = casey.get(&format!("/api/v1/cases/{case}")).await;
    let number = text(&view.is(200).json()["number"]);
    (case, number)
}

fn because(reason: &str) -> Value {
    json!({ "reason": reason })
}

#[tokio::test]
async fn a_file_is_held_handed_over_asked_for_and_erased_by_the_api() {
    let agency = agency().await;
    let (casey, lee) = (agency.client("casey").await, agency.client("lee").await);
    let (dana, alex) = (agency.client("dana").await, agency.client("alex").await);
    let (case, number) = closed(&casey).await;
    let path = format!("/api/v1/cases/{case}/retention");
    for who in [&casey, &alex] {
        who.get(&path).await.problem(403, "not-assigned");
        who.post(&format!("{path}/holds"), &because("x"))
            .await
            .problem(403, "not-assigned");
        who.get("/api/v1/retention/due")
            .await
            .problem(403, "not-assigned");
        who.get("/api/v1/retention/erased")
            .await
            .problem(403, "not-assigned");
    }
    let view = lee.get(&path).await.is(200).json();
    assert_eq!(
        (&view["until"], &view["closed"]),
        (&json!("2033-11-23"), &json!("2026-11-23"))
    );
    let names = |view: &Value| -> Vec<String> {
        let all = view["inTheWay"].as_array().unwrap().iter();
        all.map(|one| text(&one["name"])).collect()
    };
    assert_eq!(names(&view), ["kept", "not-transferred"]);
    let erasure = format!("{path}/erasure");
    let early = lee.post(&erasure, &because("over")).await;
    early.problem(409, "not-erasable");
    assert_eq!(
        early.json()["fields"].as_array().unwrap().len(),
        2,
        "{}",
        early.text
    );
    let held = lee
        .post(&format!("{path}/holds"), &because("a court"))
        .await
        .is(201)
        .json();
    let lift = format!("{path}/holds/{}/lift", text(&held["holds"][0]["id"]));
    lee.post(&lift, &because("over"))
        .await
        .problem(403, "self-approval");

    agency.clock.move_to(OVER);
    let due = lee.get("/api/v1/retention/due").await.is(200).json();
    assert_eq!(names(&due["items"][0]), ["not-transferred", "held"]);
    dana.post(&lift, &because("over")).await.is(200);
    let transfers = format!("{path}/transfers");
    let to = |to: &str| json!({"to": to, "on": "2033-11-24"});
    lee.post(&transfers, &to("neighbour"))
        .await
        .problem(422, "form-invalid");
    lee.post(&transfers, &to("department")).await.is(201);
    lee.post(&erasure, &because(" "))
        .await
        .problem(422, "form-invalid");
    let asked = lee
        .post(&erasure, &because("long over"))
        .await
        .is(201)
        .json();
    let request = text(&asked["asked"]["id"]);
    let decide = json!({"request": request, "reason": "agreed"});
    let agree = format!("{erasure}/agree");
    lee.post(&agree, &decide).await.problem(403, "not-assigned");
    dana.post(&agree, &json!({"request": "q0", "reason": "x"}))
        .await
        .problem(409, "not-asked");
    let erased = dana.post(&agree, &decide).await.is(200).json();
    assert_eq!(
        (&erased["number"], &erased["until"]),
        (&json!(number), &json!("2033-11-23"))
    );
    assert_eq!(erased["transfers"][0]["to"], "department");

    let stranger = "/api/v1/cases/c0000/retention";
    for who in [&casey, &lee, &dana] {
        let gone = who.get(&format!("/api/v1/cases/{case}")).await;
        let never = who.get("/api/v1/cases/c0000").await;
        assert_eq!((gone.status, &gone.text), (never.status, &never.text));
        let (gone, never) = (who.get(&path).await, who.get(stranger).await);
        assert_eq!((gone.status, &gone.text), (never.status, &never.text));
        who.post(&agree, &decide).await.problem(404, "not-found");
        who.get("/api/v1/cases")
            .await
            .is(200)
            .lacks(&[&case, &number]);
    }
    let left = lee.get("/api/v1/retention/erased").await.is(200).json();
    assert_eq!(left["items"][0]["case"], json!(case));
    lee.get("/api/v1/retention/due")
        .await
        .is(200)
        .lacks(&[&case]);
}

#[tokio::test]
async fn the_pages_of_files_work_without_a_script() {
    let agency = agency().await;
    let casey = agency.client("casey").await;
    let (case, number) = closed(&casey).await;
    let page = format!("/cases/{case}/retention");
    let worker = Browser::signed_in(&agency, "casey").await;
    worker
        .get(&format!("/cases/{case}"))
        .await
        .is(200)
        .lacks(&["how long this file is kept"]);
    worker.get(&page).await.is(403);
    worker.get("/files").await.is(403);
    let (lee, dana) = (
        Browser::signed_in(&agency, "lee").await,
        Browser::signed_in(&agency, "dana").await,
    );
    lee.get(&format!("/cases/{case}"))
        .await
        .is(200)
        .shows(&["how long this file is kept", "Files to erase"]);
    let shown = lee.get(&page).await;
    shown.is(200).shows(&[
        "up to the end of Wed 23 Nov 2033",
        "The file of a family",
        "handed over, then erased",
        "it is kept up to the end of 2033-11-23",
    ]);
    let holds = format!("{page}/holds");
    lee.submit(&shown, &holds, &[("reason", " ")])
        .await
        .is(422)
        .shows(&["Say why"]);
    let hold = [("reason", "<b>court</b>")];
    lee.submit(&shown, &holds, &hold).await.is(303);
    let shown = lee.get(&page).await;
    shown.shows(&["&#60;b&#62;court", "another person lifts it"]);
    let shown = dana.get(&page).await;
    let lift = shown
        .text
        .split('"')
        .find(|part| part.ends_with("/lift"))
        .unwrap();
    dana.submit(&shown, lift, &[("reason", "over")])
        .await
        .is(303);
    agency.clock.move_to(OVER);
    let (lee, dana) = (
        Browser::signed_in(&agency, "lee").await,
        Browser::signed_in(&agency, "dana").await,
    );
    lee.get("/files")
        .await
        .is(200)
        .shows(&[&number, "handed over"]);
    let shown = lee.get(&page).await;
    let to = [("to", "department"), ("on", "2033-11-24")];
    lee.submit(&shown, &format!("{page}/transfers"), &to)
        .await
        .is(303);
    let shown = lee.get(&page).await;
    lee.get(&format!("/cases/{case}")).await.is(200).shows(&[
        "closed this case (They moved).",
        "this file was handed over (The department).",
    ]);
    let ask = [("reason", "long over")];
    lee.submit(&shown, &format!("{page}/erasure"), &ask)
        .await
        .is(303);
    lee.get(&page)
        .await
        .is(200)
        .shows(&["another person decides"]);
    let shown = dana.get(&page).await;
    shown
        .is(200)
        .shows(&["long over", "nobody can bring it back"]);
    let request = shown
        .text
        .split("name=\"request\" value=\"")
        .nth(1)
        .unwrap();
    let request = request.split('"').next().unwrap();
    let agree = [("request", request), ("reason", "agreed")];
    let done = dana
        .submit(&shown, &format!("{page}/erasure/agree"), &agree)
        .await;
    assert_eq!(done.is(303).header("location"), "/files");
    dana.get(&page).await.is(404);
    dana.get("/files")
        .await
        .is(200)
        .shows(&[&number, "Lee Tanaka asked, DANA agreed"]);
}
