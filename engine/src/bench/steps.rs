//! Durable keyed plugin steps: many runs at once beside bare wasmtime, one run alone beside one
//! bare commit.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use casewright_host::bare::{self, Call};
use casewright_host::plugin::Context;
use casewright_store::bare::Bare;
use serde_json::json;

use super::agency::{self, Agency, Place, STEPS, With};
use super::figure::{Figure, Limit, Watch, median};
use super::{ROUNDS, Size};

/// Runs of ten steps at once.
const AT_ONCE: [u32; 3] = [1, 64, 1_024];

pub(super) async fn plugin_steps(size: &Size) -> io::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for at_once in AT_ONCE {
        let (mut ours, mut bares, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let mut work = Vec::new();
        for _ in 0..ROUNDS {
            let bare = bare(size.time() / 2, 2)?;
            let place = Place::new(With::Plugin)?;
            let agency = Arc::new(Agency::open(&place).await?);
            let watch = Watch::begin()?;
            let done = runs_at_once(&agency, at_once, size.time()).await?;
            let steps = f64::from(done * STEPS);
            ours.push(steps / watch.elapsed().as_secs_f64());
            work.push(watch.own()? * 1e6 / steps);
            others.push(watch.others()?);
            bares.push(bare);
            agency.engine.stop().await;
        }
        let bare = median(bares);
        figures.push(Figure {
            scenario: format!("plugin-steps at {at_once}"),
            value: median(ours),
            unit: "steps/s",
            // One run alone is bound by the disk: see `latency`.
            limit: (at_once == 1_024).then_some(Limit::AtLeast(bare / 2.0)),
            note: format!(
                "{:.0} us of processors a step; bare wasmtime does {bare:.0} calls/s on two \
                 threads",
                median(work)
            ),
            others_cpu: median(others),
        });
    }
    Ok(figures)
}

/// Runs ten steps in so many runs at once, wave by wave, and gives how many runs have ended.
pub(super) async fn runs_at_once(
    agency: &Arc<Agency>,
    at_once: u32,
    time: Duration,
) -> io::Result<u32> {
    let began = Instant::now();
    let mut done = 0;
    while done == 0 || began.elapsed() < time {
        let starts: Vec<_> = (0..at_once)
            .map(|_| {
                let agency = Arc::clone(agency);
                tokio::spawn(async move { agency.start("ten", json!({})).await })
            })
            .collect();
        for start in starts {
            start.await.map_err(io::Error::other)??;
        }
        let quiet = agency.engine.quiet().await;
        quiet.map_err(|refused| agency::failed(&refused))?;
        done += at_once;
    }
    Ok(done)
}

pub(super) async fn latency(size: &Size) -> io::Result<Vec<Figure>> {
    let (mut ours, mut bares, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        let place = Place::new(With::Plugin)?;
        let agency = Agency::open(&place).await?;
        let watch = Watch::begin()?;
        let (step, record) = one_alone(&agency, size.time()).await?;
        others.push(watch.others()?);
        agency.engine.stop().await;
        let file = place.0.join("bare.redb");
        let bare =
            Bare::create(&file).and_then(|mut bare| bare.commit_time(record, size.time() / 2));
        ours.push(step.as_secs_f64() * 1e3);
        bares.push(bare.map_err(io::Error::other)?.as_secs_f64() * 1e3);
        bytes = record;
    }
    let bare = median(bares);
    Ok(vec![Figure {
        scenario: "latency".to_owned(),
        value: median(ours),
        unit: "ms/step",
        limit: Some(Limit::AtMost(bare * 1.6)),
        note: format!("median; a bare commit of the same {bytes} bytes takes {bare:.3} ms"),
        others_cpu: median(others),
    }])
}

/// Median time of one step of one run alone, and the bytes it adds to the journal.
async fn one_alone(agency: &Agency, time: Duration) -> io::Result<(Duration, usize)> {
    let mut changes = agency.engine.changes();
    let run = agency.start("long", json!({})).await?;
    let mut took = Vec::new();
    let bytes = agency.store.written();
    let began = Instant::now();
    let mut last = began;
    let first = *changes.borrow_and_update();
    while began.elapsed() < time {
        changes.changed().await.map_err(io::Error::other)?;
        let now = Instant::now();
        took.push(now - last);
        last = now;
    }
    // Two flushes may be seen as one change: the bytes are of all of them.
    let steps = *changes.borrow() - first;
    let grown = agency.store.written() - bytes;
    let cancelled = agency.engine.cancel(&agency.who, &run, None, None).await;
    cancelled.map_err(|refused| agency::failed(&refused))?;
    took.sort_unstable();
    let record = usize::try_from(grown / steps.max(1)).unwrap_or(0);
    Ok((took[took.len() / 2], record))
}

/// What bare wasmtime does with the component, and the input, of the measured step.
fn bare(time: Duration, threads: u32) -> io::Result<f64> {
    let component = agency::component()?;
    let context = Context {
        idempotency_key: "i01kb3x0000000000000000000/do/0/step1#1".to_owned(),
        attempt: 1,
        deadline_unix_ms: 1_790_000_000_000,
        step_started_unix_ms: 1_790_000_000_000,
        agency: "bench".to_owned(),
        case_id: "c01kb3x0000000000000000000".to_owned(),
        step_id: "i01kb3x0000000000000000000/do/0/step1".to_owned(),
        ..Context::default()
    };
    let call = Call {
        component: &component,
        function: "issue",
        input: &agency::input().to_string(),
        context: &context,
    };
    bare::calls_per_second(&call, threads, time).map_err(io::Error::other)
}
