//! A confidential address is found in nothing that is written down or answered, whatever happens to
//! the case: neither as it was typed, nor in another alphabet. The same holds for a name wherever
//! ids are enough. One real process, its files, its answers, `kill -9`.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

#[allow(
    dead_code,
    reason = "the stories are shared with tests that tell more of them"
)]
mod front_door {
    pub(crate) mod agency;
    pub(crate) mod client;
    pub(crate) mod housing;
    pub(crate) mod seed;
    pub(crate) mod story;
}

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use front_door::agency::Agency;
use front_door::housing::Application;
use front_door::story::Story;
use serde_json::{Value, json};

/// Letters beyond ASCII are written in several ways; what is looked for is in all of them.
const ADDRESS: &str = "77 Zéphyrwick Lane, Quörndon";
const OF_ADDRESS: &str = "phyrwick";
const NAME: &str = "Ottoline Vànterpool";
const OF_NAME: &str = "nterpool";
const PHONE: &str = "+61 7 5550 9173";
const OF_PHONE: &str = "5550 9173";
/// What a log could have of how to reach her, and of what was written about her.
const OF_MAIL: &str = "vulpine.example";
const OF_TEXT: &str = "quillfeather";

#[test]
fn a_confidential_address_is_in_nothing_that_is_written_or_answered() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("log")).unwrap();
    let mut agency = Agency::start_in(folder.path());
    let family = Family::new(&agency);
    let home = Application::of_case("sealed", &family.case);
    home.apply(&mut agency);
    home.waits(&mut agency);
    agency.tell_partner(
        "/_ctl/housing",
        &json!({ "state": "registered", "callbacks": 1 }),
    );
    home.ends(&mut agency);
    agency.order_fault(&json!({"path": "/pay/payments", "nth": 1, "kind": "status:403"}));
    let story = Story::new("sealed");
    story.ask(&mut agency);
    story.approve(&mut agency);
    story.failed(&mut agency);

    family.mistakes(&agency);
    drop(agency);
    let agency = Agency::start_in(folder.path());
    assert_eq!(family.address(&agency), ADDRESS, "it is kept, over a kill");
    family.answers(&agency);
    family.pages(&agency);
    let data = folder.path().join("data");
    let backup = folder.path().join("whole.backup");
    let out = ["--out", backup.to_str().unwrap()];
    for arguments in [&["backup"][..], &["audit", "verify", "--json"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_casewright"));
        command.args(arguments).arg("--data").arg(&data);
        if arguments == ["backup"] {
            command.args(out);
        }
        let told = command.output().unwrap();
        assert!(told.status.success(), "{told:?}");
        hidden("a command", &[told.stdout, told.stderr].concat(), OF_NAME);
    }
    let secrets = family.secrets(&agency);
    drop(agency);
    log_says_nothing(folder.path(), &secrets);
    let files = files(folder.path());
    assert!(files.len() > 5, "{files:?}");
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        for word in [OF_ADDRESS, OF_NAME] {
            hidden(&file.display().to_string(), &bytes, word);
        }
    }
}

/// The log was written, by every part and down to the last detail, and has only ids and routes.
fn log_says_nothing(folder: &Path, secrets: &[String]) {
    let log = std::fs::read_to_string(folder.join("log/stderr")).unwrap();
    for part in ["web", "runtime", "store", "host"] {
        assert!(
            log.contains(&format!(" casewright_{part}::")),
            "{part} is silent: {log}"
        );
    }
    for said in [
        "TRACE",
        "starting version=",
        "a pack is in force agency=",
        "backed up",
        "runs that were under way were looked at",
        "request method=\"POST\" route=\"/api/v1/cases/{id}/persons\" status=201",
        "request method=\"POST\" route=\"/sign-in\" status=303",
        "route=\"none\" status=404",
    ] {
        assert!(log.contains(said), "the log has no `{said}`: {log}");
    }
    let own = [OF_ADDRESS, OF_NAME, OF_PHONE, OF_MAIL, OF_TEXT].map(str::to_owned);
    for word in own.iter().chain(secrets) {
        hidden("the log", log.as_bytes(), word);
    }
}

/// A case with a mother who must not be found.
struct Family {
    case: String,
    run: String,
    item: String,
    person: String,
    document: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl Family {
    fn new(agency: &Agency) -> Self {
        let worker = agency.client("case-worker");
        let post = |path: &str, body: &Value| {
            let reply = worker.post(path, body, None).unwrap();
            assert_eq!(reply.status, 201, "{path}: {reply:?}");
            reply.body
        };
        let started = post("/api/v1/instances", &json!({"workflow": "brokerage"}));
        let (case, run) = (text(&started["case"]), text(&started["id"]));
        let items = format!("/api/v1/work-items?instance={run}");
        let item = text(&worker.get(&items).unwrap().body["items"][0]["id"]);
        let path = format!("/api/v1/cases/{case}");
        let mother = post(&format!("{path}/persons"), &mother());
        let person = text(&mother["id"]);
        let agreed = json!({
            "person": person, "purposes": ["housing"], "recipients": ["housing-register"],
            "what": "Who lives with us", "how": "spoken",
            "givenOn": "2026-01-01", "expiresOn": "2099-12-31",
        });
        post(&format!("{path}/consents"), &agreed);
        let url = format!("{}{path}/documents?kind=other", agency.url());
        let mut answer = ureq::post(url)
            .header(
                "authorization",
                format!("Bearer {}", agency.token("case-worker")),
            )
            .header("content-type", "application/octet-stream")
            .header("content-disposition", "attachment; filename=\"letter.pdf\"")
            .send(format!("%PDF-1.7 {NAME}, {ADDRESS}"))
            .unwrap();
        let document = answer.body_mut().read_to_string().unwrap();
        let document: Value = serde_json::from_str(&document).unwrap();
        Self {
            document: text(&document["id"]),
            case,
            run,
            item,
            person,
        }
    }

    fn place(&self) -> String {
        format!("/api/v1/cases/{}/persons/{}", self.case, self.person)
    }

    fn address(&self, agency: &Agency) -> String {
        let path = format!("{}/show-address", self.place());
        let worker = agency.client("case-worker");
        let shown = worker.post(&path, &json!({}), None).unwrap();
        assert_eq!(shown.status, 200, "{shown:?}");
        assert!(found(shown.body.to_string().as_bytes(), OF_ADDRESS));
        text(&shown.body["text"])
    }

    /// What opens doors: tokens and a passphrase, and the places of people and runs.
    fn secrets(&self, agency: &Agency) -> Vec<String> {
        let roles = ["case-worker", "team-leader", "service-manager"];
        let tokens = roles.map(|role| agency.token(role).to_owned());
        let mut secrets = tokens.to_vec();
        secrets.push(agency.passphrase("casey").to_owned());
        secrets.push(format!("persons/{}", self.person));
        secrets
    }

    /// What somebody types wrongly is not said back to them.
    fn mistakes(&self, agency: &Agency) {
        let worker = agency.client("case-worker");
        let note = format!("/api/v1/cases/{}/notes", self.case);
        let written = worker
            .post(&note, &json!({ "text": OF_TEXT }), None)
            .unwrap();
        assert_eq!(written.status, 201, "{written:?}");
        for place in [OF_NAME, OF_MAIL] {
            let nowhere = format!("/api/v1/{place}?about={OF_TEXT}");
            assert_eq!(worker.get(&nowhere).unwrap().status, 404);
        }
        let persons = format!("/api/v1/cases/{}/persons", self.case);
        let mut wrong = mother();
        wrong["address"] = json!(ADDRESS);
        let mut long = mother();
        long["address"]["text"] = json!(ADDRESS.repeat(200));
        let mut stranger = mother();
        stranger["born"] = json!(ADDRESS);
        stranger["staff"] = json!(NAME);
        for (path, body) in [
            (&persons, wrong),
            (&persons, long),
            (&persons, stranger),
            (
                &"/api/v1/instances".to_owned(),
                json!({"workflow": "housing", "case": ADDRESS}),
            ),
        ] {
            let refused = worker.post(path, &body, None).unwrap();
            assert!(refused.status >= 400, "{refused:?}");
            hidden(path, refused.body.to_string().as_bytes(), OF_ADDRESS);
        }
    }

    /// Every path of the API that only reads.
    fn answers(&self, agency: &Agency) {
        let stranger = agency.stranger();
        let document = stranger.get("/openapi.json").unwrap().body;
        let mut asked = 0;
        for role in [
            "case-worker",
            "team-leader",
            "service-manager",
            "administrator",
        ] {
            let client = agency.client(role);
            for (path, methods) in document["paths"].as_object().unwrap() {
                if methods.get("get").is_none() || path.ends_with("/content") {
                    continue;
                }
                let filled = path
                    .replace("cases/{id}", &format!("cases/{}", self.case))
                    .replace("instances/{id}", &format!("instances/{}", self.run))
                    .replace("work-items/{id}", &format!("work-items/{}", self.item))
                    .replace("{person}", &self.person)
                    .replace("{document}", &self.document);
                let reply = client.get(&filled).unwrap();
                let told = reply.body.to_string();
                hidden(&filled, told.as_bytes(), OF_ADDRESS);
                if !names_people(path) {
                    hidden(&filled, told.as_bytes(), OF_NAME);
                }
                asked += usize::from(reply.status == 200);
            }
        }
        assert!(asked > 60, "{asked} were answered");
        for path in ["/openapi.json", "/metrics", "/healthz", "/readyz"] {
            let told = stranger.get(path).unwrap().body.to_string();
            for word in [OF_ADDRESS, OF_NAME] {
                hidden(path, told.as_bytes(), word);
            }
        }
    }

    /// Pages that nobody asked for the address.
    fn pages(&self, agency: &Agency) {
        let browser = Browser::signed_in(agency);
        let case = format!("/cases/{}", self.case);
        for page in [
            case.clone(),
            format!("{case}?show=all"),
            format!("{case}/persons/{}", self.person),
            format!("{case}/persons/{}/consents", self.person),
            format!("{case}/disclosures"),
            "/cases".to_owned(),
            "/tasks".to_owned(),
            format!("/tasks/{}", self.item),
            format!("/instances/{}", self.run),
        ] {
            let told = browser.get(&page);
            assert!(told.contains("</html>"), "{page}: {told}");
            hidden(&page, told.as_bytes(), OF_ADDRESS);
        }
        assert!(
            found(browser.get(&case).as_bytes(), OF_NAME),
            "the page is hers"
        );
    }
}

/// Where people are read by their names; everywhere else ids are enough.
fn names_people(path: &str) -> bool {
    path.contains("/persons") || path.ends_with("/timeline")
}

fn mother() -> Value {
    json!({
        "name": NAME, "relation": "parent",
        "phone": PHONE, "email": format!("ottoline@{OF_MAIL}"),
        "address": { "text": ADDRESS, "confidential": true },
    })
}

/// Somebody with a session.
struct Browser {
    agent: ureq::Agent,
    url: String,
    cookie: String,
}

impl Browser {
    fn signed_in(agency: &Agency) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        let agent: ureq::Agent = config.into();
        let url = agency.url();
        let passphrase = agency.passphrase("casey").replace(' ', "+");
        let answer = agent
            .post(format!("{url}/sign-in"))
            .header("origin", &url)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .send(format!("name=casey&passphrase={passphrase}"))
            .unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { agent, url, cookie }
    }

    fn get(&self, path: &str) -> String {
        let request = self.agent.get(format!("{}{path}", self.url));
        let mut answer = request.header("cookie", &self.cookie).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    }
}

#[track_caller]
fn hidden(place: &str, bytes: &[u8], word: &str) {
    assert!(!found(bytes, word), "{place} holds `{word}`");
}

/// Whether a word of ASCII is in there in one of the ways in which bytes are written.
fn found(bytes: &[u8], word: &str) -> bool {
    spellings(word).iter().any(|spelling| {
        bytes
            .windows(spelling.len())
            .any(|window| window[0] == spelling[0] && window == spelling)
    })
}

fn spellings(word: &str) -> Vec<Vec<u8>> {
    let bytes = word.as_bytes();
    let wide = |order: fn(u16) -> [u8; 2]| word.encode_utf16().flat_map(order).collect();
    let hex = digits(bytes, "");
    let percent = digits(bytes, "%");
    let mut all = vec![
        bytes.to_vec(),
        wide(u16::to_le_bytes),
        wide(u16::to_be_bytes),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        percent.to_uppercase().into_bytes(),
        percent.into_bytes(),
    ];
    // A word may begin at each of three places of a group.
    all.extend((0..3).map(|shift| base64(bytes, shift)));
    all
}

fn digits(bytes: &[u8], before: &str) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{before}{byte:02x}").unwrap();
    }
    text
}

/// The letters of base64 that depend on the word alone, where it begins `shift` bytes into a group.
fn base64(word: &[u8], shift: usize) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = std::iter::repeat_n(0, shift * 8)
        .chain(
            word.iter()
                .flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1)),
        )
        .collect();
    let letters = bits.chunks_exact(6).map(|six| {
        let value = six.iter().fold(0, |value, bit| (value << 1) | bit);
        LETTERS[usize::from(value)]
    });
    letters.skip((shift * 8).div_ceil(6)).collect()
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.is_file() {
            files.push(path);
        }
    }
    files
}

#[test]
fn a_word_is_found_however_it_is_written() {
    for text in [
        "at 77 Zephyrwick Lane",
        "6174205a65706879727769636b",
        "PHYRWICK is another word; 706879727769636B",
        "%70%68%79%72%77%69%63%6b",
        // "at Zephyrwick", "in Zephyrwick", " Zephyrwick" and one more letter before it.
        "YXQgWmVwaHlyd2ljaw==",
        "YXQgIFplcGh5cndpY2s=",
        "YXQgICBaZXBoeXJ3aWNr",
    ] {
        assert!(found(text.as_bytes(), OF_ADDRESS), "{text}");
    }
    let wide: Vec<u8> = "Zephyrwick"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(found(&wide, OF_ADDRESS));
    assert!(!found(b"nothing of the kind", OF_ADDRESS));
}
