//! One step of a test: a word that says what is done or expected, and what belongs to it.

use serde_json::Value;

use super::read::Reader;
use super::{
    Act, Calls, Complete, Consent, Deed, DoNotContact, Ended, Event, Expected, Field, FundState,
    History, OpenTask, Person, PlanState, Recorded, Refusal, SafeWay, Spot, Start, Step, TaskName,
    Withdrawal, Written,
};
use crate::Term;
use crate::diagnostic::{listed, similar};
use crate::read::RELATIONS;
use crate::yaml::{self, Entry, Fields, Node};

/// The word that makes a step what it is, with the words that may stand beside it.
const DEEDS: &[(&str, &[&str])] = &[
    (
        "start",
        &[
            "as", "sameCase", "calendar", "input", "but", "refused", "fields",
        ],
    ),
    ("claim", &["as", "of", "refused"]),
    ("release", &["as", "of", "refused"]),
    (
        "complete",
        &[
            "as", "of", "outcome", "data", "but", "comment", "refused", "fields",
        ],
    ),
    ("person", &["as", "relation", "born"]),
    ("consent", &["as", "to"]),
    ("withdrawal", &["as"]),
    ("safeWay", &["as", "relation", "leave"]),
    ("doNotContact", &["as"]),
    ("event", &["subject", "source", "id", "data", "but"]),
    (
        "task",
        &[
            "of",
            "for",
            "title",
            "due",
            "overdue",
            "outcomes",
            "shows",
            "claimedBy",
        ],
    ),
    ("noTask", &["of"]),
    ("wait", &[]),
    ("waitUntil", &[]),
    ("fund", &["available", "reserved", "committed"]),
    ("plan", &["version", "active"]),
    ("calls", &["times", "input", "returned"]),
    ("ended", &["of", "output", "fault"]),
    ("recorded", &["times", "by", "about", "detail"]),
    ("history", &["of"]),
];
/// How a plan may stand.
const PLANS: [&str; 3] = ["needs-agreement", "agreed", "active"];
/// How somebody is reached, and what may be left there; `casework` gives them their meaning.
const CHANNELS: [&str; 4] = ["phone-call", "text-message", "e-mail", "letter"];
const LEAVES: [&str; 3] = ["nothing", "neutral", "content"];
const ENDS: [&str; 3] = ["completed", "faulted", "cancelled"];

pub(super) fn read<'n>(reader: &mut Reader<'_, 'n>, node: &'n Node) -> Option<Step> {
    let mut keys = Fields::open_any(reader.findings, node, node.place, "a step")?;
    let entries = keys.entries();
    let word = |entry: &&Entry| DEEDS.iter().any(|(word, _)| *word == entry.key.text);
    let mut words = entries.iter().filter(word);
    let Some(first) = words.next() else {
        nothing_done(reader, node, entries);
        return None;
    };
    if let Some(second) = words.next() {
        let (one, other) = (&first.key.text, &second.key.text);
        reader
            .findings
            .error(
                "CW0802",
                second.key.place,
                format!("this step says `{one}` and `{other}`"),
            )
            .help("make two steps of it: a step does or expects one thing");
        return None;
    }
    let word = first.key.text.as_str();
    let (_, beside) = DEEDS.iter().find(|(known, _)| *known == word)?;
    keys.owner = format!("the step `{word}`");
    let known: Vec<&str> = [word].into_iter().chain(beside.iter().copied()).collect();
    keys.refuse_unknown(reader.findings, &known);
    let mut one = One {
        reader,
        keys: &keys,
        first,
    };
    let deed = one.deed(word)?;
    Some(Step {
        spot: Spot(first.key.place),
        line: node.place.line,
        deed,
    })
}

fn nothing_done(reader: &mut Reader<'_, '_>, node: &Node, entries: &[Entry]) {
    let words = || DEEDS.iter().map(|(word, _)| *word);
    let near = entries
        .iter()
        .find_map(|entry| Some((entry, similar(&entry.key.text, words())?)));
    let (place, help) = match near {
        Some((entry, word)) => (entry.key.place, format!("did you mean `{word}`?")),
        None => (
            node.place,
            format!("begin it with one of: {}", listed(words())),
        ),
    };
    reader
        .findings
        .error(
            "CW0801",
            place,
            "this step neither does nor expects anything",
        )
        .help(help);
}

struct One<'r, 'f, 'n> {
    reader: &'r mut Reader<'f, 'n>,
    keys: &'r Fields<'n>,
    /// The word with its value.
    first: &'n Entry,
}

impl<'n> One<'_, '_, 'n> {
    fn deed(&mut self, word: &str) -> Option<Deed> {
        Some(match word {
            "start" => Deed::Start(self.start()?),
            "claim" => Deed::Claim(self.act()?),
            "release" => Deed::Release(self.act()?),
            "complete" => Deed::Complete(self.complete()?),
            "person" => Deed::Person(self.person()?),
            "consent" => Deed::Consent(self.consent()?),
            "withdrawal" => Deed::Withdrawal(self.withdrawal()?),
            "safeWay" => Deed::SafeWay(self.safe_way()?),
            "doNotContact" => Deed::DoNotContact(self.do_not_contact()?),
            "event" => Deed::Event(self.event()?),
            "task" => Deed::Task(Box::new(self.task()?)),
            "noTask" => Deed::NoTask(self.task_name()?),
            "wait" => Deed::Wait(self.term()?),
            "waitUntil" => Deed::WaitUntil(self.reader.moment(self.keys, self.first)?),
            "fund" => Deed::Fund(self.fund()?),
            "plan" => Deed::Plan(self.plan()?),
            "calls" => Deed::Calls(self.calls()?),
            "ended" => Deed::Ended(self.ended()?),
            "recorded" => Deed::Recorded(self.recorded()?),
            _ => Deed::History(self.history()?),
        })
    }

    fn start(&mut self) -> Option<Start> {
        let workflow = self.reader.workflow_name(self.keys, self.first);
        let same_case = self.flag("sameCase").is_some_and(|flag| flag.value);
        let calendar = self.calendar();
        let input = self.data("input");
        let (who, refused) = (self.who(), self.refused());
        Some(Start {
            workflow: workflow?,
            who: who?,
            same_case,
            calendar,
            input: match input? {
                Value::Null => Value::Object(serde_json::Map::new()),
                input => input,
            },
            refused: refused?,
        })
    }

    fn act(&mut self) -> Option<Act> {
        let (task, who, refused) = (self.task_name(), self.who(), self.refused());
        Some(Act {
            task: task?,
            who: who?,
            refused: refused?,
        })
    }

    fn complete(&mut self) -> Option<Complete> {
        let act = self.act();
        let data = self.data("data");
        let outcome = self.text("outcome");
        if let (Some(act), Some(outcome)) = (&act, &outcome) {
            self.outcome_exists(act, outcome);
        }
        let comment = self.text("comment").map(|comment| comment.value);
        Some(Complete {
            act: act?,
            outcome: outcome.map(|outcome| outcome.value),
            data: data?,
            comment,
        })
    }

    fn person(&mut self) -> Option<Person> {
        let name = self.keys.text(self.reader.findings, self.first)?.to_owned();
        let write = "relation: parent";
        let entry = self
            .keys
            .required(self.reader.findings, "relation", write)?;
        let relation = self.keys.text(self.reader.findings, entry)?;
        if !RELATIONS.contains(&relation) {
            let place = entry.place();
            self.reader
                .missing("relation", relation, place, RELATIONS.into_iter());
        }
        let born = match self.keys.get("born") {
            Some(entry) => Some(self.reader.moment(self.keys, entry)?),
            None => None,
        };
        Some(Person {
            name,
            relation: relation.to_owned(),
            born,
            who: self.who()?,
        })
    }

    fn plan(&mut self) -> Option<PlanState> {
        let status = self.keys.text(self.reader.findings, self.first)?;
        if !PLANS.contains(&status) {
            let place = self.first.place();
            self.reader
                .missing("status of a plan", status, place, PLANS.into_iter());
        }
        let mut number = |key| {
            let entry = self.keys.get(key)?;
            let number = entry.value.as_integer();
            if number.is_none() {
                let wanted = "the number of a version, such as 2";
                self.keys.expected(self.reader.findings, entry, wanted);
            }
            number.map(|number| written(number, &entry.value))
        };
        let (version, active) = (number("version"), number("active"));
        Some(PlanState {
            status: written(status.to_owned(), &self.first.value),
            version,
            active,
        })
    }

    fn consent(&mut self) -> Option<Consent> {
        let purpose = self.keys.text(self.reader.findings, self.first)?.to_owned();
        let write = "to: housing-register";
        let recipient = self.keys.required(self.reader.findings, "to", write)?;
        let recipient = self.keys.text(self.reader.findings, recipient)?.to_owned();
        Some(Consent {
            purpose,
            recipient,
            who: self.who()?,
        })
    }

    fn withdrawal(&mut self) -> Option<Withdrawal> {
        let purpose = self.keys.text(self.reader.findings, self.first)?.to_owned();
        Some(Withdrawal {
            purpose,
            who: self.who()?,
        })
    }

    fn safe_way(&mut self) -> Option<SafeWay> {
        let channel = self.one_of(self.first, &CHANNELS)?;
        let mut word = |key: &str, known: &[&str], usual: &str| match self.keys.get(key) {
            Some(entry) => self.one_of(entry, known),
            None => Some(usual.to_owned()),
        };
        Some(SafeWay {
            relation: word("relation", &RELATIONS, "parent")?,
            leave: word("leave", &LEAVES, "neutral")?,
            channel,
            who: self.who()?,
        })
    }

    fn do_not_contact(&mut self) -> Option<DoNotContact> {
        Some(DoNotContact {
            relation: self.one_of(self.first, &RELATIONS)?,
            who: self.who()?,
        })
    }

    fn one_of(&mut self, entry: &'n Entry, known: &[&str]) -> Option<String> {
        let text = self.keys.text(self.reader.findings, entry)?;
        if !known.contains(&text) {
            let wanted = format!("one of {}", listed(known.iter().copied()));
            self.keys.expected(self.reader.findings, entry, &wanted);
            return None;
        }
        Some(text.to_owned())
    }

    fn event(&mut self) -> Option<Event> {
        let kind = self.keys.text(self.reader.findings, self.first)?.to_owned();
        let mut text = |key: &str| self.text(key).map(|text| text.value);
        let (subject, source, id) = (text("subject"), text("source"), text("id"));
        Some(Event {
            kind,
            subject,
            source,
            id,
            data: self.data("data")?,
        })
    }

    /// A refusal may be just about an outcome that does not exist.
    fn outcome_exists(&mut self, act: &Act, outcome: &Written<String>) {
        let workflow = self.workflow_of(&act.task);
        let known = workflow.and_then(|name| self.reader.around.workflows.get(&name));
        let known = known.and_then(|tasks| tasks.get(&act.task.task));
        if let (Some(known), None) = (known, &act.refused) {
            let what = format!("outcome of `{}` named", act.task.task);
            self.reader
                .exists(&what, &outcome.value, outcome.spot.0, known.iter());
        }
    }

    fn task(&mut self) -> Option<OpenTask> {
        let task = self.task_name();
        let claimed_by = self.text("claimedBy");
        if let Some(person) = &claimed_by {
            self.person_exists(person);
        }
        let due = self.keys.get("due").and_then(|entry| {
            let value = self.reader.moment(self.keys, entry)?;
            Some(written(value, &entry.value))
        });
        let outcomes = self.keys.get("outcomes").map(|entry| {
            let texts = self.reader.texts("`outcomes`", entry, "a list of texts");
            let texts = texts.into_iter().map(|(text, _)| text).collect();
            written(texts, &entry.value)
        });
        Some(OpenTask {
            task: task?,
            assigned: self.text("for"),
            title: self.text("title"),
            due,
            overdue: self.flag("overdue"),
            outcomes,
            shows: self.expected("shows"),
            claimed_by,
        })
    }

    fn term(&mut self) -> Option<Term> {
        let text = self.keys.text(self.reader.findings, self.first)?;
        match Term::parse(text) {
            Ok(term) => Some(term),
            Err(sentence) => {
                let place = self.first.place();
                self.reader.findings.error("CW0804", place, sentence);
                None
            }
        }
    }

    fn fund(&mut self) -> Option<FundState> {
        let name = self.keys.text(self.reader.findings, self.first)?;
        let (place, funds) = (self.first.place(), &self.reader.around.funds);
        self.reader.exists("fund", name, place, funds.iter());
        let mut amounts = Vec::new();
        for part in ["available", "reserved", "committed"] {
            if let Some(entry) = self.keys.get(part)
                && let Some(minor) = self.money(part, entry)
            {
                amounts.push((part, written(minor, &entry.value)));
            }
        }
        Some(FundState {
            name: name.to_owned(),
            amounts,
        })
    }

    /// A fund has one currency, so that only the amount is compared.
    fn money(&mut self, part: &str, entry: &'n Entry) -> Option<i64> {
        let owner = yaml::under(&self.keys.owner, part);
        let place = entry.key.place;
        let known = ["minor", "currency"];
        let keys = Fields::open(self.reader.findings, &entry.value, place, &owner, &known)?;
        let minor = keys.required(self.reader.findings, "minor", "minor: 130000")?;
        let number = minor.value.as_integer();
        if number.is_none() {
            let wanted = "a whole number of minor units";
            keys.expected(self.reader.findings, minor, wanted);
        }
        number
    }

    fn calls(&mut self) -> Option<Calls> {
        let function = self.keys.text(self.reader.findings, self.first)?;
        self.reader.function_exists(function, self.first.place());
        let times = self.number("times");
        Some(Calls {
            function: function.to_owned(),
            times: times.unwrap_or(1),
            input: self.expected("input"),
            returned: self.expected("returned"),
        })
    }

    fn ended(&mut self) -> Option<Ended> {
        let status = self.keys.text(self.reader.findings, self.first)?;
        if !ENDS.contains(&status) {
            let place = self.first.place();
            self.reader.missing("end", status, place, ENDS.into_iter());
        }
        let of = self.keys.get("of");
        let of = of.and_then(|entry| self.reader.workflow_name(self.keys, entry));
        Some(Ended {
            status: written(status.to_owned(), &self.first.value),
            of,
            output: self.expected("output"),
            fault: self.expected("fault"),
        })
    }

    fn recorded(&mut self) -> Option<Recorded> {
        let action = self.keys.text(self.reader.findings, self.first)?;
        let (place, actions) = (self.first.place(), &self.reader.around.actions);
        self.reader.exists("entry", action, place, actions.iter());
        let times = self.number("times");
        let by = self.text("by");
        if let Some(person) = by.as_ref().filter(|person| person.value != "engine") {
            self.person_exists(person);
        }
        Some(Recorded {
            action: action.to_owned(),
            times,
            by: by.map(|person| person.value),
            about: self.text("about").map(|task| task.value),
            detail: self.text("detail").map(|detail| detail.value),
        })
    }

    fn history(&mut self) -> Option<History> {
        let wanted = "a list of the tasks in the order they began";
        let list = self.first.value.as_list();
        if list.is_none() {
            self.keys.expected(self.reader.findings, self.first, wanted);
        }
        let tasks = self.reader.texts("`history`", self.first, wanted);
        let tasks = tasks.into_iter().map(|(task, _)| task).collect();
        let of = self.keys.get("of");
        let of = of.and_then(|entry| self.reader.workflow_name(self.keys, entry));
        list.map(|_| History {
            tasks: written(tasks, &self.first.value),
            of,
        })
    }

    fn task_name(&mut self) -> Option<TaskName> {
        let task = self.keys.text(self.reader.findings, self.first)?.to_owned();
        let of = self.keys.get("of");
        let of = of.and_then(|entry| self.reader.workflow_name(self.keys, entry));
        let name = TaskName { task, of };
        let place = self.first.place();
        if let Some(workflow) = self.workflow_of(&name) {
            if let Some(tasks) = self.reader.around.workflows.get(&workflow) {
                let what = format!("task for people in `{workflow}` named");
                self.reader.exists(&what, &name.task, place, tasks.keys());
            }
        } else {
            let all = self.reader.around.workflows.values();
            let tasks = all.flat_map(|tasks| tasks.keys());
            self.reader
                .exists("task for people", &name.task, place, tasks);
        }
        Some(name)
    }

    fn workflow_of(&self, name: &TaskName) -> Option<String> {
        name.of.clone().or_else(|| self.reader.workflow.clone())
    }

    fn who(&mut self) -> Option<String> {
        let write = "as: casey";
        self.keys.required(self.reader.findings, "as", write)?;
        let who = self.text("as")?;
        self.person_exists(&who);
        Some(who.value)
    }

    fn person_exists(&mut self, person: &Written<String>) {
        let people = self.reader.people.clone();
        let place = person.spot.0;
        self.reader
            .exists("person", &person.value, place, people.iter());
    }

    /// The outer `None` after a mistake.
    #[expect(clippy::option_option, reason = "a mistake is not the same as nothing")]
    fn refused(&mut self) -> Option<Option<Refusal>> {
        let fields = self.fields();
        let Some(entry) = self.keys.get("refused") else {
            if let Some(entry) = self.keys.get("fields") {
                self.reader
                    .findings
                    .error("CW0807", entry.key.place, "`fields` without `refused`")
                    .help("add `refused: form-invalid`");
                return None;
            }
            return Some(None);
        };
        let code = self.text("refused")?;
        let known = &self.reader.around.refusals;
        let place = entry.place();
        self.reader
            .exists("refusal", &code.value, place, known.iter());
        Some(Some(Refusal { code, fields }))
    }

    /// A list of names, or a map of names to what their message says.
    fn fields(&mut self) -> Vec<Written<Field>> {
        let Some(entry) = self.keys.get("fields") else {
            return Vec::new();
        };
        if let Some(entries) = entry.value.as_map() {
            let says = entries.iter().map(|one| {
                let says = one.value.as_text().map(str::to_owned);
                let value = (one.key.text.clone(), says);
                Written {
                    value,
                    spot: Spot(one.key.place),
                }
            });
            return says.collect();
        }
        let wanted = "a list of fields, or a map of fields to what is said of them";
        let owner = yaml::under(&self.keys.owner, "fields");
        let texts = self.reader.texts(&owner, entry, wanted);
        let named = texts.into_iter().map(|(name, place)| Written {
            value: (name, None),
            spot: Spot(place),
        });
        named.collect()
    }

    /// A sample or what is written there, with `but` put over it; null without either.
    fn data(&mut self, key: &str) -> Option<Value> {
        let mut data = match self.keys.get(key) {
            None => Value::Null,
            Some(entry) => match entry.value.as_text() {
                None => entry.value.to_json(),
                Some(name) => {
                    let Some(sample) = self.reader.samples.get(name) else {
                        let known: Vec<&str> = self.reader.samples.keys().copied().collect();
                        let place = entry.place();
                        self.reader
                            .missing("sample", name, place, known.into_iter());
                        return None;
                    };
                    sample.to_json()
                }
            },
        };
        if let Some(but) = self.keys.get("but") {
            if but.value.as_map().is_none() {
                let wanted = "a map of what is different";
                self.keys.expected(self.reader.findings, but, wanted);
                return None;
            }
            overlay(&mut data, &but.value);
        }
        Some(data)
    }

    fn expected(&mut self, key: &str) -> Option<Expected> {
        let entry = self.keys.get(key)?;
        let sample = entry
            .value
            .as_text()
            .and_then(|name| self.reader.samples.get(name).copied());
        let node = match sample {
            // Differences are shown where the sample is named.
            Some(sample) => placed(sample, entry.value.place),
            None => entry.value.clone(),
        };
        Some(Expected(node))
    }

    fn text(&mut self, key: &str) -> Option<Written<String>> {
        let entry = self.keys.get(key)?;
        let text = self.keys.text(self.reader.findings, entry)?;
        Some(written(text.to_owned(), &entry.value))
    }

    /// A calendar of the pack, where one is named.
    fn calendar(&mut self) -> Option<String> {
        let named = self.text("calendar")?;
        let known = self.reader.around.calendars.clone();
        self.reader
            .exists("calendar", &named.value, named.spot.0, known.iter());
        Some(named.value)
    }

    fn flag(&mut self, key: &str) -> Option<Written<bool>> {
        let entry = self.keys.get(key)?;
        let flag = entry.value.as_bool();
        if flag.is_none() {
            let wanted = "`true` or `false`";
            self.keys.expected(self.reader.findings, entry, wanted);
        }
        Some(written(flag?, &entry.value))
    }

    fn number(&mut self, key: &str) -> Option<u64> {
        let entry = self.keys.get(key)?;
        let number = entry
            .value
            .as_integer()
            .and_then(|number| u64::try_from(number).ok());
        if number.is_none() {
            let wanted = "a whole number, 0 or more";
            self.keys.expected(self.reader.findings, entry, wanted);
        }
        number
    }
}

fn written<T>(value: T, node: &Node) -> Written<T> {
    Written {
        value,
        spot: Spot(node.place),
    }
}

/// The same tree with every part at one place.
fn placed(node: &Node, place: yaml::Place) -> Node {
    use crate::yaml::Content;

    let content = match &node.content {
        Content::Map(entries) => Content::Map(
            entries
                .iter()
                .map(|entry| Entry {
                    key: entry.key.clone(),
                    value: placed(&entry.value, place),
                })
                .collect(),
        ),
        Content::List(items) => {
            Content::List(items.iter().map(|item| placed(item, place)).collect())
        }
        Content::Null
        | Content::Bool(_)
        | Content::Integer(_)
        | Content::Float(_)
        | Content::Text(_) => node.content.clone(),
    };
    Node { place, content }
}

/// Members of maps are put over one by one; null takes a member away.
fn overlay(data: &mut Value, but: &Node) {
    let Some(entries) = but.as_map() else {
        *data = but.to_json();
        return;
    };
    if !data.is_object() {
        *data = Value::Object(serde_json::Map::new());
    }
    let Some(members) = data.as_object_mut() else {
        return;
    };
    for entry in entries {
        let name = &entry.key.text;
        if entry.value.is_null() {
            members.remove(name);
        } else {
            overlay(
                members.entry(name.clone()).or_insert(Value::Null),
                &entry.value,
            );
        }
    }
}
