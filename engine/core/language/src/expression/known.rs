//! The names of all functions that exist, so that a misspelt one is found without running jq.

use super::ExpressionProblem;

/// Whether a function of this name takes so many arguments.
pub(super) fn function(name: &str, argument_count: usize) -> bool {
    counts(name).is_some_and(|counts| counts.contains(&argument_count))
}

/// What to say of a call that fits nothing.
pub(super) fn problem(name: &str, argument_count: usize, offset: usize) -> ExpressionProblem {
    if let Some(counts) = counts(name) {
        let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
        return ExpressionProblem::new(
            offset,
            format!(
                "`{name}` takes {} arguments, found {argument_count}",
                counts.join(" or ")
            ),
        );
    }
    let problem = ExpressionProblem::new(offset, format!("there is no function `{name}`"));
    let nearest = names()
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .min()
        .filter(|(distance, _)| *distance <= 2 && *distance < name.len());
    match nearest {
        Some((_, known)) => problem.help(format!("did you mean `{known}`?")),
        None => problem.help(format!(
            "write `.{name}` for a field and `\"{name}\"` for a text"
        )),
    }
}

fn counts(name: &str) -> Option<&'static [usize]> {
    FUNCTIONS
        .iter()
        .find(|(_, names)| names.split_whitespace().any(|known| known == name))
        .map(|(counts, _)| *counts)
}

fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS
        .iter()
        .flat_map(|(_, names)| names.split_whitespace())
}

/// By the numbers of arguments they take.
const FUNCTIONS: [(&[usize], &str); 9] = [
    (
        &[0],
        "abs acos acosh arrays ascii_downcase ascii_upcase asin asinh atan atanh booleans cbrt \
         ceil cos cosh decode_base64 decode_uri empty encode_base64 encode_uri erf erfc \
         escape_html escape_sh exp exp10 exp2 explode expm1 fabs false finites floor frexp \
         from_entries fromdate fromdateiso8601 fromjson gamma gmtime ilogb implode infinite \
         isarray isboolean isfinite isinfinite isnan isnormal isnumber isobject isstring \
         iterables j0 j1 key_values keys keys_unsorted length lgamma log log10 log1p log2 logb \
         ltrim max min mktime modf money nan nearbyint normals not null nulls numbers objects \
         pow10 reverse rint round rtrim scalars significand sin sinh sort sqrt strings tan tanh \
         tgamma to_entries toboolean tobytes todate todateiso8601 tojson tonumber tostring \
         transpose trim true trunc type unescape_html unique utf8bytelength values y0 y1",
    ),
    (
        &[1],
        "bsearch contains del delpaths endswith getpath group_by has in index indices inside \
         isempty join ltrimstr map map_values max_by min_by path path_value pick repeat rindex \
         rtrimstr select sort_by startswith strftime strptime unique_by walk with_entries",
    ),
    (
        &[2],
        "atan2 copysign drem fdim fmax fmin fmod hypot jn ldexp limit nextafter nexttoward pow \
         remainder scalb scalbln scalbn setpath skip totype until while yn",
    ),
    (&[3], "fma"),
    (&[0, 1], "add combinations error first flatten last paths"),
    (&[1, 2], "capture match nth scan split splits test"),
    (&[0, 1, 2], "all any recurse"),
    (&[1, 2, 3], "range"),
    (&[2, 3], "gsub sub"),
];
