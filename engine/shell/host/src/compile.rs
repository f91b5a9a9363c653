//! From bytes to a compiled component: validated first, compiled apart, kept on disk.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;
use wasmtime::wasmparser::{Parser, Validator, WasmFeatures};
use wasmtime::{Engine, Precompiled};

use crate::cache::Cache;

/// Largest component accepted.
pub const COMPONENT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Why bytes do not become a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompileError {
    /// More than [`COMPONENT_BYTES_MAX`].
    TooLarge(usize),
    /// Native code, which is never accepted from outside.
    Precompiled,
    /// A core module instead of a component.
    CoreModule,
    /// Not WebAssembly at all.
    NotWasm,
    /// WebAssembly that breaks its rules or uses a feature that is off.
    Invalid(String),
    /// The compiler refused or broke.
    Compiler(String),
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(bytes) => write!(
                f,
                "the component has {bytes} bytes; at most {COMPONENT_BYTES_MAX} are taken, build \
                it for size (`opt-level = \"s\"`, `lto`, `strip`)"
            ),
            Self::Precompiled => f.write_str(
                "this is compiled native code (.cwasm), which is never taken from outside; give \
                the .wasm component that it was made from",
            ),
            Self::CoreModule => f.write_str(
                "this is a core WebAssembly module, not a component; `casewright plugin build` \
                makes a component of it",
            ),
            Self::NotWasm => f.write_str("this is not WebAssembly; give a .wasm component"),
            Self::Invalid(why) => write!(f, "the component is not valid: {why}"),
            Self::Compiler(why) => write!(f, "the component could not be compiled: {why}"),
        }
    }
}

impl std::error::Error for CompileError {}

/// SHA-256 in lower-case hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Takes the component from the cache or compiles it. Takes seconds of CPU: call it off the
/// async threads.
pub(crate) fn component(
    engine: &Engine,
    cache: Option<&Cache>,
    digest: &str,
    bytes: &[u8],
) -> Result<Component, CompileError> {
    validate(bytes)?;
    if let Some(component) = cache.and_then(|cache| cached(engine, cache, digest)) {
        return Ok(component);
    }
    // Wasmtime's compiler has panicked on strange but valid components; one of them must not take
    // the engine along.
    let compiled = catch_unwind(AssertUnwindSafe(|| Component::from_binary(engine, bytes)))
        .map_err(|_| CompileError::Compiler("the compiler broke on it".to_owned()))?
        .map_err(|error| CompileError::Compiler(format!("{error:#}")))?;
    if let Some(cache) = cache {
        match compiled.serialize() {
            Ok(code) => cache.put(digest, &code),
            Err(error) => tracing::warn!(digest, %error, "compiled code could not be kept"),
        }
    }
    Ok(compiled)
}

fn cached(engine: &Engine, cache: &Cache, digest: &str) -> Option<Component> {
    let code = cache.get(digest)?;
    #[expect(
        unsafe_code,
        reason = "wasmtime cannot check native code; these bytes carry our seal, which only the \
                  owner of the cache folder can make, and were written by this very function"
    )]
    // SAFETY: `Cache::get` returns only bytes whose HMAC under the folder's key holds for this
    // digest, wasmtime version and settings; `Cache::put` seals only what `serialize` returned.
    let component = unsafe { Component::deserialize(engine, &code) };
    component
        .inspect_err(|error| tracing::warn!(digest, %error, "kept code does not fit"))
        .ok()
}

/// All bytes are validated before the compiler sees any of them.
pub(crate) fn validate(bytes: &[u8]) -> Result<(), CompileError> {
    if bytes.len() > COMPONENT_BYTES_MAX {
        return Err(CompileError::TooLarge(bytes.len()));
    }
    if bytes.starts_with(b"\x7fELF")
        || matches!(
            Engine::detect_precompiled(bytes),
            Some(Precompiled::Component | Precompiled::Module)
        )
    {
        return Err(CompileError::Precompiled);
    }
    if Parser::is_core_wasm(bytes) {
        return Err(CompileError::CoreModule);
    }
    if !Parser::is_component(bytes) {
        return Err(CompileError::NotWasm);
    }
    Validator::new_with_features(features())
        .validate_all(bytes)
        .map(|_| ())
        .map_err(|error| CompileError::Invalid(error.to_string()))
}

/// The same features that [`crate::engine`] leaves on.
fn features() -> WasmFeatures {
    let mut features = WasmFeatures::empty();
    for on in [
        WasmFeatures::FLOATS,
        WasmFeatures::MUTABLE_GLOBAL,
        WasmFeatures::SATURATING_FLOAT_TO_INT,
        WasmFeatures::SIGN_EXTENSION,
        WasmFeatures::REFERENCE_TYPES,
        WasmFeatures::MULTI_VALUE,
        WasmFeatures::BULK_MEMORY,
        WasmFeatures::SIMD,
        WasmFeatures::TAIL_CALL,
        WasmFeatures::MULTI_MEMORY,
        WasmFeatures::EXTENDED_CONST,
        WasmFeatures::GC_TYPES,
        WasmFeatures::COMPONENT_MODEL,
    ] {
        features.insert(on);
    }
    features
}
