//! One life of a server after the other: started, and killed at a moment nobody chose well.
//!
//! It knows nothing of what the server is asked.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::injection::Injection;

/// Longer than any start; a hanging server must not hang the test.
const PATIENCE: Duration = Duration::from_mins(2);
/// Lines of the server's talk that are shown when it ends by itself.
const TALK_LINES_MAX: usize = 40;
const SIGKILL: i32 = 9;

/// How a life is to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    /// Killed so long after its start, though it may not be ready.
    pub(crate) in_recovery: Option<Duration>,
    /// Killed at a call to the system.
    pub(crate) injection: Option<Injection>,
}

/// What can be killed and started again: the binary, or an engine in this process with a bug.
pub(crate) trait Host {
    /// Starts it. `Some` of its address once it is ready; `None` when it was killed before, as
    /// planned.
    fn start(&mut self, plan: &Plan) -> Result<Option<String>, String>;

    /// Lets it live so long; whether it was killed meanwhile, as planned.
    fn live(&mut self, moment: Duration) -> Result<bool, String>;

    /// Kills it, unless it was killed.
    fn kill(&mut self) -> Result<(), String>;
}

/// The binary, serving from a configuration file.
pub(crate) struct Process {
    binary: PathBuf,
    config: PathBuf,
    running: Option<Running>,
}

struct Running {
    child: Child,
    /// Its talk, line by line; closed when it has ended.
    talk: Receiver<String>,
    heard: Vec<String>,
    injected: bool,
}

impl Process {
    pub(crate) fn new(binary: PathBuf, config: PathBuf) -> Self {
        Self {
            binary,
            config,
            running: None,
        }
    }

    /// From the next start on.
    pub(crate) fn configure(&mut self, config: PathBuf) {
        self.config = config;
    }

    fn spawn(&self, plan: &Plan) -> Result<Running, String> {
        let mut command = match &plan.injection {
            Some(injection) => injection.command(&self.binary),
            None => Command::new(&self.binary),
        };
        command.args(["serve", "--config"]).arg(&self.config);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let spawned = command.stderr(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| format!("cannot start {command:?}: {error}"))?;
        let stderr = child.stderr.take().expect("it was asked for");
        let (say, talk) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if say.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Running {
            child,
            talk,
            heard: Vec::new(),
            injected: plan.injection.is_some(),
        })
    }
}

impl Running {
    /// Listens to it until a line is as wanted, it has ended, or the time is over.
    fn listen<T>(
        &mut self,
        until: Instant,
        wanted: impl Fn(&str) -> Option<T>,
    ) -> Result<T, RecvTimeoutError> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.talk.recv_timeout(left)?;
            if let Some(found) = wanted(&line) {
                return Ok(found);
            }
            if self.heard.len() < TALK_LINES_MAX {
                self.heard.push(line);
            }
        }
    }

    /// It was killed, and did not end in another way.
    fn bury(mut self) -> Result<(), String> {
        let ended = self.child.wait().map_err(|error| error.to_string())?;
        if ended.signal() == Some(SIGKILL) {
            return Ok(());
        }
        let talk = self.heard.join("\n");
        Err(format!(
            "the server ended by itself, {ended}; it said:\n{talk}"
        ))
    }
}

impl Host for Process {
    fn start(&mut self, plan: &Plan) -> Result<Option<String>, String> {
        let mut running = self.spawn(plan)?;
        let until = Instant::now() + plan.in_recovery.unwrap_or(PATIENCE);
        let url = |line: &str| Some(line.split_once("serving on ")?.1.trim().to_owned());
        match running.listen(until, url) {
            Ok(url) => {
                self.running = Some(running);
                Ok(Some(url))
            }
            Err(RecvTimeoutError::Disconnected) if running.injected => {
                running.bury().map(|()| None)
            }
            Err(RecvTimeoutError::Timeout) if plan.in_recovery.is_some() => {
                running.child.kill().map_err(|error| error.to_string())?;
                running.bury().map(|()| None)
            }
            Err(RecvTimeoutError::Disconnected) => Err(running.bury().err().unwrap_or_else(|| {
                "somebody else killed the server before it was ready".to_owned()
            })),
            Err(RecvTimeoutError::Timeout) => {
                let _ = running.child.kill();
                let talk = running.heard.join("\n");
                Err(format!("the server was never ready; it said:\n{talk}"))
            }
        }
    }

    fn live(&mut self, moment: Duration) -> Result<bool, String> {
        let running = self.running.as_mut().expect("it was started");
        match running.listen(Instant::now() + moment, |_| None::<()>) {
            Ok(()) => unreachable!("no line is wanted"),
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) if running.injected => Ok(true),
            Err(RecvTimeoutError::Disconnected) => {
                let running = self.running.take().expect("it is here");
                let how = running.bury().err();
                Err(how.unwrap_or_else(|| "somebody else killed the server".to_owned()))
            }
        }
    }

    fn kill(&mut self) -> Result<(), String> {
        let Some(mut running) = self.running.take() else {
            return Ok(());
        };
        running.child.kill().map_err(|error| error.to_string())?;
        running.bury()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}
