//! The clock of the machine.

use casewright_runtime::port::{Boxed, Clock};
use jiff::Timestamp;

/// The longest single wait: a clock set back or forth is noticed after it.
const WAIT_MAX: std::time::Duration = std::time::Duration::from_secs(30);

pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = jiff::Timestamp::now();
        // Events are written with milliseconds; what is compared must be what is written.
        Timestamp::from_millisecond(now.as_millisecond()).expect("a shorter form of a valid time")
    }

    fn wait_until(&self, at: Timestamp) -> Boxed<'_, ()> {
        Box::pin(async move {
            loop {
                let left = self.now().duration_until(at);
                if !left.is_positive() {
                    return;
                }
                tokio::time::sleep(left.unsigned_abs().min(WAIT_MAX)).await;
            }
        })
    }
}
