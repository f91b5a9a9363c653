//! The ways by which people reach the engine, each as they really use it.

use std::process::Output;

use serde_json::{Value, json};
use ureq::http::Response;

use super::model::{Act, Told};
use crate::client::Client;
use crate::served::Served;

/// How somebody reaches the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Api,
    Console,
    CommandLine,
}

impl Door {
    pub(crate) const ALL: [Self; 3] = [Self::Api, Self::Console, Self::CommandLine];
}

/// At the API.
pub(crate) fn ask(client: &Client, item: &str, act: &Act) -> Result<(), Told> {
    let (what, body) = match act {
        Act::Claim(_) => ("claim", json!({})),
        Act::Release(_) => ("release", json!({})),
        Act::Complete(_, outcome) => {
            let body = json!({ "outcome": outcome, "comment": "as it should be" });
            ("complete", body)
        }
    };
    let path = format!("/api/v1/work-items/{item}/{what}");
    let reply = client.post(&path, &body, None).unwrap();
    match reply.status {
        200 => Ok(()),
        _ => Err(Told::Code(text(&reply.body["code"]))),
    }
}

/// At the command line.
pub(crate) fn typed(
    served: &Served,
    folder: &std::path::Path,
    who: &str,
    item: &str,
    act: &Act,
) -> Result<(), Told> {
    let mut words = match act {
        Act::Claim(_) => vec!["task", "claim", item],
        Act::Release(_) => vec!["task", "release", item],
        Act::Complete(_, outcome) => vec![
            "task",
            "complete",
            item,
            "--outcome",
            outcome,
            "--comment",
            "as it should be",
        ],
    };
    words.push("--json");
    let Output { status, stdout, .. } = served.command(folder, &format!("{who}.json"), &words);
    if status.success() {
        return Ok(());
    }
    let problem: Value = serde_json::from_slice(&stdout).unwrap();
    Err(Told::Code(text(&problem["code"])))
}

/// Somebody's session at the console.
pub(crate) struct Browser {
    url: String,
    cookie: String,
    agent: ureq::Agent,
}

impl Browser {
    pub(crate) fn signed_in(url: &str, name: &str, passphrase: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .build();
        let mut browser = Self {
            url: url.to_owned(),
            cookie: String::new(),
            agent: config.into(),
        };
        let answer = browser.post("/sign-in", &[("name", name), ("passphrase", passphrase)]);
        assert_eq!(answer.status(), 303, "{name} cannot sign in");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        cookie
            .split(';')
            .next()
            .unwrap()
            .clone_into(&mut browser.cookie);
        browser
    }

    /// Opens the page of the task and sends its form, changed as far as a browser can be made to.
    pub(crate) fn act(&self, item: &str, act: &Act) -> Result<(), Told> {
        let page = self.get(&format!("/tasks/{item}"));
        let hidden = |name: &str| {
            let (_, after) = page.split_once(&format!("name=\"{name}\" value=\""))?;
            after.split('"').next().map(str::to_owned)
        };
        let mut fields = vec![("_token", hidden("_token").unwrap())];
        fields.extend(hidden("_revision").map(|value| ("_revision", value)));
        fields.extend(hidden("_shown").map(|value| ("_shown", value)));
        let what = match act {
            Act::Claim(_) => "claim",
            Act::Release(_) => "release",
            Act::Complete(_, outcome) => {
                fields.push(("_outcome", (*outcome).to_owned()));
                fields.push(("_comment", "as it should be".to_owned()));
                "complete"
            }
        };
        let fields: Vec<_> = fields.iter().map(|(a, b)| (*a, b.as_str())).collect();
        let answer = self.post(&format!("/tasks/{item}/{what}"), &fields);
        match answer.status().as_u16() {
            303 => Ok(()),
            status => Err(Told::Status(status)),
        }
    }

    fn get(&self, path: &str) -> String {
        let request = self.agent.get(format!("{}{path}", self.url));
        let mut answer = request.header("cookie", &self.cookie).call().unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.body_mut().read_to_string().unwrap()
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response<ureq::Body> {
        self.agent
            .post(format!("{}{path}", self.url))
            .header("cookie", &self.cookie)
            .header("sec-fetch-site", "same-origin")
            .header("origin", &self.url)
            .send_form(fields.iter().copied())
            .unwrap()
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .to_owned()
}
