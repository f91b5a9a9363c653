//! `.case` files: what a workflow does, as data. Reading and printing; playing is in `play`.
//!
//! ```text
//! # what must hold, in one sentence
//! do:
//!   - pay:
//!       call: bank.pay
//!       with: { amount: '${ .amount }' }
//! > start {"amount":5}
//! ? .amount | tostring -> "5"
//! < call pay:1.1 bank.pay {"amount":5} key 1
//! > +PT2S return pay {"paid":true}
//! < finish completed {"paid":true}
//! = tasks pay:completed
//! ```
//!
//! `>` is an event, `?` a question with its answer, `<` an effect, `=` the end. A document without
//! a `document:` of its own gets [`HEADER`]. Events:
//!
//! ```text
//! start <input> [below=<depth>:<task>:<person>] [by=<person>]
//!                                             return <call> <output>
//! fail <call> <kind> <code> <status> [<json>] complete <item> <outcome> <person>:<role>...
//! [<json>]
//! timer <timer>                               resume
//! cancel                                      event <type> [<json>]
//! retry [certain]                             (a person has it go on after a failed call)
//! recover
//! child <task> [acted] [by=<task>:<person>,...] completed <output> | faulted <fault> | cancelled
//! ```
//!
//! `<call>` is `<task>[:<run>.<attempt>]`, by default the latest; `fail` takes `{message, details,
//! retry_after_ms}`, `complete` takes `<person>:<role>[/<for whom>]` and `{data, comment, overdue,
//! skipped}`, `event` takes further attributes (`id` unless written is the type, `source` is
//! `urn:test`). A leading `+PT2S` moves the clock first; a timer moves it to its own moment.
//! `recover` is no event: it lists what is open.

mod play;
mod print;

use std::fmt;

use casewright_language::Answer;
use casewright_machine::{CallError, Decider, ErrorKind, Outcome, Worked};
use jiff::SignedDuration;
use serde_json::Value;

/// Stands above every document that has no `document:` of its own.
pub const HEADER: &str =
    "document: { dsl: '1.0.3', namespace: test, name: case, version: '1.0.0' }\n";

/// A case as written.
#[derive(Debug, Clone)]
pub struct Case {
    /// What must hold.
    pub title: String,
    /// As written, without the header that was added.
    pub document: String,
    /// The events in order.
    pub moves: Vec<Move>,
    /// The whole text, to compare with.
    pub text: String,
}

/// One event with what belongs to it.
#[derive(Debug, Clone)]
pub struct Move {
    /// As written, after `> `.
    pub line: String,
    /// How far the clock moves before it.
    pub after: SignedDuration,
    /// What happens.
    pub happening: Happening,
    /// Expressions that the simple evaluator leaves to jq, and what jq says.
    pub answers: Vec<(String, Answer)>,
}

/// An event in its short form.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// The instance starts.
    Start {
        /// As the caller sends it.
        input: Value,
        /// Person id; `anna` unless written.
        by: String,
        /// How many instances above run each other.
        depth: u32,
        /// Who did human work in them.
        worked: Vec<Worked>,
    },
    /// A function answers.
    Return {
        /// Which call it answers.
        call: CallName,
        /// What it says.
        result: Result<Value, CallError>,
    },
    /// People decide.
    Complete {
        /// Number of the work item.
        item: u32,
        /// What they decide.
        outcome: String,
        /// Who decides.
        by: Vec<Decider>,
        /// What the form holds.
        data: Value,
        /// What they write.
        comment: Option<String>,
        /// Whether it was due before.
        overdue: bool,
        /// Nobody answered.
        skipped: bool,
    },
    /// A workflow that a task runs has ended.
    ChildEnded {
        /// The task.
        task: String,
        /// How.
        outcome: Outcome,
        /// Whether it may have acted.
        acted: bool,
        /// Who did human work in it.
        worked: Vec<Worked>,
    },
    /// The moment of a timer comes.
    Timer(u32),
    /// It goes on after a yield.
    Resume,
    /// Somebody takes it back.
    Cancel,
    /// Somebody has it go on after a failed call.
    Retry {
        /// They have made sure that what is in doubt did not happen.
        certain: bool,
    },
    /// An event reaches the instance.
    Arrive(Value),
    /// No event: what is open is listed.
    Recover,
}

/// `pay`, or `pay:1.2` for the second attempt of the first run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallName {
    /// Name of the task.
    pub task: String,
    /// Run and attempt; the latest unless written.
    pub attempt: Option<(u32, u32)>,
}

/// A line that says nothing a case could say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The line, as written.
    pub line: String,
    /// What is missing or wrong.
    pub problem: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, in `{}`", self.problem, self.line)
    }
}

impl std::error::Error for Unreadable {}

impl Case {
    /// Reads a case.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let mut case = Self {
            title: String::new(),
            document: String::new(),
            moves: Vec::new(),
            text: text.to_owned(),
        };
        for line in text.lines() {
            case.read(line).map_err(|problem| Unreadable {
                line: line.to_owned(),
                problem,
            })?;
        }
        if case.title.is_empty() {
            return Err(Unreadable {
                line: text.lines().next().unwrap_or_default().to_owned(),
                problem: "the first line begins with `# ` and says what must hold".to_owned(),
            });
        }
        Ok(case)
    }

    /// The document with the header it needs.
    pub fn workflow_text(&self) -> String {
        if self.document.starts_with("document:") {
            self.document.clone()
        } else {
            format!("{HEADER}{}", self.document)
        }
    }

    /// The lines that say how it ends.
    pub fn ending(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter(|line| line.starts_with("= "))
    }

    fn read(&mut self, line: &str) -> Result<(), String> {
        let head = self.document.is_empty() && self.moves.is_empty();
        if let Some(title) = line.strip_prefix("# ").filter(|_| head) {
            let gap = if self.title.is_empty() { "" } else { "\n" };
            self.title = format!("{}{gap}{title}", self.title);
            return Ok(());
        }
        if let Some(line) = line.strip_prefix("> ") {
            self.moves.push(Move::parse(line)?);
            return Ok(());
        }
        match self.moves.last_mut() {
            None => {
                self.document.push_str(line);
                self.document.push('\n');
            }
            Some(last) => {
                if let Some(line) = line.strip_prefix("? ") {
                    last.answers.push(answer(line)?);
                } else if !line.starts_with("< ") && !line.starts_with("= ") {
                    return Err(
                        "after the first event every line begins with > ? < or =".to_owned()
                    );
                }
            }
        }
        Ok(())
    }
}

impl Move {
    fn parse(line: &str) -> Result<Self, String> {
        let (after, rest) = match line.strip_prefix('+') {
            Some(rest) => {
                let (after, rest) = word(rest);
                let after = after
                    .parse::<SignedDuration>()
                    .map_err(|error| error.to_string())?;
                (after, rest)
            }
            None => (SignedDuration::ZERO, line),
        };
        Ok(Self {
            line: line.to_owned(),
            after,
            happening: Happening::parse(rest)?,
            answers: Vec::new(),
        })
    }
}

impl Happening {
    fn parse(line: &str) -> Result<Self, String> {
        let (verb, rest) = word(line);
        match verb {
            "start" => {
                let (rest, by) = rest.rsplit_once(" by=").unwrap_or((rest, "anna"));
                let (input, below) = rest.rsplit_once(" below=").unwrap_or((rest, "0"));
                let mut below = below.splitn(3, ':');
                let depth = number(below.next().unwrap_or_default())?;
                let worked = below.next().zip(below.next()).map(|(task, person)| Worked {
                    task: task.to_owned(),
                    person: person.to_owned(),
                });
                Ok(Self::Start {
                    input: json(input)?,
                    by: by.to_owned(),
                    depth,
                    worked: worked.into_iter().collect(),
                })
            }
            "return" => {
                let (call, rest) = word(rest);
                Ok(Self::Return {
                    call: CallName::parse(call)?,
                    result: Ok(json(rest)?),
                })
            }
            "fail" => {
                let (call, rest) = word(rest);
                Ok(Self::Return {
                    call: CallName::parse(call)?,
                    result: Err(call_error(rest)?),
                })
            }
            "complete" => Self::complete(rest),
            "child" => Self::child(rest),
            "timer" => Ok(Self::Timer(number(rest)?)),
            "resume" => Ok(Self::Resume),
            "cancel" => Ok(Self::Cancel),
            "retry" => Ok(Self::Retry {
                certain: rest == "certain",
            }),
            "event" => Self::arrive(rest),
            "recover" => Ok(Self::Recover),
            _ => Err(format!("there is no event `{verb}`")),
        }
    }

    fn child(rest: &str) -> Result<Self, String> {
        let (task, mut rest) = word(rest);
        let (mut acted, mut worked) = (false, Vec::new());
        let outcome = loop {
            let (next, after) = word(rest);
            rest = after;
            if next == "acted" {
                acted = true;
            } else if let Some(by) = next.strip_prefix("by=") {
                for one in by.split(',') {
                    let (task, person) = one.split_once(':').ok_or("write by=<task>:<person>")?;
                    worked.push(Worked {
                        task: task.to_owned(),
                        person: person.to_owned(),
                    });
                }
            } else {
                break match next {
                    "completed" => Outcome::Completed(json(rest)?),
                    "faulted" => {
                        let fault = serde_json::from_str(rest).map_err(|e| e.to_string())?;
                        Outcome::Faulted(fault)
                    }
                    "cancelled" => Outcome::Cancelled,
                    _ => return Err(format!("a workflow does not end as `{next}`")),
                };
            }
        };
        Ok(Self::ChildEnded {
            task: task.to_owned(),
            outcome,
            acted,
            worked,
        })
    }

    fn arrive(rest: &str) -> Result<Self, String> {
        let (kind, rest) = word(rest);
        let mut event = extras(rest)?;
        let members = event.as_object_mut().ok_or("write attributes as {...}")?;
        members.insert("type".to_owned(), kind.into());
        for (name, value) in [("specversion", "1.0"), ("id", kind), ("source", "urn:test")] {
            members.entry(name).or_insert_with(|| value.into());
        }
        Ok(Self::Arrive(event))
    }

    fn complete(rest: &str) -> Result<Self, String> {
        let (item, rest) = word(rest);
        let (outcome, mut rest) = word(rest);
        let mut by = Vec::new();
        while !rest.is_empty() && !rest.starts_with('{') {
            let (decider, after) = word(rest);
            let (person, role) = decider.split_once(':').ok_or("write <person>:<role>")?;
            // `ben:worker/ana`: Ben, for Ana.
            let (role, acting_for) = match role.split_once('/') {
                Some((role, person)) => (role, Some(person)),
                None => (role, None),
            };
            by.push(Decider {
                person: person.to_owned(),
                role: role.to_owned(),
                acting_for: acting_for.map(str::to_owned),
            });
            rest = after;
        }
        let more = extras(rest)?;
        Ok(Self::Complete {
            item: number(item)?,
            outcome: outcome.to_owned(),
            by,
            data: more["data"].clone(),
            comment: more["comment"].as_str().map(str::to_owned),
            overdue: more["overdue"].as_bool().unwrap_or(false),
            skipped: more["skipped"].as_bool().unwrap_or(false),
        })
    }
}

impl CallName {
    fn parse(text: &str) -> Result<Self, String> {
        let Some((task, attempt)) = text.split_once(':') else {
            return Ok(Self {
                task: text.to_owned(),
                attempt: None,
            });
        };
        let (run, attempt) = attempt
            .split_once('.')
            .ok_or("write <task>:<run>.<attempt>")?;
        Ok(Self {
            task: task.to_owned(),
            attempt: Some((number(run)?, number(attempt)?)),
        })
    }
}

fn call_error(rest: &str) -> Result<CallError, String> {
    let (kind, rest) = word(rest);
    let (code, rest) = word(rest);
    let (status, rest) = word(rest);
    let kind: ErrorKind = serde_json::from_value(Value::from(kind)).map_err(|e| e.to_string())?;
    let more = extras(rest)?;
    Ok(CallError {
        kind,
        code: code.to_owned(),
        status: number(status)?.into(),
        message: more["message"].as_str().unwrap_or("it failed").to_owned(),
        details: more.get("details").cloned(),
        retry_after_ms: more["retry_after_ms"].as_u64(),
    })
}

/// `<source> -> <value>`, or `none`, `many`, `failed <text>` behind the arrow.
fn answer(line: &str) -> Result<(String, Answer), String> {
    let (source, answer) = line
        .rsplit_once(" -> ")
        .ok_or("write <expression> -> <answer>")?;
    let answer = match word(answer) {
        ("none", "") => Answer::None,
        ("many", "") => Answer::Many,
        ("failed", text) => Answer::Failed(serde_json::from_str(text).map_err(|e| e.to_string())?),
        (_, _) => Answer::One(json(answer)?),
    };
    Ok((source.to_owned(), answer))
}

fn word(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("`{text}` is no JSON: {error}"))
}

fn extras(text: &str) -> Result<Value, String> {
    if text.is_empty() {
        Ok(Value::Object(serde_json::Map::new()))
    } else {
        json(text)
    }
}
