//! Guests written as text: a core module with a body of its own for `invoke`, made a component of
//! the plugin world. No WebAssembly toolchain is needed.

use std::path::Path;
use std::sync::Arc;

use casewright_host::grant::Grant;
use casewright_host::manifest::Limits;
use casewright_host::plugin::{Context, Failure, Host, Plugin, Reply};
use serde_json::Value;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Offers one function, `run`, that does nothing outside.
pub(crate) const DESCRIPTION: &str = r#"{"schema":"casewright-plugin-1","functions":[
    {"name":"run","title":"Run","input":true,"output":true,"effect":"none","resumes":false,
     "errors":[{"code":"refused"}]}]}"#;

/// What differs between guests.
pub(crate) struct Guest<'a> {
    /// Imports and globals, `(import ...)`.
    pub(crate) head: &'a str,
    /// Pages of memory at the start.
    pub(crate) pages: u32,
    /// What `describe` runs before it answers.
    pub(crate) describe: &'a str,
    /// What it answers.
    pub(crate) description: &'a str,
    /// The body of `invoke`: `$in` is where the arguments lie, and the result is an address.
    /// `$done` and `$fail` build results.
    pub(crate) invoke: &'a str,
    /// The body of `resume`; the state lies where `invoke` has its input.
    pub(crate) resume: &'a str,
    /// Further functions and data. Data may lie from 8192 to 65536.
    pub(crate) tail: &'a str,
}

impl Default for Guest<'_> {
    fn default() -> Self {
        Self {
            head: "",
            pages: 2,
            describe: "",
            description: DESCRIPTION,
            invoke: ECHO,
            resume: "unreachable",
            tail: "",
        }
    }
}

/// Gives back its input.
pub(crate) const ECHO: &str = "(call $done (i32.load offset=8 (local.get $in)) \
     (i32.load offset=12 (local.get $in)))";

impl Guest<'_> {
    pub(crate) fn component(&self) -> Vec<u8> {
        let mut module = wat::parse_str(self.text()).unwrap();
        let mut resolve = Resolve::default();
        let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../sdk/wit");
        let (package, _) = resolve.push_dir(wit).unwrap();
        let world = resolve.select_world(&[package], Some("plugin")).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
            .unwrap();
        ComponentEncoder::default()
            .module(&module)
            .unwrap()
            .validate(true)
            .encode()
            .unwrap()
    }

    fn text(&self) -> String {
        let Self {
            head,
            pages,
            describe,
            description,
            invoke,
            resume,
            tail,
        } = self;
        let escaped = description
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', " ");
        let length = description.len();
        format!(
            r#"(module
            {head}
            (memory (export "memory") {pages})
            (global $top (mut i32) (i32.const 65536))
            (data (i32.const 1024) "{escaped}")
            {tail}
            (func $realloc (export "cabi_realloc")
                (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and
                    (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
                (global.set $top (i32.add (local.get $at) (local.get $size)))
                (block $fits
                    (loop $more
                        (br_if $fits (i32.le_u
                            (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
                        (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
                        unreachable))
                (local.get $at))
            ;; result<outcome, plugin-error>: done(text)
            (func $done (param $text i32) (param $length i32) (result i32)
                (i32.store8 (i32.const 16) (i32.const 0))
                (i32.store8 (i32.const 24) (i32.const 0))
                (i32.store (i32.const 32) (local.get $text))
                (i32.store (i32.const 36) (local.get $length))
                (i32.const 16))
            ;; result<outcome, plugin-error>: pending, asked after five seconds, state as given
            (func $pend (param $text i32) (param $length i32) (result i32)
                (i32.store8 (i32.const 16) (i32.const 0))
                (i32.store8 (i32.const 24) (i32.const 1))
                (i32.store (i32.const 32) (i32.const 0))
                (i32.store (i32.const 36) (i32.const 0))
                (i32.store8 (i32.const 40) (i32.const 0))
                (i32.store8 (i32.const 56) (i32.const 1))
                (i64.store (i32.const 64) (i64.const 5000))
                (i32.store (i32.const 72) (local.get $text))
                (i32.store (i32.const 76) (local.get $length))
                (i32.const 16))
            ;; an error of kind 0 (retryable), 1 (permanent) or 2 (business), the code at 8192
            (func $fail (param $kind i32) (param $code_length i32)
                (param $text i32) (param $length i32) (result i32)
                (i32.store8 (i32.const 16) (i32.const 1))
                (i32.store8 (i32.const 24) (local.get $kind))
                (i32.store (i32.const 28) (i32.const 8192))
                (i32.store (i32.const 32) (local.get $code_length))
                (i32.store (i32.const 36) (local.get $text))
                (i32.store (i32.const 40) (local.get $length))
                (i32.store8 (i32.const 48) (i32.const 0))
                (i32.store8 (i32.const 64) (i32.const 0))
                (i32.const 16))
            (func (export "casewright:plugin/guest@0.1.0#describe") (result i32)
                {describe}
                (i32.store (i32.const 16) (i32.const 1024))
                (i32.store (i32.const 20) (i32.const {length}))
                (i32.const 16))
            (func (export "casewright:plugin/guest@0.1.0#invoke") (param $in i32) (result i32)
                (local $count i32)
                {invoke})
            (func (export "casewright:plugin/guest@0.1.0#resume") (param $in i32) (result i32)
                {resume}))"#
        )
    }
}

/// A component whose `invoke` has this body.
pub(crate) fn invoking(invoke: &str) -> Vec<u8> {
    Guest {
        invoke,
        ..Guest::default()
    }
    .component()
}

pub(crate) async fn load(host: &Host, component: &[u8]) -> Arc<Plugin> {
    host.load("guest", component).await.unwrap()
}

/// Limits as a manifest writes them, below `[limits]`.
pub(crate) fn limits(text: &str) -> Limits {
    let text = format!("schema = 1\nname = \"guest\"\nversion = \"0.1.0\"\n[limits]\n{text}");
    casewright_host::manifest::Manifest::read(&text)
        .unwrap()
        .limits
}

pub(crate) async fn run(
    host: &Host,
    plugin: &Plugin,
    input: &Value,
    limits: &Limits,
) -> Result<Value, Failure> {
    let grant = Arc::new(Grant::default());
    host.invoke(plugin, "run", input, &Context::default(), &grant, limits)
        .await
        .map(done)
}

/// The output of a function that answers at once.
pub(crate) fn done(reply: Reply) -> Value {
    match reply {
        Reply::Done(output) => output,
        Reply::Pending(pending) => panic!("{pending:?}"),
    }
}
