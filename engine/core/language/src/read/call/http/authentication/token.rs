//! `oauth2` and `oidc`: what is said to get a token, where no secret says it.
//!
//! What a word means is checked here; whether the authority knows this client is known to it alone.

use super::{Credential, warn_of_written};
use crate::diagnostic::suggestion;
use crate::read::Reader;
use crate::read::call::argument::is_expression;
use crate::read::scope::{Moment, Scope};
use crate::workflow::{Authentication, Scheme};
use crate::yaml::{Entry, Fields};
use crate::{Template, UriTemplate};

pub(super) const OIDC: [&str; 11] = [
    "authority",
    "grant",
    "client",
    "request",
    "issuers",
    "scopes",
    "audiences",
    "username",
    "password",
    "subject",
    "actor",
];
pub(super) const OAUTH2: [&str; 12] = [
    "authority",
    "endpoints",
    "grant",
    "client",
    "request",
    "issuers",
    "scopes",
    "audiences",
    "username",
    "password",
    "subject",
    "actor",
];

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const GRANTS: [&str; 3] = ["client_credentials", "password", EXCHANGE];
/// Grants that nothing without a browser or a memory of its own can follow.
const GRANTS_REFUSED: [(&str, &str); 2] = [
    (
        "authorization_code",
        "it needs a person at a browser, and a workflow has none",
    ),
    (
        "refresh_token",
        "the language has no word for the token it would need, and one that changes with each use \
         cannot stand in a document",
    ),
];
const CLIENTS: [&str; 4] = [
    "client_secret_post",
    "client_secret_basic",
    "private_key_jwt",
    "none",
];
const CLIENTS_REFUSED: [(&str, &str); 1] = [(
    "client_secret_jwt",
    "the engine signs nothing with a client's secret; `client_secret_basic` and \
     `client_secret_post` send it",
)];
/// Only the token's is asked; documents name the others all the same.
const ENDPOINTS: [&str; 3] = ["token", "revocation", "introspection"];
const ENCODINGS: [&str; 2] = ["application/x-www-form-urlencoded", "application/json"];

/// Values that nobody but the authority should read.
const CONFIDENTIAL: [&str; 4] = ["secret", "assertion", "password", "token"];

pub(super) fn read(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    scope: &Scope,
    scheme: Scheme,
    write: &str,
) -> Option<Credential> {
    let before = reader.findings.count();
    let findings = &mut reader.findings;
    let authority = fields.required(findings, "authority", "authority: https://login.example");
    let grant = fields.required(findings, "grant", "grant: client_credentials");
    if let Some(entry) = grant {
        fields.text(findings, entry);
    }
    let grant = grant.and_then(|entry| word(reader, fields, entry, &GRANTS, &GRANTS_REFUSED));
    if let Some(grant) = grant {
        of_grant(reader, fields, grant);
    }
    of_client(reader, fields);
    inner(reader, fields, "endpoints", &ENDPOINTS, &[], "");
    let request = inner(reader, fields, "request", &["encoding"], &[], "");
    if let Some((request, entry)) = request.and_then(|it| it.get("encoding").map(|of| (it, of))) {
        word(reader, &request, entry, &ENCODINGS, &[]);
    }
    for key in ["issuers", "scopes", "audiences"] {
        texts(reader, fields, key);
    }
    for key in ["username", "password"] {
        if let Some(entry) = fields.get(key) {
            fields.text(&mut reader.findings, entry);
        }
    }
    for key in ["subject", "actor"] {
        let known = ["token", "type"];
        let write = "{ token: '${ .token }', type: <its type> }";
        inner(reader, fields, key, &known, &known, write);
    }
    // Only errors so far; below there may be warnings.
    let mut whole = reader.findings.count() == before;
    let authority = authority.and_then(|entry| of_authority(reader, fields, entry));
    whole &= authority.is_some();
    let mut members = Vec::new();
    for entry in fields
        .entries()
        .iter()
        .filter(|it| it.key.text != "authority")
    {
        match reader.template(&entry.value, scope, Moment::Definition) {
            Some(value) => {
                confidential(reader, entry, &value, write);
                members.push((entry.key.text.clone(), value));
            }
            None => whole = false,
        }
    }
    whole.then_some(Credential {
        authentication: Authentication {
            scheme,
            secret: None,
            authority,
        },
        words: Some(Template::Map(members)),
    })
}

/// The language takes no expression for it, but names of the input in braces.
fn of_authority(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    entry: &Entry,
) -> Option<UriTemplate> {
    let findings = &mut reader.findings;
    let text = fields.text(findings, entry)?;
    if text.contains("${") {
        let owner = &fields.owner;
        let message = format!("`authority` of {owner} cannot be an expression");
        let help = "write an address; a name in braces, `{realm}`, is filled from the input";
        findings.error("CW0309", entry.place(), message).help(help);
        return None;
    }
    match UriTemplate::parse(text) {
        Ok(written) => Some(written),
        Err(malformed) => {
            let message = malformed.message.replace("endpoint", "authority");
            findings
                .error("CW0419", entry.place(), message)
                .help(malformed.help);
            None
        }
    }
}

/// What a grant needs besides the client.
fn of_grant(reader: &mut Reader<'_>, fields: &Fields<'_>, grant: &str) {
    let findings = &mut reader.findings;
    match grant {
        "password" => {
            fields.required(findings, "username", "username: <name>");
            fields.required(findings, "password", "password: <word>");
        }
        EXCHANGE => {
            let write = "subject: { token: '${ .token }', type: <its type> }";
            fields.required(findings, "subject", write);
        }
        _ => {
            fields.required(findings, "client", "client: { id: <name>, secret: <word> }");
        }
    }
}

fn of_client(reader: &mut Reader<'_>, fields: &Fields<'_>) {
    let known = ["id", "secret", "assertion", "authentication"];
    let Some(client) = inner(reader, fields, "client", &known, &[], "") else {
        return;
    };
    let how = match client.get("authentication") {
        None => Some("client_secret_post"),
        Some(entry) => word(reader, &client, entry, &CLIENTS, &CLIENTS_REFUSED),
    };
    let findings = &mut reader.findings;
    if how.is_some_and(|how| how != "none") {
        client.required(findings, "id", "id: <name of the client>");
    }
    match how {
        Some("client_secret_basic") => {
            client.required(findings, "secret", "secret: <word>");
        }
        Some("private_key_jwt") => {
            client.required(findings, "assertion", "assertion: '${ .assertion }'");
        }
        _ => {}
    }
}

/// A map of texts within the fields; `None` where there is none, or something else.
fn inner<'a>(
    reader: &mut Reader<'_>,
    fields: &Fields<'a>,
    key: &str,
    known: &[&str],
    required: &[&str],
    write: &str,
) -> Option<Fields<'a>> {
    let entry = fields.get(key)?;
    let owner = crate::yaml::under(&fields.owner, key);
    let findings = &mut reader.findings;
    let inner = Fields::open(findings, &entry.value, entry.key.place, &owner, known)?;
    for key in required {
        inner.required(findings, key, write);
    }
    for entry in inner.entries() {
        if known.contains(&entry.key.text.as_str()) {
            inner.text(findings, entry);
        }
    }
    Some(inner)
}

fn texts(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) {
    let Some(entry) = fields.get(key) else {
        return;
    };
    let items = entry.value.as_list();
    if !items.is_some_and(|items| items.iter().all(|item| item.as_text().is_some())) {
        fields.expected(&mut reader.findings, entry, "a list of texts");
    }
}

/// One word of a list: known, known and refused, or neither.
fn word<'a>(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    entry: &'a Entry,
    known: &[&str],
    refused: &[(&str, &str)],
) -> Option<&'a str> {
    let findings = &mut reader.findings;
    // A text of another kind was reported with the map around it.
    let text = entry.value.as_text()?;
    let key = &entry.key.text;
    let place = entry.place();
    if is_expression(text) {
        findings
            .error(
                "CW0309",
                place,
                format!("`{key}` of {} cannot be an expression", fields.owner),
            )
            .help(format!(
                "it is checked before anything runs; write `{key}: {}`",
                known[0]
            ));
        return None;
    }
    if let Some((_, reason)) = refused.iter().find(|(name, _)| *name == text) {
        findings
            .error(
                "CW0911",
                place,
                format!("`{key}: {text}` is not available: {reason}"),
            )
            .help(format!("write one of `{}`", known.join("`, `")));
        return None;
    }
    if !known.contains(&text) {
        let names = known.iter().copied();
        findings
            .error(
                "CW0425",
                place,
                format!("{} has no {key} `{text}`", fields.owner),
            )
            .help(suggestion(text, names, "there is none"));
        return None;
    }
    Some(text)
}

/// Warns of every confidential word that is written out.
fn confidential(reader: &mut Reader<'_>, entry: &Entry, value: &Template, write: &str) {
    let key = entry.key.text.as_str();
    if let Some(entries) = entry.value.as_map() {
        for inner in entries {
            let written = inner
                .value
                .as_text()
                .is_some_and(|text| !is_expression(text));
            if written && CONFIDENTIAL.contains(&inner.key.text.as_str()) && key != "endpoints" {
                let literal = Template::Literal(inner.value.to_json());
                warn_of_written(reader, inner, &literal, write);
            }
        }
    } else if CONFIDENTIAL.contains(&key) {
        warn_of_written(reader, entry, value, write);
    }
}
