//! One evaluator process as the engine sees it: asked, watched, and killed when it takes too much.

use std::fmt;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{Results, frame, limit};

/// Processor time for one question.
const PROCESSOR_TIME_MAX: Duration = Duration::from_millis(250);
/// Time by the clock for one question, however busy the machine is.
const WALL_TIME_MAX: Duration = Duration::from_secs(10);
/// How often a question that is not answered at once is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// A process that waits for a question, or works at one.
pub(super) struct Process {
    /// Killed when dropped.
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    /// Processor time at the end of the last question.
    used: Duration,
}

/// Why a process gave no answer; it is dead or about to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    ProcessorTime,
    WallTime,
    /// It died: out of memory or out of stack, or somebody killed it.
    Gone,
    Unreadable,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ProcessorTime => {
                "the expression needs more than 250 ms of processor time; let it look at less data"
            }
            Self::WallTime => "the expression took longer than 10 s; the machine is overloaded",
            Self::Gone => {
                "the expression needs more than 64 MiB of memory or is nested too deep; let it \
                 build less"
            }
            Self::Unreadable => "the expression evaluator gave an answer that cannot be read",
        })
    }
}

impl Process {
    pub(super) fn start(binary: &Path) -> io::Result<Self> {
        let mut child = Command::new(binary)
            .arg("evaluator")
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let lost = || io::Error::other("a pipe is missing");
        Ok(Self {
            stdin: child.stdin.take().ok_or_else(lost)?,
            stdout: child.stdout.take().ok_or_else(lost)?,
            child,
            used: Duration::ZERO,
        })
    }

    /// Asks one question. After an error the process must be dropped.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<Results, Ended> {
        let started = Instant::now();
        let id = self.child.id().ok_or(Ended::Gone)?;
        let used = self.used;
        let mut talk = pin!(talk(&mut self.stdin, &mut self.stdout, request));
        let (results, used) = loop {
            tokio::select! {
                biased;
                answer = &mut talk => break answer?,
                () = tokio::time::sleep(GLANCE) => {
                    if processor_time(id).saturating_sub(used) > PROCESSOR_TIME_MAX {
                        return Err(Ended::ProcessorTime);
                    }
                    if started.elapsed() > WALL_TIME_MAX {
                        return Err(Ended::WallTime);
                    }
                }
            }
        };
        self.used = used;
        Ok(results)
    }
}

async fn talk(
    stdin: &mut ChildStdin,
    stdout: &mut ChildStdout,
    request: &[u8],
) -> Result<(Results, Duration), Ended> {
    let gone = |_| Ended::Gone;
    stdin.write_all(request).await.map_err(gone)?;
    let mut head = [0; frame::ANSWER_HEAD_BYTES];
    stdout.read_exact(&mut head).await.map_err(gone)?;
    let (length, used) = frame::answer_head(head);
    if length > frame::ANSWER_BYTES_MAX {
        return Err(Ended::Unreadable);
    }
    let mut json = vec![0; length];
    stdout.read_exact(&mut json).await.map_err(gone)?;
    let results = frame::results(&json).map_err(|_| Ended::Unreadable)?;
    Ok((results, Duration::from_nanos(used)))
}

/// What a process has used so far; zero when it is gone, which its pipe will tell.
fn processor_time(id: u32) -> Duration {
    std::fs::read_to_string(format!("/proc/{id}/stat"))
        .ok()
        .and_then(|stat| limit::processor_time(&stat))
        .unwrap_or_default()
}
