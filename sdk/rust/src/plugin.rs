//! A plugin: its functions under one roof, and the way from JSON to a call and back.

use serde_json::Value;

use crate::{Context, Error, Function, Kind, decode, description};

/// One function, with its types erased.
#[derive(Debug)]
pub struct Entry {
    name: &'static str,
    describe: fn() -> Value,
    invoke: fn(&Context, &str) -> Result<Value, Error>,
}

impl Entry {
    /// The entry of a function.
    pub const fn of<F: Function>() -> Self {
        Self {
            name: F::NAME,
            describe: description::function::<F>,
            invoke: invoke::<F>,
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
    pub fn invoke(&self, function: &str, input: &str, context: &Context) -> Result<Value, Error> {
        let Some(entry) = self.entries.iter().find(|entry| entry.name == function) else {
            return Err(Error::permanent(
                "unknown-function",
                format!("this plugin has no function `{function}`"),
            ));
        };
        (entry.invoke)(context, input)
    }
}

fn invoke<F: Function>(context: &Context, input: &str) -> Result<Value, Error> {
    let input = decode::input(input)?;
    let output = F::call(context, input).map_err(declared::<F>)?;
    serde_json::to_value(output)
        .map_err(|_| Error::permanent("bug", "the output cannot be written as JSON"))
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
                    _state: ::std::string::String,
                    _reason: $crate::guest::ResumeReason,
                    _context: $crate::guest::Context,
                ) -> $crate::guest::Answer {
                    $crate::guest::resume(&function)
                }
            }

            $crate::bindings::export!(Component with_types_in $crate::bindings);
        };
    };
}
