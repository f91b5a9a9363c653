//! A plugin: its functions under one roof, and the way from JSON to a call and back.

use serde_json::Value;

use crate::{Context, Error, Function, Kind, Outcome, Reason, decode, description};

/// One function, with its types erased.
#[derive(Debug)]
pub struct Entry {
    name: &'static str,
    describe: fn() -> Value,
    invoke: fn(&Context, &str) -> Result<Outcome<Value>, Error>,
    resume: fn(&Context, &str, Reason) -> Result<Outcome<Value>, Error>,
}

impl Entry {
    /// The entry of a function.
    pub const fn of<F: Function>() -> Self {
        Self {
            name: F::NAME,
            describe: description::function::<F>,
            invoke: invoke::<F>,
            resume: resume::<F>,
        }
    }
}

/// All that a plugin offers; made by [`plugin!`](crate::plugin!).
#[derive(Debug)]
pub struct Plugin {
    entries: &'static [Entry],
    config: fn() -> Value,
}

impl Plugin {
    /// A plugin of these functions; `config` gives the schema of its configuration.
    pub const fn new(entries: &'static [Entry], config: fn() -> Value) -> Self {
        Self { entries, config }
    }

    /// The document that `describe()` gives.
    pub fn description(&self) -> Value {
        let functions: Vec<_> = self
            .entries
            .iter()
            .map(|entry| (entry.describe)())
            .collect();
        description::document(&functions, &(self.config)())
    }

    /// Calls the function of this name with JSON text.
    pub fn invoke(
        &self,
        function: &str,
        input: &str,
        context: &Context,
    ) -> Result<Outcome<Value>, Error> {
        (self.entry(function)?.invoke)(context, input)
    }

    /// Goes on with a function that answered [`Outcome::Pending`]; `state` is JSON text.
    pub fn resume(
        &self,
        function: &str,
        state: &str,
        reason: Reason,
        context: &Context,
    ) -> Result<Outcome<Value>, Error> {
        (self.entry(function)?.resume)(context, state, reason)
    }

    fn entry(&self, function: &str) -> Result<&Entry, Error> {
        let found = self.entries.iter().find(|entry| entry.name == function);
        found.ok_or_else(|| {
            let message = format!("this plugin has no function `{function}`");
            Error::permanent("unknown-function", message)
        })
    }
}

fn invoke<F: Function>(context: &Context, input: &str) -> Result<Outcome<Value>, Error> {
    let input = decode::input(input)?;
    written::<F>(F::call(context, input))
}

fn resume<F: Function>(
    context: &Context,
    state: &str,
    reason: Reason,
) -> Result<Outcome<Value>, Error> {
    written::<F>(F::resume(context, state, reason))
}

fn written<F: Function>(
    outcome: Result<Outcome<F::Output>, Error>,
) -> Result<Outcome<Value>, Error> {
    match outcome.map_err(declared::<F>)? {
        Outcome::Done(output) => serde_json::to_value(output)
            .map(Outcome::Done)
            .map_err(|_| Error::permanent("bug", "the output cannot be written as JSON")),
        Outcome::Pending(pending) => Ok(Outcome::Pending(pending)),
    }
}

/// A business error that `describe()` does not name could not be caught by any workflow, so it is
/// a defect of the plugin.
fn declared<F: Function>(error: Error) -> Error {
    if error.kind() != Kind::Business || F::ERRORS.contains(&error.code()) {
        return error;
    }
    let (name, code) = (F::NAME, error.code());
    Error::permanent(
        "bug",
        format!("`{name}` gave the error `{code}`, which its attribute does not declare"),
    )
}

/// Makes a plugin of functions marked with `#[function]`; once, in `lib.rs`.
///
/// `plugin!(pay)` or, with settings, `plugin!(pay, refund; config = Settings)`.
#[macro_export]
macro_rules! plugin {
    ($($function:ident),+ $(,)?) => {
        $crate::plugin!($($function),+; schema = $crate::__private::no_config);
    };
    ($($function:ident),+ ; config = $config:ty) => {
        $crate::plugin!($($function),+; schema = $crate::__private::config_schema::<$config>);
    };
    ($($function:ident),+ ; schema = $schema:expr) => {
        /// What this plugin offers.
        pub static PLUGIN: $crate::Plugin =
            $crate::Plugin::new(&[$($crate::Entry::of::<$function>()),+], $schema);

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Component;

            impl $crate::guest::Guest for Component {
                fn describe() -> ::std::string::String {
                    $crate::guest::describe(&PLUGIN)
                }

                fn invoke(
                    function: ::std::string::String,
                    input: ::std::string::String,
                    context: $crate::guest::Context,
                ) -> $crate::guest::Answer {
                    $crate::guest::invoke(&PLUGIN, &function, &input, context)
                }

                fn resume(
                    function: ::std::string::String,
                    state: ::std::string::String,
                    reason: $crate::guest::ResumeReason,
                    context: $crate::guest::Context,
                ) -> $crate::guest::Answer {
                    $crate::guest::resume(&PLUGIN, &function, &state, reason, context)
                }
            }

            $crate::bindings::export!(Component with_types_in $crate::bindings);
        };
    };
}
