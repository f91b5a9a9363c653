//! The agency that is measured: a pack, its plugin, and an engine over a store of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use casewright_casework::Principal;
use casewright_casework::principal::Kind;
use casewright_runtime::Engine;
use casewright_runtime::engine::{Refused, Start};
use casewright_store::RedbStore;
use serde_json::{Value, json};

use crate::ports::plugins::Sources;
use crate::wiring::{self, Places};
use crate::{exit, plugin};

const PACK: &str = "
namespace: bench
title: Bench
timeZone: Australia/Brisbane
calendar: none
calendars: { none: none.ics }
caseNumber: B-{year}-{number:7}
roles:
  case-worker: { title: Case worker, starts: true }
";
const CALENDAR: &str = "BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Casewright//bench//EN\r
BEGIN:VEVENT\r
UID:1@casewright.example\r
DTSTAMP:20260101T000000Z\r
DTSTART;VALUE=DATE:20261225\r
SUMMARY:Christmas Day\r
END:VEVENT\r
END:VCALENDAR\r
";
const CONFIG: &str = r#"
listen = "127.0.0.1:0"
data = "data"
keys = "keys/epoch.json"
packs = ["pack"]

[[staff]]
agency = "bench"
id = "u-bench"
sign_in = "bench"
name = "Bench"
roles = ["case-worker"]
passphrase_file = "passphrase"
token_file = "token.json"
"#;
const WAIT: &str = "
document: { dsl: '1.0.3', namespace: bench, name: wait, version: '1.0.0' }
do:
  - look:
      call: human-task
      with:
        title: Look at it
        assign: { role: case-worker }
        due: 3 business days
";
/// Steps of one run where many run at once.
pub(super) const STEPS: u32 = 10;

/// Whether the agency has workflows that call the plugin, and the plugin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum With {
    Nothing,
    Plugin,
}

/// A folder with configuration and pack.
pub(super) struct Place(pub(super) PathBuf, Whose, With);

/// A folder of our own is gone when the bench is over.
#[derive(PartialEq, Eq)]
enum Whose {
    Ours,
    Theirs,
}

impl Place {
    pub(super) fn new(with: With) -> io::Result<Self> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);

        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("casewright-bench-{}-{number}", std::process::id());
        // Folders of temporary files often lie in memory, where flushing costs nothing.
        let here = std::env::current_dir()?;
        let base = plugin::find_checkout(&here)
            .map_or_else(std::env::temp_dir, |checkout| checkout.join("target"));
        let place = Self(base.join(name), Whose::Ours, with);
        fs::create_dir_all(&place.0)?;
        fs::create_dir(place.0.join("pack"))?;
        for (name, text) in [
            ("pack/pack.yaml", PACK),
            ("pack/none.ics", CALENDAR),
            ("pack/wait.yaml", WAIT),
            ("casewright.toml", CONFIG),
            ("passphrase", "only for this bench 7351"),
        ] {
            fs::write(place.0.join(name), text)?;
        }
        fs::write(place.0.join("pack/answers.yaml"), answers())?;
        if with == With::Plugin {
            fs::write(place.0.join("pack/ten.yaml"), steps("ten", STEPS))?;
            fs::write(place.0.join("pack/long.yaml"), LONG)?;
        }
        Ok(place)
    }

    /// One that another process made, without the plugin.
    pub(super) fn of(folder: &Path) -> Self {
        Self(folder.to_owned(), Whose::Theirs, With::Nothing)
    }

    pub(super) fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    pub(super) fn keys(&self) -> PathBuf {
        self.0.join("keys/epoch.json")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.1 == Whose::Ours {
            // It lies among what was built; what stays is no harm.
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// A run of so many keyed steps, one after the other.
fn steps(name: &str, count: u32) -> String {
    let step = |number| format!("  - step{number}: {{ call: step.issue, with: {WITH} }}\n");
    let steps: String = (1..=count).map(step).collect();
    format!("{}{steps}", head(name))
}

fn head(name: &str) -> String {
    format!("document: {{ dsl: '1.0.3', namespace: bench, name: {name}, version: '1.0.0' }}\ndo:\n")
}

const WITH: &str = "{ amount: 13000, currency: AUD, reason: food and fuel until Thursday }";

/// What the plugin is called with, as bare wasmtime is.
pub(super) fn input() -> Value {
    json!({ "amount": 13000, "currency": "AUD", "reason": "food and fuel until Thursday" })
}

/// One step again and again, until it is taken back: a long history.
const LONG: &str = "
document: { dsl: '1.0.3', namespace: bench, name: long, version: '1.0.0' }
do:
  - step:
      call: step.issue
      with: { amount: 13000, currency: AUD, reason: food and fuel until Thursday }
  - again:
      switch:
        - more: { when: '${ .amount > 0 }', then: step }
        - enough: { then: end }
";

/// A run that answers [`STEPS`] events from outside.
fn answers() -> String {
    let answer = |number| {
        format!(
            "  - answer{number}:
      listen:
        to:
          one:
            with: {{ type: bench.answer{number} }}
            correlate:
              run: {{ from: '${{ .data.run }}', expect: '${{ $workflow.input.run }}' }}
"
        )
    };
    let answers: String = (1..=STEPS).map(answer).collect();
    format!("{}{answers}", head("answers"))
}

/// An engine in this process.
pub(super) struct Agency {
    pub(super) engine: Engine,
    pub(super) store: Arc<RedbStore>,
    pub(super) who: Principal,
}

impl Agency {
    pub(super) async fn open(place: &Place) -> io::Result<Self> {
        let folders = match place.2 {
            With::Nothing => Vec::new(),
            With::Plugin => vec![plugins()?],
        };
        let places = Places {
            data: place.data(),
            keys: place.keys(),
            disk_reserve_bytes: 64 << 20,
        };
        let sources = Sources {
            folders,
            operator: BTreeMap::new(),
            ..Sources::default()
        };
        let running = wiring::open(&places, sources).await?;
        running.deploy(&place.0.join("pack")).await?;
        let who = Principal {
            id: "u-bench".to_owned(),
            display_name: "Bench".to_owned(),
            agency: "bench".to_owned(),
            roles: ["case-worker".to_owned()].into(),
            kind: Kind::Staff,
        };
        Ok(Self {
            engine: running.engine,
            store: running.store,
            who,
        })
    }

    /// The id of a new run, which is on disk.
    pub(super) async fn start(&self, workflow: &str, input: Value) -> io::Result<String> {
        self.start_in(None, workflow, input).await
    }

    /// The same in a case that is there.
    pub(super) async fn start_in(
        &self,
        case: Option<String>,
        workflow: &str,
        input: Value,
    ) -> io::Result<String> {
        let start = Start {
            workflow: workflow.to_owned(),
            version: None,
            case,
            calendar: None,
            input,
        };
        let started = self.engine.start(&self.who, start, None).await;
        Ok(started.map_err(|refused| failed(&refused))?.id)
    }
}

pub(super) fn failed(refused: &Refused) -> io::Error {
    io::Error::other(exit::chain(refused))
}

/// The component that is measured, built when it is missing.
pub(super) fn component() -> io::Result<Vec<u8>> {
    fs::read(plugins()?.join("step/step.wasm"))
}

fn plugins() -> io::Result<PathBuf> {
    let here = std::env::current_dir()?;
    let checkout = plugin::find_checkout(&here).ok_or_else(|| {
        io::Error::other(format!(
            "there is no checkout of Casewright at or above {}; the bench builds the plugin that \
             it measures from sources, so run it inside one",
            here.display()
        ))
    })?;
    build(&checkout).map_err(io::Error::other)
}

fn build(checkout: &Path) -> Result<PathBuf, plugin::BuildError> {
    let out = checkout.join("target/bench-plugins");
    plugin::with_progress(|progress| {
        plugin::build_one(&checkout.join("tests/step"), &out, progress)
    })?;
    Ok(out)
}
