//! Ports for an engine that needs nothing of the world: a clock that stands still until it is
//! moved, no plugins, no evaluator.

use std::sync::Mutex;

use casewright_language::pack::Pack;
use casewright_language::{Answer, Question, Surroundings};
use casewright_machine::CallError;
use casewright_runtime::port::{
    Boxed, Clock, EffectKind, Entropy, Evaluate, Invocation, Invoke, Reply, Resumption,
};
use jiff::Timestamp;

pub(crate) struct StandingClock(Mutex<Timestamp>);

impl StandingClock {
    pub(crate) fn at(moment: &str) -> Self {
        Self(Mutex::new(moment.parse().unwrap()))
    }

    pub(crate) fn move_to(&self, moment: &str) {
        *self.0.lock().unwrap() = moment.parse().unwrap();
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn wait_until(&self, _: Timestamp) -> Boxed<'_, ()> {
        Box::pin(std::future::pending())
    }
}

pub(crate) struct NoPlugins;

impl Invoke for NoPlugins {
    fn effect(&self, _: &str, _: &str) -> Option<EffectKind> {
        None
    }

    fn describe(&self, _: &mut Surroundings) -> Vec<(String, String)> {
        Vec::new()
    }

    fn bind(&self, _pack: &Pack) {}

    fn discloses(&self, _: &str, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn resumes(&self, _: &str, _: &str) -> bool {
        false
    }

    fn invoke(&self, invocation: Invocation) -> Boxed<'_, Result<Reply, CallError>> {
        panic!("{} is not installed here", invocation.function)
    }

    fn resume(&self, resumption: Resumption) -> Boxed<'_, Result<Reply, CallError>> {
        panic!("{} is not installed here", resumption.of.function)
    }
}

pub(crate) struct NoEvaluator;

impl Evaluate for NoEvaluator {
    fn evaluate(&self, _: Question) -> Boxed<'_, Answer> {
        let reason = "these tests have simple expressions only".to_owned();
        Box::pin(std::future::ready(Answer::Failed(reason)))
    }

    fn compile(&self, _question: Question) -> Boxed<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}
