//! `casewright bench`: figures that the engine must reach, measured on this machine with a server
//! of its own, and printed beside their limits.
//!
//! The load shares the machine with the server. A debug build measures the debug build.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::exit;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    /// Many runs that wait for people: how soon the server is ready after `kill -9`, how fast the
    /// first page of the queue comes, how much memory it takes.
    Parked {
        /// How many runs.
        #[arg(long, default_value_t = 100_000)]
        count: u64,
        /// Print a list of `{name, measured, limit, unit, well}`.
        #[arg(long)]
        json: bool,
    },
}

/// Requests under way at once while runs are started.
const WORKERS: usize = 32;
/// Looks at the queue, of which the median counts.
const LOOKS: usize = 21;
const PATIENCE: Duration = Duration::from_mins(2);

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
const WORKFLOW: &str = "
document: { dsl: '1.0.3', namespace: bench, name: wait, version: '1.0.0' }
do:
  - look:
      call: human-task
      with:
        title: Look at it
        assign: { role: case-worker }
        due: 3 business days
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

/// One figure beside its limit.
#[derive(serde::Serialize)]
struct Figure {
    name: &'static str,
    measured: f64,
    limit: f64,
    unit: &'static str,
    well: bool,
}

impl Figure {
    fn new(name: &'static str, measured: f64, limit: f64, unit: &'static str) -> Self {
        Self {
            name,
            measured,
            limit,
            unit,
            well: measured <= limit,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let Which::Parked { count, json } = arguments.command;
    match parked(count) {
        Ok(figures) => tell(&figures, json),
        Err(error) => exit::environment(&exit::chain(&error)),
    }
}

fn tell(figures: &[Figure], json: bool) -> ExitCode {
    if json {
        exit::say(&serde_json::to_string(figures).expect("numbers and texts have a JSON form"));
    } else {
        for one in figures {
            let mark = if one.well { "well" } else { "ILL " };
            let Figure {
                name,
                measured,
                limit,
                unit,
                ..
            } = one;
            exit::say(&format!(
                "{mark}  {name}: {measured:.1} {unit} (limit {limit:.0} {unit})"
            ));
        }
    }
    if figures.iter().all(|figure| figure.well) {
        ExitCode::SUCCESS
    } else {
        exit::unwell()
    }
}

fn parked(count: u64) -> io::Result<Vec<Figure>> {
    let place = Place::new()?;
    let mut server = Server::start(&place.0)?;
    let began = Instant::now();
    server.start_runs(count)?;
    let took = began.elapsed().as_secs_f64();
    exit::note(&format!("{count} runs started by HTTP in {took:.1} s"));
    server.process.kill()?;
    server.process.wait()?;
    drop(server);
    let began = Instant::now();
    let server = Server::start(&place.0)?;
    let ready = began.elapsed();
    let first = server.look()?;
    let mut looks = Vec::new();
    for _ in 0..LOOKS {
        looks.push(server.look()?);
    }
    looks.sort();
    let median = looks[LOOKS / 2];
    let memory = server.memory_mib()?;
    let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
    Ok(vec![
        Figure::new("ready after kill -9", milliseconds(ready), 1_000.0, "ms"),
        Figure::new(
            "first page of the queue, the very first",
            milliseconds(first),
            20.0,
            "ms",
        ),
        Figure::new(
            "first page of the queue, median",
            milliseconds(median),
            20.0,
            "ms",
        ),
        Figure::new("memory, ready", memory, 150.0, "MiB"),
    ])
}

/// A folder of its own, gone when the bench is over.
struct Place(std::path::PathBuf);

impl Place {
    fn new() -> io::Result<Self> {
        let name = format!("casewright-bench-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder)?;
        let place = Self(folder);
        fs::create_dir(place.0.join("pack"))?;
        for (name, text) in [
            ("pack/pack.yaml", PACK),
            ("pack/none.ics", CALENDAR),
            ("pack/wait.yaml", WORKFLOW),
            ("casewright.toml", CONFIG),
            ("passphrase", "only for this bench 7351"),
        ] {
            fs::write(place.0.join(name), text)?;
        }
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // It is in the folder of temporary files; what stays is no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Server {
    process: Child,
    url: String,
    token: String,
    agent: ureq::Agent,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// Returns once it answers that it is ready.
    fn start(place: &Path) -> io::Result<Self> {
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
            .timeout_global(Some(PATIENCE))
            .max_idle_connections_per_host(WORKERS);
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

    fn get(&self, path: &str) -> io::Result<u16> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let mut answer = request.call().map_err(io::Error::other)?;
        answer.body_mut().read_to_vec().map_err(io::Error::other)?;
        Ok(answer.status().as_u16())
    }

    fn start_runs(&self, count: u64) -> io::Result<()> {
        let next = AtomicU64::new(0);
        let body = json!({ "workflow": "wait" }).to_string();
        let work = || -> io::Result<()> {
            while next.fetch_add(1, Ordering::Relaxed) < count {
                let request = self.agent.post(format!("{}/api/v1/instances", self.url));
                let request = request
                    .header("authorization", format!("Bearer {}", self.token))
                    .header("content-type", "application/json");
                let mut answer = request.send(&body).map_err(io::Error::other)?;
                answer.body_mut().read_to_vec().map_err(io::Error::other)?;
                let status = answer.status().as_u16();
                if status != 201 {
                    return Err(io::Error::other(format!("a start was answered {status}")));
                }
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                let ended = worker.join();
                ended.map_err(|_| io::Error::other("a worker of the load broke"))??;
            }
            Ok(())
        })
    }

    /// How long the first page of the queue takes.
    fn look(&self) -> io::Result<Duration> {
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
    fn memory_mib(&self) -> io::Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
        let kib = kib.and_then(|kib| kib.trim().parse::<u32>().ok());
        kib.map(|kib| f64::from(kib) / 1024.0)
            .ok_or_else(|| io::Error::other("the system does not tell the server's memory"))
    }
}
