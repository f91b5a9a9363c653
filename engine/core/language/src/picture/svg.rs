//! The placed picture as an `<svg>` element: plain shapes with their colours as attributes, so
//! that it looks the same in a page with a strict policy, in a file and on paper.
//!
//! Every word in it is escaped: names of an agency's document are text here and nothing else.

use std::fmt::Write as _;

use super::place::{
    Area, Course, LINE, LINE_SMALL, Placed, SLANT, TITLE, arrow_lines, label_lines,
};
use super::{Mark, Marks, Picture, Shape, Step};

const INK: &str = "#0b0c0c";
const QUIET: &str = "#505a5f";
const RED: &str = "#aa2a16";

pub(super) fn write(
    picture: &Picture,
    placed: &Placed,
    id: &str,
    marks: &Marks,
    link: &dyn Fn(&Step) -> Option<String>,
) -> String {
    let mut out = Svg(String::new());
    let (width, height) = (placed.width, placed.height);
    let id = escaped(id);
    out.put(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"picture\" role=\"group\" \
         aria-labelledby=\"{id}-title\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"system-ui, sans-serif\" \
         font-size=\"15\"><title id=\"{id}-title\">{}</title>",
        escaped(&picture.title)
    ));
    out.put(format_args!("<defs>"));
    for (name, colour) in [("plain", INK), ("problem", RED)] {
        out.put(format_args!(
            "<marker id=\"{id}-{name}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" \
             markerWidth=\"9\" markerHeight=\"9\" orient=\"auto\">\
             <path d=\"M0 0L8 4L0 8z\" fill=\"{colour}\"/></marker>"
        ));
    }
    out.put(format_args!("</defs>"));
    for (frame, area) in picture.frames.iter().zip(&placed.frames) {
        out.frame(&frame.label, *area);
    }
    for (arrow, course) in picture.arrows.iter().zip(&placed.arrows) {
        out.arrow(arrow.problem, &id, course);
    }
    // Labels lie over all lines.
    for (arrow, course) in picture.arrows.iter().zip(&placed.arrows) {
        if let (Some(label), Some(middle)) = (&arrow.label, course.label) {
            out.label(label, middle, arrow.problem);
        }
    }
    for (index, (step, area)) in picture.steps.iter().zip(&placed.steps).enumerate() {
        let address = link(step);
        if let Some(address) = &address {
            out.put(format_args!("<a href=\"{}\">", escaped(address)));
        }
        out.step(step, *area, picture.mark(index, marks));
        if address.is_some() {
            out.put(format_args!("</a>"));
        }
    }
    out.put(format_args!("</svg>"));
    out.0
}

struct Svg(String);

impl Svg {
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        self.0
            .write_fmt(text)
            .expect("writing to text does not fail");
    }

    fn frame(&mut self, label: &str, area: Area) {
        let (left, top) = corner(area);
        self.put(format_args!(
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\" \
             fill=\"#f3f2f1\" stroke=\"#b1b4b6\"/><text x=\"{:.1}\" y=\"{:.1}\" font-size=\"13\" \
             fill=\"{QUIET}\">{}</text>",
            area.width,
            area.height,
            left + 10.0,
            top + TITLE - 7.0,
            escaped(label)
        ));
    }

    /// Through the middles between its points, so that corners are round.
    fn arrow(&mut self, problem: bool, id: &str, course: &Course) {
        let [(x, y), rest @ ..] = course.points.as_slice() else {
            return;
        };
        let mut path = format!("M{x:.1} {y:.1}");
        for pair in rest.windows(2) {
            let [(x, y), (next_x, next_y)] = pair else {
                continue;
            };
            let (mid_x, mid_y) = (f64::midpoint(*x, *next_x), f64::midpoint(*y, *next_y));
            write!(path, "Q{x:.1} {y:.1} {mid_x:.1} {mid_y:.1}")
                .expect("writing to text does not fail");
        }
        if let Some((x, y)) = rest.last() {
            write!(path, "L{x:.1} {y:.1}").expect("writing to text does not fail");
        }
        let (name, colour, dashes) = if problem {
            ("problem", RED, " stroke-dasharray=\"6 4\"")
        } else {
            ("plain", INK, "")
        };
        self.put(format_args!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"{dashes} \
             marker-end=\"url(#{id}-{name})\"/>"
        ));
    }

    fn label(&mut self, label: &str, (x, y): (f64, f64), problem: bool) {
        let colour = if problem { RED } else { INK };
        let lines = arrow_lines(label);
        let mut line_y = y - LINE_SMALL / 2.0 * (below(lines.len()) - 1.0) + 4.5;
        for line in &lines {
            self.put(format_args!(
                "<text x=\"{x:.1}\" y=\"{line_y:.1}\" text-anchor=\"middle\" font-size=\"13\" \
                 fill=\"{colour}\" stroke=\"#ffffff\" stroke-width=\"4\" paint-order=\"stroke\">{}\
                 </text>",
                escaped(line)
            ));
            line_y += LINE_SMALL;
        }
    }

    fn step(&mut self, step: &Step, area: Area, mark: Option<Mark>) {
        let (fill, stroke, width) = match mark {
            None => ("#ffffff", INK, "1.5"),
            Some(Mark::Done) => ("#dfeee6", "#005a30", "1.5"),
            Some(Mark::Here) => ("#fff7bf", INK, "4"),
            Some(Mark::Stopped) => ("#f8e0dc", RED, "4"),
            Some(Mark::Added) => ("#dfeee6", "#005a30", "4"),
            Some(Mark::Changed) => ("#fff7bf", INK, "3"),
            Some(Mark::Removed) => ("#f3f2f1", QUIET, "2"),
        };
        let dashes = match mark {
            Some(Mark::Removed) => " stroke-dasharray=\"7 5\"",
            Some(Mark::Done | Mark::Here | Mark::Stopped | Mark::Added | Mark::Changed) | None => {
                ""
            }
        };
        self.put(format_args!(
            "<g fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"{width}\"{dashes}>"
        ));
        self.form(step.shape, area);
        self.put(format_args!("</g>"));
        let mut small: Vec<&str> = step.detail.iter().map(String::as_str).collect();
        if step.conditional {
            small.push("only in some cases");
        }
        let words = label_lines(step);
        let lines = small.len() + usize::from(mark.is_some());
        let tall = below(words.len()) * LINE + below(lines) * LINE_SMALL;
        let mut y = area.y - tall / 2.0 + LINE - 5.0;
        for line in &words {
            self.words(area.x, y, "600", "15", INK, line);
            y += LINE;
        }
        for line in small {
            self.words(area.x, y - 2.0, "400", "13", QUIET, line);
            y += LINE_SMALL;
        }
        if let Some(mark) = mark {
            self.words(area.x, y - 2.0, "700", "13", INK, mark.word());
        }
    }

    fn words(&mut self, x: f64, y: f64, weight: &str, size: &str, colour: &str, words: &str) {
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" font-weight=\"{weight}\" \
             font-size=\"{size}\" fill=\"{colour}\">{}</text>",
            escaped(words)
        ));
    }

    fn form(&mut self, shape: Shape, area: Area) {
        let (left, top) = corner(area);
        let (right, bottom) = (left + area.width, top + area.height);
        match shape {
            Shape::Start | Shape::End => self.rect(area, area.height / 2.0),
            Shape::Person => self.rect(area, 2.0),
            Shape::System => self.rect(area, 12.0),
            Shape::Approval => {
                self.rect(area, 2.0);
                self.rect(
                    Area {
                        width: area.width - 8.0,
                        height: area.height - 8.0,
                        ..area
                    },
                    1.0,
                );
            }
            Shape::Question | Shape::Problem => self.put(format_args!(
                "<path d=\"M{:.1} {top:.1}L{:.1} {top:.1}L{right:.1} {:.1}L{:.1} {bottom:.1}\
                 L{:.1} {bottom:.1}L{left:.1} {:.1}z\"/>",
                left + SLANT,
                right - SLANT,
                area.y,
                right - SLANT,
                left + SLANT,
                area.y
            )),
            Shape::Pause => self.put(format_args!(
                "<path d=\"M{:.1} {top:.1}L{right:.1} {top:.1}L{:.1} {bottom:.1}\
                 L{left:.1} {bottom:.1}z\"/>",
                left + SLANT,
                right - SLANT
            )),
        }
    }

    fn rect(&mut self, area: Area, radius: f64) {
        let (left, top) = corner(area);
        self.put(format_args!(
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" \
             rx=\"{radius:.1}\"/>",
            area.width, area.height
        ));
    }
}

fn corner(area: Area) -> (f64, f64) {
    (area.x - area.width / 2.0, area.y - area.height / 2.0)
}

/// Lines of one step are few.
fn below(lines: usize) -> f64 {
    f64::from(u16::try_from(lines).unwrap_or(u16::MAX))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Not allowed in XML, and never meant to be seen.
            character if character.is_control() => out.push(' '),
            // It would make what follows read backwards.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}' => {
                out.push('\u{fffd}');
            }
            character => out.push(character),
        }
    }
    out
}
