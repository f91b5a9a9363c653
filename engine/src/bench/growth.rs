//! What a step costs when there is much already: many waiting runs, a long history.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use casewright_store::Store;
use serde_json::json;

use super::agency::{self, Agency, Place, STEPS, With};
use super::disk;
use super::figure::{Figure, Limit, Watch, median};
use super::parked::{number, seconds_since, start_runs};
use super::steps::runs_at_once;
use super::{ROUNDS, Size};

/// Runs that take steps at once while the others wait.
const AT_ONCE: u32 = 64;
const FEW: u64 = 1_000;
/// Steps over which the cost at the beginning and at the end of a history is taken.
const SHORT: u64 = 1_000;

pub(super) async fn growth(size: &Size) -> io::Result<Vec<Figure>> {
    let mut figures = vec![instances(size).await?];
    figures.extend(history(size).await?);
    Ok(figures)
}

async fn instances(size: &Size) -> io::Result<Figure> {
    let place = Place::new(With::Plugin)?;
    let agency = Arc::new(Agency::open(&place).await?);
    let watch = Watch::begin()?;
    let mut costs = Vec::new();
    let mut there = 0;
    let many = size.instances.max(FEW);
    for count in [FEW, many] {
        start_runs(&agency, count.saturating_sub(there)).await?;
        there = count;
        let quiet = agency.engine.quiet().await;
        quiet.map_err(|refused| agency::failed(&refused))?;
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let began = Instant::now();
            let runs = runs_at_once(&agency, AT_ONCE, size.time()).await?;
            rounds.push(seconds_since(began) * 1e6 / f64::from(runs * STEPS));
        }
        costs.push(median(rounds));
    }
    let others_cpu = watch.others()?;
    agency.engine.stop().await;
    Ok(Figure {
        scenario: "growth: runs".to_owned(),
        value: costs[1] / costs[0],
        unit: "times",
        limit: Some(Limit::AtMost(1.5)),
        note: format!(
            "a step takes {:.0} us beside {FEW} waiting runs, {:.0} us beside {many}",
            costs[0], costs[1]
        ),
        others_cpu,
    })
}

async fn history(size: &Size) -> io::Result<Vec<Figure>> {
    let place = Place::new(With::Plugin)?;
    let agency = Agency::open(&place).await?;
    let changes = agency.engine.changes();
    let watch = Watch::begin()?;
    let run = agency.start("long", json!({})).await?;
    let after = |steps: u64| {
        let mut changes = changes.clone();
        async move {
            let reached = changes.wait_for(|count| *count >= steps).await;
            reached.map(|count| *count).map_err(io::Error::other)
        }
    };
    let mut costs = Vec::new();
    for from in [10, size.history] {
        let from = after(from).await?;
        let began = Instant::now();
        let to = after(from + SHORT).await?;
        costs.push(seconds_since(began) * 1e6 / number(to - from));
    }
    let others_cpu = watch.others()?;
    let cancelled = agency.engine.cancel(&agency.who, &run, None, None).await;
    cancelled.map_err(|refused| agency::failed(&refused))?;
    let steps = *changes.borrow();
    // What has ended is folded, which nobody is told.
    while agency.store.unfolded().0 > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    agency.engine.stop().await;
    drop(agency);
    let (compact, made_of) = disk::compacted(&place)?;
    Ok(vec![
        Figure {
            scenario: "growth: history".to_owned(),
            value: costs[1] / costs[0],
            unit: "times",
            limit: Some(Limit::AtMost(1.5)),
            note: format!(
                "a step of one run alone takes {:.0} us after 10 others, {:.0} us after {}",
                costs[0], costs[1], size.history
            ),
            others_cpu,
        },
        Figure {
            scenario: "growth: disk of a step, compacted".to_owned(),
            value: number(compact) / number(steps),
            unit: "B",
            limit: Some(Limit::AtMost(600.0)),
            note: format!("{steps} steps; {}", disk::parts(&made_of, steps)),
            others_cpu,
        },
    ])
}
