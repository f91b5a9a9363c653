//! A server that nobody asks for anything.

use std::io;

use super::agency::{Place, With};
use super::figure::{Figure, Limit, Watch, median, own_seconds};
use super::server::Server;
use super::{ROUNDS, Size};

pub(super) async fn idle(size: &Size) -> io::Result<Vec<Figure>> {
    let place = Place::new(With::Nothing)?;
    // The first start makes keys and hashes a passphrase; every later one is an ordinary start.
    Server::start(&place.0)?.kill()?;
    let (mut ready, mut memory, mut work, mut others) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let watch = Watch::begin()?;
        let server = Server::start(&place.0)?;
        ready.push(watch.elapsed().as_secs_f64());
        let before = own_seconds(server.id())?;
        let watch = Watch::begin()?;
        tokio::time::sleep(size.time()).await;
        let used = own_seconds(server.id())? - before;
        work.push(used / watch.elapsed().as_secs_f64() * 100.0);
        others.push(watch.others_than(Some((server.id(), before)))?);
        memory.push(server.memory_mib()?);
        server.kill()?;
    }
    let others = median(others);
    let figure = |what: &str, value, limit, unit| Figure {
        scenario: format!("idle: {what}"),
        value,
        unit,
        limit: Some(Limit::AtMost(limit)),
        note: "one agency, no runs, after kill -9".to_owned(),
        others_cpu: others,
    };
    Ok(vec![
        figure("ready", median(ready), 0.1, "s"),
        figure("memory", median(memory), 40.0, "MiB"),
        figure("work", median(work), 0.5, "% of a core"),
    ])
}
