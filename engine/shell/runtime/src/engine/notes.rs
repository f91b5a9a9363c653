//! Notes of a case: written once, corrected by another note.

use casewright_casework::audit::Action;
use casewright_casework::{Note, Principal, note};
use casewright_store::{Guard, Put, Table, Under};

use super::case_file::filed;
use super::shared::not_found;
use super::{Engine, Refused, RequestKey};
use crate::{id, key, record};

impl Engine {
    /// Notes of a case, oldest first. Audited like opening the case.
    pub async fn notes(&self, who: &Principal, case: &str) -> Result<Vec<Note>, Refused> {
        self.shared.seen_case(who, case)?;
        self.shared.note_read(who, case).await?;
        self.shared.rows_of(Table::Note, case, "a note")
    }

    /// Writes a note; `corrects` names an earlier one of the same case.
    pub async fn add_note(
        &self,
        who: &Principal,
        case: &str,
        text: &str,
        corrects: Option<String>,
        key: Option<RequestKey>,
    ) -> Result<Note, Refused> {
        let text = note::checked(text).map_err(Refused::Rule)?;
        let (author, route) = (who.clone(), format!("note {case}"));
        self.change_file(who, case, &route, key, move |shared, case, batch| {
            if let Some(corrected) = &corrects {
                let row = key::join(&[&case.id, corrected]);
                let found = shared.pending::<Note>(Table::Note, &row, "a note")?;
                found.ok_or_else(not_found)?;
            }
            let at = shared.now();
            let note = Note {
                id: id::timed('n', at, &*shared.parts.entropy),
                case: case.id.clone(),
                text: text.clone(),
                corrects: corrects.clone(),
                at,
                by: author.id.clone(),
            };
            let row = key::join(&[&case.id, &note.id]);
            batch.guards.push(Guard::Row {
                table: Table::Note,
                key: row.clone(),
                version: 0,
            });
            batch.puts.push(Put {
                table: Table::Note,
                key: row,
                value: Some(record::encode(&note)),
                under: Under::Case(case.id.clone()),
            });
            let entry = filed(shared, &author, case, Action::NoteAdded, &note.id, None);
            batch.audit.push(entry);
            Ok(note)
        })
        .await
    }
}
