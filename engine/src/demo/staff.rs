//! The staff of the demo: one for each role that the sample packs need, with new secrets at each
//! start.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;

use casewright_runtime::Engine;
use casewright_runtime::identity::NewUser;
use serde_json::{Value, json};

use crate::{exit, passphrase};

/// Sign-in name, name and the roles given; included roles come with them.
const STAFF: &[(&str, &str, &[&str])] = &[
    ("casey", "Casey Brown", &["case-worker"]),
    ("ines", "Ines Okafor", &["case-worker"]),
    ("lee", "Lee Tanaka", &["team-leader"]),
    ("sam", "Sam Rossi", &["service-manager"]),
    ("alex", "Alex Kumar", &["administrator"]),
    ("rae", "Rae Lindqvist", &["records-officer"]),
];

/// Some 30 bits, for loopback only and for as long as the demo runs.
const PASSPHRASE_WORDS: usize = 4;

/// What was seeded, with the secrets of this start.
pub(super) struct Seeded(Vec<Member>);

struct Member {
    sign_in: &'static str,
    name: &'static str,
    role: &'static str,
    passphrase: String,
    token: String,
}

/// Puts the staff into the first agency; earlier secrets end.
pub(super) async fn seed(engine: &Engine, agencies: &[String]) -> io::Result<Seeded> {
    let Some(agency) = agencies.first() else {
        return Err(io::Error::other("the checkout has no pack in workflows/"));
    };
    let mut members = Vec::new();
    for (sign_in, name, roles) in STAFF {
        let passphrase = passphrase::new(PASSPHRASE_WORDS)?;
        let user = NewUser {
            agency: agency.clone(),
            id: format!("u-{sign_in}"),
            sign_in: (*sign_in).to_owned(),
            display_name: (*name).to_owned(),
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
            passphrase: passphrase.clone(),
        };
        let id = user.id.clone();
        engine
            .put_user(user)
            .await
            .map_err(|error| failed(&error))?;
        let token = engine
            .mint_token(&id, "demo")
            .await
            .map_err(|error| failed(&error))?
            .0;
        members.push(Member {
            sign_in,
            name,
            role: roles[0],
            passphrase,
            token,
        });
    }
    Ok(Seeded(members))
}

impl Seeded {
    /// One token for each role: of the first member who holds it.
    pub(super) fn tokens(&self) -> Value {
        let mut tokens = BTreeMap::new();
        for member in &self.0 {
            tokens.entry(member.role).or_insert(&member.token);
        }
        json!(tokens)
    }

    pub(super) fn sign_ins(&self) -> Value {
        let one = |member: &Member| {
            json!({
                "signIn": member.sign_in,
                "name": member.name,
                "role": member.role,
                "passphrase": member.passphrase,
                "token": member.token,
            })
        };
        self.0.iter().map(one).collect()
    }

    pub(super) fn welcome(&self, url: &str) -> String {
        let mut text = format!("\nCasewright is ready: {url}\n\nSign in as\n");
        for member in &self.0 {
            let Member {
                sign_in,
                name,
                role,
                passphrase,
                ..
            } = member;
            writeln!(text, "  {sign_in:<8} {passphrase:<32} {name}, {role}")
                .expect("writing to text does not fail");
        }
        text.push_str("\nThe passphrases are new at each start. Stop with Ctrl-C.");
        text
    }
}

fn failed(error: &casewright_runtime::Refused) -> io::Error {
    io::Error::other(exit::chain(error))
}
