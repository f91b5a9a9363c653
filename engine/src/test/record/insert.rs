//! New steps in the text of a file of tests: behind the step they belong to, before the comments
//! and blank lines that follow it. No line of the text is changed.

/// Steps to be added behind the step that begins in this line (from 1).
pub(crate) type Addition = (usize, Vec<Vec<String>>);

/// The text with the additions, or the line of a step behind which nothing can be added.
pub(crate) fn insert(text: &str, additions: &[Addition]) -> Result<String, usize> {
    let lines: Vec<&str> = text.lines().collect();
    let mut places: Vec<(usize, String)> = Vec::new();
    for (line, steps) in additions {
        let (at, indent) = end_of_step(&lines, line - 1).ok_or(*line)?;
        let margin = " ".repeat(indent);
        for step in steps.iter().flatten() {
            places.push((at, format!("{margin}{step}")));
        }
    }
    let mut out: Vec<&str> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        out.push(line);
        let here = places.iter().filter(|(at, _)| *at == index + 1);
        out.extend(here.map(|(_, added)| added.as_str()));
    }
    let mut out = out.join("\n");
    out.push('\n');
    Ok(out)
}

/// How many lines stand up to the end of the step, and how far its dash is indented. `None` for a
/// step that does not have its lines for itself.
fn end_of_step(lines: &[&str], first: usize) -> Option<(usize, usize)> {
    let line = lines.get(first)?;
    let indent = line.len() - line.trim_start_matches(' ').len();
    if !line[indent..].starts_with("- ") {
        return None;
    }
    let mut end = first + 1;
    for (index, line) in lines.iter().enumerate().skip(first + 1) {
        let words = line.trim_start();
        if words.is_empty() || words.starts_with('#') {
            continue;
        }
        if line.len() - words.len() <= indent {
            break;
        }
        end = index + 1;
    }
    Some((end, indent))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
tests:
  - test: it
    steps:
      - { start: ask, as: casey }   # first
      # about the next
      - complete: request
        as: casey    # by hand

      # the end
  - test: other
";

    fn added(line: usize) -> Vec<Addition> {
        vec![(line, vec![vec!["- { noTask: ask }".to_owned()]])]
    }

    #[test]
    fn steps_come_before_the_comments_that_follow() {
        let one = insert(TEXT, &added(4)).unwrap();
        let expected = TEXT.replace("# first\n", "# first\n      - { noTask: ask }\n");
        assert_eq!(one, expected);
        let last = insert(TEXT, &added(6)).unwrap();
        let expected = TEXT.replace("by hand\n", "by hand\n      - { noTask: ask }\n");
        assert_eq!(last, expected);
    }

    #[test]
    fn a_step_that_shares_its_line_is_told() {
        let text = "tests: [ { test: it, steps: [ { start: ask, as: casey } ] } ]\n";
        assert_eq!(insert(text, &added(1)), Err(1));
    }
}
