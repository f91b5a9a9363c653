//! A figure beside its limit, and how a round is measured: what the machine did besides is said.

use std::fs;
use std::io;
use std::process;
use std::time::{Duration, Instant};

use rustix::param::clock_ticks_per_second;
use serde_json::{Value, json};

/// One figure. Public: `casewright bench --json` prints it.
pub(super) struct Figure {
    pub(super) scenario: String,
    pub(super) value: f64,
    pub(super) unit: &'static str,
    /// `None`: it is only told.
    pub(super) limit: Option<Limit>,
    /// What the limit was taken from, or what the value is made of.
    pub(super) note: String,
    /// Part of all processors that other processes used meanwhile, in per cent.
    pub(super) others_cpu: f64,
}

pub(super) enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Figure {
    pub(super) fn well(&self) -> bool {
        match &self.limit {
            None => true,
            Some(Limit::AtLeast(limit)) => self.value >= *limit,
            Some(Limit::AtMost(limit)) => self.value <= *limit,
        }
    }

    pub(super) fn json(&self) -> (String, Value) {
        let limit = self.limit.as_ref().map(Limit::number);
        let value = json!({
            "value": rounded(self.value),
            "limit": limit.map(rounded),
            "ratio": limit.map(|limit| rounded(self.value / limit)),
            "unit": self.unit,
            "others_cpu": rounded(self.others_cpu),
            "well": self.well(),
            "note": self.note,
        });
        (self.scenario.clone(), value)
    }

    pub(super) fn line(&self) -> String {
        let Self {
            scenario,
            value,
            unit,
            note,
            others_cpu,
            ..
        } = self;
        let (mark, limit) = match &self.limit {
            None => ("    ", String::new()),
            Some(limit) => {
                let word = match limit {
                    Limit::AtLeast(_) => "at least",
                    Limit::AtMost(_) => "at most",
                };
                let number = limit.number();
                let ratio = value / number;
                let mark = if self.well() { "well" } else { "ILL " };
                (
                    mark,
                    format!(", {word} {} ({ratio:.2} of it)", shown(number)),
                )
            }
        };
        format!(
            "{mark}  {scenario}: {} {unit}{limit}; {note}; others used {others_cpu:.0} % of the \
             processors",
            shown(*value)
        )
    }
}

impl Limit {
    fn number(&self) -> f64 {
        match self {
            Self::AtLeast(number) | Self::AtMost(number) => *number,
        }
    }
}

fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

fn shown(number: f64) -> String {
    if number >= 100.0 {
        format!("{number:.0}")
    } else {
        format!("{number:.2}")
    }
}

/// The middle of some values.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What the machine does from here on.
pub(super) struct Watch {
    began: Instant,
    busy: f64,
    own: f64,
}

impl Watch {
    pub(super) fn begin() -> io::Result<Self> {
        Ok(Self {
            began: Instant::now(),
            busy: busy_seconds()?,
            own: own_seconds(process::id())?,
        })
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Seconds of processors that this process and those it waited for have used.
    pub(super) fn own(&self) -> io::Result<f64> {
        Ok(own_seconds(process::id())? - self.own)
    }

    /// Per cent of all processors that went to others than this process and those it waited for.
    pub(super) fn others(&self) -> io::Result<f64> {
        self.others_than(None)
    }

    /// The same, where a child under way counts as our own.
    pub(super) fn others_than(&self, child: Option<(u32, f64)>) -> io::Result<f64> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let processors = f64::from(u32::try_from(processors).unwrap_or(u32::MAX));
        let all = processors * self.began.elapsed().as_secs_f64();
        let mut own = self.own()?;
        if let Some((child, before)) = child {
            own += own_seconds(child)? - before;
        }
        let others = busy_seconds()? - self.busy - own;
        Ok((others / all * 100.0).max(0.0))
    }
}

/// Seconds of processors that a process and the children it waited for have used.
pub(super) fn own_seconds(process: u32) -> io::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in brackets may hold anything.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(4);
    Ok(seconds(ticks))
}

/// Seconds of processors used by everybody.
fn busy_seconds() -> io::Result<f64> {
    let text = fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().unwrap_or_default();
    let mut fields = line.split_whitespace().skip(1);
    // user, nice, system; idle and iowait are not work.
    let first: Vec<&str> = fields.by_ref().take(3).collect();
    let interrupts: Vec<&str> = fields.skip(2).take(2).collect();
    Ok(seconds(first.into_iter().chain(interrupts)))
}

fn seconds<'a>(ticks: impl Iterator<Item = &'a str>) -> f64 {
    let ticks = ticks.filter_map(|field| field.parse::<u32>().ok().map(f64::from));
    #[expect(clippy::cast_precision_loss, reason = "some hundred a second")]
    let per_second = clock_ticks_per_second() as f64;
    ticks.sum::<f64>() / per_second
}
