//! `wait`: a pause of plain time.

use super::scope::Moment;
use super::tasks::{Body, Found};
use super::{Reader, duration};
use crate::workflow::Kind;

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    duration::read(
        reader,
        body.entry,
        &body.fields.owner,
        (body.scope, Moment::Definition),
    )
    .map(|span| Kind::Wait(span).into())
}
