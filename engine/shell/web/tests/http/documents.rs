//! Documents of a case through API and pages: given out as they came, under their own name and
//! nobody else's, and never as something they are not.

use axum::body::Body;
use axum::http::Request;
use casewright_runtime::identity::NewUser;
use serde_json::Value;

use crate::agency::{Agency, Answer, Client, PASSPHRASE};
use crate::browser::{Browser, hidden};

const NAME: &str = "attachment; filename*=UTF-8''Quote%20for%20Mai%20Nguyen.pdf";

/// Four parts of text that says it is a PDF.
fn content() -> Vec<u8> {
    let mut content = b"%PDF-1.7\n".to_vec();
    content.extend((0..200_000).map(|place| b'a' + u8::try_from(place % 23).unwrap()));
    content
}

async fn case(client: &Client<'_>) -> String {
    let instance = client.start().await;
    format!("/api/v1/cases/{}", instance["case"].as_str().unwrap())
}

async fn add(client: &Client<'_>, case: &str, body: Vec<u8>, key: &str) -> Answer {
    let headers = [("content-disposition", NAME), ("idempotency-key", key)];
    let path = format!("{case}/documents?kind=quote");
    client.upload(&path, body, &headers).await
}

fn id(document: &Value) -> &str {
    document["id"].as_str().unwrap()
}

#[tokio::test]
async fn a_document_comes_back_as_it_was_sent_and_is_on_record() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let case = case(&casey).await;
    let added = add(&casey, &case, content(), "d-1").await;
    added.is(201);
    let document = added.json();
    assert_eq!(document["name"], "Quote for Mai Nguyen.pdf");
    assert_eq!(document["mediaType"], "application/pdf");
    assert_eq!(document["bytes"], content().len());
    let again = add(&casey, &case, content(), "d-1").await;
    assert_eq!(again.is(201).json(), document);
    add(&casey, &case, b"%PDF-1.7 another".to_vec(), "d-1")
        .await
        .problem(422, "key-reused");

    let path = format!("{case}/documents/{}", id(&document));
    assert_eq!(casey.get(&path).await.is(200).json(), document);
    let list = casey.get(&format!("{case}/documents")).await;
    assert_eq!(list.is(200).json()["items"], serde_json::json!([document]));
    let file = casey.get(&format!("{path}/content")).await;
    assert_eq!(file.is(200).text.as_bytes(), content());
    for (header, value) in [
        ("content-type", "application/pdf"),
        (
            "content-disposition",
            "attachment; filename=\"document.pdf\"; \
             filename*=UTF-8''Quote%20for%20Mai%20Nguyen.pdf",
        ),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(file.header(header), value, "{header}");
    }
    assert_eq!(file.header("content-length"), content().len().to_string());

    let chain = casey.get(&format!("{case}/audit")).await;
    chain
        .shows(&["document-added", "document-opened"])
        .lacks(&["Nguyen"]);
    let told = casey.get(&format!("{case}/timeline?limit=200")).await;
    told.is(200).shows(&[
        "Casey Brown added the document “Quote for Mai Nguyen.pdf”.",
        "Casey Brown opened the document “Quote for Mai Nguyen.pdf”.",
    ]);
}

#[tokio::test]
async fn what_it_is_decides_its_content_and_not_its_sender() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let case = case(&casey).await;
    let before = agency.state();
    for body in [
        b"<html><script>alert(1)</script>".to_vec(),
        b"PK\x03\x04 an office document".to_vec(),
        vec![0; 300_000],
        b"%PDF".to_vec(),
        Vec::new(),
    ] {
        let refused = add(&casey, &case, body, "d-2").await;
        refused.problem(422, "form-invalid");
        assert_eq!(refused.json()["fields"][0]["field"], "file");
    }
    let unnamed = format!("{case}/documents?kind=painting");
    let refused = casey.upload(&unnamed, content(), &[]).await;
    refused.problem(422, "invalid-input");
    assert_eq!(agency.state(), before, "nothing of it stays");

    let photo = b"\xff\xd8\xff\xe0 a photo".to_vec();
    let headers = [(
        "content-disposition",
        "attachment; filename=\"../../photo.exe\"",
    )];
    let added = casey
        .upload(&format!("{case}/documents?kind=receipt"), photo, &headers)
        .await;
    assert_eq!(added.is(201).json()["name"], "photo.exe.jpg");
    assert_eq!(added.json()["mediaType"], "image/jpeg");
}

#[tokio::test]
async fn a_document_of_others_is_not_there() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let (mine, other) = (case(&casey).await, case(&casey).await);
    let added = add(&casey, &mine, content(), "d-3").await;
    let document = added.is(201).json();
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
    let paths = |case: &str| {
        let one = format!("{case}/documents/{}", id(&document));
        [
            one.clone(),
            format!("{one}/content"),
            format!("{case}/documents"),
        ]
    };
    for path in paths(&mine) {
        alex.get(&path).await.problem(404, "not-found");
    }
    for path in &paths(&other)[..2] {
        casey.get(path).await.problem(404, "not-found");
    }
    let refused = add(&alex, &mine, content(), "d-4").await;
    refused.problem(404, "not-found");
    // A token of nobody reads nothing of the body.
    let nobody = Request::post(format!("{mine}/documents?kind=quote"));
    let answer = agency
        .send(nobody.body(Body::from(content())).unwrap())
        .await;
    answer.problem(401, "unauthenticated");
}

/// As a browser sends a form with a file.
async fn send_form(
    agency: &Agency,
    browser: &Browser<'_>,
    case: &str,
    fields: &[(String, String)],
    file: Option<(&str, &[u8])>,
    site: &str,
) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        let head = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend(head.bytes().chain(value.bytes()).chain(*b"\r\n"));
    }
    if let Some((name, content)) = file {
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: text/html\r\n\r\n"
        );
        body.extend(head.bytes().chain(content.iter().copied()).chain(*b"\r\n"));
    }
    body.extend(*b"--edge--\r\n");
    let request = Request::post(format!("/cases/{case}/documents"))
        .header("host", "127.0.0.1:8080")
        .header("cookie", &browser.cookie)
        .header("sec-fetch-site", site)
        .header("content-type", "multipart/form-data; boundary=edge");
    agency.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_form_adds_a_document_and_the_case_page_lists_it() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let case = case(&casey).await;
    let case = case.rsplit('/').next().unwrap();
    let browser = Browser::signed_in(&agency, "casey").await;
    let form = format!("/cases/{case}/documents");
    let page = browser.get(&form).await;
    page.is(200).shows(&["at most 10 MB"]);
    let mut fields = hidden(&page, &form);

    let same = "same-origin";
    let none = send_form(&agency, &browser, case, &fields, None, same).await;
    none.is(422)
        .shows(&["Choose what the document is", "Choose the document"]);
    fields.push(("kind".to_owned(), "quote".to_owned()));
    let page_text = Some(("page.html", &b"<html><script>alert(1)"[..]));
    let wrong = send_form(&agency, &browser, case, &fields, page_text, same).await;
    wrong.is(422).shows(&["Choose a PDF or a photo"]);

    let content = content();
    let file = Some(("Mai <b>quote</b>.pdf", &content[..]));
    let before = agency.state();
    let foreign = send_form(&agency, &browser, case, &fields, file, "cross-site").await;
    foreign.is(403);
    let stranger = [("_token".to_owned(), "0".repeat(32))];
    let stranger: Vec<_> = stranger.into_iter().chain(fields[1..].to_vec()).collect();
    send_form(&agency, &browser, case, &stranger, file, same)
        .await
        .is(403);
    assert_eq!(agency.state(), before);

    // Two clicks are one document.
    let added = send_form(&agency, &browser, case, &fields, file, same).await;
    let again = send_form(&agency, &browser, case, &fields, file, same).await;
    assert_eq!(again.is(303).header("location"), added.header("location"));
    assert!(
        !added.header("location").contains("Mai"),
        "no name in an address"
    );
    let listed = browser.follow(&added).await;
    listed.is(200).shows(&[
        "The document was saved.",
        "Quote",
        "201 kB",
        "by <bdi>Casey Brown",
    ]);
    assert!(!listed.text.contains("<b>quote"), "names are text");
    let link = format!("href=\"/cases/{case}/documents/");
    assert_eq!(listed.text.matches(&link).count(), 1, "{}", listed.text);
    let (_, rest) = listed.text.split_once(&link).unwrap();
    let path = format!(
        "/cases/{case}/documents/{}",
        rest.split('"').next().unwrap()
    );
    let file = browser.get(&path).await;
    assert_eq!(file.is(200).text.as_bytes(), content);
    assert_eq!(file.header("content-type"), "application/pdf");
    assert!(file.header("content-disposition").starts_with("attachment"));

    let nobody = Browser::new(&agency);
    nobody.get(&path).await.is(303);
    let answer = send_form(&agency, &nobody, case, &fields, None, same).await;
    answer.is(303);
}
