//! A case of nine months as `casewright test` plays it: 36 weekly visits with due times, reminders
//! and escalations, nine reviews, in virtual time. Authors wait for this each time they save.

use std::collections::BTreeMap;
use std::io;
use std::time::Instant;

use super::figure::{Figure, Limit, Watch, median};
use super::parked::seconds_since;
use super::{ROUNDS, Size};
use crate::test::Rehearsal;

const MILLIS_MAX: f64 = 50.0;

const PACK: [(&str, &str); 2] = [
    ("pack.yaml", include_str!("months/pack.yaml")),
    ("family.yaml", include_str!("months/family.yaml")),
];
const TESTS: &str = include_str!("months/family.test.yaml");

pub(super) async fn months(size: &Size) -> io::Result<Vec<Figure>> {
    let pack: BTreeMap<_, _> = PACK
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .collect();
    let rehearsal = Rehearsal::read(pack, TESTS).await?;
    // The first one starts the evaluator process.
    rehearsal.play().await?;
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let watch = Watch::begin()?;
        let began = Instant::now();
        let mut took = Vec::new();
        while began.elapsed() < size.time() {
            let begin = Instant::now();
            rehearsal.play().await?;
            took.push(seconds_since(begin) * 1e3);
        }
        ours.push(median(took));
        others.push(watch.others()?);
    }
    Ok(vec![Figure {
        scenario: "nine months".to_owned(),
        value: median(ours),
        unit: "ms",
        limit: Some(Limit::AtMost(MILLIS_MAX)),
        note: "a case with 36 visits and nine reviews, played as a test of its pack, with a fresh \
               engine"
            .to_owned(),
        others_cpu: median(others),
    }])
}
