//! Durable transitions: runs that answer ten events from outside each, beside bare redb.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use casewright_store::bare::Bare;
use serde_json::json;

use super::agency::{self, Agency, Place, STEPS, With};
use super::figure::{Figure, Limit, Watch, median};
use super::{ROUNDS, Size};

const AT_ONCE: u32 = 1_024;

pub(super) async fn transitions(size: &Size) -> io::Result<Vec<Figure>> {
    let (mut ours, mut bares, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        let place = Place::new(With::Nothing)?;
        let agency = Arc::new(Agency::open(&place).await?);
        let (mut done, mut took) = (0, 0.0);
        let (mut grown, watch) = (0, Watch::begin()?);
        let began = Instant::now();
        while done == 0 || began.elapsed() < size.time() {
            let runs = started(&agency).await?;
            let before = agency.store.written();
            let wave = Instant::now();
            answer_all(&agency, &runs).await?;
            took += wave.elapsed().as_secs_f64();
            grown += agency.store.written() - before;
            done += AT_ONCE * STEPS;
        }
        others.push(watch.others()?);
        ours.push(f64::from(done) / took);
        agency.engine.stop().await;
        bytes = usize::try_from(grown).unwrap_or(0) / usize::try_from(done).unwrap_or(1).max(1);
        let bare = Bare::create(&place.0.join("bare.redb"));
        let bare = bare.and_then(|mut bare| bare.appends_per_second(bytes, 1_000, size.time() / 2));
        bares.push(bare.map_err(io::Error::other)?);
    }
    let bare = median(bares);
    Ok(vec![Figure {
        scenario: "transitions".to_owned(),
        value: median(ours),
        unit: "events/s",
        limit: Some(Limit::AtLeast(bare / 2.0)),
        note: format!("bare redb appends {bare:.0}/s of the same {bytes} bytes, 1,000 a commit"),
        others_cpu: median(others),
    }])
}

async fn started(agency: &Arc<Agency>) -> io::Result<Vec<String>> {
    let starts: Vec<_> = (0..AT_ONCE)
        .map(|number| {
            let agency = Arc::clone(agency);
            let name = format!("{number}-{:?}", Instant::now());
            tokio::spawn(async move {
                agency.start("answers", json!({ "run": name })).await?;
                Ok::<_, io::Error>(name)
            })
        })
        .collect();
    let mut names = Vec::new();
    for start in starts {
        names.push(start.await.map_err(io::Error::other)??);
    }
    Ok(names)
}

/// One event after the other for each run, many runs at once.
async fn answer_all(agency: &Arc<Agency>, runs: &[String]) -> io::Result<()> {
    let workers: Vec<_> = runs
        .iter()
        .map(|run| {
            let (agency, run) = (Arc::clone(agency), run.clone());
            tokio::spawn(async move { answer(&agency, &run).await })
        })
        .collect();
    for worker in workers {
        worker.await.map_err(io::Error::other)??;
    }
    let quiet = agency.engine.quiet().await;
    quiet.map_err(|refused| agency::failed(&refused))
}

async fn answer(agency: &Agency, run: &str) -> io::Result<()> {
    for number in 1..=STEPS {
        let event = json!({
            "specversion": "1.0",
            "id": format!("{run}-{number}"),
            "source": "urn:bench",
            "type": format!("bench.answer{number}"),
            "data": { "run": run, "answer": "the family will come on Thursday" },
        });
        let event = event.as_object().cloned().unwrap_or_default();
        let published = agency.engine.publish(&agency.who, event, None).await;
        published.map_err(|refused| agency::failed(&refused))?;
    }
    Ok(())
}
