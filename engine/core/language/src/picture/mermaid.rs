//! The picture as the text of a Mermaid flowchart.

use std::fmt::Write as _;

use super::{Mark, Marks, Picture, Shape, Step};

pub(super) fn write(picture: &Picture, marks: &Marks) -> String {
    let mut text = "flowchart TD\n".to_owned();
    group(picture, marks, None, 1, &mut text);
    for arrow in &picture.arrows {
        let line = if arrow.problem { "-.->" } else { "-->" };
        let label = arrow
            .label
            .as_deref()
            .map(|label| format!("|{}|", quoted(label)));
        let label = label.unwrap_or_default();
        line_of(
            &mut text,
            1,
            &format!("s{} {line}{label} s{}", arrow.from, arrow.to),
        );
    }
    text
}

fn group(picture: &Picture, marks: &Marks, frame: Option<usize>, depth: usize, text: &mut String) {
    for (index, step) in picture.steps.iter().enumerate() {
        if step.frame == frame {
            line_of(
                text,
                depth,
                &format!("s{index}{}", shaped(step, picture.mark(index, marks))),
            );
        }
    }
    for (index, inner) in picture.frames.iter().enumerate() {
        if inner.outer == frame {
            let head = format!("subgraph f{index}[{}]", quoted(&inner.label));
            line_of(text, depth, &head);
            group(picture, marks, Some(index), depth + 1, text);
            line_of(text, depth, "end");
        }
    }
}

fn line_of(text: &mut String, depth: usize, line: &str) {
    writeln!(text, "{:width$}{line}", "", width = depth * 2)
        .expect("writing to text does not fail");
}

fn shaped(step: &Step, mark: Option<Mark>) -> String {
    let mut words = step.label.clone();
    let small = step.detail.as_deref().into_iter();
    for line in small.chain(mark.map(Mark::word)) {
        words = format!("{words}<br>{line}");
    }
    let words = quoted(&words);
    match step.shape {
        Shape::Start | Shape::End => format!("([{words}])"),
        Shape::Person => format!("[{words}]"),
        Shape::Approval => format!("[[{words}]]"),
        Shape::Question => format!("{{{words}}}"),
        Shape::System => format!("({words})"),
        Shape::Pause => format!("[/{words}/]"),
        Shape::Problem => format!("{{{{{words}}}}}"),
    }
}

/// Quotation marks end a label; everything else is text within them.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "#quot;"))
}
