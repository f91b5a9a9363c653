//! A world for native tests: a scripted server, a clock that stands still, configuration, secrets.
//!
//! ```
//! use casewright_sdk::prelude::*;
//! use casewright_sdk::testing::{Answer, World, context};
//!
//! # fn ping(context: &Context) -> Result<u16, Error> {
//! #     Ok(http::post("http://pay.test/ping").idempotency_key(context).send()?.status())
//! # }
//! let world = World::new();
//! world
//!     .expect(http::Method::Post, "http://pay.test/ping")
//!     .header("Idempotency-Key", "key-1")
//!     .answer(Answer::empty(204));
//! assert_eq!(world.run(|| ping(&context("key-1"))), Ok(204));
//! ```
//!
//! A request that nothing expects, and an expectation that nothing meets, fail the test.

mod exchange;
mod state;

pub use exchange::{Answer, Expectation};
pub use state::LogLine;

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use crate::http::Method;
use crate::progress::Signal;
use crate::{Context, Error, Outcome, Plugin, Reason};
use state::State;

thread_local! {
    static CURRENT: RefCell<Option<Rc<RefCell<State>>>> = const { RefCell::new(None) };
}

/// The context of a first attempt with this idempotency key.
pub fn context(idempotency_key: &str) -> Context {
    Context {
        idempotency_key: idempotency_key.into(),
        attempt: 1,
        deadline_unix_ms: state::NOW_UNIX_MS + 30_000,
        step_started_unix_ms: state::NOW_UNIX_MS,
        agency: "test-agency".into(),
        case_id: "test-case".into(),
        step_id: "test-step".into(),
        callback_token: "test-token".into(),
        callback_url: None,
        trace_parent: None,
        attributes: Vec::new(),
    }
}

/// What a plugin sees of the outside.
#[derive(Debug, Clone, Default)]
pub struct World {
    state: Rc<RefCell<State>>,
}

impl World {
    /// A world without configuration, secrets or expected requests; the clock stands at
    /// 12 May 2026, 00:00 UTC.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the plugin's configuration.
    #[must_use]
    pub fn config(self, config: Value) -> Self {
        self.state.borrow_mut().config = config;
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn now_unix_ms(self, now: u64) -> Self {
        self.state.borrow_mut().now_unix_ms = now;
        self
    }

    /// Adds a secret.
    #[must_use]
    pub fn secret(self, name: &str, value: &str) -> Self {
        self.state
            .borrow_mut()
            .secrets
            .insert(name.into(), value.into());
        self
    }

    /// Makes `progress::report` say that the step is to be cancelled.
    #[must_use]
    pub fn cancelled(self) -> Self {
        self.state.borrow_mut().signal = Signal::CancelRequested;
        self
    }

    /// Expects a request, after those expected before; finish with [`Expectation::answer`].
    pub fn expect(&self, method: Method, url: &str) -> Expectation {
        Expectation::new(Rc::clone(&self.state), method, url)
    }

    /// Runs code in this world and checks that every expected request was made.
    ///
    /// # Panics
    /// When a request was not expected, or an expected one did not come.
    pub fn run<T>(&self, code: impl FnOnce() -> T) -> T {
        struct Leave;

        impl Drop for Leave {
            fn drop(&mut self) {
                CURRENT.set(None);
            }
        }

        CURRENT.set(Some(Rc::clone(&self.state)));
        let leave = Leave;
        let value = code();
        drop(leave);
        let missing = self.state.borrow().missing();
        assert!(
            missing.is_empty(),
            "expected but never sent: {}",
            missing.join(", ")
        );
        value
    }

    /// Calls a function as the engine does: JSON text in, JSON out.
    ///
    /// # Panics
    /// As [`run`](Self::run), and when the answer is to come later; see [`send`](Self::send).
    pub fn invoke(
        &self,
        plugin: &Plugin,
        function: &str,
        input: &str,
        context: &Context,
    ) -> Result<Value, Error> {
        match self.send(plugin, function, input, context)? {
            Outcome::Done(output) => Ok(output),
            Outcome::Pending(pending) => panic!("the answer comes later: {pending:?}"),
        }
    }

    /// The same for functions whose answer may come later.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn send(
        &self,
        plugin: &Plugin,
        function: &str,
        input: &str,
        context: &Context,
    ) -> Result<Outcome<Value>, Error> {
        self.run(|| plugin.invoke(function, input, context))
    }

    /// Goes on with a function that answered `pending`, as the engine does.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn resume(
        &self,
        plugin: &Plugin,
        function: &str,
        state: &Value,
        reason: Reason,
        context: &Context,
    ) -> Result<Outcome<Value>, Error> {
        self.run(|| plugin.resume(function, &state.to_string(), reason, context))
    }

    /// What the plugin logged so far.
    pub fn log(&self) -> Vec<LogLine> {
        self.state.borrow().log.clone()
    }
}

pub(crate) fn current<T>(use_it: impl FnOnce(&mut State) -> T) -> T {
    let state = CURRENT.with_borrow(Clone::clone);
    let state = state.expect("a plugin reaches outside only within `testing::World::run`");
    use_it(&mut state.borrow_mut())
}

#[cfg(test)]
mod tests;
