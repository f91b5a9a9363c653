//! What `runtime` needs of the world, fitted to what there is: plugins, requests, evaluator, time,
//! randomness.

mod clock;
mod entropy;
mod evaluate;
pub(crate) mod gateway;
pub(crate) mod http;
pub(crate) mod plugins;

pub(crate) use clock::SystemClock;
pub(crate) use entropy::SystemEntropy;
pub(crate) use evaluate::EvaluatorProcess;
pub(crate) use plugins::Plugins;
