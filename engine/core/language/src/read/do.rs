//! `do`: a list of tasks as one task.

use super::Reader;
use super::tasks::{self, Body, Found};
use crate::workflow::Kind;

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    let owner = body.fields.owner.as_str();
    tasks::list(reader, body.entry, owner, body.scope, body.reference)
        .map(|tasks| Kind::Do(tasks).into())
}
