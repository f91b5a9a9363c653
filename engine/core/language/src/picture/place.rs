//! Where everything lies: sizes from the words, positions from the layout of dagre.
//!
//! The same picture is always placed the same way, so that a drawing does not jump while its case
//! goes on; marks only make room for one more line.

use dagre::graph::{Graph, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel};

use super::{Arrow, Marks, Picture, Shape, Step};

/// Widths of a letter and heights of a line in the two sizes of text, in pixels; generous, since
/// nothing here knows the font.
const LETTER: f64 = 8.6;
const LETTER_SMALL: f64 = 7.2;
pub(super) const LINE: f64 = 20.0;
pub(super) const LINE_SMALL: f64 = 17.0;
const PADDING: f64 = 14.0;
/// Room at the sides of the forms whose sides slant.
pub(super) const SLANT: f64 = 16.0;
const WIDTH_MIN: f64 = 96.0;
/// Letters of a line before it is broken.
const LABEL_LETTERS: usize = 24;
const ARROW_LETTERS: usize = 20;
const MARGIN: f64 = 12.0;
/// Above the steps of a frame, for its title.
pub(super) const TITLE: f64 = 24.0;

pub(super) struct Placed {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) steps: Vec<Area>,
    pub(super) frames: Vec<Area>,
    pub(super) arrows: Vec<Course>,
}

/// A rectangle by its middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

pub(super) struct Course {
    pub(super) points: Vec<(f64, f64)>,
    /// Middle of the label.
    pub(super) label: Option<(f64, f64)>,
}

pub(super) fn place(picture: &Picture, marks: &Marks) -> Placed {
    let mut graph = Graph::with_options(GraphOptions {
        directed: true,
        multigraph: true,
        compound: true,
    });
    for (index, step) in picture.steps.iter().enumerate() {
        let (width, height) = size(step, picture.mark(index, marks).is_some());
        let label = NodeLabel {
            width,
            height,
            ..NodeLabel::default()
        };
        graph.set_node(step_id(index), Some(label));
    }
    for (index, frame) in picture.frames.iter().enumerate() {
        graph.set_node(frame_id(index), Some(NodeLabel::default()));
        if let Some(outer) = frame.outer {
            graph.set_parent(&frame_id(index), Some(&frame_id(outer)));
        }
    }
    for (index, step) in picture.steps.iter().enumerate() {
        if let Some(frame) = step.frame {
            graph.set_parent(&step_id(index), Some(&frame_id(frame)));
        }
    }
    for (index, arrow) in picture.arrows.iter().enumerate() {
        let name = index.to_string();
        let (from, to) = (step_id(arrow.from), step_id(arrow.to));
        graph.set_edge(from, to, Some(edge(arrow)), Some(&name));
    }
    let options = LayoutOptions {
        nodesep: 36.0,
        ranksep: 44.0,
        edgesep: 18.0,
        ..LayoutOptions::default()
    };
    dagre::layout(&mut graph, Some(options));
    gather(picture, &graph)
}

fn step_id(index: usize) -> String {
    format!("s{index}")
}

fn frame_id(index: usize) -> String {
    format!("f{index}")
}

fn edge(arrow: &Arrow) -> EdgeLabel {
    let (width, height) = match &arrow.label {
        None => (0.0, 0.0),
        Some(label) => {
            let lines = lines(label, ARROW_LETTERS);
            (
                widest(&lines, LETTER_SMALL) + 10.0,
                count(lines.len()) * LINE_SMALL,
            )
        }
    };
    EdgeLabel {
        width,
        height,
        ..EdgeLabel::default()
    }
}

fn size(step: &Step, marked: bool) -> (f64, f64) {
    let words = label_lines(step);
    let detail = step.detail.as_deref().unwrap_or_default();
    let inner = widest(&words, LETTER).max(count(detail.chars().count()) * LETTER_SMALL);
    let slant = match step.shape {
        Shape::Question | Shape::Problem | Shape::Pause => 2.0 * SLANT,
        Shape::Start | Shape::End | Shape::Person | Shape::Approval | Shape::System => 0.0,
    };
    let small = u32::from(step.detail.is_some()) + u32::from(step.conditional) + u32::from(marked);
    let height = count(words.len()) * LINE + f64::from(small) * LINE_SMALL + PADDING;
    let least = match step.shape {
        Shape::Start | Shape::End => 0.0,
        Shape::Person
        | Shape::Approval
        | Shape::Question
        | Shape::System
        | Shape::Pause
        | Shape::Problem => WIDTH_MIN,
    };
    ((inner + 2.0 * PADDING + slant).max(least), height)
}

fn gather(picture: &Picture, graph: &Graph<NodeLabel, EdgeLabel>) -> Placed {
    let area = |id: String| {
        let node = graph.node(&id).cloned().unwrap_or_default();
        Area {
            x: node.x.unwrap_or_default(),
            y: node.y.unwrap_or_default(),
            width: node.width,
            height: node.height,
        }
    };
    let mut placed = Placed {
        width: 0.0,
        height: 0.0,
        steps: (0..picture.steps.len()).map(step_id).map(area).collect(),
        frames: (0..picture.frames.len())
            .map(frame_id)
            .map(area)
            .map(titled)
            .collect(),
        arrows: Vec::new(),
    };
    for (index, arrow) in picture.arrows.iter().enumerate() {
        let name = index.to_string();
        let edge = graph.edge(&step_id(arrow.from), &step_id(arrow.to), Some(&name));
        let edge = edge.cloned().unwrap_or_default();
        placed.arrows.push(Course {
            points: edge.points.iter().map(|point| (point.x, point.y)).collect(),
            label: edge.x.zip(edge.y).filter(|_| arrow.label.is_some()),
        });
    }
    placed.fit();
    placed
}

fn titled(area: Area) -> Area {
    Area {
        y: area.y - TITLE / 2.0,
        height: area.height + TITLE,
        ..area
    }
}

impl Placed {
    /// Moves everything so that it begins at the margin; a title may lie above what was laid out.
    fn fit(&mut self) {
        let areas = self.steps.iter().chain(&self.frames);
        let corners = areas.flat_map(|area| {
            let (half, tall) = (area.width / 2.0, area.height / 2.0);
            [
                (area.x - half, area.y - tall),
                (area.x + half, area.y + tall),
            ]
        });
        let points = self.arrows.iter().flat_map(|course| course.points.clone());
        let (mut left, mut top, mut right, mut bottom) = (0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64);
        for (x, y) in corners.chain(points) {
            (left, top) = (left.min(x), top.min(y));
            (right, bottom) = (right.max(x), bottom.max(y));
        }
        let (across, down) = (MARGIN - left, MARGIN - top);
        for area in self.steps.iter_mut().chain(&mut self.frames) {
            (area.x, area.y) = (area.x + across, area.y + down);
        }
        for course in &mut self.arrows {
            for (x, y) in course.points.iter_mut().chain(&mut course.label) {
                (*x, *y) = (*x + across, *y + down);
            }
        }
        self.width = right - left + 2.0 * MARGIN;
        self.height = bottom - top + 2.0 * MARGIN;
    }
}

pub(super) fn label_lines(step: &Step) -> Vec<String> {
    lines(&step.label, LABEL_LETTERS)
}

pub(super) fn arrow_lines(label: &str) -> Vec<String> {
    lines(label, ARROW_LETTERS)
}

/// Broken at spaces; a word that is longer stands on a line of its own, cut.
fn lines(text: &str, letters: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word: String = if word.chars().count() > letters {
            word.chars().take(letters - 1).chain(['…']).collect()
        } else {
            word.to_owned()
        };
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= letters => {
                line.push(' ');
                line.push_str(&word);
            }
            Some(_) | None => lines.push(word),
        }
    }
    lines
}

fn widest(lines: &[String], letter: f64) -> f64 {
    let widths = lines
        .iter()
        .map(|line| count(line.chars().count()) * letter);
    widths.fold(0.0, f64::max)
}

/// Words of a document are far fewer than a number of this type holds.
fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
