//! Kills at the n-th call to the system, by strace: the binary is the one that is shipped, and dies
//! exactly there. Where strace is missing or may not trace, there are none.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::seed::Seed;

/// What is counted, with the calls of the system behind it; a call that this processor does not
/// have is passed over.
const KINDS: [(&str, &str); 6] = [
    ("write", "?pwrite64,?pwritev"),
    ("flush", "?fdatasync"),
    ("sync", "?fsync"),
    ("rename", "?rename,?renameat,?renameat2"),
    ("resize", "?ftruncate,?fallocate"),
    ("answer", "?sendto,?writev"),
];
/// How far the n of the first injections reaches; it follows what is found.
const REACH_FIRST: u64 = 12;
const REACH_MAX: u64 = 4_000;
const REACH_MIN: u64 = 2;

/// Dies at the `nth` call of a kind, counted in each thread.
#[derive(Debug, Clone)]
pub(crate) struct Injection {
    pub(crate) kind: &'static str,
    calls: &'static str,
    pub(crate) nth: u64,
}

impl Injection {
    pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
        KINDS.into_iter().map(|(kind, _)| kind)
    }

    pub(crate) fn at(kind: &'static str, nth: u64) -> Self {
        let known = KINDS.into_iter().find(|(known, _)| *known == kind);
        let (kind, calls) = known.expect("a kind of the list");
        Self { kind, calls, nth }
    }

    /// strace around a program. The program is the child, strace looks on from beside it.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let Self { calls, nth, .. } = self;
        let mut command = Command::new("strace");
        // Not with `--seccomp-bpf`: under it strace 6.1 forgets the signal.
        command.args(["-D", "-f", "-qq", "-o", "/dev/null"]);
        command.arg(format!("--trace={calls}"));
        command.arg(format!("--inject={calls}:signal=KILL:when={nth}"));
        command.arg("--").arg(program);
        command
    }
}

/// Chooses injections, and learns how far a life comes with each kind of call.
pub(crate) struct Injections {
    reach: BTreeMap<&'static str, u64>,
}

impl Injections {
    /// `None` where nothing can be traced.
    pub(crate) fn find() -> Option<Self> {
        let mut command = Injection::at("write", 1_000).command(Path::new("true"));
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        let traced = quiet.status().is_ok_and(|status| status.success());
        traced.then(|| Self {
            reach: Injection::kinds().map(|kind| (kind, REACH_FIRST)).collect(),
        })
    }

    /// A kind that no life came to for long is drawn seldom.
    pub(crate) fn draw(&mut self, seed: &mut Seed) -> Injection {
        loop {
            let (kind, _) = KINDS[usize::try_from(seed.next(KINDS.len() as u64)).unwrap()];
            let reach = self.reach[kind];
            if reach > REACH_MIN || seed.next(16) == 0 {
                return Injection::at(kind, 1 + seed.next(reach));
            }
        }
    }

    /// Whether the life came to that call.
    pub(crate) fn learn(&mut self, injection: &Injection, reached: bool) {
        let reach = self.reach.get_mut(injection.kind).expect("a known kind");
        *reach = if reached {
            (*reach + *reach / 2 + 1).min(REACH_MAX)
        } else {
            (*reach * 2 / 3).max(REACH_MIN)
        };
    }
}
