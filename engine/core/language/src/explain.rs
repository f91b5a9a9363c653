//! A page for every code: meaning, example, remedy.
//!
//! The pages are files beside this one, so that they read well where they are kept.

/// Every code with its page, in order.
const PAGES: &[(&str, &str)] = &[
    ("CW0001", include_str!("explain/CW0001.md")),
    ("CW0002", include_str!("explain/CW0002.md")),
    ("CW0003", include_str!("explain/CW0003.md")),
    ("CW0004", include_str!("explain/CW0004.md")),
    ("CW0005", include_str!("explain/CW0005.md")),
    ("CW0006", include_str!("explain/CW0006.md")),
    ("CW0007", include_str!("explain/CW0007.md")),
    ("CW0008", include_str!("explain/CW0008.md")),
    ("CW0101", include_str!("explain/CW0101.md")),
    ("CW0102", include_str!("explain/CW0102.md")),
    ("CW0103", include_str!("explain/CW0103.md")),
    ("CW0104", include_str!("explain/CW0104.md")),
    ("CW0105", include_str!("explain/CW0105.md")),
    ("CW0106", include_str!("explain/CW0106.md")),
    ("CW0107", include_str!("explain/CW0107.md")),
    ("CW0108", include_str!("explain/CW0108.md")),
    ("CW0109", include_str!("explain/CW0109.md")),
    ("CW0110", include_str!("explain/CW0110.md")),
    ("CW0111", include_str!("explain/CW0111.md")),
    ("CW0112", include_str!("explain/CW0112.md")),
    ("CW0113", include_str!("explain/CW0113.md")),
    ("CW0114", include_str!("explain/CW0114.md")),
    ("CW0115", include_str!("explain/CW0115.md")),
    ("CW0116", include_str!("explain/CW0116.md")),
    ("CW0117", include_str!("explain/CW0117.md")),
    ("CW0201", include_str!("explain/CW0201.md")),
    ("CW0202", include_str!("explain/CW0202.md")),
    ("CW0203", include_str!("explain/CW0203.md")),
    ("CW0204", include_str!("explain/CW0204.md")),
    ("CW0205", include_str!("explain/CW0205.md")),
    ("CW0206", include_str!("explain/CW0206.md")),
    ("CW0207", include_str!("explain/CW0207.md")),
    ("CW0208", include_str!("explain/CW0208.md")),
    ("CW0209", include_str!("explain/CW0209.md")),
    ("CW0210", include_str!("explain/CW0210.md")),
    ("CW0211", include_str!("explain/CW0211.md")),
    ("CW0212", include_str!("explain/CW0212.md")),
    ("CW0213", include_str!("explain/CW0213.md")),
    ("CW0301", include_str!("explain/CW0301.md")),
    ("CW0302", include_str!("explain/CW0302.md")),
    ("CW0303", include_str!("explain/CW0303.md")),
    ("CW0304", include_str!("explain/CW0304.md")),
    ("CW0305", include_str!("explain/CW0305.md")),
    ("CW0306", include_str!("explain/CW0306.md")),
    ("CW0307", include_str!("explain/CW0307.md")),
    ("CW0308", include_str!("explain/CW0308.md")),
    ("CW0309", include_str!("explain/CW0309.md")),
    ("CW0310", include_str!("explain/CW0310.md")),
    ("CW0311", include_str!("explain/CW0311.md")),
    ("CW0401", include_str!("explain/CW0401.md")),
    ("CW0402", include_str!("explain/CW0402.md")),
    ("CW0403", include_str!("explain/CW0403.md")),
    ("CW0404", include_str!("explain/CW0404.md")),
    ("CW0405", include_str!("explain/CW0405.md")),
    ("CW0406", include_str!("explain/CW0406.md")),
    ("CW0407", include_str!("explain/CW0407.md")),
    ("CW0408", include_str!("explain/CW0408.md")),
    ("CW0409", include_str!("explain/CW0409.md")),
    ("CW0410", include_str!("explain/CW0410.md")),
    ("CW0411", include_str!("explain/CW0411.md")),
    ("CW0412", include_str!("explain/CW0412.md")),
    ("CW0413", include_str!("explain/CW0413.md")),
    ("CW0414", include_str!("explain/CW0414.md")),
    ("CW0415", include_str!("explain/CW0415.md")),
    ("CW0416", include_str!("explain/CW0416.md")),
    ("CW0417", include_str!("explain/CW0417.md")),
    ("CW0418", include_str!("explain/CW0418.md")),
    ("CW0419", include_str!("explain/CW0419.md")),
    ("CW0420", include_str!("explain/CW0420.md")),
    ("CW0421", include_str!("explain/CW0421.md")),
    ("CW0422", include_str!("explain/CW0422.md")),
    ("CW0423", include_str!("explain/CW0423.md")),
    ("CW0424", include_str!("explain/CW0424.md")),
    ("CW0425", include_str!("explain/CW0425.md")),
    ("CW0431", include_str!("explain/CW0431.md")),
    ("CW0432", include_str!("explain/CW0432.md")),
    ("CW0433", include_str!("explain/CW0433.md")),
    ("CW0434", include_str!("explain/CW0434.md")),
    ("CW0435", include_str!("explain/CW0435.md")),
    ("CW0440", include_str!("explain/CW0440.md")),
    ("CW0441", include_str!("explain/CW0441.md")),
    ("CW0442", include_str!("explain/CW0442.md")),
    ("CW0443", include_str!("explain/CW0443.md")),
    ("CW0445", include_str!("explain/CW0445.md")),
    ("CW0446", include_str!("explain/CW0446.md")),
    ("CW0460", include_str!("explain/CW0460.md")),
    ("CW0461", include_str!("explain/CW0461.md")),
    ("CW0470", include_str!("explain/CW0470.md")),
    ("CW0471", include_str!("explain/CW0471.md")),
    ("CW0472", include_str!("explain/CW0472.md")),
    ("CW0473", include_str!("explain/CW0473.md")),
    ("CW0474", include_str!("explain/CW0474.md")),
    ("CW0475", include_str!("explain/CW0475.md")),
    ("CW0476", include_str!("explain/CW0476.md")),
    ("CW0477", include_str!("explain/CW0477.md")),
    ("CW0480", include_str!("explain/CW0480.md")),
    ("CW0481", include_str!("explain/CW0481.md")),
    ("CW0482", include_str!("explain/CW0482.md")),
    ("CW0483", include_str!("explain/CW0483.md")),
    ("CW0484", include_str!("explain/CW0484.md")),
    ("CW0485", include_str!("explain/CW0485.md")),
    ("CW0486", include_str!("explain/CW0486.md")),
    ("CW0487", include_str!("explain/CW0487.md")),
    ("CW0488", include_str!("explain/CW0488.md")),
    ("CW0489", include_str!("explain/CW0489.md")),
    ("CW0490", include_str!("explain/CW0490.md")),
    ("CW0491", include_str!("explain/CW0491.md")),
    ("CW0492", include_str!("explain/CW0492.md")),
    ("CW0493", include_str!("explain/CW0493.md")),
    ("CW0494", include_str!("explain/CW0494.md")),
    ("CW0495", include_str!("explain/CW0495.md")),
    ("CW0496", include_str!("explain/CW0496.md")),
    ("CW0497", include_str!("explain/CW0497.md")),
    ("CW0498", include_str!("explain/CW0498.md")),
    ("CW0499", include_str!("explain/CW0499.md")),
    ("CW0501", include_str!("explain/CW0501.md")),
    ("CW0511", include_str!("explain/CW0511.md")),
    ("CW0512", include_str!("explain/CW0512.md")),
    ("CW0513", include_str!("explain/CW0513.md")),
    ("CW0514", include_str!("explain/CW0514.md")),
    ("CW0515", include_str!("explain/CW0515.md")),
    ("CW0516", include_str!("explain/CW0516.md")),
    ("CW0517", include_str!("explain/CW0517.md")),
    ("CW0518", include_str!("explain/CW0518.md")),
    ("CW0519", include_str!("explain/CW0519.md")),
    ("CW0520", include_str!("explain/CW0520.md")),
    ("CW0521", include_str!("explain/CW0521.md")),
    ("CW0522", include_str!("explain/CW0522.md")),
    ("CW0523", include_str!("explain/CW0523.md")),
    ("CW0524", include_str!("explain/CW0524.md")),
    ("CW0525", include_str!("explain/CW0525.md")),
    ("CW0526", include_str!("explain/CW0526.md")),
    ("CW0527", include_str!("explain/CW0527.md")),
    ("CW0528", include_str!("explain/CW0528.md")),
    ("CW0529", include_str!("explain/CW0529.md")),
    ("CW0530", include_str!("explain/CW0530.md")),
    ("CW0539", include_str!("explain/CW0539.md")),
    ("CW0540", include_str!("explain/CW0540.md")),
    ("CW0541", include_str!("explain/CW0541.md")),
    ("CW0542", include_str!("explain/CW0542.md")),
    ("CW0543", include_str!("explain/CW0543.md")),
    ("CW0544", include_str!("explain/CW0544.md")),
    ("CW0545", include_str!("explain/CW0545.md")),
    ("CW0546", include_str!("explain/CW0546.md")),
    ("CW0547", include_str!("explain/CW0547.md")),
    ("CW0548", include_str!("explain/CW0548.md")),
    ("CW0549", include_str!("explain/CW0549.md")),
    ("CW0550", include_str!("explain/CW0550.md")),
    ("CW0601", include_str!("explain/CW0601.md")),
    ("CW0602", include_str!("explain/CW0602.md")),
    ("CW0603", include_str!("explain/CW0603.md")),
    ("CW0604", include_str!("explain/CW0604.md")),
    ("CW0605", include_str!("explain/CW0605.md")),
    ("CW0606", include_str!("explain/CW0606.md")),
    ("CW0701", include_str!("explain/CW0701.md")),
    ("CW0702", include_str!("explain/CW0702.md")),
    ("CW0703", include_str!("explain/CW0703.md")),
    ("CW0704", include_str!("explain/CW0704.md")),
    ("CW0705", include_str!("explain/CW0705.md")),
    ("CW0801", include_str!("explain/CW0801.md")),
    ("CW0802", include_str!("explain/CW0802.md")),
    ("CW0803", include_str!("explain/CW0803.md")),
    ("CW0804", include_str!("explain/CW0804.md")),
    ("CW0805", include_str!("explain/CW0805.md")),
    ("CW0806", include_str!("explain/CW0806.md")),
    ("CW0807", include_str!("explain/CW0807.md")),
    ("CW0810", include_str!("explain/CW0810.md")),
    ("CW0906", include_str!("explain/CW0906.md")),
    ("CW0907", include_str!("explain/CW0907.md")),
    ("CW0908", include_str!("explain/CW0908.md")),
    ("CW0909", include_str!("explain/CW0909.md")),
    ("CW0910", include_str!("explain/CW0910.md")),
    ("CW0911", include_str!("explain/CW0911.md")),
    ("CW1001", include_str!("explain/CW1001.md")),
    ("CW1002", include_str!("explain/CW1002.md")),
    ("CW1003", include_str!("explain/CW1003.md")),
    ("CW1004", include_str!("explain/CW1004.md")),
    ("CW1005", include_str!("explain/CW1005.md")),
    ("CW1006", include_str!("explain/CW1006.md")),
    ("CW1101", include_str!("explain/CW1101.md")),
    ("CW1102", include_str!("explain/CW1102.md")),
    ("CW1103", include_str!("explain/CW1103.md")),
    ("CW1104", include_str!("explain/CW1104.md")),
    ("CW1105", include_str!("explain/CW1105.md")),
    ("CW1106", include_str!("explain/CW1106.md")),
    ("CW1107", include_str!("explain/CW1107.md")),
    ("CW1108", include_str!("explain/CW1108.md")),
    ("CW1109", include_str!("explain/CW1109.md")),
    ("CW1110", include_str!("explain/CW1110.md")),
    ("CW1111", include_str!("explain/CW1111.md")),
];

/// The page of a code: meaning, example, remedy. `None` for a code that does not exist.
pub fn explain(code: &str) -> Option<&'static str> {
    let code = code.trim().to_ascii_uppercase();
    let at = PAGES
        .binary_search_by(|(known, _)| (*known).cmp(code.as_str()))
        .ok()?;
    Some(PAGES[at].1)
}

/// Every code, in order.
pub fn codes() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(code, _)| *code)
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the test looks at the files of the crate"
)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_code_in_the_source_has_a_page_and_the_other_way_round() {
        let mut used = BTreeSet::new();
        gather(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut used,
        );
        let paged: BTreeSet<String> = codes().map(str::to_owned).collect();
        assert_eq!(used, paged);
    }

    #[test]
    fn pages_begin_with_their_code_and_are_found_in_any_case() {
        for code in codes() {
            assert!(
                explain(code).unwrap().starts_with(&format!("# {code}: ")),
                "{code}"
            );
        }
        assert_eq!(explain("cw0102"), explain("CW0102"));
        assert_eq!(explain("CW9999"), None);
    }

    /// Codes written as literals anywhere but here.
    fn gather(folder: &Path, used: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(&path, used);
            } else if path.extension().is_some_and(|kind| kind == "rs")
                && !path.ends_with("explain.rs")
                && !path.ends_with("tests.rs")
            {
                let text = fs::read_to_string(&path).unwrap();
                for (at, _) in text.match_indices("\"CW") {
                    let code: String = text[at + 1..].chars().take(6).collect();
                    if text[at + 7..].starts_with('"') {
                        used.insert(code);
                    }
                }
            }
        }
    }
}
