//! A client's stories: runs that spend, hold and wait, decided and finished by people, some of whom
//! want the same at the same moment. What is begun is brought to its end over any number of lives.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::home::{PRICE, STAFF};
use super::ledger::{Fact, check_sums};
use super::world::{Asker, Over, Phase, World};
use crate::client::Reply;
use crate::seed::Seed;

const CASEY: &str = STAFF[0].0;
const CORY: &str = STAFF[1].0;
const LEE: &str = STAFF[2].0;
const LOU: &str = STAFF[3].0;

/// Runs of a client that wait for a partner; more are brought to their end first.
const OPEN_MAX: usize = 6;
/// What a run is told whose reservation is gone, though nobody used or released it.
const NO_RESERVATION: &str = "urn:casewright:error:unknown-reservation";
/// The checks look at the funds once in so many facts.
const FUNDS_EVERY: u64 = 16;

/// A client until the campaign is over.
pub(crate) fn tell(world: &World, number: usize, dice: Seed) -> Result<(), Over> {
    let mut teller = Teller {
        world,
        asker: Asker::new(world),
        number,
        dice,
        told: 0,
        case: None,
        open: VecDeque::new(),
    };
    loop {
        match world.phase() {
            Phase::Load => teller.turn()?,
            Phase::Calm => {
                while teller.end_one()? {}
                world.rest()?;
            }
            Phase::Over => return Err(Over),
        }
    }
}

/// Looks for everything that earlier lives acknowledged.
pub(crate) fn look(world: &World) -> Result<(), Over> {
    let mut asker = Asker::new(world);
    let mut looked = 0_u64;
    loop {
        world.wait_for_facts()?;
        let Some(fact) = world.ledger.oldest() else {
            continue;
        };
        let reply = asker.get(CASEY, &fact.path())?;
        fact.check(&reply).map_err(|what| world.wrong(what))?;
        world.ledger.looked_for_oldest();
        world.checked_one();
        looked += 1;
        if looked.is_multiple_of(FUNDS_EVERY) {
            let funds = asker.get(CASEY, "/api/v1/funds")?;
            for fund in funds.body["items"]
                .as_array()
                .map_or(&[][..], Vec::as_slice)
            {
                check_sums(fund).map_err(|what| world.wrong(what))?;
            }
        }
    }
}

/// A run that is not at its end.
#[derive(Debug)]
struct Open {
    id: String,
    /// What its output must say.
    outcome: &'static str,
    /// Whether a person has something to do before the end.
    item: bool,
    /// Whether it was given one event.
    heard: bool,
}

struct Teller<'w> {
    world: &'w World,
    asker: Asker<'w>,
    number: usize,
    dice: Seed,
    /// Intents so far.
    told: u64,
    /// A case that is there already.
    case: Option<String>,
    open: VecDeque<Open>,
}

struct Started {
    id: String,
    case: String,
}

impl Teller<'_> {
    fn one_in(&mut self, many: u64) -> bool {
        self.dice.next(many) == 0
    }

    /// A name that nothing else has; payments carry it, so it looks as a bank wants it.
    fn intent(&mut self) -> String {
        self.told += 1;
        format!("C{}-{:07}", self.number, self.told)
    }

    fn wrong<T>(&self, what: impl Into<String>) -> Result<T, Over> {
        Err(self.world.wrong(what))
    }

    fn expect(&self, status: u16, what: &str, reply: Reply) -> Result<Value, Over> {
        if reply.status == status {
            return Ok(reply.body);
        }
        // Not there, or not in the state that somebody was told.
        let class = if matches!(reply.status, 404 | 409) {
            "lost: "
        } else {
            ""
        };
        self.wrong(format!("{class}{what}: {status} was expected: {reply:?}"))
    }

    fn note(&self, fact: Fact) {
        self.world.ledger.note(self.world.life(), fact);
    }

    fn turn(&mut self) -> Result<(), Over> {
        if self.open.len() >= OPEN_MAX || self.one_in(3) {
            self.end_one()?;
            return Ok(());
        }
        match self.dice.next(20) {
            0..8 => self.spend(),
            8..12 => self.advance(),
            12..16 => self.hold(),
            16..19 => self.listen(),
            _ => self.write(),
        }
    }

    fn start(
        &mut self,
        workflow: &'static str,
        intent: &str,
        fund: &'static str,
    ) -> Result<Started, Over> {
        let mut body = json!({
            "workflow": workflow,
            "input": {
                "fund": fund,
                "money": { "minor": PRICE, "currency": "AUD" },
                "reference": intent,
                "subject": intent,
            },
        });
        let case = self.case.clone();
        if let Some(case) = case.filter(|_| self.one_in(3)) {
            body["case"] = case.into();
        }
        let path = "/api/v1/instances";
        let reply = self.asker.post(CASEY, path, &body, intent)?;
        let told = self.expect(201, "a start", reply)?;
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        let started = Started {
            id: text("id"),
            case: text("case"),
        };
        self.note(Fact::Run {
            id: started.id.clone(),
            case: started.case.clone(),
            workflow,
        });
        if self.one_in(8) {
            let again = self.asker.post(CASEY, path, &body, intent)?;
            if again.body != told {
                return self.wrong(format!("twice: one start was told {told} and {again:?}"));
            }
        }
        self.case = Some(started.case.clone());
        Ok(started)
    }

    fn look(&mut self, run: &str) -> Result<Value, Over> {
        let reply = self.asker.get(CASEY, &format!("/api/v1/instances/{run}"))?;
        self.expect(200, "a run that was acknowledged", reply)
    }

    /// Money is put aside, somebody else decides, the supplier is paid, the receipt filed.
    fn spend(&mut self) -> Result<(), Over> {
        let intent = self.intent();
        let fund = if self.one_in(10) { "ending" } else { "wide" };
        let run = self.start("spend", &intent, fund)?;
        let view = self.look(&run.id)?;
        if view["output"]["outcome"] == "refused" {
            return self.refused(fund);
        }
        let item = format!("{}-1", run.id);
        if self.one_in(8) {
            let path = format!("/api/v1/work-items/{item}/claim");
            let key = format!("{item}:self");
            let reply = self.asker.post(CASEY, &path, &json!({}), &key)?;
            self.expect(403, "who asked may not decide", reply)?;
        }
        let by = self.claim(&item, LEE, LOU)?;
        let wanted = if self.one_in(4) { "decline" } else { "approve" };
        let outcome = self.complete(&item, by, wanted)?;
        if self.one_in(2) {
            self.remark(&run.case)?;
        }
        let (outcome, item) = if outcome == "approve" {
            self.world.ledger.owe(intent, Some(fund));
            ("paid", true)
        } else {
            ("declined", false)
        };
        self.open.push_back(Open {
            id: run.id,
            outcome,
            item,
            heard: false,
        });
        Ok(())
    }

    /// Paid at once, confirmed by a person.
    fn advance(&mut self) -> Result<(), Over> {
        let intent = self.intent();
        let run = self.start("advance", &intent, "none")?;
        self.world.ledger.owe(intent, None);
        self.open.push_back(Open {
            id: run.id,
            outcome: "paid",
            item: true,
            heard: false,
        });
        Ok(())
    }

    /// Holds money that few can hold at once, then lets it go.
    fn hold(&mut self) -> Result<(), Over> {
        let intent = self.intent();
        let run = self.start("hold", &intent, "narrow")?;
        let view = self.look(&run.id)?;
        if view["output"]["outcome"] == "refused" {
            return self.refused("narrow");
        }
        let held = self.world.ledger.hold();
        held.map_err(|what| self.world.wrong(what))?;
        let item = format!("{}-1", run.id);
        let by = self.claim(&item, CASEY, CORY)?;
        self.world.ledger.let_go();
        self.complete(&item, by, "done")?;
        self.open.push_back(Open {
            id: run.id,
            outcome: "released",
            item: false,
            heard: false,
        });
        Ok(())
    }

    /// Waits for what a partner says, which may say it twice.
    fn listen(&mut self) -> Result<(), Over> {
        let intent = self.intent();
        let run = self.start("answer", &intent, "none")?;
        let event = json!({
            "specversion": "1.0",
            "id": intent,
            "source": "urn:partner:crash",
            "type": "org.partner.answered",
            "subject": intent,
        });
        let times = 1 + self.dice.next(2);
        for time in 0..times {
            // Another key each time: it is the event that makes it the same.
            let key = format!("{intent}:event:{time}");
            let kind = "application/cloudevents+json";
            let path = "/api/v1/events";
            let reply = self.asker.post_as(kind, CASEY, path, &event, &key)?;
            self.expect(202, "an event", reply)?;
        }
        self.open.push_back(Open {
            id: run.id,
            outcome: "read",
            item: true,
            heard: true,
        });
        Ok(())
    }

    /// A note in a case that is there.
    fn write(&mut self) -> Result<(), Over> {
        match self.case.clone() {
            Some(case) => self.remark(&case),
            None => Ok(()),
        }
    }

    fn remark(&mut self, case: &str) -> Result<(), Over> {
        let text = self.intent();
        let path = format!("/api/v1/cases/{case}/notes");
        let body = json!({ "text": text });
        let reply = self.asker.post(CASEY, &path, &body, &text)?;
        let told = self.expect(201, "a note", reply)?;
        let id = told["id"].as_str().unwrap_or_default().to_owned();
        let case = case.to_owned();
        self.note(Fact::Note { case, id, text });
        Ok(())
    }

    fn refused(&self, fund: &str) -> Result<(), Over> {
        if fund == "wide" {
            return self.wrong("a fund with money enough refused");
        }
        let refused = &self.world.counts.refused;
        refused.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// One of two takes it; now and then both try at the same moment.
    fn claim(
        &mut self,
        item: &str,
        one: &'static str,
        other: &'static str,
    ) -> Result<&'static str, Over> {
        let path = format!("/api/v1/work-items/{item}/claim");
        let wishes = [one, other].map(|who| Wish {
            who,
            path: path.clone(),
            body: json!({}),
            key: format!("{item}:claim:{who}"),
        });
        let won = self.one_of(&wishes)?;
        let by = [one, other][won];
        let item = item.to_owned();
        self.note(Fact::Claimed { item, by });
        Ok(by)
    }

    /// Whoever has it finishes it; now and then twice at the same moment, in different ways.
    fn complete(
        &mut self,
        item: &str,
        by: &'static str,
        wanted: &'static str,
    ) -> Result<&'static str, Over> {
        let path = format!("/api/v1/work-items/{item}/complete");
        let otherwise = if wanted == "approve" {
            "decline"
        } else {
            wanted
        };
        let wishes = [(wanted, "a"), (otherwise, "b")].map(|(outcome, device)| Wish {
            who: by,
            path: path.clone(),
            body: json!({ "outcome": outcome, "comment": "as the ledger wants it" }),
            key: format!("{item}:complete:{device}"),
        });
        let won = self.one_of(&wishes)?;
        let outcome = [wanted, otherwise][won];
        let item = item.to_owned();
        self.note(Fact::Completed { item, by, outcome });
        Ok(outcome)
    }

    /// The first wish alone, or both at the same moment; which of them came true.
    fn one_of(&mut self, wishes: &[Wish; 2]) -> Result<usize, Over> {
        let [first, second] = wishes;
        if !self.one_in(4) {
            let reply = first.make(&mut self.asker)?;
            self.expect(200, &first.path, reply)?;
            return Ok(0);
        }
        self.world.counts.races.fetch_add(1, Ordering::Relaxed);
        let world = self.world;
        let (mine, other) = std::thread::scope(|scope| {
            let other = scope.spawn(|| second.make(&mut Asker::new(world)));
            (first.make(&mut self.asker), other.join().unwrap())
        });
        let (mine, other) = (mine?, other?);
        match (mine.status, other.status) {
            (200, 409) => Ok(0),
            (409, 200) => Ok(1),
            (200, 200) => self.wrong(format!(
                "a guard was not held: two had {} at once: {mine:?} and {other:?}",
                first.path
            )),
            _ => self.wrong(format!(
                "lost: of two wishes none came true: {mine:?}, {other:?}"
            )),
        }
    }

    /// Goes on with the oldest open run; whether there was one.
    fn end_one(&mut self) -> Result<bool, Over> {
        let Some(mut open) = self.open.pop_front() else {
            return Ok(false);
        };
        let view = self.look(&open.id)?;
        let waiting = &view["waiting"][0];
        match view["status"].as_str() {
            Some("completed") if !open.item => {
                if view["output"]["outcome"] != open.outcome {
                    return self.wrong(format!("{open:?} ended as {view}"));
                }
                if open.heard {
                    self.heard_once(&open.id)?;
                }
                return Ok(true);
            }
            Some("running" | "waiting") => {
                if let Some(item) = waiting["workItem"].as_str()
                    && open.item
                {
                    let by = self.claim(item, CASEY, CORY)?;
                    self.complete(item, by, "done")?;
                    open.item = false;
                }
            }
            _ if view["error"]["type"] == NO_RESERVATION => {
                return self.wrong(format!("money is not conserved: {open:?} stands at {view}"));
            }
            _ => return self.wrong(format!("{open:?} stands at {view}")),
        }
        self.open.push_back(open);
        Ok(true)
    }

    /// The event arrived, and only once.
    fn heard_once(&mut self, run: &str) -> Result<(), Over> {
        let path = format!("/api/v1/instances/{run}/history");
        let reply = self.asker.get(CASEY, &path)?;
        let history = self.expect(200, "a history", reply)?;
        let entries = history["items"].as_array().map_or(&[][..], Vec::as_slice);
        let heard = entries
            .iter()
            .filter(|one| one["event"] == "event-received");
        match heard.count() {
            1 => Ok(()),
            times => self.wrong(format!("{run} heard one event {times} times")),
        }
    }
}

/// A change that somebody wants.
struct Wish {
    who: &'static str,
    path: String,
    body: Value,
    key: String,
}

impl Wish {
    fn make(&self, asker: &mut Asker<'_>) -> Result<Reply, Over> {
        asker.post(self.who, &self.path, &self.body, &self.key)
    }
}
