//! A world of partners on loopback: what the sample plugins talk to in `demo` and in tests.
//!
//! Everything it does is in its journal, and every fault can be ordered: it drops connections
//! before or after acting, answers late, too much, too little or nonsense. It is no product: no
//! partner's real interface is imitated beyond what the sample plugins need.
//!
//! ```text
//! POST /pay/payments        Idempotency-Key, JSON body  -> 201 payment; the same again: 200
//! GET  /pay/payments?key=   -> 200 payment | 404
//! POST /housing/applications  Idempotency-Key, Callback-Url -> 201 application; again: 200
//! GET, DELETE /housing/applications/{no}
//! POST /relief/vouchers      Idempotency-Key, JSON body  -> 201 voucher; the same again: 200
//! GET  /relief/vouchers/{key}
//! POST /notify/messages     Idempotency-Key, JSON body  -> 202; the same again: 200
//! GET  /hsds/services        -> 200 a page of a directory of services (HSDS 3.0)
//! POST /_ctl/housing        {state, callbacks, early, ..}   -> decides, and tells the senders
//! POST /_ctl/fault          {path, nth, kind}           -> the nth next request there suffers it
//! GET  /_ctl/journal        every request, payment, application, voucher and message
//! POST /_ctl/reset          forgets everything
//! ```

mod connection;
mod control;
mod directory;
mod fault;
mod housing;
mod journal;
mod notify;
mod pay;
mod relief;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use tokio::net::TcpListener;

use self::connection::{Breakable, Switch};
use self::journal::World;
use crate::exit;
use crate::ready;

/// `casewright partner`: hidden, for tests.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Port on loopback; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Written once the server answers: `{"url": ...}`.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Keeps the journal in this file, so that it survives a restart.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

/// Runs until it is killed.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let outcome = crate::asynchronous(async {
        let partner = start(arguments.port, arguments.journal.clone()).await?;
        let url = format!("http://{}", partner.address);
        if let Some(path) = &arguments.ready_file {
            ready::write(path, &serde_json::json!({ "url": url }))?;
        }
        exit::say(&format!("partner on {url}"));
        partner.served.await.map_err(io::Error::other)
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::environment(&format!("cannot run the partner: {error}")),
    }
}

/// A partner that serves until its runtime ends.
pub(crate) struct Partner {
    pub(crate) address: SocketAddr,
    served: tokio::task::JoinHandle<()>,
}

/// Starts serving on loopback. Stopped by the end of the tokio runtime.
pub(crate) async fn start(port: u16, journal: Option<PathBuf>) -> io::Result<Partner> {
    let world = Arc::new(World::open(journal)?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    let app = router(world).into_make_service_with_connect_info::<Switch>();
    let served = tokio::spawn(async move {
        // axum's accept loop ends only with the runtime.
        let _ = axum::serve(Breakable::listen(listener), app).await;
    });
    Ok(Partner { address, served })
}

fn router(world: Arc<World>) -> Router {
    let partners = Router::new()
        .route("/pay/payments", post(pay::create).get(pay::find))
        .route("/hsds/services", get(directory::services))
        .route("/notify/messages", post(notify::take))
        .route("/housing/applications", post(housing::create))
        .route(
            "/housing/applications/{number}",
            get(housing::find).delete(housing::take_back),
        )
        .route("/relief/vouchers", post(relief::create))
        .route("/relief/vouchers/{key}", get(relief::find))
        .layer(axum::middleware::from_fn_with_state(
            world.clone(),
            fault::suffer,
        ));
    Router::new()
        .route("/_ctl/fault", post(control::order_fault))
        .route("/_ctl/housing", post(housing::order))
        .route("/_ctl/journal", get(control::journal))
        .route("/_ctl/reset", post(control::reset))
        .merge(partners)
        .with_state(world)
}

#[cfg(test)]
mod tests;
