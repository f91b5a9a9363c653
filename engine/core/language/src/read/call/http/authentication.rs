//! `authentication` of an endpoint and `use.authentications`: how a request says who asks.
//!
//! A secret is named here and nowhere else in a document. Its value is put into the request by the
//! shell when it is sent, so that no instance, journal or output ever holds it.

use crate::Template;
use crate::read::scope::{Moment, Scope};
use crate::read::{Reader, reusable};
use crate::workflow::{Authentication, Scheme};
use crate::yaml::{self, Entry, Fields};

mod token;

const KINDS: [&str; 5] = ["basic", "bearer", "digest", "oauth2", "oidc"];

const WRITE: &str = "write `authentication: { bearer: { use: <secret> } }`";

/// An authentication with its words, where they are no secret.
#[derive(Debug, Clone)]
pub(in crate::read) struct Credential {
    pub(in crate::read::call) authentication: Authentication,
    /// `{username, password}`, `{token}`, or what is said to ask for a token.
    pub(in crate::read::call) words: Option<Template>,
}

/// Of an endpoint: a definition, or `use` with the name of one.
pub(in crate::read::call) fn of_endpoint(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    scope: &Scope,
) -> Option<Credential> {
    let named = entry.value.entry("use");
    let alone = entry.value.as_map().is_some_and(|map| map.len() == 1);
    let Some(named) = named.filter(|_| alone) else {
        return definition(reader, entry, owner, scope, &["use"]);
    };
    let Some(name) = named.value.as_text() else {
        let owner = yaml::under(&yaml::under(owner, "authentication"), "use");
        let findings = &mut reader.findings;
        yaml::expected(findings, named.place(), &owner, "text", &named.value);
        return None;
    };
    reusable::authentication(reader, named, name)
}

/// Of an endpoint or of `use.authentications`; `also` may stand there besides.
pub(in crate::read) fn definition(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    scope: &Scope,
    also: &[&str],
) -> Option<Credential> {
    let owner = yaml::under(owner, &entry.key.text);
    let known: Vec<&str> = also.iter().copied().chain(KINDS).collect();
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known)?;
    let mut written = fields
        .entries()
        .iter()
        .filter(|entry| known.contains(&entry.key.text.as_str()));
    let (Some(kind), None) = (written.next(), written.next()) else {
        // An unknown key was reported, and is the cause.
        if fields
            .entries()
            .iter()
            .all(|entry| known.contains(&entry.key.text.as_str()))
        {
            let message = format!("{owner} must say exactly one way");
            findings
                .error("CW0422", entry.key.place, message)
                .help(WRITE);
        }
        return None;
    };
    match kind.key.text.as_str() {
        "basic" => words(reader, kind, &owner, scope, Scheme::Basic),
        "bearer" => words(reader, kind, &owner, scope, Scheme::Bearer),
        "digest" => words(reader, kind, &owner, scope, Scheme::Digest),
        "oauth2" => words(reader, kind, &owner, scope, Scheme::Oauth2),
        _ => words(reader, kind, &owner, scope, Scheme::Oidc),
    }
}

fn words(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    scope: &Scope,
    scheme: Scheme,
) -> Option<Credential> {
    let owner = yaml::under(owner, &entry.key.text);
    let (keys, write): (&[&str], _) = match scheme {
        Scheme::Basic => (&["username", "password"], "basic: { use: <secret> }"),
        Scheme::Bearer => (&["token"], "bearer: { use: <secret> }"),
        Scheme::Digest => (&["username", "password"], "digest: { use: <secret> }"),
        Scheme::Oauth2 => (&token::OAUTH2, "oauth2: { use: <secret> }"),
        Scheme::Oidc => (&token::OIDC, "oidc: { use: <secret> }"),
    };
    let known: Vec<&str> = ["use"].into_iter().chain(keys.iter().copied()).collect();
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known)?;
    if let Some(named) = fields.get("use") {
        if fields.entries().len() > 1 {
            let message = format!("{owner} names a secret and has words of its own");
            let help = format!("write only one of them: `{write}`");
            findings
                .error("CW0422", entry.key.place, message)
                .help(help);
            return None;
        }
        let name = fields.text(findings, named)?;
        return secret(reader, named, name).map(|name| Credential {
            authentication: Authentication {
                scheme,
                secret: Some(name),
                authority: None,
            },
            words: None,
        });
    }
    if matches!(scheme, Scheme::Oauth2 | Scheme::Oidc) {
        return token::read(reader, &fields, scope, scheme, write);
    }
    let mut members = Vec::new();
    for &key in keys {
        let Some(entry) = fields.required(&mut reader.findings, key, write) else {
            continue;
        };
        if fields.text(&mut reader.findings, entry).is_none() {
            continue;
        }
        if let Some(word) = reader.template(&entry.value, scope, Moment::Definition) {
            warn_of_written(reader, entry, &word, write);
            members.push((key.to_owned(), word));
        }
    }
    (members.len() == keys.len()).then_some(Credential {
        authentication: Authentication {
            scheme,
            secret: None,
            authority: None,
        },
        words: Some(Template::Map(members)),
    })
}

/// Documents are shown to many, and kept.
fn warn_of_written(reader: &mut Reader<'_>, entry: &Entry, word: &Template, write: &str) {
    let key = entry.key.text.as_str();
    if key != "username" && matches!(word, Template::Literal(_)) {
        reader
            .findings
            .warning(
                "CW0423",
                entry.place(),
                format!("the {key} stands in the document, where many can read it"),
            )
            .help(format!("name a secret of `use.secrets`: `{write}`"));
    }
}

fn secret(reader: &mut Reader<'_>, entry: &Entry, name: &str) -> Option<String> {
    let declared = reader.declares_secret(entry.place(), name);
    declared.then(|| name.to_owned())
}
