//! The checked document: what `machine` runs.
//!
//! Every struct is `non_exhaustive`, so that a value can only come from [`crate::read()`]: whoever
//! holds a [`Workflow`] holds one that passed every check. Nothing here runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::pack::Aspect;
use crate::schedule::Schedule;
use crate::{Expression, Period, Schema, Template, Term, UriTemplate};

mod walk;

/// A workflow document that passed every check.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Workflow {
    pub document: Document,
    /// SHA-256 of the source text, lower-case hexadecimal: what an instance is pinned to.
    pub digest: String,
    /// The whole document as JSON, for `$workflow.definition`.
    pub definition: Value,
    pub input: Inlet,
    pub output: Outlet,
    /// Time the whole instance may take, from its start.
    pub timeout: Option<Span>,
    /// When instances begin by themselves.
    pub schedule: Option<Schedule>,
    pub tasks: Vec<Task>,
}

impl Workflow {
    /// The form whose answers it begins with, where `document.metadata.startForm` names one.
    pub fn start_form(&self) -> Option<&str> {
        self.metadata("startForm")?.as_str()
    }

    /// The calendar that its days are counted by, where `document.metadata.calendar` names one.
    pub fn calendar(&self) -> Option<&str> {
        self.metadata("calendar")?.as_str()
    }

    /// Whether people are asked to start it in a case that is closed:
    /// `document.metadata.inClosedCase`.
    pub fn in_closed_case(&self) -> bool {
        self.metadata("inClosedCase").and_then(Value::as_bool) == Some(true)
    }

    /// Whether people are asked to start it at all: not with `document.metadata.offered: false`,
    /// where only other workflows do.
    pub fn offered(&self) -> bool {
        self.metadata("offered").and_then(Value::as_bool) != Some(false)
    }

    /// Roles that alone see its runs: `document.metadata.visibleTo`. Empty for everybody who sees
    /// the case.
    pub fn visible_to(&self) -> Vec<&str> {
        let roles = self.metadata("visibleTo").and_then(Value::as_array);
        let roles = roles.into_iter().flatten();
        roles.filter_map(Value::as_str).collect()
    }

    fn metadata(&self, key: &str) -> Option<&Value> {
        self.definition.get("document")?.get("metadata")?.get(key)
    }
}

#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Document {
    pub dsl: String,
    pub namespace: String,
    pub name: String,
    pub version: String,
    pub title: Option<String>,
    pub summary: Option<String>,
}

/// One step of a document.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Task {
    pub name: String,
    /// JSON pointer with index and name: `/do/0/tryGetPet/try/0/getPet`. No other task has it: what
    /// a function or an extension brings in goes on from the task that it belongs to, such as
    /// `/do/0/getPet/call/0/getPet`.
    pub reference: String,
    /// JSON pointer to what the author wrote, where that stands in `use`.
    pub written: Option<String>,
    /// This task as JSON, for `$task.definition`.
    pub definition: Value,
    /// Line in the document, from 1.
    pub line: usize,
    /// `if`: on the raw input; false means skipped, without export and without `then`.
    pub condition: Option<Expression>,
    pub input: Inlet,
    pub output: Outlet,
    pub export: Option<Export>,
    pub timeout: Option<Span>,
    pub then: Then,
    pub kind: Kind,
    /// For what, to whom and on what it hands out facts about people.
    pub disclosure: Option<Disclosure>,
    /// What is done around `kind`, the outermost first.
    pub extensions: Vec<Extension>,
}

impl Task {
    /// JSON pointer to what the author wrote: what errors and `$task.reference` name.
    pub fn pointer(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.reference)
    }

    /// What people call it: the title of human work where it is fixed, else its name in words.
    pub fn title(&self) -> String {
        let written = match &self.kind {
            Kind::Human(human) => match &human.title {
                Template::Literal(Value::String(title)) => Some(title.clone()),
                Template::Literal(_)
                | Template::Expression(_)
                | Template::List(_)
                | Template::Map(_) => None,
            },
            Kind::Do(_)
            | Kind::For(_)
            | Kind::Fork(_)
            | Kind::Set(_)
            | Kind::Switch(_)
            | Kind::Call(_)
            | Kind::Function(_)
            | Kind::Http(_)
            | Kind::OpenApi(_)
            | Kind::Raise(_)
            | Kind::Run(_)
            | Kind::Try(_)
            | Kind::Wait(_)
            | Kind::Emit(_)
            | Kind::Listen(_) => None,
        };
        written.unwrap_or_else(|| crate::words::humanize(&self.name))
    }
}

/// `metadata.disclosure`: words of the pack.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Disclosure {
    pub purpose: String,
    /// `to`: who is told.
    pub recipient: String,
    /// Relations to the case of those whom it is about; empty for the whole family.
    pub about: Vec<String>,
    /// In place of consent.
    pub basis: Option<Basis>,
}

/// A legal basis, and why consent is not sought: in words, or as the case says.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Basis {
    pub name: String,
    pub because: Template,
}

/// `input`: the schema sees the raw value, `from` makes the transformed one.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Inlet {
    pub schema: Option<Schema>,
    pub from: Option<Template>,
}

/// `output`: `as` makes the transformed value, which the schema sees.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Outlet {
    pub transform: Option<Template>,
    pub schema: Option<Schema>,
}

/// `export`: replaces `$context`; evaluated on the transformed output.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Export {
    pub transform: Template,
    pub schema: Option<Schema>,
}

/// A duration as written: fixed, or an expression giving ISO 8601 text.
#[derive(Debug, Clone)]
pub enum Span {
    Fixed(Period),
    Computed(Expression),
}

/// Where the flow goes after a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// The next task of the list.
    Continue,
    /// Leave this list.
    Exit,
    /// End the instance.
    End,
    /// The task at this index of the same list.
    Task(usize),
}

#[derive(Debug, Clone)]
pub enum Kind {
    Do(Vec<Task>),
    For(Box<For>),
    Fork(Fork),
    Set(Template),
    Switch(Vec<Case>),
    Call(Call),
    Function(Box<Function>),
    Http(Box<Http>),
    OpenApi(Box<OpenApi>),
    Human(Box<Human>),
    Raise(Problem),
    Run(Box<Child>),
    Try(Box<Try>),
    Wait(Span),
    Emit(Emission),
    Listen(Box<Listen>),
}

/// `for`: the tasks once for each item, what one round gives being the input of the next.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct For {
    /// Gives the items; evaluated once.
    pub items: Expression,
    /// Name of the variable that holds the item, `item` unless written.
    pub each: String,
    /// Name of the variable that holds its index from 0, `index` unless written.
    pub at: String,
    /// `while`: before each item, on what the round before gave; when it does not hold, the loop
    /// is over.
    pub condition: Option<Expression>,
    pub tasks: Vec<Task>,
}

/// `fork`: tasks side by side.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Fork {
    /// None of them leads to another.
    pub branches: Vec<Task>,
    /// Whether the first that completes ends the others and gives the output.
    pub compete: bool,
}

/// One case of a `switch`; the default has no `when` and stands last here wherever it was written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Case {
    pub name: String,
    pub when: Option<Expression>,
    pub then: Then,
}

/// A call that gives a value: `fund.*` or a function of a plugin. Human work is [`Human`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Call {
    /// `fund.reserve`, `payment-issue.pay`.
    pub function: String,
    /// Only where the document names one: `name:1.2.0@default`.
    pub version: Option<String>,
    pub with: Template,
}

/// A call of a function that the document itself defines.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Function {
    /// As in `use.functions`.
    pub name: String,
    /// Its input.
    pub with: Template,
    /// The one task that it is.
    pub tasks: Vec<Task>,
}

/// Tasks that `use.extensions` adds around another.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Extension {
    pub name: String,
    /// JSON pointer to what the author wrote.
    pub written: String,
    /// Whether it applies, asked before the task.
    pub when: Option<Expression>,
    pub before: Vec<Task>,
    pub after: Vec<Task>,
    /// Whether `then: exit` in `before` leaves the task out: never where people are asked.
    pub skips: bool,
}

/// `call: http`: a request to a service, without a plugin.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Http {
    pub method: Method,
    /// `None` where an expression gives the address, as `endpoint` of `with`.
    pub endpoint: Option<UriTemplate>,
    /// What expressions may stand in: `endpoint`, `headers`, `query`, `body`, and under
    /// `authentication` the words of a credential that is no secret.
    pub with: Template,
    /// Headers that hold secrets, by name.
    pub sealed_headers: Vec<(String, Vec<Piece>)>,
    /// Of the query, the same.
    pub sealed_query: Vec<(String, Vec<Piece>)>,
    pub authentication: Option<Authentication>,
    pub output: OutputAs,
    /// Whether an answer of 300 to 399 is no error.
    pub redirect: bool,
}

/// Part of a text that holds a secret. Only the document makes one: data of a run never becomes a
/// piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Piece {
    /// As it was written.
    Text(String),
    /// Name of the secret, one of `use.secrets`.
    Secret(String),
}

/// `call: openapi`: an operation of a service that describes itself.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OpenApi {
    /// `None` where an expression gives the address, as `endpoint` of `with`.
    pub document: Option<UriTemplate>,
    /// Who asks for the document.
    pub document_authentication: Option<Authentication>,
    pub operation_id: String,
    /// What expressions may stand in: `endpoint`, values of `parameters`, and under `document` and
    /// `authentication` the words of a credential that is no secret.
    pub with: Template,
    /// Parameters that hold secrets, by name.
    pub sealed: Vec<(String, Vec<Piece>)>,
    /// Who asks for the operation.
    pub authentication: Option<Authentication>,
    pub output: OutputAs,
    /// Whether an answer of 300 to 399 is no error.
    pub redirect: bool,
}

/// What a request does: whether it may be sent again follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Head,
    Options,
    Post,
    Put,
    Patch,
    Delete,
}

/// How a request says who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Authentication {
    pub scheme: Scheme,
    /// Name of the secret, one of `use.secrets`; its value is known to the shell alone. `None`
    /// where the words stand in the document or come from the input.
    pub secret: Option<String>,
    /// Who gives the token, where no secret says it.
    pub authority: Option<UriTemplate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    Basic,
    Bearer,
    /// Only a hash of the password is sent, and only once the server asked for it.
    Digest,
    /// A token is asked for first, at an endpoint of the authority.
    Oauth2,
    /// The same, at the endpoint that the authority's own description names.
    Oidc,
}

impl Scheme {
    /// As documents write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Bearer => "bearer",
            Self::Digest => "digest",
            Self::Oauth2 => "oauth2",
            Self::Oidc => "oidc",
        }
    }
}

/// What of an answer becomes output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputAs {
    /// The body as base64.
    Raw,
    /// The body, read by its type.
    #[default]
    Content,
    /// Request, status, headers and the body, read by its type.
    Response,
}

/// `call: human-task` or `call: approval`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Human {
    pub approval: bool,
    pub title: Template,
    pub show: Option<Template>,
    /// Name of a form of the pack.
    pub form: Option<String>,
    pub assign: Assign,
    pub due: Option<Term>,
    /// The moment that `due` counts from, where it is not the one at which people are asked.
    pub since: Option<Template>,
    /// When people are reminded of it; only together with `due`.
    pub remind: Vec<Remind>,
    /// What happens to these moments while somebody lets it wait.
    pub clock: Clock,
    /// The calendar that counts its days, where it has one of its own.
    pub calendar: Option<String>,
    /// Who may decide it as well once time has passed.
    pub escalate: Vec<Escalate>,
    /// Names of tasks whose completers may not decide; only ever adds to the engine's exclusions.
    pub different_person_from: Vec<String>,
    /// How many different people must approve.
    pub approvals: u32,
    pub limit: Option<Limit>,
    /// Who is paid: excluded from deciding.
    pub payee: Option<Template>,
    /// Whether it stays with those it is given to.
    pub non_delegable: bool,
    /// Who may end it without an answer; never of an approval.
    pub skippable: Option<Skippable>,
    /// How long all the times that it waits may be together.
    pub holds_total: Option<Term>,
    pub outcomes: Vec<String>,
}

/// Who may skip work, and what comes out then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skippable {
    /// A role of the pack.
    pub by: String,
    /// One of the outcomes.
    pub outcome: String,
}

/// A moment around `due`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remind {
    /// `1 business day before`.
    Before(Term),
    /// `1 business day after`.
    After(Term),
}

/// What happens to `due` and all that counts from it while work is on hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// It comes nearer all the same.
    #[default]
    Runs,
    /// Time on hold does not count.
    StopsOnHold,
    /// A duty with a fixed time, which cannot wait.
    Wall,
}

/// One step of an escalation: it asks more people, and decides nothing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Escalate {
    pub after: After,
    pub to: Assign,
}

/// When an escalation comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum After {
    /// At `due`.
    Due,
    /// So long after the offer.
    Offer(Term),
}

#[derive(Debug, Clone)]
pub enum Assign {
    Role(Template),
    Team(Template),
    Person(Template),
}

#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limit {
    /// Name of a policy of the pack.
    pub policy: String,
    pub money: Template,
    /// What else the policy has to know of the request; the family is the case.
    pub aspects: BTreeMap<Aspect, Template>,
}

/// `raise`: an RFC 7807 problem with expressions in it; a name in `use.errors` is resolved.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Problem {
    pub kind: Template,
    pub status: Template,
    pub title: Option<Template>,
    pub detail: Option<Template>,
    pub instance: Option<Template>,
}

/// `run: workflow`: another workflow of the agency, as an instance of its own.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Child {
    pub namespace: String,
    pub name: String,
    /// `None` for whatever version is deployed.
    pub version: Option<String>,
    /// `{}` when nothing is written.
    pub input: Option<Template>,
    /// Whether this task waits for its end.
    pub awaited: bool,
}

#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Try {
    pub tasks: Vec<Task>,
    pub catch: Catch,
}

/// Order: `with`, `when`/`except_when`, retry until exhausted, `tasks`, `then`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Catch {
    pub with: Filter,
    /// Name of the variable, `error` unless written.
    pub variable: String,
    pub when: Option<Expression>,
    pub except_when: Option<Expression>,
    pub retry: Option<Retry>,
    pub tasks: Option<Vec<Task>>,
    pub then: Option<Then>,
}

/// `errors.with`: what is absent matches everything.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Filter {
    pub kind: Option<String>,
    pub status: Option<i64>,
    pub instance: Option<String>,
    pub title: Option<String>,
    pub detail: Option<String>,
}

#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Retry {
    pub when: Option<Expression>,
    pub except_when: Option<Expression>,
    pub delay: Option<Span>,
    pub backoff: Backoff,
    /// Retries after the first run.
    pub count_max: Option<u32>,
    /// Time one attempt may take.
    pub attempt_duration_max: Option<Span>,
    /// Time all attempts together may take.
    pub duration_max: Option<Span>,
    pub jitter: Option<(Span, Span)>,
}

/// How the delay grows: constant, by one delay each time, or doubling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backoff {
    Constant,
    Linear,
    Exponential,
}

/// `emit`: an event of the author's own.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Emission {
    /// Its attributes by name, `data` among them.
    pub with: Template,
    pub reach: Reach,
}

/// Which instances an emitted event may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those of the same case: what one family's file says stays in it.
    Case,
    /// All of the agency: `metadata.deliver: agency`.
    Agency,
}

/// `listen`: wait for events.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Listen {
    pub to: Strategy,
    pub read: ReadAs,
    /// What is done with each event, while listening goes on.
    pub foreach: Option<Foreach>,
}

/// `foreach`: tasks for each event, one event after the other.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Foreach {
    /// Name of the variable that holds the event as it is read, `item` unless written.
    pub item: String,
    /// Name of the variable that holds its index from 0, `index` unless written.
    pub at: String,
    /// None give the event itself.
    pub tasks: Vec<Task>,
    pub output: Outlet,
    pub export: Option<Export>,
}

/// Which events end a `listen`.
#[derive(Debug, Clone)]
pub enum Strategy {
    One(EventFilter),
    /// No filter means every event. Without `until` the first one is enough.
    Any {
        filters: Vec<EventFilter>,
        until: Option<Until>,
    },
    /// One event for each filter.
    All(Vec<EventFilter>),
}

/// When a `listen` to `any` stops.
#[derive(Debug, Clone)]
pub enum Until {
    /// Evaluated after each event, on the list so far.
    Condition(Expression),
    /// Events that are not part of the output; without an `until` of their own.
    Events(Box<Strategy>),
}

/// Which events fit.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EventFilter {
    /// Attributes by name, at least one. What is written must be there; an expression is evaluated
    /// on what stands at its place and either says whether it fits or what must stand there.
    pub with: Vec<(String, Template)>,
    pub correlate: Vec<Correlation>,
}

/// What ties events to an instance.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Correlation {
    pub name: String,
    /// On the whole event.
    pub from: Expression,
    /// Without it the first value that comes is the one expected from then on.
    pub expect: Option<Template>,
}

/// What of an event becomes output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAs {
    Data,
    /// With all attributes.
    Envelope,
    /// The data as text.
    Raw,
}
