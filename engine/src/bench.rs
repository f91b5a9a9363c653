//! `casewright bench`: figures that the engine must reach, measured on this machine and printed
//! beside their limits. A limit that the machine sets is measured in the same run.
//!
//! The load shares the machine with what is measured. A debug build measures the debug build.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::exit;

mod agency;
mod disk;
mod documents;
mod expressions;
mod figure;
mod growth;
mod idle;
mod months;
mod parked;
mod server;
mod steps;
mod transitions;

use figure::Figure;

/// Rounds of which the median counts.
const ROUNDS: usize = 3;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only this one; may be given more than once. All of them otherwise
    #[arg(long, value_enum, value_name = "NAME")]
    scenario: Vec<Scenario>,
    /// About how long a round of measuring takes
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Waiting runs of `parked` and `growth`
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    instances: u64,
    /// Steps of the long history of `growth`
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    history: u64,
    /// Print `{scenario: {value, limit, ratio, unit, others_cpu, well, note}}`
    #[arg(long)]
    json: bool,
    /// Put waiting runs there and wait to be killed: a part of `parked`
    #[arg(long, hide = true, value_name = "DIR")]
    fill: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Scenario {
    /// Durable keyed plugin steps, beside bare wasmtime
    PluginSteps,
    /// Durable transitions of runs that answer events, beside bare redb
    Transitions,
    /// One durable step of one run alone, beside one bare commit
    Latency,
    /// Many runs that wait for people
    Parked,
    /// What a step costs when there is much already
    Growth,
    /// A server that nobody asks for anything
    Idle,
    /// Expressions, here and in the evaluator process
    Expressions,
    /// Workflow documents read and checked
    Documents,
    /// A test of nine months in virtual time
    NineMonths,
}

/// How much of everything.
struct Size {
    seconds: u64,
    instances: u64,
    history: u64,
}

impl Size {
    fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let size = Size {
        seconds: arguments.seconds,
        instances: arguments.instances,
        history: arguments.history,
    };
    if let Some(place) = &arguments.fill {
        return match crate::asynchronous(parked::fill_here(place, size.instances)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => exit::environment(&exit::chain(&error)),
        };
    }
    let all = <Scenario as clap::ValueEnum>::value_variants();
    let chosen = if arguments.scenario.is_empty() {
        all
    } else {
        &arguments.scenario
    };
    match measure_all(chosen, &size, arguments.json) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => exit::unwell(),
        Err(error) => exit::environment(&exit::chain(&error)),
    }
}

/// Whether everything is within its limit.
fn measure_all(chosen: &[Scenario], size: &Size, json: bool) -> io::Result<bool> {
    let mut all = Map::new();
    let mut well = true;
    for scenario in chosen {
        for figure in measure(*scenario, size)? {
            well &= figure.well();
            let (name, value) = figure.json();
            all.insert(name, value);
            if !json {
                exit::say(&figure.line());
            }
        }
    }
    if json {
        exit::say(&Value::Object(all).to_string());
    }
    Ok(well)
}

fn measure(scenario: Scenario, size: &Size) -> io::Result<Vec<Figure>> {
    crate::asynchronous(async {
        match scenario {
            Scenario::PluginSteps => steps::plugin_steps(size).await,
            Scenario::Transitions => transitions::transitions(size).await,
            Scenario::Latency => steps::latency(size).await,
            Scenario::Parked => parked::parked(size).await,
            Scenario::Growth => growth::growth(size).await,
            Scenario::Idle => idle::idle(size).await,
            Scenario::Expressions => expressions::expressions(size).await,
            Scenario::Documents => documents::documents(size).await,
            Scenario::NineMonths => months::months(size).await,
        }
    })
}
