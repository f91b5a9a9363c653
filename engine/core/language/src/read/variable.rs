//! Names that a document gives to the variables of a construct: the error of a `catch`, the item
//! and the index of a `for`. What they hold is not known here.

use super::Reader;
use super::scope::Moment;
use crate::yaml::{Entry, Fields};

/// The name under a key such as `as` or `each`; a leading `$` is no part of it.
pub(super) fn name<'a>(
    reader: &mut Reader<'_>,
    fields: &Fields<'a>,
    entry: &'a Entry,
) -> Option<&'a str> {
    let name = fields.text(&mut reader.findings, entry)?;
    let name = name.strip_prefix('$').unwrap_or(name);
    let well = name.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '_')
        && name
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || sign == '_');
    if well && !Moment::Export.variables().contains(&name) {
        return Some(name);
    }
    let key = entry.key.text.as_str();
    let example = match key {
        "as" => "failure",
        "at" => "position",
        _ => "child",
    };
    reader
        .findings
        .error(
            "CW0116",
            entry.place(),
            format!("a variable cannot be named `{name}`"),
        )
        .help(format!(
            "use letters, digits and `_`, and no name of the engine: `{key}: {example}`"
        ));
    None
}
