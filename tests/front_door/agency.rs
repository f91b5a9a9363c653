//! A running `casewright demo` with its own data, which can be killed and started again.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::client::{Client, Gone, Reply};
use super::seed::Seed;

/// A story takes about this long; kills are spread over it.
const STORY_MS: u64 = 600;

pub(crate) struct Agency {
    data: PathBuf,
    /// Kept until the agency is gone, unless the folder belongs to somebody else.
    folder: Option<tempfile::TempDir>,
    process: Arc<Mutex<Child>>,
    ready: Value,
    kills: usize,
    seed: Option<Seed>,
    killer: Option<Sender<()>>,
}

impl Agency {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut agency = Self::start_in(folder.path());
        agency.folder = Some(folder);
        agency
    }

    /// Keeps its data in this folder.
    pub(crate) fn start_in(data: &Path) -> Self {
        let (process, ready) = launch(data);
        let process = Arc::new(Mutex::new(process));
        let data = data.to_path_buf();
        Self {
            data,
            folder: None,
            process,
            ready,
            kills: 0,
            seed: None,
            killer: None,
        }
    }

    /// Kills the process at once; the next request starts it again.
    pub(crate) fn kill(&self) {
        self.process.lock().unwrap().kill().unwrap();
    }

    pub(crate) fn kills(&self) -> usize {
        self.kills
    }

    /// From now on the process is killed at a random moment, and again after each restart.
    pub(crate) fn arm(&mut self, seed: &mut Seed) {
        seed.next(2);
        self.seed = Some(seed.clone());
        self.aim();
    }

    pub(crate) fn disarm(&mut self) {
        self.seed = None;
        self.killer = None;
    }

    fn aim(&mut self) {
        let Some(seed) = &mut self.seed else { return };
        let moment = Duration::from_millis(seed.next(STORY_MS));
        let (keep, dropped) = mpsc::channel::<()>();
        let process = self.process.clone();
        std::thread::spawn(move || {
            // Waiting on the channel ends at once when the killer is called off.
            if dropped.recv_timeout(moment) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = process.lock().unwrap().kill();
            }
        });
        self.killer = Some(keep);
    }

    /// Does something with a client; when the process is gone, starts it again and repeats.
    pub(crate) fn insist(
        &mut self,
        role: &str,
        act: impl Fn(&Client) -> Result<Reply, Gone>,
    ) -> Reply {
        loop {
            if let Ok(reply) = act(&self.client(role)) {
                return reply;
            }
            self.restart();
        }
    }

    fn restart(&mut self) {
        self.killer = None;
        let mut process = self.process.lock().unwrap();
        let ended = process.wait().unwrap();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&ended),
            Some(9),
            "{ended}"
        );
        let (started, ready) = launch(&self.data);
        *process = started;
        drop(process);
        self.ready = ready;
        self.kills += 1;
        self.aim();
    }

    pub(crate) fn client(&self, role: &str) -> Client {
        let token = self.ready["tokens"][role]
            .as_str()
            .unwrap_or_else(|| panic!("no {role}"));
        Client::new(self.ready["url"].as_str().unwrap(), Some(token.to_owned()))
    }

    #[allow(dead_code, reason = "not every test binary sends what a client cannot")]
    pub(crate) fn token(&self, role: &str) -> &str {
        self.ready["tokens"][role].as_str().unwrap()
    }

    /// Of a member of staff, by sign-in name; new with each start.
    #[allow(dead_code, reason = "not every test binary asks for pages")]
    pub(crate) fn passphrase(&self, sign_in: &str) -> &str {
        let mut members = self.ready["signIns"].as_array().unwrap().iter();
        let member = members.find(|member| member["signIn"] == sign_in);
        member.unwrap()["passphrase"].as_str().unwrap()
    }

    /// Where it listens; mostly the same after a restart.
    pub(crate) fn url(&self) -> String {
        self.ready["url"].as_str().unwrap().to_owned()
    }

    /// Somebody without a token.
    pub(crate) fn stranger(&self) -> Client {
        Client::new(&self.url(), None)
    }

    /// The fake partners, to be told what to do.
    pub(crate) fn partner(&self) -> Client {
        Client::new(self.ready["partner"].as_str().unwrap(), None)
    }

    /// Everything the partners did, over all lives of the process.
    pub(crate) fn journal(&mut self) -> Value {
        let partner = |agency: &Self| agency.ready["partner"].as_str().unwrap().to_owned();
        loop {
            let client = Client::new(&partner(self), None);
            if let Ok(reply) = client.get("/_ctl/journal") {
                return reply.body;
            }
            self.restart();
        }
    }

    pub(crate) fn order_fault(&mut self, fault: &Value) {
        let reply = self.tell_partner("/_ctl/fault", fault);
        assert_eq!(reply.status, 204, "{reply:?}");
    }

    /// An order to the fake partners, repeated until one life of the process takes it.
    pub(crate) fn tell_partner(&mut self, path: &str, order: &Value) -> Reply {
        loop {
            let client = Client::new(self.ready["partner"].as_str().unwrap(), None);
            if let Ok(reply) = client.post(path, order, None) {
                return reply;
            }
            self.restart();
        }
    }
}

impl Drop for Agency {
    fn drop(&mut self) {
        self.killer = None;
        let mut process = self.process.lock().unwrap();
        let _ = process.kill();
        let _ = process.wait();
        // The process is gone before its folder goes.
        drop(self.folder.take());
    }
}

/// Starts the demo and waits for the line that says it is ready. Where the folder has a `log`,
/// everything that it says is kept in there, and it is asked to say all it can.
fn launch(data: &Path) -> (Child, Value) {
    let ready = data.join("ready.json");
    let log = data.join("log");
    let kept = |name: &str| {
        let mut options = fs::OpenOptions::new();
        let file = options.create(true).append(true).open(log.join(name));
        log.is_dir().then(|| file.unwrap())
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_casewright"));
    command
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(["demo", "--port", "0", "--data"])
        .arg(data.join("data"))
        .arg("--ready-file")
        .arg(&ready)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    if let Some(errors) = kept("stderr") {
        command.stderr(errors);
        command.envs([("CASEWRIGHT_LOG", "trace"), ("RUST_BACKTRACE", "full")]);
    }
    let mut child = command.spawn().unwrap();
    let said = kept("stdout");
    let keep = move |line: &std::io::Result<String>| {
        if let (Some(mut file), Ok(line)) = (said.as_ref(), line) {
            writeln!(file, "{line}").unwrap();
        }
    };
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .inspect(keep);
    let said = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("is ready")));
    assert!(
        said.is_some(),
        "the demo ended before it was ready: {:?}",
        child.wait()
    );
    // The rest of what it prints must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    let ready = fs::read_to_string(ready).unwrap();
    (child, serde_json::from_str(&ready).unwrap())
}
