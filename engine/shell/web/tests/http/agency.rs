//! A small agency: a few members of staff, one workflow in which one asks and another decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use casewright_language::Surroundings;
use casewright_runtime::engine::Parts;
use casewright_runtime::identity::NewUser;
use casewright_runtime::{Deployment, Engine};
use casewright_store::memory::MemoryStore;
use casewright_store::{Store, Table};
use casewright_web::Settings;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::ports::{NoEvaluator, NoPlugins, StandingClock, SystemEntropy};

pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

const PACK: &str = "
namespace: little
title: Little Agency
timeZone: Australia/Brisbane
caseNumber: LA-{year}-{number:5}
roles:
  case-worker: { title: Case worker, starts: true }
  team-leader: { title: Team leader }
  administrator: { title: Administrator, administers: true }
  bookkeeper: { title: Bookkeeper, reverses: true }
  coordinator: { title: Coordinator, arranges: true }
funds:
  help:
    title: Family help
    allocated: { minor: 500000, currency: AUD }
policies:
  help-limits:
    - { role: team-leader, upTo: { minor: 200000, currency: AUD } }
disclosure:
  purposes: { housing: Finding a home }
  recipients: { register: The register }
";

const FORM: &str = "
title: Ask for help
schema:
  type: object
  required: [what, money]
  additionalProperties: false
  properties:
    what: { title: What is it?, type: string, minLength: 1, maxLength: 100 }
    why: { title: Why is it needed?, type: string, maxLength: 500 }
    money:
      title: Amount
      type: object
      required: [minor, currency]
      additionalProperties: false
      properties:
        minor: { title: Amount, type: integer, minimum: 1, maximum: 1000000 }
        currency: { title: Currency, const: AUD }
layout:
  - what
  - field: why
    control: long
  - money
";

const WORKFLOW: &str = "
document:
  dsl: '1.0.3'
  namespace: little
  name: help
  version: '1.0.0'
  title: Help for a family
do:
  - request:
      call: human-task
      with:
        title: Ask for help
        show:
          changesAskedFor: ${ $steps.decision.comment }
          requestBefore: ${ $steps.request.data }
        form: ask
        assign: { role: case-worker }
        due: P5D
  - reserve:
      call: fund.reserve
      with:
        fund: help
        money: ${ $steps.request.data.money }
        expires: P30D
  - decision:
      call: approval
      with:
        title: '${ \"Help for \\($case.number)\" }'
        show: ${ $steps.request.data }
        assign: { role: team-leader }
        due: P3D
        rules:
          limit:
            policy: help-limits
            money: ${ $steps.request.data.money }
        outcomes: [approve, decline, ask-for-changes]
  - route:
      switch:
        - approved:
            when: ${ $steps.decision.outcome == \"approve\" }
            then: settle
        - changes:
            when: ${ $steps.decision.outcome == \"ask-for-changes\" }
            then: request
        - otherwise:
            then: giveBack
  - settle:
      call: fund.commit
      with:
        reservation: ${ $steps.reserve.reservation }
        money: ${ $steps.request.data.money }
      then: end
  - giveBack:
      call: fund.release
      with:
        reservation: ${ $steps.reserve.reservation }
";

pub(crate) struct Agency {
    pub(crate) engine: Engine,
    pub(crate) app: Router,
    store: Arc<MemoryStore>,
    pub(crate) clock: Arc<StandingClock>,
    /// Free bytes of the disk.
    pub(crate) room: Arc<AtomicU64>,
}

/// An answer with its body read.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// A problem with this status and code.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> &Self {
        self.is(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json()["code"], code, "{}", self.text);
        assert_eq!(self.json()["status"], status);
        self
    }

    /// The page has all of these texts.
    #[track_caller]
    pub(crate) fn shows(&self, texts: &[&str]) -> &Self {
        for text in texts {
            assert!(
                self.text.contains(text),
                "{text} is missing in {}",
                self.text
            );
        }
        self
    }

    /// The page has none of these texts.
    #[track_caller]
    pub(crate) fn lacks(&self, texts: &[&str]) -> &Self {
        for text in texts {
            assert!(!self.text.contains(text), "{text} is in {}", self.text);
        }
        self
    }
}

impl Agency {
    pub(crate) async fn open() -> Self {
        let room = Arc::new(AtomicU64::new(u64::MAX));
        let measured = Arc::clone(&room);
        let settings = casewright_store::Settings {
            free_space: Some(Arc::new(move || Ok(measured.load(Ordering::SeqCst)))),
            probe_every: Duration::ZERO,
            ..casewright_store::Settings::default()
        };
        let store = Arc::new(MemoryStore::new(settings));
        let clock = Arc::new(StandingClock::at("2026-11-23T02:00:00Z"));
        let parts = Parts {
            store: store.clone(),
            invoke: Arc::new(NoPlugins),
            evaluate: Arc::new(NoEvaluator),
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
        };
        let engine = Engine::open(parts).await.unwrap();
        put_in_force(&engine, &[]).await;
        for (sign_in, name, role) in [
            ("casey", "Casey Brown", "case-worker"),
            ("lee", "Lee Tanaka", "team-leader"),
            ("sam", "Sam Rossi", "team-leader"),
            ("alex", "Alex Kumar", "administrator"),
            ("fin", "Fin Moreau", "bookkeeper"),
            ("ria", "Ria Sol", "coordinator"),
        ] {
            let user = NewUser {
                agency: "little".to_owned(),
                id: format!("u-{sign_in}"),
                sign_in: sign_in.to_owned(),
                display_name: name.to_owned(),
                roles: [role.to_owned()].into(),
                passphrase: PASSPHRASE.to_owned(),
            };
            engine.put_user(user).await.unwrap();
        }
        let settings = Settings {
            secure_cookies: false,
        };
        let app = casewright_web::router(engine.clone(), settings);
        Self {
            engine,
            app,
            store,
            clock,
            room,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn client(&self, sign_in: &str) -> Client<'_> {
        let token = self
            .engine
            .mint_token(&format!("u-{sign_in}"), "test")
            .await
            .unwrap();
        Client {
            agency: self,
            token: token.0,
        }
    }

    /// Everything that lists and pages are made of, without the record of who looked and the
    /// sessions' own times.
    pub(crate) fn state(&self) -> Vec<String> {
        let tables = Table::ALL
            .iter()
            .copied()
            .filter(|table| *table != Table::Session);
        let rows = tables.flat_map(|table| {
            let rows = self
                .store
                .scan(table, &[], &[0xff; 40], usize::MAX)
                .unwrap();
            rows.into_iter()
                .map(move |row| format!("{table:?} {row:?}"))
        });
        rows.collect()
    }
}

/// The files of the agency's pack.
pub(crate) fn pack_files() -> Vec<(String, String)> {
    let files = [
        ("pack.yaml", PACK),
        ("help.yaml", WORKFLOW),
        ("forms/ask.yaml", FORM),
    ];
    let files = files.into_iter();
    files
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .collect()
}

/// The agency's pack, with more files where some are given.
pub(crate) async fn put_in_force(engine: &Engine, more: &[(&str, &str)]) {
    let more = more.iter();
    let more = more.map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let files = pack_files().into_iter().chain(more);
    let surroundings = Surroundings {
        functions_known: true,
        ..Surroundings::default()
    };
    let deployment = Deployment::read(files.collect(), &surroundings, &[]).unwrap();
    engine.deploy(deployment).await.unwrap();
}

/// Somebody with a token.
pub(crate) struct Client<'a> {
    agency: &'a Agency,
    token: String,
}

impl Client<'_> {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path)
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::empty());
        self.agency.send(request.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, body, &[]).await
    }

    pub(crate) async fn post_with(
        &self,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send_with(Request::post(path), body, headers).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        self.send_with(Request::put(path), body, headers).await
    }

    async fn send_with(
        &self,
        request: axum::http::request::Builder,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = request
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_string()));
        self.agency.send(request.unwrap()).await
    }

    /// A body that is no JSON.
    pub(crate) async fn upload(
        &self,
        path: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::post(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/octet-stream");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.agency
            .send(request.body(Body::from(body)).unwrap())
            .await
    }

    /// The draft of a work item: `PUT` with a body, `GET` or `DELETE` without.
    pub(crate) async fn draft(&self, method: &str, item: &Value, body: Option<&Value>) -> Answer {
        let id = item["id"].as_str().unwrap();
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/work-items/{id}/draft"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.agency.send(request.body(body).unwrap()).await
    }

    /// Starts the workflow; its instance.
    pub(crate) async fn start(&self) -> Value {
        let answer = self
            .post("/api/v1/instances", &json!({"workflow": "help"}))
            .await;
        answer.is(201);
        answer.json()
    }

    /// The open item of a task in an instance.
    pub(crate) async fn item(&self, instance: &Value, task: &str) -> Value {
        let id = instance["id"].as_str().unwrap();
        let list = self.get(&format!("/api/v1/work-items?instance={id}")).await;
        let items = list.is(200).json()["items"].as_array().unwrap().clone();
        let found = items.into_iter().find(|item| item["task"] == task);
        found.unwrap_or_else(|| panic!("{task} is not open: {}", list.text))
    }

    pub(crate) async fn claim(&self, item: &Value) -> Answer {
        let id = item["id"].as_str().unwrap();
        self.post(&format!("/api/v1/work-items/{id}/claim"), &json!({}))
            .await
    }

    pub(crate) async fn complete(&self, item: &Value, body: &Value) -> Answer {
        let id = item["id"].as_str().unwrap();
        self.post(&format!("/api/v1/work-items/{id}/complete"), body)
            .await
    }

    /// Starts, and asks for an amount; the instance, waiting for a decision.
    pub(crate) async fn ask(&self, minor: i64) -> Value {
        let instance = self.start().await;
        let item = self.item(&instance, "request").await;
        self.claim(&item).await.is(200);
        let money = json!({"minor": minor, "currency": "AUD"});
        let data = json!({"what": "A bed <b>now</b>", "money": money});
        let body = json!({"outcome": "done", "data": data});
        self.complete(&item, &body).await.is(200);
        instance
    }
}
