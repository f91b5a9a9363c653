//! A small agency behind a real server, with a partner that pays what it is asked to.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::door::{self, Browser, Door};
use super::model::{Act, PEOPLE, Piece, Request, STAFF, Shape, Told};
use crate::client::Client;
use crate::served::{Served, agency};
use crate::server::{Server, answer};

/// A hanging server must not hang the test.
const PATIENCE: Duration = Duration::from_mins(1);

const PASSPHRASE: &str = "a passphrase of the tests alone";

const PACK: &str = "
namespace: small-agency
title: Small agency
timeZone: Australia/Brisbane
roles:
  case-worker: { title: Case worker, starts: true }
  team-leader: { title: Team leader }
  manager: { title: Manager, includes: [team-leader] }
  administrator: { title: Administrator, administers: true }
funds:
  purse: { title: Purse, allocated: { minor: 90000000, currency: AUD } }
policies:
  spending:
    - { role: team-leader, upTo: { minor: 50000, currency: AUD } }
    - { role: manager, upTo: { minor: 200000, currency: AUD } }
plugins:
  payment-issue:
    config: { endpoint: 'https://payments.example' }
";

const REQUEST: &str = "
  - request:
      call: human-task
      with: { title: Ask, assign: { role: case-worker } }";

const NOTE: &str = "{ title: Note, assign: { role: case-worker } }";

/// Approvals, then money; `APPROVALS` is how many.
const DECISION: &str = "
  - decision:
      call: approval
      with:
        title: Decide
        assign: { role: team-leader }
        rules:
          approvals: APPROVALS
          limit: { policy: spending, money: '${ $workflow.input.money }' }";

const IF_APPROVED: &str = "
  - pay:
      if: ${ $steps.decision.outcome == \"approve\" }
      do:";

const BOOKED: &str = "
  - reserve:
      call: fund.reserve
      with: { fund: purse, money: '${ $workflow.input.money }' }
  - commit:
      call: fund.commit
      with:
        reservation: ${ $steps.reserve.reservation }
        money: ${ $workflow.input.money }";

const SENT: &str = "
  - send:
      call: payment-issue.pay
      with:
        payee: { name: Ridgeview Beds, accountHandle: sec:pay/ridgeview }
        money: ${ $workflow.input.money }
        reference: B-1
        purposeCode: household";

const MORE: &str = "
  - reserve:
      call: fund.reserve
      with: { fund: purse, money: { minor: 50001, currency: AUD } }
  - commit:
      call: fund.commit
      with:
        reservation: ${ $steps.reserve.reservation }
        money: { minor: 50001, currency: AUD }";

/// These tasks so far to the right.
fn within(spaces: usize, tasks: &str) -> String {
    tasks.replace('\n', &format!("\n{}", " ".repeat(spaces)))
}

fn paid_if_approved(pay: &str) -> String {
    format!("{IF_APPROVED}{}", within(6, pay))
}

fn decided(approvals: &str, pay: &str) -> String {
    DECISION.replace("APPROVALS", approvals) + &paid_if_approved(pay)
}

/// Name and tasks of every workflow.
fn workflows() -> Vec<(&'static str, String)> {
    let one = decided("1", BOOKED);
    let branch = |name: &str, tasks: &str| {
        let tasks = within(14, tasks);
        format!("\n          - {name}:\n              do:{tasks}")
    };
    let note = format!("\n  - note:\n      call: human-task\n      with: {NOTE}");
    let beside = branch("deciding", &one) + &branch("noting", &note);
    let fork = |branches: &str| format!("\n  - both:\n      fork:\n        branches:{branches}");
    let twice = BOOKED
        .replace("reserve", "again")
        .replace("- commit", "- commitAgain");
    let side = |name: &str| branch(name, BOOKED);
    let inner = "
  - inner:
      run:
        workflow:
          namespace: small-agency
          name: decide
          version: latest
          input: { money: '${ $workflow.input.money }' }";
    let approved = |pay: &str| DECISION.replace("APPROVALS", "1") + pay;
    vec![
        ("alone", format!("{REQUEST}{one}")),
        ("two", format!("{REQUEST}{}", decided("2", BOOKED))),
        ("beside", format!("{REQUEST}{}", fork(&beside))),
        ("within", format!("{REQUEST}{inner}")),
        ("decide", one),
        ("plugin", format!("{REQUEST}{}", decided("1", SENT))),
        ("bare", BOOKED.to_owned()),
        ("bare-plugin", SENT.to_owned()),
        (
            "twice",
            approved(&format!(
                "{BOOKED}{}",
                twice.replace("fund.again", "fund.reserve")
            )),
        ),
        ("more", approved(MORE)),
        (
            "beside-twice",
            approved(&fork(&(side("one") + &side("other")))),
        ),
    ]
}

fn document(name: &str, version: &str, tasks: &str) -> String {
    format!(
        "document: {{ dsl: '1.0.3', namespace: small-agency, name: {name}, \
         version: '{version}' }}\ndo:{tasks}\n"
    )
}

fn pack() -> BTreeMap<String, String> {
    let written = workflows().into_iter().map(|(name, tasks)| {
        let text = document(name, "1.0.0", &tasks);
        (format!("{name}.yaml"), text)
    });
    let pack = ("pack.yaml".to_owned(), PACK.to_owned());
    written.chain([pack]).collect()
}

/// A server with everybody at its doors.
pub(crate) struct Office {
    folder: tempfile::TempDir,
    served: Served,
    partner: Server,
    browsers: BTreeMap<&'static str, Browser>,
}

impl Office {
    pub(crate) fn open() -> Self {
        let partner = Server::answering(|request| {
            let receipt = json!({
                "paymentId": "P-1",
                "state": "settled",
                "bankRef": "B-1",
                "at": "2026-11-02T09:00:00Z",
            });
            match request.split(' ').next() {
                Some("POST") => answer("201 Created", &receipt.to_string()),
                _ => answer("404 Not Found", "{}"),
            }
        });
        let files = pack();
        let paths = files.keys().map(|path| format!("pack/{path}"));
        let files: Vec<_> = paths.zip(files.values()).collect();
        let files: Vec<_> = files
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        let folder = agency(&files, &STAFF);
        take_plugin(folder.path(), &format!("http://{}", partner.host()));
        let served = Served::new(folder.path());
        let browser = |who| (who, Browser::signed_in(&served.url, who, PASSPHRASE));
        let browsers = PEOPLE.into_iter().map(browser).collect();
        Self {
            folder,
            served,
            partner,
            browsers,
        }
    }

    fn client(&self, who: &str) -> Client {
        self.served
            .client(self.folder.path(), &format!("{who}.json"))
    }

    /// Somebody begins a request for money.
    pub(crate) fn ask(&self, shape: Shape, minor: i64, starter: &'static str) -> Request {
        let begun = self.begin(shape.workflow(), minor, starter);
        let mut request = Request::new((shape, minor), starter, begun);
        self.look(&mut request);
        request
    }

    fn begin(&self, workflow: &str, minor: i64, starter: &str) -> (String, String) {
        let money = json!({ "minor": minor, "currency": "AUD" });
        let body = json!({ "workflow": workflow, "input": { "money": money } });
        let reply = self
            .client(starter)
            .post("/api/v1/instances", &body, None)
            .unwrap();
        assert_eq!(reply.status, 201, "{reply:?}");
        let of = |key: &str| reply.body[key].as_str().unwrap().to_owned();
        (of("id"), of("case"))
    }

    pub(crate) fn act(&self, door: Door, who: &str, item: &str, act: &Act) -> Result<(), Told> {
        match door {
            Door::Api => door::ask(&self.client(who), item, act),
            Door::Console => self.browsers[who].act(item, act),
            Door::CommandLine => door::typed(&self.served, self.folder.path(), who, item, act),
        }
    }

    /// What is offered now.
    pub(crate) fn look(&self, request: &mut Request) {
        for item in self.items(&request.case) {
            let piece = match item["title"].as_str() {
                Some("Ask") => Piece::Request,
                Some("Decide") => Piece::Decision,
                _ => Piece::Note,
            };
            request.offered(piece, item["id"].as_str().unwrap());
        }
    }

    fn items(&self, case: &str) -> Vec<Value> {
        let path = format!("/api/v1/work-items?case={case}&limit=200");
        let reply = self.client("mo").get(&path).unwrap();
        reply.body["items"].as_array().unwrap().clone()
    }

    /// The same agency with a step before the others in `alone`, whose runs can be moved.
    pub(crate) fn deploy_longer(&self) {
        let mut files = pack();
        let text = files.get_mut("alone.yaml").unwrap();
        *text = text
            .replace("\ndo:", "\ndo:\n  - seen: { set: { seen: true } }")
            .replace("version: '1.0.0'", "version: '1.1.0'");
        let body = json!({ "files": files });
        let reply = self
            .client("alex")
            .post("/api/v1/packs", &body, None)
            .unwrap();
        assert_eq!(reply.status, 201, "{reply:?}");
    }

    /// An administrator moves the run; nobody may do more than before.
    pub(crate) fn move_to_the_version_in_force(&self, request: &mut Request) {
        let path = format!("/api/v1/instances/{}/migrate", request.instance);
        let body = json!({ "reason": "a step was added" });
        let reply = self.client("alex").post(&path, &body, None).unwrap();
        // One that is over is not moved, nor one that is there already.
        let stays = request.approved || request.declined || request.moved;
        let wanted = if stays { 409 } else { 200 };
        assert_eq!(reply.status, wanted, "{reply:?}");
        request.moved |= !stays;
        self.look(request);
    }

    /// Everything that is still open is done by who may do it.
    pub(crate) fn finish(&self, request: &mut Request) {
        while let Some(piece) = request.open() {
            let outcome = if piece == Piece::Decision {
                "approve"
            } else {
                "done"
            };
            let acts = [Act::Claim(piece), Act::Complete(piece, outcome)];
            let done = PEOPLE.iter().any(|who| self.does(request, who, &acts));
            if !done {
                // Whoever has it may not decide it, or nobody is left who may.
                return;
            }
        }
    }

    fn does(&self, request: &mut Request, who: &'static str, acts: &[Act]) -> bool {
        acts.iter().all(|act| {
            let allowed = request.says(who, act).is_ok();
            if allowed {
                let told = self.act(Door::Api, who, request.item(act), act);
                assert_eq!(told, Ok(()), "{who} {act:?} in {request:?}");
                request.done(who, act);
                self.look(request);
            }
            allowed
        })
    }

    /// The fund has paid what the model says, and no more; what the engine calls decided is what
    /// the model calls so.
    pub(crate) fn agrees(&self, requests: &[Request]) {
        let booked = requests
            .iter()
            .filter(|one| one.approved && one.shape != Shape::Plugin);
        let booked: i64 = booked.map(|one| one.minor).sum();
        let funds = self.client("mo").get("/api/v1/funds").unwrap().body;
        assert_eq!(funds["items"][0]["committed"]["minor"], booked, "{funds}");
        assert!(self.payments() <= paid_by_plugin(requests));
    }

    /// What the partner was asked for, once the runs have come to rest.
    pub(crate) fn paid_by_the_partner_at_the_end(&self, requests: &[Request]) {
        let wanted = paid_by_plugin(requests);
        let began = Instant::now();
        while self.payments() < wanted && began.elapsed() < PATIENCE {
            std::thread::yield_now();
        }
        assert_eq!(self.payments(), wanted);
        assert!(wanted > 0, "no plugin was asked to pay");
    }

    pub(crate) fn payments(&self) -> usize {
        let received = self.partner.received();
        received
            .iter()
            .filter(|text| text.starts_with("POST "))
            .count()
    }

    /// The workflow pays what nobody approved: the run stops there, and nothing goes out beyond
    /// what was approved.
    pub(crate) fn refused_to_pay(&self, workflow: &str) {
        let before = self.committed();
        let (instance, case) = self.begin(workflow, 50_000, "kim");
        let mut approved = 0;
        if let Some(item) = self.items(&case).first() {
            let id = item["id"].as_str().unwrap();
            let lee = self.client("lee");
            for act in [
                Act::Claim(Piece::Decision),
                Act::Complete(Piece::Decision, "approve"),
            ] {
                assert_eq!(door::ask(&lee, id, &act), Ok(()), "{workflow}");
            }
            approved = 50_000;
        }
        let began = Instant::now();
        let path = format!("/api/v1/instances/{instance}");
        let run = loop {
            let run = self.client("kim").get(&path).unwrap().body;
            if run["status"] == "faulted" || began.elapsed() > PATIENCE {
                break run;
            }
            std::thread::yield_now();
        };
        let kind = "urn:casewright:error:not-approved";
        assert_eq!(run["error"]["type"], kind, "{workflow}: {run}");
        assert!(self.committed() - before <= approved, "{workflow}");
    }

    fn committed(&self) -> i64 {
        let funds = self.client("mo").get("/api/v1/funds").unwrap().body;
        funds["items"][0]["committed"]["minor"].as_i64().unwrap()
    }
}

fn paid_by_plugin(requests: &[Request]) -> usize {
    let paid = requests
        .iter()
        .filter(|one| one.approved && one.shape == Shape::Plugin);
    paid.count()
}

/// Builds the plugin that pays, unless it is built, and lets this agency use it.
fn take_plugin(folder: &Path, partner: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = Command::new(env!("CARGO_BIN_EXE_casewright"))
        .current_dir(&root)
        .args(["plugin", "build", "payment-issue"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&built.stderr).into_owned();
    assert!(built.status.success(), "the plugin cannot be built: {told}");
    let to = folder.join("plugins/payment-issue");
    fs::create_dir_all(&to).unwrap();
    for file in ["plugin.toml", "payment-issue.wasm"] {
        fs::copy(
            root.join("target/plugins/payment-issue").join(file),
            to.join(file),
        )
        .unwrap();
    }
    let path = folder.join("casewright.toml");
    let config = fs::read_to_string(&path).unwrap();
    let own = format!(
        "\n[plugin.payment-issue]\nhosts = [\"{partner}\"]\n\
         config = {{ endpoint = \"{partner}\" }}\n"
    );
    let config = config.replace(
        "packs = [\"pack\"]\n",
        "packs = [\"pack\"]\nplugins = [\"plugins\"]\n",
    );
    fs::write(&path, config + &own).unwrap();
}
