//! `casewright serve` as a process of its own over a folder, ended with whoever holds it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::client::Client;

/// A hanging server must not hang the test.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that answers.
pub(crate) struct Served {
    process: Child,
    pub(crate) url: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Served {
    /// Of the folder's `casewright.toml`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self::by(folder, Command::new(env!("CARGO_BIN_EXE_casewright")))
    }

    /// By a command that runs a server with the arguments it is given.
    pub(crate) fn by(folder: &Path, command: Command) -> Self {
        Self::with(folder, command, &[])
    }

    /// The same, with arguments of the server besides.
    pub(crate) fn with(folder: &Path, mut command: Command, arguments: &[&str]) -> Self {
        let ready = folder.join("ready.json");
        let _ = fs::remove_file(&ready);
        let process = command
            .args(["serve", "--config"])
            .arg(folder.join("casewright.toml"))
            .arg("--ready-file")
            .arg(&ready)
            .args(arguments)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut served = Self {
            process,
            url: String::new(),
        };
        let began = Instant::now();
        loop {
            if let Ok(text) = fs::read_to_string(&ready) {
                let ready: Value = serde_json::from_str(&text).unwrap();
                ready["url"].as_str().unwrap().clone_into(&mut served.url);
                return served;
            }
            let ended = served.process.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended: {ended:?}");
            assert!(began.elapsed() < PATIENCE, "the server was never ready");
            std::thread::yield_now();
        }
    }

    /// Asks as whoever's token is in that file of the folder.
    pub(crate) fn client(&self, folder: &Path, file: &str) -> Client {
        Client::new(&self.url, Some(token(folder, file)))
    }

    #[allow(dead_code, reason = "not every test binary that shares this kills it")]
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Asks it to end, as an operator does, and waits.
    #[allow(dead_code, reason = "not every test binary stops it")]
    pub(crate) fn stop(mut self) -> ExitStatus {
        let id = i32::try_from(self.process.id()).unwrap();
        let id = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        self.process.wait().unwrap()
    }

    #[allow(dead_code, reason = "not every test binary waits for its end")]
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }

    /// The command line as whoever's token is in that file types it.
    #[allow(dead_code, reason = "not every test binary types commands")]
    pub(crate) fn command(&self, folder: &Path, file: &str, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_casewright"))
            .args(arguments)
            .env("CASEWRIGHT_SERVER", &self.url)
            .env("CASEWRIGHT_TOKEN", token(folder, file))
            .env("NO_COLOR", "1")
            .output()
            .unwrap()
    }
}

pub(crate) fn token(folder: &Path, file: &str) -> String {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let token: Value = serde_json::from_str(&text).unwrap();
    token["token"].as_str().unwrap().to_owned()
}

/// A folder with these files and a configuration that serves `pack` of it; each of the staff, a
/// name with roles such as `"case-worker", "administrator"`, has a token in `NAME.json`.
#[allow(dead_code, reason = "some test binaries write their own configuration")]
pub(crate) fn agency(files: &[(&str, &str)], staff: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut config = "listen = \"127.0.0.1:0\"\ndata = \"data\"\nkeys = \"keys/epoch.json\"\n\
                      packs = [\"pack\"]\n"
        .to_owned();
    for (name, roles) in staff {
        config.extend([
            "[[staff]]\nagency = \"small-agency\"\n".to_owned(),
            format!("id = \"u-{name}\"\nsign_in = \"{name}\"\nname = \"{name}\"\n"),
            format!("roles = [{roles}]\npassphrase_file = \"passphrase\"\n"),
            format!("token_file = \"{name}.json\"\n"),
        ]);
    }
    let own = [
        ("casewright.toml", config.as_str()),
        ("passphrase", "a passphrase of the tests alone"),
    ];
    for (name, text) in own.iter().chain(files) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}
