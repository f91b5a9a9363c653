//! A document of a case: a quote, a receipt, a letter. What it is called, what it is allowed to be,
//! and how it is told from what it pretends to be.
//!
//! It holds no content: that lies in parts beside it, and is written once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A photo of a telephone or a scan of some pages; a film is neither.
pub const BYTES_MAX: u64 = 10 << 20;

/// Documents of one case; more is an archive and no family's file.
pub const DOCUMENTS_MAX: usize = 1_000;

/// Bytes from the start that tell every format.
pub const START_BYTES: usize = 12;

const NAME_LENGTH_MAX: usize = 120;

/// A document as it is kept. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub id: String,
    pub case: String,
    pub kind: Kind,
    /// With the ending of its format.
    pub name: String,
    pub format: Format,
    pub bytes: u64,
    /// SHA-256 of the content.
    pub sha256: String,
    /// How many parts the content lies in.
    pub parts: u32,
    pub at: Timestamp,
    pub by: String,
}

/// What a document is to the case. The names are a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Quote,
    Receipt,
    Agreement,
    Letter,
    Other,
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::Quote,
        Self::Receipt,
        Self::Agreement,
        Self::Letter,
        Self::Other,
    ];

    /// As API and audit write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quote => "quote",
            Self::Receipt => "receipt",
            Self::Agreement => "agreement",
            Self::Letter => "letter",
            Self::Other => "other",
        }
    }
}

/// What people scan and photograph, and no program can hide in as easily as in an office document.
/// The names are a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    Pdf,
    Jpeg,
    Png,
    Webp,
    Heic,
}

impl Format {
    pub const ALL: [Self; 5] = [Self::Pdf, Self::Jpeg, Self::Png, Self::Webp, Self::Heic];

    /// What the content is, whatever its name or its sender says. `start` is at least
    /// [`START_BYTES`] long, or all there is.
    pub fn of(start: &[u8]) -> Option<Self> {
        let at = |place: usize, wanted: &[u8]| {
            let found = start.get(place..place + wanted.len());
            found == Some(wanted)
        };
        let brands: [&[u8]; 6] = [b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1"];
        if at(0, b"%PDF-") {
            Some(Self::Pdf)
        } else if at(0, b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if at(0, b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if at(0, b"RIFF") && at(8, b"WEBP") {
            Some(Self::Webp)
        } else if at(4, b"ftyp") && brands.iter().any(|brand| at(8, brand)) {
            Some(Self::Heic)
        } else {
            None
        }
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Heic => "image/heic",
        }
    }

    /// Endings of names, the usual one first.
    pub const fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &["pdf"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Png => &["png"],
            Self::Webp => &["webp"],
            Self::Heic => &["heic", "heif"],
        }
    }
}

/// The name as it is kept and given back: no folders, nothing invisible, and the ending that the
/// content has, so that nobody opens a program they take for a letter.
pub fn name(sent: &str, format: Format) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last.chars().filter(|one| !invisible(*one)).collect();
    let visible = visible.trim_matches(|one: char| one == '.' || one.is_whitespace());
    let lower = visible.to_lowercase();
    let stem = format.endings().iter().find_map(|ending| {
        let stem = lower.strip_suffix(ending)?.strip_suffix('.')?;
        // Small letters may be longer: only where nothing moved is the place the same.
        let same = lower.len() == visible.len() && visible.is_char_boundary(stem.len());
        same.then(|| &visible[..stem.len()])
    });
    let stem = stem.unwrap_or(visible).trim();
    let short: String = stem.chars().take(NAME_LENGTH_MAX).collect();
    let stem = if short.is_empty() { "document" } else { &short };
    format!("{stem}.{}", format.endings()[0])
}

/// Control characters, and those that turn the direction of a text or join it without being seen.
fn invisible(one: char) -> bool {
    one.is_control()
        || matches!(
            one,
            '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_says_what_it_is() {
        for (start, format) in [
            (&b"%PDF-1.7\n%\xe2\xe3"[..], Some(Format::Pdf)),
            (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01", Some(Format::Jpeg)),
            (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d", Some(Format::Png)),
            (b"RIFF\x10\x00\x00\x00WEBP", Some(Format::Webp)),
            (b"\x00\x00\x00\x18ftypheic", Some(Format::Heic)),
            (b"\x00\x00\x00\x18ftypmp42", None),
            (b"RIFF\x10\x00\x00\x00WAVE", None),
            (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00", None),
            (b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00", None),
            (b"<html><script>", None),
            (b" %PDF-1.7\n%\xe2", None),
            (b"%PDF", None),
            (b"", None),
        ] {
            assert_eq!(Format::of(start), format, "{start:?}");
        }
        let longest = b"\x00\x00\x00\x18ftypheic";
        assert_eq!(longest.len(), START_BYTES);
    }

    #[test]
    fn names_have_no_folders_nothing_hidden_and_the_right_ending() {
        for (sent, kept) in [
            ("Quote Ridgeview.pdf", "Quote Ridgeview.pdf"),
            ("Quote.PDF", "Quote.pdf"),
            ("C:\\Users\\mai\\quote.pdf", "quote.pdf"),
            ("../../etc/passwd", "passwd.pdf"),
            ("letter.pdf.exe", "letter.pdf.exe.pdf"),
            ("letter\u{202e}fdp.exe", "letterfdp.exe.pdf"),
            ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie: x=1.pdf"),
            ("  .pdf", "pdf.pdf"),
            ("", "document.pdf"),
            ("...", "document.pdf"),
            ("İ.pdf", "İ.pdf.pdf"),
            ("Bestätigung.pdf", "Bestätigung.pdf"),
        ] {
            assert_eq!(name(sent, Format::Pdf), kept, "{sent:?}");
        }
        assert_eq!(name("photo.JPEG", Format::Jpeg), "photo.jpg");
        let long = name(&"ä".repeat(500), Format::Png);
        assert_eq!(long.chars().count(), NAME_LENGTH_MAX + 4);
    }

    #[test]
    fn names_of_kinds_are_what_is_written() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for format in Format::ALL {
            assert!(!format.endings().is_empty(), "{}", format.media_type());
        }
    }
}
