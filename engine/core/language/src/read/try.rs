//! `try` and `use.retries`: what to do when tasks fail.

use super::names::human_inside;
use super::scope::{Moment, Scope};
use super::tasks::{self, Body, Found};
use super::{Reader, duration, flat, flow, reusable, variable};
use crate::diagnostic::similar;
use crate::workflow::{Backoff, Catch, Filter, Kind, Retry, Span, Task, Then, Try};
use crate::yaml::{self, Entry, Fields, Place};

/// What the language itself raises, below any of its four spellings.
const KINDS: [&str; 8] = [
    "configuration",
    "validation",
    "expression",
    "authentication",
    "authorization",
    "timeout",
    "communication",
    "runtime",
];

const CATCH: [&str; 7] = ["errors", "as", "when", "exceptWhen", "retry", "do", "then"];

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    let owner = body.fields.owner.as_str();
    let tried = tasks::list(reader, body.entry, owner, body.scope, body.reference);
    let write = "catch: { do: [ ... ] }";
    let entry = body.fields.required(&mut reader.findings, "catch", write)?;
    check_retry(reader, body, entry, tried.as_deref().unwrap_or_default());
    let (catch, then) = catch(reader, body, entry)?;
    let ways: Vec<(Then, Place)> = then.into_iter().collect();
    let kind = Kind::Try(Box::new(Try {
        tasks: tried?,
        catch,
    }));
    Some(Found {
        kind,
        ways,
        falls_on: true,
    })
}

fn catch(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    entry: &Entry,
) -> Option<(Catch, Option<(Then, Place)>)> {
    let owner = yaml::under(&body.fields.owner, "catch");
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &CATCH)?;
    let with = fields
        .get("errors")
        .map(|entry| errors(reader, entry, &owner));
    let variable = fields.get("as").map_or(Some("error"), |entry| {
        variable::name(reader, &fields, entry)
    });
    let scope = body.scope.with_variable(variable.unwrap_or("error"));
    let mut condition = |key: &str| match fields.get(key) {
        Some(entry) => reader
            .condition(&entry.value, &scope, Moment::Definition)
            .map(Some),
        None => Some(None),
    };
    let (when, except_when) = (condition("when"), condition("exceptWhen"));
    let retry = fields
        .get("retry")
        .map(|entry| retry_of(reader, body, entry, &owner, &scope));
    let reference = format!("{}/catch", body.reference);
    let tasks = fields
        .get("do")
        .map(|entry| tasks::list(reader, entry, &owner, &scope, &reference));
    let then = fields.get("then").map(|entry| then(reader, body, entry));
    let catch = Catch {
        with: with.unwrap_or(Some(Filter::default()))?,
        variable: variable?.to_owned(),
        when: when?,
        except_when: except_when?,
        retry: flat(retry)?,
        tasks: flat(tasks)?,
        then: flat(then)?.map(|(then, _): (Then, Place)| then),
    };
    let way = fields
        .get("then")
        .zip(catch.then)
        .map(|(entry, then)| (then, entry.place()));
    Some((catch, way))
}

fn then(reader: &mut Reader<'_>, body: &Body<'_, '_>, entry: &Entry) -> Option<(Then, Place)> {
    reader
        .findings
        .warning(
            "CW0209",
            entry.key.place,
            "`then` of `catch` is newer than DSL 1.0.3",
        )
        .help("other engines may refuse it; `then` of the last task in `do` cannot leave the list");
    flow::then(reader, entry, body.siblings).map(|then| (then, entry.place()))
}

fn errors(reader: &mut Reader<'_>, entry: &Entry, owner: &str) -> Option<Filter> {
    let owner = yaml::under(owner, "errors");
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &["with"])?;
    let Some(with) = fields.get("with") else {
        return Some(Filter::default());
    };
    let owner = yaml::under(&owner, "with");
    let known = ["type", "status", "instance", "title", "detail", "details"];
    let fields = Fields::open(findings, &with.value, with.key.place, &owner, &known)?;
    if fields.entries().is_empty() {
        findings
            .error("CW0101", with.place(), format!("{owner} is empty"))
            .help("name a `type` or a `status`, or remove `errors` to catch everything");
        return None;
    }
    let mut text = |key: &str| match fields.get(key) {
        Some(entry) => fields
            .text(findings, entry)
            .map(|text| Some(text.to_owned())),
        None => Some(None),
    };
    let (kind, instance, title) = (text("type"), text("instance"), text("title"));
    let detail = if fields.get("detail").is_some() {
        text("detail")
    } else {
        text("details")
    };
    let status = match fields.get("status") {
        Some(entry) if entry.value.as_integer().is_none() => {
            fields.expected(findings, entry, "a whole number");
            None
        }
        entry => Some(entry.and_then(|entry| entry.value.as_integer())),
    };
    if let (Some(entry), Some(Some(kind))) = (fields.get("type"), &kind) {
        check_type(reader, entry, kind);
    }
    Some(Filter {
        kind: kind?,
        status: status?,
        instance: instance?,
        title: title?,
        detail: detail?,
    })
}

/// A type that nothing raises would never be caught, and nobody would notice.
fn check_type(reader: &mut Reader<'_>, entry: &Entry, kind: &str) {
    if let Some((base, last)) = kind.rsplit_once("/errors/")
        && base.contains("serverlessworkflow.io")
        && base.contains("/spec/")
        && !KINDS.contains(&last)
    {
        let help = match similar(last, KINDS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the language has: {}", crate::diagnostic::listed(KINDS)),
        };
        let offset = kind.len() - last.len();
        let place = entry.value.place_within(offset, last.len());
        reader
            .findings
            .warning(
                "CW0210",
                place,
                format!("the language has no error `{last}`"),
            )
            .help(help);
        return;
    }
    let Some(code) = kind.strip_prefix("urn:casewright:error:") else {
        return;
    };
    let Some((plugin, error)) = code.split_once('.') else {
        return;
    };
    let functions = &reader.surroundings.functions;
    let prefix = format!("{plugin}.");
    let declared: Vec<&str> = functions
        .iter()
        .filter(|(name, _)| name.starts_with(&prefix))
        .flat_map(|(_, signature)| signature.errors.iter().map(String::as_str))
        .collect();
    if reader.surroundings.functions_known && !declared.contains(&error) {
        let offset = kind.len() - error.len();
        let place = entry.value.place_within(offset, error.len());
        let none = format!("no plugin `{plugin}` with errors is installed");
        reader
            .findings
            .warning(
                "CW0210",
                place,
                format!("the plugin `{plugin}` raises no error `{error}`"),
            )
            .help(crate::diagnostic::suggestion(error, declared, &none));
    }
}

/// Nobody is asked twice; `tried` may hold people whom the text does not show, in functions.
fn check_retry(reader: &mut Reader<'_>, body: &Body<'_, '_>, catch: &Entry, tried: &[Task]) {
    let Some(entry) = catch.value.entry("retry") else {
        return;
    };
    let written = human_inside(&body.entry.value);
    let Some(name) = written.or_else(|| tried.iter().find_map(Task::asks_people)) else {
        return;
    };
    let message = format!("a retry here would ask people again for `{name}`");
    let finding = reader.findings.error("CW0204", entry.key.place, message);
    finding.help(format!(
        "put `{name}` before the `try`, so that only what may fail is retried"
    ));
}

fn retry_of(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    entry: &Entry,
    owner: &str,
    caught: &Scope,
) -> Option<Retry> {
    match entry.value.as_text() {
        Some(name) => reusable::retry(reader, entry, name),
        None => retry(reader, entry, owner, body.scope, caught),
    }
}

/// The definition of a retry, here or in `use.retries`; its conditions see the error caught, its
/// durations do not.
pub(super) fn retry(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    scope: &Scope,
    caught: &Scope,
) -> Option<Retry> {
    let owner = yaml::under(owner, &entry.key.text);
    let known = ["when", "exceptWhen", "delay", "backoff", "limit", "jitter"];
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known)?;
    let mut condition = |key: &str| match fields.get(key) {
        Some(entry) => reader
            .condition(&entry.value, caught, Moment::Definition)
            .map(Some),
        None => Some(None),
    };
    let (when, except_when) = (condition("when"), condition("exceptWhen"));
    let delay = span(reader, &fields, "delay", &owner, scope);
    let backoff = fields
        .get("backoff")
        .map_or(Some(Backoff::Constant), |entry| {
            backoff(reader, entry, &owner)
        });
    let limit = fields
        .get("limit")
        .map(|entry| limit(reader, entry, &owner, scope));
    let jitter = fields
        .get("jitter")
        .map(|entry| jitter(reader, entry, &owner, scope));
    let limit = limit.unwrap_or(Some(Limit::default()))?;
    Some(Retry {
        when: when?,
        except_when: except_when?,
        delay: delay?,
        backoff: backoff?,
        count_max: limit.count,
        attempt_duration_max: limit.attempt,
        duration_max: limit.total,
        jitter: flat(jitter)?,
    })
}

#[expect(clippy::option_option, reason = "absent and broken are different")]
fn span(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    key: &str,
    owner: &str,
    scope: &Scope,
) -> Option<Option<Span>> {
    match fields.get(key) {
        Some(entry) => duration::read(reader, entry, owner, (scope, Moment::Definition)).map(Some),
        None => Some(None),
    }
}

fn backoff(reader: &mut Reader<'_>, entry: &Entry, owner: &str) -> Option<Backoff> {
    let owner = yaml::under(owner, "backoff");
    let known = ["constant", "linear", "exponential"];
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known)?;
    let [only] = fields.entries() else {
        findings
            .error(
                "CW0104",
                entry.place(),
                format!("{owner} must name one way"),
            )
            .help("write `constant: {}`, `linear: {}` or `exponential: {}`");
        return None;
    };
    match only.key.text.as_str() {
        "constant" => Some(Backoff::Constant),
        "linear" => Some(Backoff::Linear),
        "exponential" => Some(Backoff::Exponential),
        _ => None,
    }
}

#[derive(Default)]
struct Limit {
    count: Option<u32>,
    attempt: Option<Span>,
    total: Option<Span>,
}

fn limit(reader: &mut Reader<'_>, entry: &Entry, owner: &str, scope: &Scope) -> Option<Limit> {
    let owner = yaml::under(owner, "limit");
    let findings = &mut reader.findings;
    let place = entry.key.place;
    let fields = Fields::open(
        findings,
        &entry.value,
        place,
        &owner,
        &["attempt", "duration"],
    )?;
    let total = span(reader, &fields, "duration", &owner, scope);
    let Some(attempt) = fields.get("attempt") else {
        return Some(Limit {
            total: total?,
            ..Limit::default()
        });
    };
    let owner = yaml::under(&owner, "attempt");
    let findings = &mut reader.findings;
    let place = attempt.key.place;
    let fields = Fields::open(
        findings,
        &attempt.value,
        place,
        &owner,
        &["count", "duration"],
    )?;
    let count = match fields.get("count") {
        Some(entry) => {
            let count = entry
                .value
                .as_integer()
                .and_then(|count| u32::try_from(count).ok());
            if count.is_none() {
                fields.expected(findings, entry, "a whole number, not negative");
            }
            count.map(Some)
        }
        None => Some(None),
    };
    let attempt = span(reader, &fields, "duration", &owner, scope);
    Some(Limit {
        count: count?,
        attempt: attempt?,
        total: total?,
    })
}

fn jitter(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    scope: &Scope,
) -> Option<(Span, Span)> {
    let owner = yaml::under(owner, "jitter");
    let findings = &mut reader.findings;
    let place = entry.key.place;
    let fields = Fields::open(findings, &entry.value, place, &owner, &["from", "to"])?;
    let from = fields.required(findings, "from", "from: PT1S");
    let to = fields.required(findings, "to", "to: PT5S");
    let at = (scope, Moment::Definition);
    let from = from.and_then(|entry| duration::read(reader, entry, &owner, at));
    let to = to.and_then(|entry| duration::read(reader, entry, &owner, at));
    let (from, to) = (from?, to?);
    if let (Span::Fixed(low), Span::Fixed(high)) = (&from, &to)
        && low > high
    {
        reader
            .findings
            .error(
                "CW0104",
                entry.key.place,
                format!("{owner} begins after it ends"),
            )
            .help("`from` is the shorter duration");
        return None;
    }
    Some((from, to))
}
