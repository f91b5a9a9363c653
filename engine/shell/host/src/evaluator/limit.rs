//! What the evaluator process forbids itself before it reads the first byte.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Address space beyond what the process has when it starts, stack included.
const MEMORY_BYTES_MAX: u64 = 64 << 20;
/// Of which the stack may take so much; evaluation recurses.
const STACK_BYTES_MAX: u64 = 32 << 20;
/// Processor seconds for one question before the kernel ends the process: far above what the
/// parent allows, for the case that there is no parent any more.
const ORPHAN_SECONDS_MAX: u64 = 3;
/// Answering for so long is worth a look at the processor time.
const LOOK_AFTER: Duration = Duration::from_millis(5);
/// `utime` and `stime` are told in hundredths of a second on every Linux.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// The clock of this process: what its processor time is, looked up only when it matters.
pub(super) struct Clock {
    /// Opened before files were forbidden.
    stat: File,
    used: Duration,
    /// Time spent on answers since the last look.
    unseen: Duration,
    started: Instant,
}

/// No files, no core dumps, no new processes, bounded memory.
pub(super) fn apply() -> io::Result<Clock> {
    let stat = File::open("/proc/self/stat")?;
    let memory = address_space()? + MEMORY_BYTES_MAX;
    set(Resource::Stack, STACK_BYTES_MAX)?;
    set(Resource::As, memory)?;
    set(Resource::Core, 0)?;
    set(Resource::Fsize, 0)?;
    set(Resource::Nofile, 0)?;
    set(Resource::Nproc, 0)?;
    let mut clock = Clock {
        stat,
        used: Duration::ZERO,
        unseen: LOOK_AFTER,
        started: Instant::now(),
    };
    clock.stop()?;
    Ok(clock)
}

impl Clock {
    /// A question begins.
    pub(super) fn start(&mut self) {
        self.started = Instant::now();
    }

    /// A question ends; tells what the process has used by now, to about a tick. Short questions
    /// are summed up by the clock on the wall, which is never less.
    pub(super) fn stop(&mut self) -> io::Result<Duration> {
        self.unseen += self.started.elapsed();
        if self.unseen >= LOOK_AFTER {
            let mut text = [0; 1024];
            let length = self.stat.read_at(&mut text, 0)?;
            let text = String::from_utf8_lossy(&text[..length]);
            self.used = processor_time(&text).ok_or_else(unknown)?;
            self.unseen = Duration::ZERO;
            self.renew()?;
        }
        Ok(self.used + self.unseen)
    }

    /// Gives the next questions their own allowance of processor time.
    fn renew(&self) -> io::Result<()> {
        let limit = Rlimit {
            current: Some(self.used.as_secs() + ORPHAN_SECONDS_MAX),
            maximum: getrlimit(Resource::Cpu).maximum,
        };
        Ok(setrlimit(Resource::Cpu, limit)?)
    }
}

/// Processor time in the text of `/proc/<id>/stat`.
pub(super) fn processor_time(stat: &str) -> Option<Duration> {
    // The name in brackets may hold anything, brackets included.
    let fields = stat.rsplit(')').next()?;
    let mut times = fields.split_whitespace().skip(11);
    let user: u32 = times.next()?.parse().ok()?;
    let system: u32 = times.next()?.parse().ok()?;
    Some(TICK * (user + system))
}

fn set(resource: Resource, limit: u64) -> io::Result<()> {
    let hard = getrlimit(resource).maximum;
    let limit = Some(hard.map_or(limit, |hard| hard.min(limit)));
    let limit = Rlimit {
        current: limit,
        maximum: limit,
    };
    Ok(setrlimit(resource, limit)?)
}

fn address_space() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kibibytes: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .ok_or_else(unknown)?;
    Ok(kibibytes * 1024)
}

fn unknown() -> io::Error {
    io::Error::other("the kernel does not tell about this process")
}
