//! Commands that ask a server: `absence`, `case`, `instance`, `task`, `fund`, `calendar`, `event`,
//! `deploy`. They do what the API does for the person whose token is used, and know no rule of
//! their own.
//!
//! `client/` has one file for each; here is how a server is reached and how its refusals are told.

mod absence;
mod calendar;
mod case;
pub(crate) mod deploy;
mod event;
mod fund;
mod instance;
pub(crate) mod migrate;
mod report;
mod task;

use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;
use ureq::tls::{RootCerts, TlsConfig};

use crate::exit;

pub(crate) use absence::Command as Absence;
pub(crate) use calendar::Command as Calendar;
pub(crate) use case::Command as Case;
pub(crate) use event::Command as Event;
pub(crate) use fund::Command as Fund;
pub(crate) use instance::Command as Instance;
pub(crate) use report::Command as Report;
pub(crate) use task::Command as Task;

/// A server that takes longer than this does not answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// As for one document; the server has its own limits.
const INPUT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// How to reach a server, and as whom.
#[derive(Debug, clap::Args)]
pub(crate) struct Server {
    /// Its address; `CASEWRIGHT_SERVER` otherwise.
    #[arg(long = "server", value_name = "URL", global = true)]
    url: Option<String>,
    /// The token of whoever asks. `CASEWRIGHT_TOKEN` keeps it out of the list of processes.
    #[arg(long, value_name = "TOKEN", global = true)]
    token: Option<String>,
    /// Take address and token from the ready file of a demo instead.
    #[arg(long, value_name = "FILE", global = true, conflicts_with_all = ["url", "token"])]
    ready_file: Option<PathBuf>,
    /// With `--ready-file`: as which role.
    #[arg(
        long = "as",
        value_name = "ROLE",
        global = true,
        default_value = "case-worker"
    )]
    acting_as: String,
    /// Print the server's answer as JSON.
    #[arg(long, global = true)]
    json: bool,
}

/// Arguments of a command that asks a server.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments<C: clap::Subcommand> {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    command: C,
}

/// A group of commands.
pub(crate) trait Ask {
    /// What is to be printed.
    fn ask(&self, client: &Client) -> Result<Answer, Failure>;
}

/// What a server said, and how people read it.
pub(crate) struct Answer {
    whole: Value,
    text: String,
    well: bool,
}

impl Answer {
    fn new(whole: Value, text: impl Into<String>) -> Self {
        Self {
            whole,
            text: text.into(),
            well: true,
        }
    }

    /// Not everything that was asked about is well.
    fn unwell(self) -> Self {
        Self {
            well: false,
            ..self
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server refused: its problem.
    Refused(Value),
    /// What was asked makes no sense.
    Usage(String),
    /// The server could not be reached, or a file not read.
    Environment(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Environment(error.to_string())
    }
}

pub(crate) fn run<C: Ask + clap::Subcommand>(arguments: &Arguments<C>) -> ExitCode {
    answer(&arguments.server, &arguments.command)
}

fn answer(server: &Server, command: &impl Ask) -> ExitCode {
    match Client::new(server).and_then(|client| command.ask(&client)) {
        Ok(answer) => {
            if server.json {
                exit::say(&answer.whole.to_string());
            } else {
                exit::say(answer.text.trim_end());
            }
            if !answer.well {
                return exit::unwell();
            }
        }
        Err(Failure::Refused(problem)) => {
            if server.json {
                exit::say(&problem.to_string());
            }
            exit::note(&refusal(&problem));
            return exit::unwell();
        }
        Err(Failure::Usage(sentence)) => return exit::usage(&sentence),
        Err(Failure::Environment(sentence)) => return exit::environment(&sentence),
    }
    ExitCode::SUCCESS
}

/// `self-approval: You asked for this ...`, and what is wrong with which field.
fn refusal(problem: &Value) -> String {
    let of = |key: &str| problem[key].as_str().unwrap_or_default();
    let mut text = format!("{}: {}", of("code"), of("detail"));
    for field in problem["fields"].as_array().into_iter().flatten() {
        let of = |key: &str| field[key].as_str().unwrap_or_default();
        let _ = write!(text, "\n  {}: {}", of("field"), of("message"));
    }
    text
}

/// Asks one server as one person.
pub(crate) struct Client {
    url: String,
    token: String,
    agent: ureq::Agent,
}

impl Client {
    fn new(server: &Server) -> Result<Self, Failure> {
        let (url, token) = match &server.ready_file {
            Some(file) => from_ready_file(file, &server.acting_as)?,
            None => from_words(server)?,
        };
        let url = url.trim_end_matches('/').to_owned();
        travels_sealed(&url)?;
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            // An answer from elsewhere is not the server's; and the token stays here.
            .max_redirects(0)
            .tls_config(tls.build());
        Ok(Self {
            url,
            token,
            agent: config.build().into(),
        })
    }

    fn get(&self, path: &str) -> Result<Value, Failure> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        self.answer(request.call())
    }

    /// What is no JSON, written where it belongs as it arrives; how many bytes.
    fn download(&self, path: &str, to: &mut impl io::Write) -> Result<u64, Failure> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let unreached = |error| Failure::Environment(format!("{}: {error}", self.url));
        let mut answer = request.call().map_err(unreached)?;
        if !answer.status().is_success() {
            // A refusal, as of every other request.
            self.answer(Ok(answer))?;
            return Ok(0);
        }
        Ok(io::copy(&mut answer.body_mut().as_reader(), to)?)
    }

    /// Under a key of its own: when the answer is lost on the way, the request is sent once more
    /// and does not do it twice. Who repeats the command means it.
    fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.post_as("application/json", path, body)
    }

    fn post_as(&self, kind: &str, path: &str, body: &Value) -> Result<Value, Failure> {
        let key = key()?;
        let send = || {
            let request = self.agent.post(format!("{}{path}", self.url));
            let request = request
                .header("authorization", format!("Bearer {}", self.token))
                .header("content-type", kind)
                .header("idempotency-key", &key);
            request.send(body.to_string())
        };
        let answer = match send() {
            Err(error) if lost(&error) => send(),
            answer => answer,
        };
        self.answer(answer)
    }

    /// All pages of a list.
    fn all(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let pairs = query.iter().copied();
            let pairs = pairs.chain(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let pairs: Vec<_> = pairs
                .map(|(key, value)| format!("{key}={}", escaped(value)))
                .collect();
            let mut page = self.get(&format!("{path}?{}", pairs.join("&")))?;
            if let Value::Array(found) = page["items"].take() {
                items.extend(found);
            }
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(items),
            }
        }
    }

    fn answer(
        &self,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, Failure> {
        let unreached = |error| Failure::Environment(format!("{}: {error}", self.url));
        let mut answer = answer.map_err(unreached)?;
        let text = answer.body_mut().read_to_string().map_err(unreached)?;
        let value: Option<Value> = serde_json::from_str(&text).ok();
        let status = answer.status();
        match value {
            Some(value) if status.is_success() => Ok(value),
            Some(problem) if problem["code"].is_string() => Err(Failure::Refused(problem)),
            _ => Err(Failure::Environment(format!(
                "{} answered {status}, not as Casewright does",
                self.url
            ))),
        }
    }
}

/// Of one request.
fn key() -> Result<String, Failure> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Whether the request may have arrived though no answer did.
fn lost(error: &ureq::Error) -> bool {
    matches!(
        error,
        ureq::Error::Io(_) | ureq::Error::Timeout(_) | ureq::Error::Protocol(_)
    )
}

fn from_words(server: &Server) -> Result<(String, String), Failure> {
    let given = |flag: &Option<String>, name: &str, what: &str| {
        let found = flag.clone().or_else(|| std::env::var(name).ok());
        let missing = || format!("{what}: set {name}, or give --ready-file FILE of a demo");
        found
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Failure::Usage(missing()))
    };
    let url = given(
        &server.url,
        "CASEWRIGHT_SERVER",
        "which server is to be asked",
    )?;
    let token = given(&server.token, "CASEWRIGHT_TOKEN", "as whom")?;
    Ok((url, token))
}

fn from_ready_file(file: &Path, role: &str) -> Result<(String, String), Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::Environment(format!("{}: {error}", file.display())))?;
    let ready: Value = serde_json::from_str(&text).unwrap_or_default();
    let (url, token) = (ready["url"].as_str(), ready["tokens"][role].as_str());
    url.zip(token)
        .map(|(url, token)| (url.to_owned(), token.to_owned()))
        .ok_or_else(|| {
            let shown = file.display();
            Failure::Usage(format!("{shown} has no address and token for `{role}`"))
        })
}

/// A token opens what a person may see: it goes over HTTPS, or no further than this machine.
fn travels_sealed(url: &str) -> Result<(), Failure> {
    let Ok(address) = url.parse::<ureq::http::Uri>() else {
        return Err(Failure::Usage(format!("`{url}` is no address")));
    };
    let host = address.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let here = host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    match address.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if here => Ok(()),
        Some("http") => Err(Failure::Usage(format!(
            "{url} would carry the token unsealed: use https"
        ))),
        _ => Err(Failure::Usage(format!(
            "`{url}` is no address: write for example https://cases.agency.example"
        ))),
    }
}

/// For a part of a path or of a query.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// JSON from a file, or from standard input for `-`.
fn input(path: &Path) -> Result<Value, Failure> {
    let shown = path.display();
    let mut text = String::new();
    let read = if path == Path::new("-") {
        io::stdin().take(INPUT_BYTES_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(path)
            .and_then(|file| file.take(INPUT_BYTES_MAX).read_to_string(&mut text))
    };
    read.map_err(|error| Failure::Environment(format!("{shown}: {error}")))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::Usage(format!("{shown} is not JSON: {error}")))
}

/// Rows with aligned columns.
fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = head.map(|text| text.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let all = std::iter::once(head.map(str::to_owned)).chain(rows.iter().cloned());
    for row in all {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A text at a place, or nothing.
fn at(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_sent_unsealed_to_another_machine() {
        for good in [
            "https://cases.agency.example",
            "http://127.0.0.1:8080",
            "http://localhost:1",
            "http://[::1]:8080",
        ] {
            assert!(travels_sealed(good).is_ok(), "{good}");
        }
        for bad in [
            "http://cases.agency.example",
            "http://localhost.evil.example",
            "http://10.0.0.1",
            "ftp://127.0.0.1",
            "cases",
            "",
        ] {
            assert!(travels_sealed(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_cannot_leave_their_place_in_an_address() {
        assert_eq!(escaped("a/../b?c=d&e"), "a%2F..%2Fb%3Fc%3Dd%26e");
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let rows = [["a".to_owned(), "b".to_owned()]];
        assert_eq!(table(["id", "x"], &rows), "id  x\na   b\n");
    }
}
