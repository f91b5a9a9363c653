//! What wasmtime does by itself: the limit that figures of plugin calls are measured against.
//!
//! A fresh instance for every call from a pool, the same component, function, input and context;
//! no fuel, no deadline, no grants, no checks, and nothing kept. Nothing but a bench uses it.

use std::time::{Duration, Instant};

use wasmtime::component::{Component, Linker};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result, Store,
};

use crate::engine::KEPT_BYTES;
use crate::plugin::Context;

mod world {
    wasmtime::component::bindgen!({
        path: "../../../sdk/wit",
        world: "plugin",
    });
}

/// One call, made again and again.
#[derive(Debug)]
pub struct Call<'a> {
    /// Bytes of the component.
    pub component: &'a [u8],
    /// Name of its function.
    pub function: &'a str,
    /// JSON.
    pub input: &'a str,
    /// What the function is told besides.
    pub context: &'a Context,
}

/// Calls in a second on so many threads, measured for about so long.
///
/// # Errors
///
/// A sentence, when the component cannot be used so: it calls an import, for one.
pub fn calls_per_second(call: &Call<'_>, threads: u32, time: Duration) -> Result<f64, String> {
    measure(call, threads, time).map_err(|error| format!("bare wasmtime: {error:#}"))
}

fn measure(call: &Call<'_>, threads: u32, time: Duration) -> Result<f64> {
    let mut config = Config::new();
    config
        .memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    let engine = Engine::new(&config)?;
    let component = Component::from_binary(&engine, call.component)?;
    let mut linker: Linker<()> = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component)?;
    let ready = world::PluginPre::new(linker.instantiate_pre(&component)?)?;
    let began = Instant::now();
    let work = || -> Result<u32> {
        let mut count = 0;
        while began.elapsed() < time {
            for _ in 0..64 {
                once(&engine, &ready, call)?;
            }
            count += 64;
        }
        Ok(count)
    };
    let counts = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, Result<u32>>| {
            worker
                .join()
                .unwrap_or_else(|_| Err(wasmtime::Error::msg("a thread broke")))
        };
        workers.into_iter().map(join).collect::<Result<Vec<_>>>()
    })?;
    let all: f64 = counts.into_iter().map(f64::from).sum();
    Ok(all / began.elapsed().as_secs_f64())
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_memories(64)
        .linear_memory_keep_resident(KEPT_BYTES)
        .pagemap_scan(Enabled::Auto)
        .table_keep_resident(64 << 10);
    pool
}

fn once(engine: &Engine, ready: &world::PluginPre<()>, call: &Call<'_>) -> Result<()> {
    use world::casewright::plugin::types::{Context as GuestContext, Outcome};

    let told = call.context;
    let context = GuestContext {
        idempotency_key: told.idempotency_key.clone(),
        attempt: told.attempt,
        deadline_unix_ms: told.deadline_unix_ms,
        step_started_unix_ms: told.step_started_unix_ms,
        agency: told.agency.clone(),
        case_id: told.case_id.clone(),
        step_id: told.step_id.clone(),
        callback_token: told.callback_token.clone(),
        callback_url: told.callback_url.clone(),
        trace_parent: None,
        attributes: Vec::new(),
    };
    let (function, input) = (call.function.to_owned(), call.input.to_owned());
    let mut store = Store::new(engine, ());
    let instance = ready.instantiate(&mut store)?;
    let guest = instance.casewright_plugin_guest();
    match guest.call_invoke(&mut store, &function, &input, &context)? {
        Ok(Outcome::Done(_)) => Ok(()),
        Ok(Outcome::Pending(_)) => Err(wasmtime::Error::msg("it answered `pending`")),
        Err(error) => Err(wasmtime::Error::msg(format!("it answered {}", error.code))),
    }
}
