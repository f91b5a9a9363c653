//! Many runs that wait for people: what they take, how soon a killed server is ready again with all
//! of them, how fast its queue is, and that every one of them can be brought to its end.
//!
//! They are put there by a process of its own, which is killed when all are on disk.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use casewright_runtime::engine::Complete;
use casewright_runtime::view::WorkItemFilter;
use casewright_store::Store;
use casewright_store::bare::Bare;
use serde_json::json;

use super::agency::{self, Agency, Place, With};
use super::disk;
use super::figure::{Figure, Limit, Watch, median};
use super::server::Server;
use super::{ROUNDS, Size};
use crate::exit;

/// Requests under way at once.
const WORKERS: u64 = 256;
/// Looks at the queue, of which the median counts.
const LOOKS: usize = 21;
/// Of so many runs one gets a second one beside it, in its case.
const FURTHER_OF: u64 = 4;
/// Idle runs leave memory, and so the journal, after half a minute.
const FOLD_MAX: Duration = Duration::from_mins(3);
/// What reading lists leaves there.
const UNFOLDED_MAX: u64 = 64 * 1024;
/// How long bare commits are made beside it.
const BARE_TIME: Duration = Duration::from_millis(500);
/// Of a page.
const PAGE: usize = 200;

/// The limits are for a million; fewer may take no more.
pub(super) async fn parked(size: &Size) -> io::Result<Vec<Figure>> {
    let count = size.instances;
    let place = Place::new(With::Nothing)?;
    let watch = Watch::begin()?;
    fill(&place.0, count)?;
    let began = watch.elapsed().as_secs_f64();
    exit::note(&format!("{count} runs wait after {began:.0} s; killed"));
    let file = crate::wiring::database(&place.data());
    let (mut ready, mut first, mut looks) = (Vec::new(), Vec::new(), Vec::new());
    let (mut memory, mut others) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let watch = Watch::begin()?;
        let server = Server::start(&place.0)?;
        ready.push(watch.elapsed().as_secs_f64());
        first.push(milliseconds(server.look()?));
        let times: io::Result<Vec<f64>> = (0..LOOKS)
            .map(|_| server.look().map(milliseconds))
            .collect();
        looks.push(median(times?));
        memory.push(server.memory_mib()?);
        let child = Some((server.id(), 0.0));
        others.push(watch.others_than(child)?);
        server.kill()?;
    }
    let others = median(others);
    let figure = |what: &str, value, limit, unit, note: String| Figure {
        scenario: format!("parked: {what}"),
        value,
        unit,
        limit,
        note,
        others_cpu: others,
    };
    further(&place, 0).await?;
    let on_disk = fs::metadata(&file)?.len();
    let (compact, made_of) = disk::compacted(&place)?;
    let each = |bytes: u64| number(bytes) / number(count);
    let mut figures = vec![
        figure(
            "ready after kill -9",
            median(ready),
            Some(Limit::AtMost(2.0)),
            "s",
            format!("{count} runs wait for people"),
        ),
        figure(
            "first page of the queue, the very first",
            median(first),
            Some(Limit::AtMost(10.0)),
            "ms",
            "over HTTP".to_owned(),
        ),
        figure(
            "first page of the queue",
            median(looks),
            Some(Limit::AtMost(10.0)),
            "ms",
            format!("median of {LOOKS}, over HTTP"),
        ),
        figure(
            "memory, ready",
            median(memory),
            Some(Limit::AtMost(300.0)),
            "MiB",
            "resident".to_owned(),
        ),
        figure(
            "disk of a run with its work item and a case of its own, compacted",
            each(compact),
            None,
            "B",
            format!(
                "{:.0} B as the file grew; {}",
                each(on_disk),
                disk::parts(&made_of, count)
            ),
        ),
    ];
    let more = further(&place, count.div_ceil(FURTHER_OF)).await?;
    let (with_more, _) = disk::compacted(&place)?;
    figures.push(figure(
        "disk of a run with its work item, compacted",
        number(with_more.saturating_sub(compact)) / number(more),
        Some(Limit::AtMost(1_536.0)),
        "B",
        format!("{more} more, each in a case that was there"),
    ));
    figures.push(claims(&place).await?);
    figures.push(resolve(&place, count + more).await?);
    Ok(figures)
}

/// Starts one more run in each of so many cases, and waits until nothing is left in the journal.
async fn further(place: &Place, count: u64) -> io::Result<u64> {
    let agency = Arc::new(Agency::open(place).await?);
    let (mut started, mut cursor) = (0, None);
    while started < count {
        let page = agency.engine.cases(&agency.who, cursor).await;
        let page = page.map_err(|refused| agency::failed(&refused))?;
        let runs: Vec<_> = page
            .items
            .into_iter()
            .map(|case| {
                let agency = Arc::clone(&agency);
                tokio::spawn(async move { agency.start_in(Some(case.id), "wait", json!({})).await })
            })
            .collect();
        for run in runs {
            run.await.map_err(io::Error::other)??;
            started += 1;
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    fold_all(&agency).await?;
    agency.engine.stop().await;
    Ok(started)
}

/// Waits until histories lie where they stay: what is in the journal takes more.
async fn fold_all(agency: &Agency) -> io::Result<()> {
    let quiet = agency.engine.quiet().await;
    quiet.map_err(|refused| agency::failed(&refused))?;
    let began = Instant::now();
    while agency.store.unfolded().0 > UNFOLDED_MAX {
        if began.elapsed() > FOLD_MAX {
            return Err(io::Error::other("the runs do not leave the journal"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// One person takes items, one after the other, and gives each back: what a claim takes beyond the
/// commit that it waits for.
async fn claims(place: &Place) -> io::Result<Figure> {
    let agency = Agency::open(place).await?;
    let filter = WorkItemFilter {
        limit: Some(PAGE),
        ..WorkItemFilter::default()
    };
    let page = agency.engine.work_items(&agency.who, filter).await;
    let page = page.map_err(|refused| agency::failed(&refused))?;
    let watch = Watch::begin()?;
    let mut took = Vec::new();
    let bytes = agency.store.written();
    for item in &page.items {
        let began = Instant::now();
        let claimed = agency.engine.claim(&agency.who, &item.id, None).await;
        claimed.map_err(|refused| agency::failed(&refused))?;
        took.push(milliseconds(began.elapsed()));
        let released = agency.engine.release(&agency.who, &item.id, None).await;
        released.map_err(|refused| agency::failed(&refused))?;
    }
    let commits = 2 * page.items.len().max(1) as u64;
    let bytes = usize::try_from((agency.store.written() - bytes) / commits).unwrap_or(0);
    let others_cpu = watch.others()?;
    agency.engine.stop().await;
    let file = place.0.join("bare.redb");
    let bare = Bare::create(&file).and_then(|mut bare| bare.commit_time(bytes, BARE_TIME));
    let bare = milliseconds(bare.map_err(io::Error::other)?);
    let claim = median(took);
    Ok(Figure {
        scenario: "parked: a claim, beyond its commit".to_owned(),
        value: (claim - bare).max(0.0),
        unit: "ms",
        limit: Some(Limit::AtMost(2.0)),
        note: format!(
            "median of {}; {claim:.2} ms, a bare commit of the same {bytes} bytes {bare:.2} ms",
            page.items.len()
        ),
        others_cpu,
    })
}

/// Every run is brought to its end.
async fn resolve(place: &Place, count: u64) -> io::Result<Figure> {
    let agency = Arc::new(Agency::open(place).await?);
    let watch = Watch::begin()?;
    let mut resolved = 0;
    loop {
        let filter = WorkItemFilter {
            limit: Some(PAGE),
            ..WorkItemFilter::default()
        };
        let page = agency.engine.work_items(&agency.who, filter).await;
        let page = page.map_err(|refused| agency::failed(&refused))?;
        if page.items.is_empty() {
            break;
        }
        let work: Vec<_> = page
            .items
            .into_iter()
            .map(|item| {
                let agency = Arc::clone(&agency);
                tokio::spawn(async move { complete(&agency, &item.id).await })
            })
            .collect();
        for one in work {
            one.await.map_err(io::Error::other)??;
            resolved += 1;
        }
    }
    let took = watch.elapsed().as_secs_f64();
    let others_cpu = watch.others()?;
    agency.engine.stop().await;
    if resolved != count {
        return Err(io::Error::other(format!(
            "{count} runs were started, and {resolved} could be brought to an end"
        )));
    }
    Ok(Figure {
        scenario: "parked: all resolved".to_owned(),
        value: number(count) / took,
        unit: "runs/s",
        limit: None,
        note: format!("taken and completed, page by page of {PAGE}"),
        others_cpu,
    })
}

async fn complete(agency: &Agency, item: &str) -> io::Result<()> {
    let failed = |refused: &_| agency::failed(refused);
    let claimed = agency.engine.claim(&agency.who, item, None).await;
    claimed.map_err(|refused| failed(&refused))?;
    let done = Complete {
        outcome: "done".to_owned(),
        data: json!({}),
        comment: None,
        revision: None,
        shown: None,
    };
    let completed = agency.engine.complete(&agency.who, item, done, None).await;
    completed.map_err(|refused| failed(&refused)).map(drop)
}

/// Has a child of ours put the runs there, and kills it.
pub(super) fn fill(place: &Path, count: u64) -> io::Result<()> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["bench", "--instances", &count.to_string(), "--fill"])
        .arg(place)
        .stdout(Stdio::piped())
        .spawn()?;
    let talk = child.stdout.take().map(BufReader::new);
    let mut line = String::new();
    talk.ok_or_else(|| io::Error::other("the child cannot be heard"))?
        .read_line(&mut line)?;
    child.kill()?;
    child.wait()?;
    if line.trim_end() == FILLED {
        Ok(())
    } else {
        Err(io::Error::other("the runs could not be started"))
    }
}

const FILLED: &str = "all are on disk";

/// The child's part: starts the runs, says so, and waits to be killed.
pub(super) async fn fill_here(place: &Path, count: u64) -> io::Result<()> {
    let place = Place::of(place);
    let agency = Arc::new(Agency::open(&place).await?);
    start_runs(&agency, count).await?;
    let quiet = agency.engine.quiet().await;
    quiet.map_err(|refused| agency::failed(&refused))?;
    exit::say(FILLED);
    std::future::pending().await
}

pub(super) async fn start_runs(agency: &Arc<Agency>, count: u64) -> io::Result<()> {
    let next = Arc::new(AtomicU64::new(0));
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (agency, next) = (Arc::clone(agency), Arc::clone(&next));
            tokio::spawn(async move {
                while next.fetch_add(1, Ordering::Relaxed) < count {
                    agency.start("wait", json!({})).await?;
                }
                Ok::<_, io::Error>(())
            })
        })
        .collect();
    for worker in workers {
        worker.await.map_err(io::Error::other)??;
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

/// How long since.
pub(super) fn seconds_since(began: Instant) -> f64 {
    began.elapsed().as_secs_f64()
}
