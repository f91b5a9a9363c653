//! `metadata.visibleTo` of a document: the roles that alone see its runs. Who sees them is decided
//! by whoever shows something; here the roles are looked for in the pack.

use super::Reader;
use crate::diagnostic::suggestion;
use crate::yaml::{Entry, Fields};

pub(super) fn check(reader: &mut Reader<'_>, fields: &Fields<'_>) {
    let metadata = fields.get("metadata").and_then(|it| it.value.as_map());
    let mut entries = metadata.unwrap_or_default().iter();
    let Some(entry) = entries.find(|entry| entry.key.text == "visibleTo") else {
        return;
    };
    let items = entry.value.as_list().filter(|items| !items.is_empty());
    let Some(items) = items.filter(|items| items.iter().all(|item| item.as_text().is_some()))
    else {
        // Seen by nobody, or by everybody: neither is what an author means.
        mistake(
            reader,
            entry,
            "`visibleTo` must be a list of roles".to_owned(),
            "write `visibleTo: [safety-officer]`; without it everybody who sees the case sees \
             its runs"
                .to_owned(),
        );
        return;
    };
    let Some(pack) = &reader.surroundings.pack else {
        return;
    };
    let roles = pack.roles.clone();
    for item in items {
        let role = item.as_text().unwrap_or_default();
        if roles.contains(role) {
            continue;
        }
        let none = "add it to `roles` in pack.yaml";
        let help = suggestion(role, roles.iter().map(String::as_str), none);
        reader
            .findings
            .error(
                "CW0477",
                item.place,
                format!("the pack has no role `{role}`, so nobody would see these runs"),
            )
            .help(help);
    }
}

fn mistake(reader: &mut Reader<'_>, entry: &Entry, message: String, help: String) {
    reader
        .findings
        .error("CW0477", entry.place(), message)
        .help(help);
}
