//! Reading documents: every workflow of the sample pack, each time from its text, with everything
//! around it known.

use std::io;
use std::time::Instant;

use super::figure::{Figure, Limit, Watch, median};
use super::parked::{number, seconds_since};
use super::{ROUNDS, Size};
use crate::{folder, plugin, validate};

const PACK: &str = "workflows/intensive-family-support";

/// What `casewright validate` must do on one thread.
const PER_SECOND_MIN: f64 = 1_000.0;

pub(super) async fn documents(size: &Size) -> io::Result<Vec<Figure>> {
    let here = std::env::current_dir()?;
    let checkout = plugin::find_checkout(&here);
    let pack = checkout.ok_or_else(|| {
        io::Error::other("the bench reads the sample pack; run it inside a checkout of Casewright")
    })?;
    let pack = pack.join(PACK);
    let around = validate::around(Some(&pack), validate::installed(None).await?)?;
    let mut texts = folder::read(&pack)?;
    texts.retain(|path, _| !path.contains('/') && path != "pack.yaml");
    let bytes: usize = texts.values().map(String::len).sum();
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let watch = Watch::begin()?;
        let began = Instant::now();
        let mut count: u64 = 0;
        while began.elapsed() < size.time() {
            for (path, text) in &texts {
                let reading = casewright_language::read(path, text, &around);
                if reading.workflow.is_none() {
                    return Err(io::Error::other(format!("{path} has mistakes")));
                }
                count += 1;
            }
        }
        ours.push(number(count) / seconds_since(began));
        others.push(watch.others()?);
    }
    Ok(vec![Figure {
        scenario: "documents".to_owned(),
        value: median(ours),
        unit: "documents/s",
        limit: Some(Limit::AtLeast(PER_SECOND_MIN)),
        note: format!(
            "read and checked on one thread; {} workflows of {} bytes on average",
            texts.len(),
            bytes / texts.len().max(1)
        ),
        others_cpu: median(others),
    }])
}
