//! From the text of a file of tests to [`Test`]s: what stands around the steps.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Answers, Around, Failure, FailureKind, Moment, Spot, Test, step};
use crate::Diagnostic;
use crate::diagnostic::{Findings, suggestion};
use crate::schema::format::date;
use crate::yaml::{self, Entry, Fields, Node, Place};

const FILE: [&str; 7] = [
    "workflow", "begins", "people", "plugins", "http", "samples", "tests",
];
const TEST: [&str; 6] = ["test", "begins", "people", "plugins", "http", "steps"];
/// Messages: a gateway that takes them all, unless the test says otherwise.
const NOTIFY: &str = "notify";
/// Before the name of a task whose request is answered.
const HTTP: &str = "http.";

/// What keeps a request from being answered, with the usual status.
const NO_ANSWER: [(&str, i64); 4] = [
    ("communication", 503),
    ("authorization", 403),
    ("in-doubt", 409),
    ("not-allowed", 403),
];

const KINDS: [(&str, FailureKind); 4] = [
    ("business", FailureKind::Business),
    ("permanent", FailureKind::Permanent),
    ("retryable", FailureKind::Retryable),
    ("in-doubt", FailureKind::InDoubt),
];

pub(super) fn read(file: &str, text: &str, around: &Around) -> (Vec<Test>, Vec<Diagnostic>) {
    let mut findings = Findings::new(file);
    let Some(root) = yaml::parse(text, &mut findings) else {
        return (Vec::new(), findings.into_list());
    };
    let mut reader = Reader {
        findings: &mut findings,
        around,
        samples: BTreeMap::new(),
        workflow: None,
        people: BTreeSet::new(),
    };
    let tests = reader.file(&root).unwrap_or_default();
    (tests, findings.into_list())
}

pub(super) struct Reader<'f, 'n> {
    pub(super) findings: &'f mut Findings,
    pub(super) around: &'f Around,
    pub(super) samples: BTreeMap<&'n str, &'n Node>,
    /// Where a step names none.
    pub(super) workflow: Option<String>,
    /// Of the test being read.
    pub(super) people: BTreeSet<String>,
}

impl<'n> Reader<'_, 'n> {
    fn file(&mut self, root: &'n Node) -> Option<Vec<Test>> {
        let keys = Fields::open(self.findings, root, root.place, "the tests", &FILE)?;
        self.workflow = keys
            .get("workflow")
            .and_then(|entry| self.workflow_name(&keys, entry));
        let begins = self.begins(&keys);
        let people = self.people(&keys);
        let answers = self.answers(&keys);
        if let Some(entry) = keys.get("samples") {
            match entry.value.as_map() {
                Some(samples) => {
                    let named = samples
                        .iter()
                        .map(|one| (one.key.text.as_str(), &one.value));
                    self.samples = named.collect();
                }
                None => keys.expected(self.findings, entry, "a map of names"),
            }
        }
        let write = "tests: [ { test: What is shown, steps: [ ... ] } ]";
        let entry = keys.required(self.findings, "tests", write)?;
        let Some(list) = entry.value.as_list() else {
            keys.expected(self.findings, entry, "a list of tests");
            return None;
        };
        let mut tests: Vec<Test> = Vec::new();
        for node in list {
            let test = self.test(node, begins, &people, &answers);
            let Some(test) = test else { continue };
            if tests.iter().any(|known| known.name == test.name) {
                let message = format!("another test is called `{}` too", test.name);
                self.findings
                    .error("CW0805", test.spot.0, message)
                    .help("say what is different about this one");
            }
            tests.push(test);
        }
        Some(tests)
    }

    fn test(
        &mut self,
        node: &'n Node,
        begins: Option<Moment>,
        people: &BTreeMap<String, Vec<String>>,
        answers: &BTreeMap<String, Answers>,
    ) -> Option<Test> {
        let keys = Fields::open(self.findings, node, node.place, "a test", &TEST)?;
        let name = keys.required(self.findings, "test", "test: What it shows")?;
        let text = keys.text(self.findings, name)?.to_owned();
        let begins = self.begins(&keys).or(begins);
        let mut people = people.clone();
        people.extend(self.people(&keys));
        let mut answers = answers.clone();
        answers.extend(self.answers(&keys));
        self.people = people.keys().cloned().collect();
        let write = "steps: [ { start: brokerage, as: casey } ]";
        let steps = keys.required(self.findings, "steps", write)?;
        let Some(list) = steps.value.as_list() else {
            keys.expected(self.findings, steps, "a list of steps");
            return None;
        };
        let steps = list.iter().filter_map(|node| step::read(self, node));
        let steps = steps.collect();
        Some(Test {
            name: text,
            workflow: self.workflow.clone(),
            spot: Spot(name.place()),
            begins,
            people,
            answers,
            steps,
        })
    }

    fn begins(&mut self, keys: &Fields<'n>) -> Option<Moment> {
        let entry = keys.get("begins")?;
        self.moment(keys, entry)
    }

    fn people(&mut self, keys: &Fields<'n>) -> BTreeMap<String, Vec<String>> {
        let mut people = BTreeMap::new();
        let Some(entry) = keys.get("people") else {
            return people;
        };
        let Some(entries) = entry.value.as_map() else {
            keys.expected(self.findings, entry, "a map of people to their roles");
            return people;
        };
        for person in entries {
            let owner = format!("`{}` of `people`", person.key.text);
            let roles = self.texts(&owner, person, "a role or a list of roles");
            for (role, place) in &roles {
                self.exists("role", role, *place, self.around.roles.iter());
            }
            let roles = roles.into_iter().map(|(role, _)| role).collect();
            people.insert(person.key.text.clone(), roles);
        }
        people
    }

    /// A text or a list of texts.
    pub(super) fn texts(
        &mut self,
        owner: &str,
        entry: &Entry,
        wanted: &str,
    ) -> Vec<(String, Place)> {
        let one = std::slice::from_ref(&entry.value);
        let nodes = entry.value.as_list().unwrap_or(one);
        let mut texts = Vec::new();
        for node in nodes {
            match node.as_text() {
                Some(text) => texts.push((text.to_owned(), node.place)),
                None => yaml::expected(self.findings, node.place, owner, wanted, node),
            }
        }
        texts
    }

    fn answers(&mut self, keys: &Fields<'n>) -> BTreeMap<String, Answers> {
        let mut answers = self.requests(keys);
        let Some(entry) = keys.get("plugins") else {
            return answers;
        };
        let Some(entries) = entry.value.as_map() else {
            keys.expected(self.findings, entry, "a map of functions to their answers");
            return answers;
        };
        for entry in entries {
            let name = &entry.key.text;
            self.function_exists(name, entry.key.place);
            if entry.value.as_text() == Some("real") {
                answers.insert(name.clone(), Answers::Real);
                continue;
            }
            let owner = format!("`{name}` of `plugins`");
            let Some(list) = entry.value.as_list().filter(|list| !list.is_empty()) else {
                let wanted = "`real` or a list of answers";
                yaml::expected(self.findings, entry.place(), &owner, wanted, &entry.value);
                continue;
            };
            let given = list
                .iter()
                .filter_map(|node| self.answer(node, &owner, false));
            answers.insert(name.clone(), Answers::Given(given.collect()));
        }
        answers
    }

    /// What is answered to the requests of `call: http`, by the name of the task.
    fn requests(&mut self, keys: &Fields<'n>) -> BTreeMap<String, Answers> {
        let mut answers = BTreeMap::new();
        let Some(entry) = keys.get("http") else {
            return answers;
        };
        let Some(entries) = entry.value.as_map() else {
            keys.expected(
                self.findings,
                entry,
                "a map of tasks to what they are answered",
            );
            return answers;
        };
        for entry in entries {
            let name = &entry.key.text;
            let owner = format!("`{name}` of `http`");
            let Some(list) = entry.value.as_list().filter(|list| !list.is_empty()) else {
                let wanted = "a list of answers";
                yaml::expected(self.findings, entry.place(), &owner, wanted, &entry.value);
                continue;
            };
            let given = list
                .iter()
                .filter_map(|node| self.answer(node, &owner, true));
            answers.insert(format!("{HTTP}{name}"), Answers::Given(given.collect()));
        }
        answers
    }

    pub(super) fn function_exists(&mut self, name: &str, place: Place) {
        if name.starts_with(HTTP) || name == NOTIFY {
            return;
        }
        if let Some(functions) = &self.around.functions {
            self.exists("function of a plugin", name, place, functions.iter());
        }
    }

    fn answer(&mut self, node: &'n Node, owner: &str, of_request: bool) -> Option<Answer> {
        let owner = format!("an answer of {owner}");
        let known = ["returns", "error"];
        let keys = Fields::open(self.findings, node, node.place, &owner, &known)?;
        match (keys.get("returns"), keys.get("error")) {
            (Some(entry), None) => Some(Answer::Returns(entry.value.to_json())),
            (None, Some(entry)) if of_request => self.no_answer(entry, &owner).map(Answer::Fails),
            (None, Some(entry)) => self.failure(entry, &owner).map(Answer::Fails),
            (found, _) => {
                let message = if found.is_some() {
                    format!("{owner} has `returns` and `error`")
                } else {
                    format!("{owner} has neither `returns` nor `error`")
                };
                self.findings.error("CW0806", node.place, message).help(
                    "write one of them: `returns: { state: paid }` or `error: { code: declined }`",
                );
                None
            }
        }
    }

    fn failure(&mut self, entry: &'n Entry, owner: &str) -> Option<Failure> {
        let owner = format!("`error` of {owner}");
        let known = ["code", "kind", "message"];
        let keys = Fields::open(self.findings, &entry.value, entry.key.place, &owner, &known)?;
        let code = keys.required(self.findings, "code", "code: declined");
        let code = code.and_then(|code| keys.text(self.findings, code));
        let message = keys.get("message");
        let message = message.and_then(|message| keys.text(self.findings, message));
        let kind = match keys.get("kind") {
            None => Some(FailureKind::Business),
            Some(entry) => self.kind(&keys, entry),
        };
        Some(Failure {
            code: code?.to_owned(),
            kind: kind?,
            status: None,
            message: message.map(str::to_owned),
        })
    }

    /// Of a request: a status that the server answers, or what kept it from being answered.
    fn no_answer(&mut self, entry: &'n Entry, owner: &str) -> Option<Failure> {
        let owner = format!("`error` of {owner}");
        let known = ["status", "code", "message"];
        let keys = Fields::open(self.findings, &entry.value, entry.key.place, &owner, &known)?;
        let message = keys.get("message");
        let message = message.and_then(|message| keys.text(self.findings, message));
        let written = keys.get("status");
        let status = written.map(|status| {
            let number = status.value.as_integer();
            let number = number.filter(|number| (100..=599).contains(number));
            if number.is_none() {
                keys.expected(self.findings, status, "a status such as 404");
            }
            number
        });
        let code = match keys.get("code") {
            None => Some("communication"),
            Some(entry) => {
                let text = keys.text(self.findings, entry)?;
                let found = NO_ANSWER.iter().find(|(code, _)| *code == text);
                if found.is_none() {
                    let codes = NO_ANSWER.iter().map(|(code, _)| *code);
                    self.missing("code of a request", text, entry.place(), codes);
                }
                found.map(|(code, _)| *code)
            }
        }?;
        let (_, usual) = NO_ANSWER.iter().find(|(known, _)| *known == code)?;
        Some(Failure {
            code: code.to_owned(),
            kind: if code == "in-doubt" {
                FailureKind::InDoubt
            } else {
                FailureKind::Business
            },
            status: Some(status.unwrap_or(Some(*usual))?),
            message: message.map(str::to_owned),
        })
    }

    fn kind(&mut self, keys: &Fields<'n>, entry: &'n Entry) -> Option<FailureKind> {
        let text = keys.text(self.findings, entry)?;
        let found = KINDS.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let names = KINDS.iter().map(|(name, _)| *name);
            self.missing("kind of error", text, entry.place(), names);
        }
        found.map(|(_, kind)| *kind)
    }

    pub(super) fn workflow_name(&mut self, keys: &Fields<'n>, entry: &'n Entry) -> Option<String> {
        let name = keys.text(self.findings, entry)?;
        let known = self.around.workflows.keys();
        self.exists("workflow", name, entry.place(), known);
        Some(name.to_owned())
    }

    /// `2026-11-25` or `2026-11-25 09:00`.
    pub(super) fn moment(&mut self, keys: &Fields<'n>, entry: &'n Entry) -> Option<Moment> {
        let text = keys.text(self.findings, entry)?;
        let moment = moment(text);
        if moment.is_none() {
            self.findings
                .error(
                    "CW0804",
                    entry.place(),
                    format!("`{text}` is not a day, nor a day with a time"),
                )
                .help("write for example `2026-11-25` or `2026-11-25 09:00`");
        }
        moment
    }

    pub(super) fn exists<'k>(
        &mut self,
        what: &str,
        name: &str,
        place: Place,
        known: impl Iterator<Item = &'k String>,
    ) {
        let known: Vec<&str> = known.map(String::as_str).collect();
        if !known.contains(&name) {
            self.missing(what, name, place, known.into_iter());
        }
    }

    pub(super) fn missing<'k>(
        &mut self,
        what: &str,
        name: &str,
        place: Place,
        known: impl Iterator<Item = &'k str>,
    ) {
        self.findings
            .error("CW0803", place, format!("there is no {what} `{name}`"))
            .help(suggestion(name, known, &format!("there is no {what} here")));
    }
}

fn moment(text: &str) -> Option<Moment> {
    let (day, time) = match text.split_once(' ') {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    if !date(day) {
        return None;
    }
    let time = match time {
        None => None,
        Some(time) => Some(clock(time)?),
    };
    Some(Moment {
        year: day.get(0..4)?.parse().ok()?,
        month: day.get(5..7)?.parse().ok()?,
        day: day.get(8..10)?.parse().ok()?,
        time,
    })
}

fn clock(text: &str) -> Option<(i8, i8)> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str, limit: i8| {
        let plain = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|number| *number < limit);
        plain.then_some(number).flatten()
    };
    Some((number(hour, 24)?, number(minute, 60)?))
}
