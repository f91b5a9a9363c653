//! Functions of plugins in a test: answered as the test says, or by the built plugin. Requests of
//! `call: http` and `call: openapi` are only ever answered by the test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use casewright_language::pack::Pack;
use casewright_language::pack_test::{Answer, Answers, Failure, FailureKind};
use casewright_language::workflow::Method;
use casewright_language::{Schema, Signature, Surroundings};
use casewright_machine::openapi::{self, Body, Operation, Wish};
use casewright_machine::{CallError, ErrorKind, http, notify};
use casewright_runtime::port::{Boxed, EffectKind, Invocation, Invoke, Reply, Resumption};
use serde_json::{Value, json};

use crate::ports::Plugins;

/// Stands for the digest of a plugin that is not built and only answers what a test says.
const NOT_BUILT: &str = "answers-of-a-test";

/// Before the name of a task that sends a request by itself.
const HTTP: &str = "http.";

/// Told of a call whose answer comes later.
const LATER: &str = "answers later";

pub(super) struct Partner {
    plugins: Arc<Plugins>,
    answers: BTreeMap<String, Answers>,
    made: Mutex<Vec<Made>>,
}

/// A call that was made.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) function: String,
    pub(super) input: Value,
    pub(super) answer: Result<Value, String>,
    /// The test says nothing of this function.
    pub(super) unexpected: bool,
}

impl Partner {
    pub(super) fn new(plugins: Arc<Plugins>, answers: BTreeMap<String, Answers>) -> Self {
        Self {
            plugins,
            answers,
            made: Mutex::default(),
        }
    }

    pub(super) fn made(&self) -> Vec<Made> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Made>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the next call of this function gets; the last answer stays.
    fn next(&self, function: &str, given: &[Answer]) -> Result<Reply, CallError> {
        let before = self.lock();
        let count = before
            .iter()
            .filter(|made| made.function == function)
            .count();
        drop(before);
        match given.get(count).or_else(|| given.last()) {
            Some(Answer::Returns(value)) => Ok(Reply::Done(value.clone())),
            Some(Answer::Fails(failure)) => Err(call_error(function, failure)),
            None => Err(unanswered(function)),
        }
    }

    async fn answer(&self, invocation: Invocation) -> Result<Reply, CallError> {
        // No test asks a service what it offers: what a task gives is the request's body.
        if let Some(wish) = Wish::of(&invocation.input)
            && invocation.function == openapi::FUNCTION
        {
            return Ok(Reply::Done(json!(untold(&wish))));
        }
        let input = invocation.input.clone();
        let function = if invocation.function == http::FUNCTION {
            let task = invocation.step.rsplit('/').next().unwrap_or_default();
            format!("{HTTP}{task}")
        } else {
            invocation.function.clone()
        };
        let (answer, unexpected) = match self.answers.get(&function) {
            Some(Answers::Given(given)) => (self.next(&function, given), false),
            Some(Answers::Real) => (self.plugins.invoke(invocation).await, false),
            // A gateway that takes every message.
            None if function == notify::FUNCTION => (Ok(Reply::Done(Value::Null)), false),
            None => (Err(unanswered(&function)), true),
        };
        let told = match &answer {
            Ok(Reply::Done(value)) => Ok(value.clone()),
            Ok(Reply::Pending(_)) => Ok(json!(LATER)),
            Err(error) => Err(error.code.clone()),
        };
        self.lock().push(Made {
            function,
            input,
            answer: told,
            unexpected,
        });
        answer
    }
}

impl Invoke for Partner {
    fn effect(&self, function: &str, digest: &str) -> Option<EffectKind> {
        match digest {
            NOT_BUILT => Some(EffectKind::Keyed),
            digest => self.plugins.effect(function, digest),
        }
    }

    /// Functions that are built keep their schemas, so that a test cannot answer what the plugin
    /// never would.
    fn describe(&self, surroundings: &mut Surroundings) -> Vec<(String, String)> {
        let mut digests = self.plugins.describe(surroundings);
        surroundings.functions_known = !digests.is_empty();
        stand_in(&self.answers, surroundings, &mut digests);
        digests
    }

    fn bind(&self, _pack: &Pack) {}

    fn discloses(&self, function: &str, digest: &str) -> Vec<String> {
        match digest {
            NOT_BUILT => Vec::new(),
            digest => self.plugins.discloses(function, digest),
        }
    }

    fn resumes(&self, function: &str, digest: &str) -> bool {
        digest != NOT_BUILT && self.plugins.resumes(function, digest)
    }

    fn invoke(&self, invocation: Invocation) -> Boxed<'_, Result<Reply, CallError>> {
        Box::pin(self.answer(invocation))
    }

    /// Only the built plugin ever answers later.
    fn resume(&self, resumption: Resumption) -> Boxed<'_, Result<Reply, CallError>> {
        self.plugins.resume(resumption)
    }
}

/// The functions that tests answer of plugins that are not built, as functions that take and give
/// anything.
pub(super) fn stand_in(
    answers: &BTreeMap<String, Answers>,
    surroundings: &mut Surroundings,
    digests: &mut Vec<(String, String)>,
) {
    for function in answers.keys().filter(|name| !name.starts_with(HTTP)) {
        let Some((plugin, _)) = function.split_once('.') else {
            continue;
        };
        match digests.iter().find(|(known, _)| known == plugin) {
            Some((_, digest)) if digest != NOT_BUILT => continue,
            Some(_) => {}
            None => digests.push((plugin.to_owned(), NOT_BUILT.to_owned())),
        }
        if let Some(signature) = anything(function) {
            surroundings.functions.insert(function.clone(), signature);
        }
    }
}

/// Stands for an operation whose description a test has no need of.
fn untold(wish: &Wish) -> Operation {
    Operation {
        method: Method::Get,
        server: wish.document.uri.clone(),
        path: format!("/{}", wish.operation_id),
        parameters: Vec::new(),
        body: Some(Body {
            required: false,
            kind: "application/json".to_owned(),
            name: None,
            members: wish.parameters.keys().cloned().collect(),
        }),
        accept: None,
        digest: String::new(),
    }
}

fn anything(function: &str) -> Option<Signature> {
    let schema = Schema::new(json!({})).ok()?;
    Some(Signature {
        title: function.to_owned(),
        input: schema.clone(),
        output: schema,
        errors: Vec::new(),
        pays: None,
        discloses: Vec::new(),
    })
}

fn call_error(function: &str, failure: &Failure) -> CallError {
    let plugin = function.split('.').next().unwrap_or_default();
    let (kind, status) = match failure.kind {
        FailureKind::Business => (ErrorKind::Business, 422),
        FailureKind::Permanent => (ErrorKind::Permanent, 500),
        FailureKind::Retryable => (ErrorKind::Retryable, 503),
        FailureKind::InDoubt => (ErrorKind::InDoubt, 409),
    };
    let code =
        if failure.code.contains('.') || function.starts_with(HTTP) || function == notify::FUNCTION
        {
            failure.code.clone()
        } else {
            format!("{plugin}.{}", failure.code)
        };
    CallError {
        kind,
        message: failure.message.clone().unwrap_or_else(|| code.clone()),
        code,
        status: failure.status.unwrap_or(status),
        details: None,
        retry_after_ms: None,
    }
}

fn unanswered(function: &str) -> CallError {
    CallError {
        kind: ErrorKind::Permanent,
        code: "plugin.not-answered".to_owned(),
        status: 501,
        message: format!("the test does not say what {function} answers"),
        details: None,
        retry_after_ms: None,
    }
}
