//! Whether a component fits the world by name, before it is linked: the answer names what is
//! missing instead of a type mismatch.

use wasmtime::Engine;
use wasmtime::component::Component;

const PACKAGE: &str = "casewright:plugin/";
const OFFERED: [&str; 9] = [
    "clock", "config", "http", "kv", "log", "progress", "script", "secrets", "types",
];
const VERSION: &str = "0.1";

pub(super) fn check(engine: &Engine, component: &Component) -> Result<(), String> {
    let world = component.component_type();
    for (name, _) in world.imports(engine) {
        check_import(name)?;
    }
    let guest = format!("{PACKAGE}guest@{VERSION}.");
    if world
        .exports(engine)
        .any(|(name, _)| name.starts_with(&guest))
    {
        return Ok(());
    }
    Err(format!(
        "it does not export `{guest}x`; a Rust plugin does when its crate uses `casewright_sdk`"
    ))
}

fn check_import(name: &str) -> Result<(), String> {
    let Some((interface, version)) = name
        .strip_prefix(PACKAGE)
        .and_then(|rest| rest.split_once('@'))
    else {
        let hint = if name.starts_with("wasi:") {
            "; WASI is not offered, build for `wasm32-unknown-unknown`"
        } else {
            ""
        };
        return Err(format!("it imports `{name}`{hint}"));
    };
    if !OFFERED.contains(&interface) {
        return Err(format!(
            "it imports `{name}`; this host offers {}",
            OFFERED.join(", ")
        ));
    }
    if !version
        .strip_prefix(VERSION)
        .is_some_and(|rest| rest.starts_with('.'))
    {
        return Err(format!(
            "it imports `{name}`; this host offers version {VERSION}"
        ));
    }
    Ok(())
}
