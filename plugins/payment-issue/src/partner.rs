//! The partner's side of the wire: `POST {path}/payments` and `GET {path}/payments?key=`.

use std::time::Duration;

use casewright_sdk::prelude::*;

use crate::{Payment, Receipt, Settings};

/// What a partner needs, when it does not say, to finish a payment that is on its way.
const IN_FLIGHT_PAUSE: Duration = Duration::from_secs(2);

/// The partner, asked about one intent.
pub(crate) struct Partner<'a> {
    service: http::Service,
    context: &'a Context,
}

impl<'a> Partner<'a> {
    pub(crate) fn new(settings: Settings, context: &'a Context) -> Result<Self, Error> {
        if context.idempotency_key.is_empty() {
            return Err(Error::permanent(
                "bug",
                "the engine gave no idempotency key",
            ));
        }
        let service = http::Service::new(&settings.endpoint, &settings.path)
            .credential(settings.credential)
            .timeout_ms(settings.timeout_ms);
        Ok(Self { service, context })
    }

    /// Asks for the payment; the partner makes it once per key.
    pub(crate) fn send(&self, payment: &Payment) -> Result<http::Response, http::Error> {
        self.service
            .post(&["payments"])
            .idempotency_key(self.context)
            .json(payment)
            .send()
    }

    /// What became of the key; `None` when the partner does not know it.
    pub(crate) fn find(&self) -> Result<Option<Receipt>, Error> {
        let request = self.service.get(&["payments"]);
        let response = request.query("key", &self.context.idempotency_key).send()?;
        match response.status() {
            404 => Ok(None),
            409 => Err(in_flight(&response)),
            _ => receipt(&response.success()?).map(Some),
        }
    }

    /// It is not clear whether the payment was made: the partner's own record decides. Without one
    /// the step is tried again, with the same key.
    pub(crate) fn settle(&self, unclear: Error) -> Result<Receipt, Error> {
        match self.find() {
            Ok(Some(receipt)) => Ok(receipt),
            Err(error) if error.code() == "bad-response" => Err(error),
            Ok(None) | Err(_) => {
                log::warn("the payment is unclear", &[("code", unclear.code())]);
                Err(unclear)
            }
        }
    }
}

/// The partner is still at it.
pub(crate) fn in_flight(response: &http::Response) -> Error {
    Error::retryable("in-flight", "the partner is still making this payment")
        .with_retry_after(response.retry_after().unwrap_or(IN_FLIGHT_PAUSE))
}

/// A receipt without its id proves nothing, and paying again would be worse: a person looks.
pub(crate) fn receipt(response: &http::Response) -> Result<Receipt, Error> {
    response.json()
}
