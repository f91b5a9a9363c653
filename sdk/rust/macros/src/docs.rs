//! Doc comments as text: first paragraph and the rest.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

pub(crate) struct Docs {
    pub(crate) title: String,
    pub(crate) description: String,
}

pub(crate) fn read(attributes: &[Attribute]) -> Docs {
    let lines: Vec<_> = attributes.iter().filter_map(line).collect();
    let text = lines.join("\n");
    let (first, rest) = text.trim().split_once("\n\n").unwrap_or((text.trim(), ""));
    let title = first.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    Docs {
        title: title.trim_end_matches('.').to_owned(),
        description: rest.trim().to_owned(),
    }
}

fn line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attribute.meta else {
        return None;
    };
    let Expr::Lit(ExprLit {
        lit: Lit::Str(text),
        ..
    }) = &meta.value
    else {
        return None;
    };
    let text = text.value();
    meta.path.is_ident("doc").then(|| {
        text.strip_prefix(' ')
            .unwrap_or(&text)
            .trim_end()
            .to_owned()
    })
}
