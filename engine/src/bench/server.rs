//! A server of its own as a child process, asked over HTTP as everybody asks.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_mins(2);

pub(super) struct Server {
    process: Child,
    url: String,
    token: String,
    agent: ureq::Agent,
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended already is what was wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// Returns once it answers that it is ready.
    pub(super) fn start(place: &Path) -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["serve", "--config"])
            .arg(place.join("casewright.toml"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let talk = process.stderr.take().map(BufReader::new);
        let mut talk = talk.ok_or_else(|| io::Error::other("the server cannot be heard"))?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE));
        let mut server = Self {
            process,
            url: String::new(),
            token: String::new(),
            agent: config.build().into(),
        };
        let mut line = String::new();
        while talk.read_line(&mut line)? > 0 {
            if let Some((_, url)) = line.trim_end().split_once("serving on ") {
                url.clone_into(&mut server.url);
                break;
            }
            line.clear();
        }
        if server.url.is_empty() {
            return Err(io::Error::other("the server ended at once"));
        }
        // What it says later is of no interest here; it must not wait for a reader.
        std::thread::spawn(move || io::copy(&mut talk, &mut io::sink()));
        let token = fs::read_to_string(place.join("token.json"))?;
        let token: Value = serde_json::from_str(&token)?;
        let token = token["token"].as_str().unwrap_or_default();
        token.clone_into(&mut server.token);
        let status = server.get("/readyz")?;
        if status != 200 {
            return Err(io::Error::other(format!("/readyz answered {status}")));
        }
        Ok(server)
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it by SIGKILL.
    pub(super) fn kill(mut self) -> io::Result<()> {
        self.process.kill()?;
        self.process.wait().map(drop)
    }

    fn get(&self, path: &str) -> io::Result<u16> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let mut answer = request.call().map_err(io::Error::other)?;
        answer.body_mut().read_to_vec().map_err(io::Error::other)?;
        Ok(answer.status().as_u16())
    }

    /// How long the first page of the queue takes.
    pub(super) fn look(&self) -> io::Result<Duration> {
        let began = Instant::now();
        let status = self.get("/api/v1/work-items?limit=50")?;
        let took = began.elapsed();
        if status == 200 {
            Ok(took)
        } else {
            Err(io::Error::other(format!("the queue answered {status}")))
        }
    }

    /// Resident memory.
    pub(super) fn memory_mib(&self) -> io::Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
        let kib = kib.and_then(|kib| kib.trim().parse::<u32>().ok());
        kib.map(|kib| f64::from(kib) / 1024.0)
            .ok_or_else(|| io::Error::other("the system does not tell the server's memory"))
    }
}
