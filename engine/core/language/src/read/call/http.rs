//! `call: http`: where a request goes, what it carries, and what of its answer becomes output.
//!
//! Which hosts may be reached is no matter of the document: pack and operator say it, and the shell
//! compares.

use serde_json::Value;

use super::argument::{Arguments, is_expression};
use super::arguments;
use crate::diagnostic::suggestion;
use crate::read::Reader;
use crate::read::scope::Moment;
use crate::read::tasks::{Body, Found};
use crate::workflow::{Authentication, Http, Kind, Method, OutputAs, Piece};
use crate::yaml::{self, Content, Entry, Fields};
use crate::{Template, UriTemplate};

pub(in crate::read) mod authentication;

use authentication::Credential;

const ARGUMENTS: [&str; 7] = [
    "method", "endpoint", "headers", "query", "body", "output", "redirect",
];
const ENDPOINT: &str = "endpoint: https://homes.example/v1/applications/{id}";
const METHODS: [(&str, Method); 7] = [
    ("get", Method::Get),
    ("head", Method::Head),
    ("options", Method::Options),
    ("post", Method::Post),
    ("put", Method::Put),
    ("patch", Method::Patch),
    ("delete", Method::Delete),
];
pub(super) const OUTPUTS: [(&str, OutputAs); 3] = [
    ("raw", OutputAs::Raw),
    ("content", OutputAs::Content),
    ("response", OutputAs::Response),
];

/// Headers that the engine writes, with the reason.
const OWN_HEADERS: [(&str, &str); 11] = [
    ("connection", "the engine writes it"),
    ("content-length", "the engine writes it"),
    ("expect", "the engine writes it"),
    ("host", "the endpoint says which host is asked"),
    (
        "idempotency-key",
        "the engine writes a key of its own, which stays through retries",
    ),
    ("keep-alive", "the engine writes it"),
    ("te", "the engine writes it"),
    ("trailer", "the engine writes it"),
    ("transfer-encoding", "the engine writes it"),
    ("upgrade", "the engine writes it"),
    ("via", "the engine writes it"),
];

/// Where the request goes: an address with names, or what an expression gives.
pub(super) struct Target {
    pub(super) written: Option<UriTemplate>,
    pub(super) computed: Option<Template>,
    pub(super) authentication: Option<Credential>,
}

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    let owner = body.fields.owner.as_str();
    let mut all = Arguments::open(&mut reader.findings, "call: http", owner, arguments(body))?;
    let findings = &mut reader.findings;
    all.refuse_unknown(findings, &ARGUMENTS);
    let method = all.required(findings, "method", "method: get");
    let endpoint = all.required(findings, "endpoint", ENDPOINT);
    let method = method.and_then(|entry| word(reader, &all, entry, &METHODS, "CW0418", "method"));
    let target = endpoint.and_then(|entry| target(reader, body, all.owner, entry));
    let authenticated = target
        .as_ref()
        .is_some_and(|target| target.authentication.is_some());
    let mut with = Vec::new();
    let mut whole = true;
    let mut keep = |name: &str, template: Option<Template>| match template {
        Some(template) => with.push((name.to_owned(), template)),
        None => whole = false,
    };
    let (mut sealed_headers, mut sealed_query) = (Vec::new(), Vec::new());
    if let Some(entry) = all.get("headers") {
        own_headers(reader, entry, authenticated);
        keep(
            "headers",
            texts(reader, body, &all, entry, &mut sealed_headers),
        );
    }
    if let Some(entry) = all.get("query") {
        keep("query", texts(reader, body, &all, entry, &mut sealed_query));
    }
    if let Some(entry) = all.get("body") {
        keep(
            "body",
            reader.template(&entry.value, body.scope, Moment::Definition),
        );
    }
    let output = match all.get("output") {
        None => Some(OutputAs::Content),
        Some(entry) => word(reader, &all, entry, &OUTPUTS, "CW0420", "output"),
    };
    let redirect = redirect(reader, &all);
    let target = target?;
    let mut authentication: Option<Authentication> = None;
    if let Some(credential) = target.authentication {
        authentication = Some(credential.authentication);
        with.extend(
            credential
                .words
                .map(|words| ("authentication".to_owned(), words)),
        );
    }
    with.extend(
        target
            .computed
            .map(|computed| ("endpoint".to_owned(), computed)),
    );
    let http = Http {
        method: method?,
        endpoint: target.written,
        with: if with.is_empty() {
            Template::Literal(Value::Object(serde_json::Map::new()))
        } else {
            Template::Map(with)
        },
        sealed_headers,
        sealed_query,
        authentication,
        output: output?,
        redirect: redirect?,
    };
    whole.then(|| Kind::Http(Box::new(http)).into())
}

/// Whether an answer that leads elsewhere is one.
pub(super) fn redirect(reader: &mut Reader<'_>, all: &Arguments<'_>) -> Option<bool> {
    let Some(entry) = all.get("redirect") else {
        return Some(false);
    };
    let redirect = entry.value.as_bool();
    if redirect.is_none() {
        let (findings, wanted) = (&mut reader.findings, "`true` or `false`");
        all.expected(findings, entry, wanted, "redirect: true");
    }
    redirect
}

/// One word of a list, whatever the case of its letters.
pub(super) fn word<T: Copy>(
    reader: &mut Reader<'_>,
    all: &Arguments<'_>,
    entry: &Entry,
    known: &[(&str, T)],
    code: &'static str,
    what: &str,
) -> Option<T> {
    let write = format!("{what}: {}", known[0].0);
    let findings = &mut reader.findings;
    let Some(text) = entry.value.as_text() else {
        all.expected(findings, entry, "text", &write);
        return None;
    };
    if is_expression(text) {
        findings
            .error(
                "CW0309",
                entry.place(),
                format!("`{what}` of {} cannot be an expression", all.owner),
            )
            .help("it is checked before anything runs; choose with `switch` between two tasks");
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let found = known.iter().find(|(name, _)| *name == lower);
    if found.is_none() {
        let names = known.iter().map(|(name, _)| *name);
        findings
            .error(
                code,
                entry.place(),
                format!("`{}` has no {what} `{text}`", all.function),
            )
            .help(suggestion(&lower, names, "there is none"));
    }
    found.map(|(_, value)| *value)
}

/// Of `endpoint`: an address, or a map with one and who asks.
pub(super) fn target(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    owner: &str,
    entry: &Entry,
) -> Option<Target> {
    let owner = yaml::under(owner, "endpoint");
    match &entry.value.content {
        Content::Text(_) => address(reader, body, entry),
        Content::Map(_) => {
            let known = ["uri", "authentication"];
            let findings = &mut reader.findings;
            let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known)?;
            let uri = fields.required(findings, "uri", "uri: https://homes.example/v1");
            let authentication = match fields.get("authentication") {
                None => Some(None),
                Some(entry) => {
                    authentication::of_endpoint(reader, entry, &owner, body.scope).map(Some)
                }
            };
            let uri = uri?;
            if uri.value.as_text().is_none() {
                fields.expected(&mut reader.findings, uri, "an address");
                return None;
            }
            let target = address(reader, body, uri)?;
            Some(Target {
                authentication: authentication?,
                ..target
            })
        }
        _ => {
            let findings = &mut reader.findings;
            let found = entry.value.described();
            let message = format!("{owner} must be an address, found {found}");
            findings
                .error("CW0404", entry.place(), message)
                .help(format!("write `{ENDPOINT}`"));
            None
        }
    }
}

fn address(reader: &mut Reader<'_>, body: &Body<'_, '_>, entry: &Entry) -> Option<Target> {
    let text = entry.value.as_text().unwrap_or_default();
    if text.contains("${") {
        let computed = reader.template(&entry.value, body.scope, Moment::Definition)?;
        return Some(Target {
            written: None,
            computed: Some(computed),
            authentication: None,
        });
    }
    match UriTemplate::parse(text) {
        Ok(written) => Some(Target {
            written: Some(written),
            computed: None,
            authentication: None,
        }),
        Err(malformed) => {
            reader
                .findings
                .error("CW0419", entry.place(), malformed.message)
                .help(malformed.help);
            None
        }
    }
}

/// Headers and query: names with text, or one expression that gives them. Texts that hold secrets
/// are put apart.
fn texts(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    all: &Arguments<'_>,
    entry: &Entry,
    sealed: &mut Vec<(String, Vec<Piece>)>,
) -> Option<Template> {
    let key = entry.key.text.as_str();
    let computed = entry
        .value
        .as_text()
        .is_some_and(|text| text.contains("${"));
    let Some(entries) = entry.value.as_map().filter(|_| !computed) else {
        if computed {
            return reader.template(&entry.value, body.scope, Moment::Definition);
        }
        let write = format!("{key}: {{ name: value }}");
        all.expected(&mut reader.findings, entry, "a map of texts", &write);
        return None;
    };
    let mut members = Vec::new();
    let mut whole = true;
    for member in entries {
        let name = member.key.text.as_str();
        if member.value.as_text().is_none() {
            whole = false;
            let owner = yaml::under(&format!("`{key}` of {}", all.owner), name);
            let place = member.place();
            yaml::expected(&mut reader.findings, place, &owner, "text", &member.value);
            continue;
        }
        match reader.sealed(&member.value, body.scope) {
            Some(Ok(pieces)) => {
                sealed.push((name.to_owned(), pieces));
                continue;
            }
            Some(Err(())) => {
                whole = false;
                continue;
            }
            None => {}
        }
        match reader.template(&member.value, body.scope, Moment::Definition) {
            Some(value) => members.push((name.to_owned(), value)),
            None => whole = false,
        }
    }
    whole.then_some(Template::Map(members))
}

/// What an author writes here would be overwritten, or would mislead the server.
fn own_headers(reader: &mut Reader<'_>, entry: &Entry, authenticated: bool) {
    for header in entry.value.as_map().unwrap_or_default() {
        let name = header.key.text.to_ascii_lowercase();
        let own = OWN_HEADERS.iter().find(|(known, _)| *known == name);
        let reason = match own {
            Some((_, reason)) => *reason,
            None if name.starts_with("proxy-") => "the engine writes it",
            None if name == "authorization" && authenticated => "`authentication` writes it",
            None => continue,
        };
        reader
            .findings
            .error(
                "CW0424",
                header.key.place,
                format!("the header `{}` is not the document's", header.key.text),
            )
            .help(format!("remove it: {reason}"));
    }
}
