//! Consents of a case through API and pages: given in the words of the pack, taken back at once,
//! refused with what would be accepted, and nobody else's.

use casewright_runtime::identity::NewUser;
use serde_json::{Value, json};

use crate::agency::{Agency, Client, PASSPHRASE};
use crate::browser::Browser;

fn agreed(person: &str) -> Value {
    json!({
        "person": person, "purposes": ["housing"], "recipients": ["register"],
        "what": "Who lives with us", "how": "spoken", "interpreter": "TIS 4711",
        "givenOn": "2026-01-01", "expiresOn": "2099-12-31",
    })
}

/// A case with a parent: its address, and the parent's id.
async fn family(casey: &Client<'_>) -> (String, String) {
    let started = casey.start().await;
    let case = format!("/api/v1/cases/{}", started["case"].as_str().unwrap());
    let mai = json!({"name": "Mai Nguyen", "relation": "parent"});
    let added = casey.post(&format!("{case}/persons"), &mai).await;
    let person = added.is(201).json()["id"].as_str().unwrap().to_owned();
    (case, person)
}

#[tokio::test]
async fn a_consent_is_given_read_and_taken_back_once() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let (case, person) = family(&casey).await;
    let consents = format!("{case}/consents");
    let given = casey.post(&consents, &agreed(&person)).await;
    let given = given.is(201).json();
    assert_eq!(
        (&given["standing"], &given["revision"]),
        (&json!("in-force"), &json!(1))
    );
    let back = format!("{consents}/{}/withdraw", given["id"].as_str().unwrap());
    let first = casey.post(&back, &json!({"how": "spoken"})).await;
    let first = first.is(200).json();
    assert_eq!(first["standing"], "withdrawn");
    let again = casey.post(&back, &json!({"how": "written"})).await;
    assert_eq!(again.is(200).json(), first, "the first time counts");
    let now = casey.get(&consents).await.is(200).json();
    assert_eq!(now["items"].as_array().unwrap().len(), 1);
    let states = casey
        .get(&format!("{consents}/history"))
        .await
        .is(200)
        .json();
    let revisions: Vec<_> = states["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["revision"].as_u64().unwrap())
        .collect();
    assert_eq!(revisions, [1, 2]);
    casey
        .get(&format!("{case}/audit"))
        .await
        .shows(&["consent-given", "consent-withdrawn"])
        .lacks(&["Who lives with us", "TIS 4711", "Mai"]);
    let log = casey
        .get(&format!("{case}/disclosures"))
        .await
        .is(200)
        .json();
    assert_eq!(log["items"], json!([]));
}

#[tokio::test]
async fn what_is_no_consent_is_refused_with_what_would_be() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let (case, person) = family(&casey).await;
    let consents = format!("{case}/consents");
    let with = |key: &str, value: Value| {
        let mut body = agreed(&person);
        body[key] = value;
        body
    };
    for (field, body) in [
        ("purposes", with("purposes", json!([]))),
        (
            "purposes",
            with("purposes", json!(["housing", "everything"])),
        ),
        ("recipients", with("recipients", json!(["police"]))),
        (
            "recipients",
            with("recipients", json!(vec!["register"; 1000])),
        ),
        ("what", with("what", json!(" "))),
        ("what", with("what", json!("x".repeat(2001)))),
        ("witness", with("how", json!("witnessed"))),
        ("givenOn", with("givenOn", json!("2098-01-01"))),
        ("expiresOn", with("expiresOn", json!("2026-01-02"))),
    ] {
        let refused = casey.post(&consents, &body).await;
        refused.is(422).shows(&["form-invalid", field]);
    }
    for body in [
        with("how", json!("guessed")),
        with("givenOn", json!("yesterday")),
        with("extra", json!(1)),
    ] {
        let refused = casey.post(&consents, &body).await;
        assert!(refused.status.is_client_error(), "{}", refused.text);
    }
    casey
        .post(&consents, &with("person", json!("p-nobody")))
        .await
        .is(404);
    let nothing = format!("{consents}/k-nothing/withdraw");
    casey
        .post(&nothing, &json!({"how": "spoken"}))
        .await
        .is(404);
    let none = casey.get(&consents).await.is(200).json();
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn consents_of_another_agency_are_not_there() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let (case, person) = family(&casey).await;
    let consents = format!("{case}/consents");
    let given = casey.post(&consents, &agreed(&person)).await;
    let id = given.is(201).json()["id"].as_str().unwrap().to_owned();
    let user = NewUser {
        agency: "elsewhere".to_owned(),
        id: "u-alex".to_owned(),
        sign_in: "alex".to_owned(),
        display_name: "Alex Other".to_owned(),
        roles: ["case-worker".to_owned()].into(),
        passphrase: PASSPHRASE.to_owned(),
    };
    agency.engine.put_user(user).await.unwrap();
    let alex = agency.client("alex").await;
    for path in [
        &consents,
        &format!("{consents}/history"),
        &format!("{case}/disclosures"),
    ] {
        alex.get(path).await.is(404);
    }
    let back = format!("{consents}/{id}/withdraw");
    alex.post(&back, &json!({"how": "spoken"})).await.is(404);
    let still = casey.get(&consents).await.is(200).json();
    assert_eq!(still["items"][0]["standing"], "in-force");
}

#[tokio::test]
async fn the_page_gives_and_takes_back_without_a_script() {
    let agency = Agency::open().await;
    let client = agency.client("casey").await;
    let (case, person) = family(&client).await;
    let case = case.replace("/api/v1", "");
    let casey = Browser::signed_in(&agency, "casey").await;
    let page = format!("{case}/persons/{person}/consents");
    casey
        .get(&case)
        .await
        .is(200)
        .shows(&[&page, "what was sent to others"]);
    let form = casey.get(&page).await;
    form.is(200)
        .shows(&["No consent was recorded yet", "Finding a home"]);
    let typed = [
        ("purposes", "housing"),
        ("recipients", "register"),
        ("what", "Who <lives> with us"),
        ("how", ""),
        ("givenOn", "2026-01-01"),
        ("expiresOn", "next year"),
    ];
    let wrong = casey.submit(&form, &page, &typed).await;
    wrong.is(422).shows(&[
        "href=\"#expiresOn\"",
        "href=\"#how\"",
        "Who &#60;lives&#62; with us",
    ]);
    let mut typed = typed.to_vec();
    typed[3] = ("how", "spoken");
    typed[5] = ("expiresOn", "2099-12-31");
    let kept = casey
        .follow(&casey.submit(&wrong, &page, &typed).await)
        .await;
    kept.is(200).shows(&["In force until", "The register"]);
    let button = kept
        .text
        .split(&format!("action=\"{page}/"))
        .nth(1)
        .unwrap();
    let action = format!("{page}/{}", button.split('"').next().unwrap());
    let back = casey.submit(&kept, &action, &[("how", "spoken")]).await;
    casey
        .follow(&back)
        .await
        .is(200)
        .shows(&["Taken back: nothing is sent under it"])
        .lacks(&["In force until"]);
    casey
        .get(&format!("{case}/disclosures"))
        .await
        .is(200)
        .shows(&["Nothing about the people of this case was sent"]);
}
