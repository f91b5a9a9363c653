//! The tasks of a workflow as steps, in the order of the document, each with what happens in it and
//! where it leads.
//!
//! Steps within others are numbered 3.1, 3.2; the list itself is flat, so that it fits a narrow
//! page. Nothing of a case is known here, so what is worked out from one is shown as written.

mod message;
mod request;

use std::collections::BTreeMap;

use casewright_language::Template;
use casewright_language::words::{humanize, phrase};
use casewright_language::workflow::{
    Backoff, Call, Case, Catch, Emission, Extension, Fork, Kind, Listen, Reach, Retry, Strategy,
    Task, Then, Try, Until,
};

use super::chapter::Known;
use super::human;
use super::outside::Contact;
use super::roles::Duty;
use super::wording::{self, Said, list, literal, members, span};

/// One step of the page.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) anchor: String,
    /// `3.1`
    pub(super) number: String,
    pub(super) title: String,
    /// What it is called in the picture, where that is not its title.
    pub(super) drawn: Option<String>,
    pub(super) nature: Nature,
    pub(super) facts: Vec<Fact>,
    /// The ways out of a choice.
    pub(super) ways: Vec<Way>,
    /// What comes after, where that is not simply the next step.
    pub(super) next: Option<Said>,
}

/// What kind of step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    Person,
    Decision,
    Engine,
    Choice,
    Pause,
    Group,
    Stop,
}

impl Nature {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Person => "A person does this",
            Self::Decision => "A person decides this",
            Self::Engine => "The engine does this by itself",
            Self::Choice => "The engine chooses the way",
            Self::Pause => "The engine waits",
            Self::Group => "Steps that belong together",
            Self::Stop => "The workflow stops with a problem",
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Decision => "decision",
            Self::Engine | Self::Choice | Self::Pause => "engine",
            Self::Group => "group",
            Self::Stop => "stop",
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Fact {
    pub(super) term: &'static str,
    pub(super) said: Vec<Said>,
}

#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) when: Said,
    pub(super) next: Said,
}

/// Where a task stands on the page.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) anchor: String,
    pub(super) number: String,
    pub(super) title: String,
}

impl Spot {
    pub(super) fn link(&self) -> Said {
        Said::link(
            format!("step {}, {}", self.number, self.title),
            &self.anchor,
        )
    }
}

/// What a list of tasks is part of: where the way goes behind its end.
#[derive(Clone, Copy)]
enum Within<'a> {
    Workflow,
    /// Goes on there.
    Group(&'a Said),
    /// Goes on there after the last round of the step of this number.
    Rounds(&'a str, &'a Said),
    /// Of the step of this number.
    Branch(&'a str),
}

/// What the steps of a workflow give to the rest of the page.
#[derive(Default)]
pub(super) struct Told {
    pub(super) steps: Vec<Step>,
    pub(super) duties: Vec<Duty>,
    pub(super) contacts: Vec<Contact>,
}

/// Makes steps of tasks.
pub(super) struct Teller<'a> {
    pub(super) known: &'a Known<'a>,
    /// By JSON pointer.
    pub(super) spots: BTreeMap<String, Spot>,
    /// Pointers by the name of the task.
    names: BTreeMap<String, Vec<String>>,
    /// Form to its place in this chapter.
    pub(super) forms: BTreeMap<String, String>,
    pub(super) told: Told,
}

impl<'a> Teller<'a> {
    /// `anchor` begins the anchors of all steps.
    pub(super) fn new(
        known: &'a Known<'a>,
        anchor: &str,
        forms: BTreeMap<String, String>,
        tasks: &[Task],
    ) -> Self {
        let mut teller = Self {
            known,
            spots: BTreeMap::new(),
            names: BTreeMap::new(),
            forms,
            told: Told::default(),
        };
        teller.place(anchor, "", tasks.iter());
        teller
    }

    fn place<'t>(&mut self, anchor: &str, outer: &str, tasks: impl Iterator<Item = &'t Task>) {
        for (index, task) in tasks.enumerate() {
            let number = format!("{outer}{}", index + 1);
            let spot = Spot {
                anchor: format!("{anchor}-s{}", number.replace('.', "-")),
                title: title(task),
                number,
            };
            let inner = format!("{}.", spot.number);
            self.spots.insert(task.reference.clone(), spot);
            let names = self.names.entry(task.name.clone()).or_default();
            names.push(task.reference.clone());
            self.place(anchor, &inner, task.lists().into_iter().flatten());
        }
    }

    /// The only task of this name.
    pub(super) fn spot(&self, name: &str) -> Option<&Spot> {
        match self.names.get(name)?.as_slice() {
            [only] => self.spots.get(only),
            _ => None,
        }
    }

    pub(super) fn tell(&mut self, tasks: &[Task]) {
        self.list(tasks, Within::Workflow);
    }

    fn list(&mut self, tasks: &[Task], within: Within<'_>) {
        for (index, task) in tasks.iter().enumerate() {
            self.task(task, tasks, index, within);
        }
    }

    fn task(&mut self, task: &Task, siblings: &[Task], index: usize, within: Within<'_>) {
        let spot = self.spots[&task.reference].clone();
        let drawn = humanize(&task.name);
        let (nature, mut facts) = self.deed(task, &spot);
        if let Some(condition) = &task.condition {
            let said = self.condition(condition);
            facts.insert(0, fact("Only when", vec![said]));
        }
        for extension in &task.extensions {
            facts.extend(self.around(extension));
        }
        if let Some(timeout) = &task.timeout {
            let said = vec![span("it goes wrong after ", timeout)];
            facts.push(fact("Time limit", said));
        }
        let goes = |then| self.way(then, siblings, index, within);
        let after = goes(task.then);
        let caught = match &task.kind {
            Kind::Try(attempt) => goes(attempt.catch.then.unwrap_or(task.then)),
            _ => after.clone(),
        };
        if let Kind::Try(attempt) = &task.kind
            && attempt.catch.tasks.as_ref().is_none_or(Vec::is_empty)
        {
            facts.push(fact("It goes on with", vec![caught.clone()]));
        }
        let ways = match &task.kind {
            Kind::Switch(cases) => self.ways(cases, &goes, after.clone()),
            _ => Vec::new(),
        };
        let obvious = task.then == Then::Continue && index + 1 < siblings.len();
        let ends = matches!(task.kind, Kind::Raise(_) | Kind::Switch(_));
        // The last of the steps within it say where a group leads.
        let tells = matches!(task.kind, Kind::Fork(_)) || task.own_lists().is_empty();
        let next = (!obvious && !ends && tells).then(|| after.clone());
        let this = spot.link();
        self.told.steps.push(Step {
            drawn: (drawn != spot.title).then_some(drawn),
            anchor: spot.anchor,
            title: spot.title,
            number: spot.number.clone(),
            nature,
            facts,
            ways,
            next,
        });
        self.inner(task, &spot.number, &after, &caught);
        for extension in &task.extensions {
            self.list(&extension.before, Within::Group(&this));
            self.list(&extension.after, Within::Group(&after));
        }
    }

    fn inner(&mut self, task: &Task, number: &str, after: &Said, caught: &Said) {
        match &task.kind {
            Kind::Do(tasks) => self.list(tasks, Within::Group(after)),
            Kind::Function(function) => self.list(&function.tasks, Within::Group(after)),
            Kind::For(repeated) => self.list(&repeated.tasks, Within::Rounds(number, after)),
            Kind::Fork(fork) => {
                for branch in &fork.branches {
                    self.list(std::slice::from_ref(branch), Within::Branch(number));
                }
            }
            Kind::Try(attempt) => {
                self.list(&attempt.tasks, Within::Group(after));
                let handler = attempt.catch.tasks.as_deref().unwrap_or_default();
                self.list(handler, Within::Group(caught));
            }
            Kind::Listen(listen) => {
                if let Some(each) = &listen.foreach {
                    self.list(&each.tasks, Within::Rounds(number, after));
                }
            }
            Kind::Set(_)
            | Kind::Switch(_)
            | Kind::Call(_)
            | Kind::Http(_)
            | Kind::OpenApi(_)
            | Kind::Human(_)
            | Kind::Raise(_)
            | Kind::Run(_)
            | Kind::Wait(_)
            | Kind::Emit(_) => {}
        }
    }

    fn way(&self, then: Then, siblings: &[Task], index: usize, within: Within<'_>) -> Said {
        let to = match then {
            Then::Continue => siblings.get(index + 1),
            Then::Task(index) => siblings.get(index),
            Then::Exit => None,
            Then::End => return Said::words("the workflow ends"),
        };
        if let Some(spot) = to.and_then(|task| self.spots.get(&task.reference)) {
            return spot.link();
        }
        match within {
            Within::Workflow => Said::words("the workflow ends"),
            Within::Rounds(number, after) if then == Then::Continue => Said {
                words: format!(
                    "the next round of step {number}; after the last, {}",
                    after.words
                ),
                ..after.clone()
            },
            Within::Group(after) | Within::Rounds(_, after) => after.clone(),
            Within::Branch(number) => Said::words(format!("this side of step {number} is done")),
        }
    }

    fn ways(&self, cases: &[Case], goes: &dyn Fn(Then) -> Said, none: Said) -> Vec<Way> {
        let mut ways: Vec<Way> = cases
            .iter()
            .map(|case| {
                let when = match &case.when {
                    Some(condition) => {
                        let name = humanize(&case.name);
                        let said = self.condition(condition);
                        Said {
                            words: format!("{name}: {}", said.words).trim_end().to_owned(),
                            ..said
                        }
                    }
                    None => Said::words("In all other cases"),
                };
                Way {
                    when,
                    next: goes(case.then),
                }
            })
            .collect();
        if cases.iter().all(|case| case.when.is_some()) {
            ways.push(Way {
                when: Said::words("None of these"),
                next: none,
            });
        }
        ways
    }

    /// In words where it asks how a person's task ended, as written otherwise.
    pub(super) fn condition(&self, condition: &casewright_language::Expression) -> Said {
        let asked = wording::outcome_asked(condition);
        let found = asked.and_then(|(task, outcome)| Some((self.spot(task)?, outcome)));
        match found {
            Some((spot, outcome)) => Said::words(format!(
                "step {} ended with “{}”",
                spot.number,
                humanize(outcome)
            )),
            None => Said::written("", condition.source()),
        }
    }

    fn deed(&mut self, task: &Task, spot: &Spot) -> (Nature, Vec<Fact>) {
        match &task.kind {
            Kind::Human(human) => human::told(self, human, spot),
            Kind::Do(_) => (Nature::Group, Vec::new()),
            Kind::Function(function) => {
                let said = Said::written("of this workflow:", &function.name);
                let mut facts = vec![fact("Uses the function", vec![said])];
                facts.extend(given(&function.with));
                (Nature::Group, facts)
            }
            Kind::For(repeated) => {
                let items = Said::written("each of", repeated.items.source());
                let mut facts = vec![fact("Once for", vec![items])];
                if let Some(condition) = &repeated.condition {
                    facts.push(fact("As long as", vec![self.condition(condition)]));
                }
                (Nature::Group, facts)
            }
            Kind::Fork(fork) => (Nature::Group, vec![side_by_side(fork)]),
            Kind::Try(attempt) => (Nature::Group, self.attempt(attempt)),
            Kind::Switch(_) => (Nature::Choice, Vec::new()),
            Kind::Set(template) => (Nature::Engine, kept(template)),
            Kind::Call(call) => (Nature::Engine, self.call(call, spot)),
            Kind::Http(http) => (Nature::Engine, self.request(http, &task.definition, spot)),
            Kind::OpenApi(openapi) => {
                let facts = self.operation(openapi, &task.definition, spot);
                (Nature::Engine, facts)
            }
            Kind::Run(child) => {
                let target = self.known.workflow(&child.name);
                let rest = if child.awaited {
                    "It waits until that has ended."
                } else {
                    "It goes on at once and does not wait for it."
                };
                let mut facts = vec![
                    fact("Begins", vec![target]),
                    fact("Then", vec![Said::words(rest)]),
                ];
                facts.extend(child.input.as_ref().and_then(given));
                (Nature::Engine, facts)
            }
            Kind::Wait(length) => (Nature::Pause, vec![fact("Waits", vec![span("", length)])]),
            Kind::Emit(emission) => (Nature::Engine, self.emission(emission, spot)),
            Kind::Listen(listen) => (Nature::Pause, self.listen(listen, spot)),
            Kind::Raise(problem) => {
                let title = problem.title.as_ref().unwrap_or(&problem.kind);
                let mut facts = vec![fact("Problem", vec![wording::value("", title)])];
                let detail = problem.detail.as_ref();
                facts.extend(detail.map(|it| fact("In detail", vec![wording::value("", it)])));
                (Nature::Stop, facts)
            }
        }
    }

    /// What an extension adds, by its first steps.
    fn around(&self, extension: &Extension) -> Vec<Fact> {
        let lists = [
            ("Before it", &extension.before),
            ("After it", &extension.after),
        ];
        let mut facts = Vec::new();
        for (term, tasks) in lists {
            let first = tasks
                .first()
                .and_then(|task| self.spots.get(&task.reference));
            let Some(first) = first else { continue };
            let mut said = vec![first.link()];
            said.extend(extension.when.as_ref().map(|when| {
                let asked = self.condition(when);
                Said {
                    words: format!("only if: {}", asked.words).trim_end().to_owned(),
                    ..asked
                }
            }));
            if term == "Before it" && extension.skips {
                said.push(Said::words("which may leave this step out"));
            }
            facts.push(fact(term, said));
        }
        facts
    }

    fn attempt(&self, attempt: &Try) -> Vec<Fact> {
        let catch = &attempt.catch;
        let mut met = vec![Said::words(caught(catch))];
        for (words, condition) in [
            ("and only if:", &catch.when),
            ("and not if:", &catch.except_when),
        ] {
            met.extend(condition.iter().map(|it| Said::written(words, it.source())));
        }
        let mut facts = vec![fact("If it goes wrong", met)];
        facts.extend(catch.retry.as_ref().map(again));
        if let Some(tasks) = catch.tasks.as_deref().filter(|tasks| !tasks.is_empty()) {
            let first = self.spots.get(&tasks[0].reference);
            facts.extend(first.map(|first| fact("What is done then", vec![first.link()])));
        }
        facts
    }

    fn call(&mut self, call: &Call, spot: &Spot) -> Vec<Fact> {
        let member = |name: &str| message::member(call, name);
        let deed = match call.function.as_str() {
            "notify" => return message::facts(call),
            "decide" => "Asks a decision table of this pack",
            "fund.reserve" => "Puts money of a fund aside, so that nobody else can spend it",
            "fund.commit" => "Books money that was put aside as spent",
            "fund.release" => "Gives money that was put aside back to its fund",
            "case.close" => "Ends the work with the family, with a reason that is counted",
            "plan.propose" => {
                "Writes a version of the family's plan; another word is another version"
            }
            "plan.agree" => "Writes down what the family says to exactly this version",
            "plan.activate" => {
                "Puts the plan in force, only if the family has agreed to exactly this version"
            }
            _ => return self.plugin(call, spot),
        };
        let mut facts = vec![fact("What it does", vec![Said::words(deed)])];
        if let Some(table) = member("table") {
            let said = match literal(&table).and_then(|name| self.known.table(name)) {
                Some(said) => said,
                None => wording::value("", &table),
            };
            facts.push(fact("Table", vec![said]));
        }
        if member("invoice").is_some() {
            let words = "the same supplier, number and amount are paid once";
            facts.push(fact("Invoice", vec![Said::words(words)]));
        }
        if let Some(at) = member("at") {
            facts.push(fact("As of the day", vec![wording::value("", &at)]));
        }
        if let Some(fund) = member("fund") {
            let said = match literal(&fund).and_then(|name| self.known.fund(name)) {
                Some(title) => Said::words(title),
                None => wording::value("", &fund),
            };
            facts.push(fact("Fund", vec![said]));
        }
        if let Some(expires) = member("expires") {
            facts.push(fact("For at most", vec![wording::value("", &expires)]));
        }
        facts
    }

    fn plugin(&mut self, call: &Call, spot: &Spot) -> Vec<Fact> {
        let title = self.known.function(&call.function);
        self.told.contacts.push(Contact::Function {
            name: call.function.clone(),
            at: spot.link(),
        });
        let words = title.map_or_else(|| "the function".to_owned(), |title| format!("{title}:"));
        let said = Said::written(words, &call.function);
        let mut facts = vec![fact("Asks a plugin", vec![said])];
        facts.extend(given(&call.with));
        facts
    }

    fn emission(&mut self, emission: &Emission, spot: &Spot) -> Vec<Fact> {
        let kind = attribute(&emission.with, "type");
        let reach = match emission.reach {
            Reach::Case => "runs of the same case",
            Reach::Agency => "all runs of the agency",
        };
        let event = kind.map_or_else(|| Said::words("an event"), |it| wording::value("", &it));
        self.told.contacts.push(Contact::Sent {
            event: event.clone(),
            at: spot.link(),
        });
        let mut facts = vec![
            fact("Tells", vec![event]),
            fact("Heard by", vec![Said::words(reach)]),
        ];
        facts.extend(attribute(&emission.with, "data").as_ref().and_then(given));
        facts
    }

    fn listen(&mut self, listen: &Listen, spot: &Spot) -> Vec<Fact> {
        let mut heard = Vec::new();
        for filter in listen.to.filters() {
            let kind = filter.with.iter().find(|(name, _)| name == "type");
            heard.push(match kind {
                Some((_, template)) => wording::value("", template),
                None => Said::words("any event that fits"),
            });
        }
        if listen.to.takes_all() {
            heard.push(Said::words("any event"));
        }
        for event in &heard {
            self.told.contacts.push(Contact::Heard {
                event: event.clone(),
                at: spot.link(),
            });
        }
        let how = match &listen.to {
            Strategy::One(_) => "Waits for this event",
            Strategy::All(_) => "Waits for all of these events",
            Strategy::Any { until: None, .. } => "Waits for the first of these events",
            Strategy::Any { until: Some(_), .. } => "Gathers these events",
        };
        let how = match &listen.foreach {
            Some(each) if !each.tasks.is_empty() => "Once for each of these events",
            Some(_) | None => how,
        };
        let mut facts = vec![fact(how, heard)];
        if let Strategy::Any {
            until: Some(until), ..
        } = &listen.to
        {
            facts.push(fact(
                "Until",
                vec![match until {
                    Until::Condition(condition) => Said::written("", condition.source()),
                    Until::Events(_) => Said::words("the last of these events comes"),
                }],
            ));
        }
        facts
    }
}

pub(super) fn fact(term: &'static str, said: Vec<Said>) -> Fact {
    Fact { term, said }
}

fn title(task: &Task) -> String {
    match &task.kind {
        Kind::Human(human) => wording::title(&human.title, &task.name),
        _ => humanize(&task.name),
    }
}

fn side_by_side(fork: &Fork) -> Fact {
    let words = if fork.compete {
        "all at once; the first that is done ends the others"
    } else {
        "all at once; it goes on when all are done"
    };
    fact("How", vec![Said::words(words)])
}

/// The names of what goes along, not the values: those come from the case.
fn given(with: &Template) -> Option<Fact> {
    let members = members(with);
    (!members.is_empty()).then(|| fact("What goes along", vec![Said::words(lower(&members))]))
}

fn kept(template: &Template) -> Vec<Fact> {
    let members = members(template);
    if members.is_empty() {
        return vec![fact("Works out", vec![wording::value("", template)])];
    }
    let outcome = attribute(template, "outcome");
    let outcome = outcome.as_ref().and_then(literal).map(humanize);
    let mut facts: Vec<Fact> = outcome
        .map(|words| fact("Outcome", vec![Said::words(words)]))
        .into_iter()
        .collect();
    facts.push(fact("Writes down", vec![Said::words(lower(&members))]));
    facts
}

fn lower(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| phrase(name)).collect();
    list(&names)
}

fn attribute(template: &Template, name: &str) -> Option<Template> {
    match template {
        Template::Map(members) => {
            let found = members.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        }
        Template::Literal(value) => value.get(name).cloned().map(Template::Literal),
        Template::Expression(_) | Template::List(_) => None,
    }
}

/// The last part of the error's type says what went wrong.
fn caught(catch: &Catch) -> String {
    let kind = catch.with.kind.as_deref().unwrap_or_default();
    let kind = kind
        .rsplit(['/', ':'])
        .next()
        .filter(|name| !name.is_empty());
    match (kind, catch.with.status) {
        (Some(name), _) => format!("with the problem “{}”", humanize(name)),
        // What the machine gives when time runs out.
        (None, Some(408)) => "because its time ran out".to_owned(),
        (None, Some(status)) => format!("with a problem of the number {status}"),
        (None, None) => "in whatever way".to_owned(),
    }
}

fn again(retry: &Retry) -> Fact {
    let mut said = vec![match retry.count_max {
        Some(most) => Said::words(format!("at most {}", wording::count(most.into(), "time"))),
        None => Said::words("again and again"),
    }];
    said.extend(retry.delay.as_ref().map(|delay| span("after ", delay)));
    match retry.backoff {
        Backoff::Constant => {}
        Backoff::Linear | Backoff::Exponential => {
            said.push(Said::words("with longer and longer pauses"));
        }
    }
    let most = retry.duration_max.as_ref();
    said.extend(most.map(|most| span("for no longer than ", most)));
    let conditions = [("only if:", &retry.when), ("not if:", &retry.except_when)];
    for (words, condition) in conditions {
        said.extend(condition.iter().map(|it| Said::written(words, it.source())));
    }
    fact("Tried again", said)
}
