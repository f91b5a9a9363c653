//! How people are safe to reach, through API and pages: listed by hand, and a code word that is
//! shown to whoever asks for it.

use serde_json::{Value, json};

use crate::agency::Agency;
use crate::browser::Browser;

const WORD: &str = "magpie";

fn mai() -> Value {
    json!({
        "name": "Mai Nguyen", "relation": "parent", "phone": "0400 000 000", "codeWord": WORD,
        "contact": {
            "safety": "safe", "how": null,
            "ways": [{
                "channel": "text-message", "leave": "neutral", "days": ["mon", "fri"],
                "hours": {"from": "09:00", "until": "11:30"}, "language": "vi",
                "reviewOn": "2026-12-31",
            }],
        },
    })
}

#[tokio::test]
async fn ways_are_listed_for_a_number_and_the_code_word_is_asked_for() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let case = casey.start().await["case"].as_str().unwrap().to_owned();
    let case = format!("/api/v1/cases/{case}");
    let persons = format!("{case}/persons");
    let added = casey.post(&persons, &mai()).await;
    added.is(201).lacks(&[WORD]);
    let told = added.json();
    assert_eq!(told["hasCodeWord"], true);
    let way = &told["contact"]["ways"][0];
    assert_eq!(way["days"], json!(["mon", "fri"]));
    assert_eq!(way["hours"]["until"], "11:30:00");
    assert_eq!(
        (&way["leave"], &way["reviewOn"]),
        (&json!("neutral"), &json!("2026-12-31"))
    );
    let silent = json!({
        "name": "Tom", "relation": "partner", "contact": {"safety": "do-not-contact"},
    });
    let silent = casey.post(&persons, &silent).await.is(201).json();
    assert_eq!(silent["contact"]["safety"], "do-not-contact");
    let page = Browser::signed_in(&agency, "casey").await;
    let page = page.get(case.trim_start_matches("/api/v1")).await;
    page.is(200).shows(&["Do not contact."]);
    let one = format!("{persons}/{}", told["id"].as_str().unwrap());
    casey.get(&one).await.is(200).lacks(&[WORD]);
    casey.get(&format!("{case}/audit")).await.lacks(&[WORD]);
    let shown = casey.post(&format!("{one}/show-address"), &json!({})).await;
    assert_eq!(shown.is(200).json()["codeWord"], WORD);
    let audit = casey.get(&format!("{case}/audit")).await;
    audit.shows(&["address-shown", "code-word"]).lacks(&[WORD]);

    // Another number is not safe because the one before was.
    let mut other = mai();
    other["phone"] = json!("0400 000 001");
    other.as_object_mut().unwrap().remove("codeWord");
    let first = [("if-match", "\"1\"")];
    let refused = casey.put(&one, &other, &first).await;
    refused.problem(422, "form-invalid");
    other["contact"]["ways"] = json!([]);
    casey.put(&one, &other, &first).await.is(200);
    let shown = casey.post(&format!("{one}/show-address"), &json!({})).await;
    assert_eq!(shown.is(200).json()["codeWord"], WORD, "it was left alone");

    let mut odd = mai();
    odd["contact"]["ways"][0]["channel"] = json!("carrier-pigeon");
    casey
        .post(&persons, &odd)
        .await
        .problem(422, "invalid-input");
    let empty = casey.get(&format!("{case}/messages")).await;
    assert_eq!(empty.is(200).json()["items"], json!([]));
}

#[tokio::test]
async fn ways_are_listed_on_a_page_without_a_script() {
    let agency = Agency::open().await;
    let client = agency.client("casey").await;
    let case = client.start().await["case"].as_str().unwrap().to_owned();
    let case = format!("/cases/{case}");
    let casey = Browser::signed_in(&agency, "casey").await;
    let form = casey.get(&format!("{case}/persons")).await;
    form.is(200)
        .shows(&["The engine sends nothing in a way that is not listed here"])
        .shows(&["<details class=\"way\">\n<summary>Way 1: add one</summary>"])
        .lacks(&["<details class=\"way\" open>"]);
    let action = format!("{case}/persons");
    let mut typed = vec![
        ("name", "Mai"),
        ("relation", "parent"),
        ("phone", "0400 000 000"),
        ("safety", "safe"),
        ("codeWord", WORD),
        ("channel0", "text-message"),
        ("leave0", "neutral"),
        ("days0", "mon"),
        ("from0", "09:00"),
        ("until0", "11:30"),
        ("language0", "vi"),
        ("review0", ""),
    ];
    let wrong = casey.submit(&form, &action, &typed).await;
    // A field in something that is folded could not be gone to.
    wrong.is(422).shows(&[
        "href=\"#review0\"",
        "<details class=\"way\" open>\n<summary>Way 1</summary>",
        "<details class=\"way\">\n<summary>Way 2: add one</summary>",
    ]);
    typed[11] = ("review0", "2026-12-31");
    let page = casey
        .follow(&casey.submit(&wrong, &action, &typed).await)
        .await;
    page.is(200)
        .shows(&[
            "Text message on Mon from 09:00 to 11:30",
            "Show the code word",
            "messages sent",
        ])
        .lacks(&[WORD]);
    let person = page.text.split(&format!("{case}/persons/")).nth(1).unwrap();
    let one = format!("{case}/persons/{}", person.split('"').next().unwrap());
    let shown = casey.submit(&page, &format!("{one}/address"), &[]).await;
    shown.is(200).shows(&[WORD, "was recorded"]);
    let edit = casey.get(&one).await;
    edit.is(200)
        .shows(&["value=\"11:30\"", "leave this empty to keep it"])
        .lacks(&[WORD]);
    casey
        .get(&format!("{case}/messages"))
        .await
        .is(200)
        .shows(&["No messages were sent."]);
}
