//! The register's side of the wire: `{path}/applications`.

use std::time::Duration;

use casewright_sdk::prelude::*;

use crate::{Application, Decided, Decision, NeedLevel, Settings};

/// The register, asked for one intent.
pub(crate) struct Register<'a> {
    service: http::Service,
    pause: Duration,
    expires_days: u32,
    context: &'a Context,
}

/// How far an application is.
pub(crate) enum Found {
    Decided(Decision),
    /// Under this number.
    Open(String),
}

/// An application as the register shows it. What else it says is its own affair.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    application_no: Line<64>,
    state: State,
    #[serde(default)]
    missing: Vec<Line<80>>,
    need_level: Option<NeedLevel>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Received,
    Assessed,
    MoreInfo,
    Registered,
    Declined,
}

impl<'a> Register<'a> {
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
        let pause = Duration::from_secs(settings.poll_seconds.into());
        Ok(Self {
            service,
            pause: pause.min(Duration::from_hours(24)),
            expires_days: settings.expires_days,
            context,
        })
    }

    /// How long to wait for a message before asking the first time.
    pub(crate) fn pause(&self) -> Duration {
        self.pause
    }

    pub(crate) fn expires_days(&self) -> u32 {
        self.expires_days
    }

    /// Applies; the register takes one application per key. Where to send the answer is no part of
    /// the application: the same one may be sent again from an engine at another address.
    pub(crate) fn send(&self, application: &Application) -> Result<Found, Error> {
        let mut request = self
            .service
            .post(&["applications"])
            .idempotency_key(self.context)
            .json(application);
        if let Some(url) = &self.context.callback_url {
            request = request.header("Callback-Url", url);
        }
        let response = request.send()?;
        match response.status() {
            409 => Err(
                Error::retryable("in-flight", "the register is still taking it in")
                    .with_retry_after(response.retry_after().unwrap_or(Duration::from_secs(2))),
            ),
            422 => Err(Error::business(
                "conflict",
                "the register knows this idempotency key with another application",
            )),
            _ => found(&response.success()?),
        }
    }

    /// What became of an application.
    pub(crate) fn find(&self, number: &str) -> Result<Found, Error> {
        let request = self.service.get(&["applications", plain(number)?]);
        let response = request.send()?;
        let shown: Shown = response.success()?.json()?;
        if *shown.application_no != *number {
            return Err(Error::bad_response(
                "the register answered with another application",
            ));
        }
        shown.found()
    }

    /// Nobody waits for it any more. One that is decided or unknown is left as it is.
    pub(crate) fn take_back(&self, number: &str) -> Result<(), Error> {
        let request = self.service.delete(&["applications", plain(number)?]);
        let response = request.send()?;
        match response.status() {
            404 | 409 => Ok(()),
            _ => response.success().map(drop),
        }
    }
}

/// The number came from outside and goes into an address.
fn plain(number: &str) -> Result<&str, Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if number.is_empty() || !number.chars().all(plain) {
        return Err(Error::bad_response(
            "the register's number is not letters, digits and hyphens",
        ));
    }
    Ok(number)
}

fn found(response: &http::Response) -> Result<Found, Error> {
    response.json::<Shown>()?.found()
}

impl Shown {
    fn found(self) -> Result<Found, Error> {
        let state = match self.state {
            State::Received | State::Assessed => {
                return Ok(Found::Open(self.application_no.to_string()));
            }
            State::MoreInfo if self.missing.is_empty() => {
                return Err(Error::bad_response(
                    "the register wants more and does not say what",
                ));
            }
            State::MoreInfo => Decided::MoreInfo,
            State::Registered => Decided::Registered,
            State::Declined => Decided::Declined,
        };
        Ok(Found::Decided(Decision {
            application_no: self.application_no,
            state,
            missing: self.missing,
            need_level: self.need_level,
        }))
    }
}
