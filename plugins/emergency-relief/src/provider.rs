//! The provider's side of the wire: `POST {path}/vouchers` and `GET {path}/vouchers/{key}`.

use std::time::Duration;

use casewright_sdk::prelude::*;

use crate::{Settings, Voucher, Wanted};

/// What a provider needs, when it does not say, to finish a voucher that is on its way.
const IN_FLIGHT_PAUSE: Duration = Duration::from_secs(2);

/// The provider, asked about one intent.
pub(crate) struct Provider<'a> {
    service: http::Service,
    context: &'a Context,
}

impl<'a> Provider<'a> {
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

    /// Asks for the voucher; the provider issues it once per key.
    pub(crate) fn send(&self, wanted: &Wanted) -> Result<http::Response, http::Error> {
        self.service
            .post(&["vouchers"])
            .idempotency_key(self.context)
            .json(wanted)
            .send()
    }

    /// What became of the key; `None` when the provider does not know it.
    pub(crate) fn find(&self) -> Result<Option<Voucher>, Error> {
        let request = self
            .service
            .get(&["vouchers", &self.context.idempotency_key]);
        let response = request.send()?;
        match response.status() {
            404 => Ok(None),
            409 => Err(in_flight(&response)),
            _ => response.success()?.json().map(Some),
        }
    }

    /// It is not clear whether the voucher was issued: the provider's own record decides. Without
    /// one the step is tried again, with the same key.
    pub(crate) fn settle(&self, unclear: Error) -> Result<Voucher, Error> {
        match self.find() {
            Ok(Some(voucher)) => Ok(voucher),
            Err(error) if error.code() == "bad-response" => Err(error),
            Ok(None) | Err(_) => {
                log::warn("the voucher is unclear", &[("code", unclear.code())]);
                Err(unclear)
            }
        }
    }
}

/// The provider is still at it.
pub(crate) fn in_flight(response: &http::Response) -> Error {
    Error::retryable("in-flight", "the provider is still issuing this voucher")
        .with_retry_after(response.retry_after().unwrap_or(IN_FLIGHT_PAUSE))
}
