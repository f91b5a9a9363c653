//! `casewright event`: something that happened outside, told to whoever waits for it.

use std::path::PathBuf;

use super::{Answer, Ask, Client, Failure, at, input};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Send a CloudEvents 1.0 event. One with the same source and id is the same event: sending it
    /// again does nothing more.
    Send {
        /// The event as JSON, such as `{"specversion": "1.0", "id": "a-1", "source": "urn:partner",
        /// "type": "org.partner.answered", "data": {}}`; `-` for standard input.
        file: PathBuf,
    },
}

impl Ask for Command {
    fn ask(&self, client: &Client) -> Result<Answer, Failure> {
        let Self::Send { file } = self;
        let event = input(file)?;
        let kind = "application/cloudevents+json";
        let taken = client.post_as(kind, "/api/v1/events", &event)?;
        let text = format!("{} is taken in", at(&taken, "/id"));
        Ok(Answer::new(taken, text))
    }
}
