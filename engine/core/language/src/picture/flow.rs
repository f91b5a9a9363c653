//! From tasks to steps and arrows: follows `then` as `machine` does, without running anything.

use super::{Arrow, Frame, Picture, Shape, Step};
use crate::words::humanize;
use crate::workflow::{
    Assign, Catch, Extension, For, Fork, Function, Human, Kind, Task, Then, Try,
};
use crate::{Template, Workflow};

/// An arrow whose end is not known yet.
struct Loose {
    from: usize,
    label: Option<String>,
    problem: bool,
}

/// A loose arrow and where the author sends it.
struct Way {
    loose: Loose,
    then: Then,
}

/// A task that is drawn: where arrows come in, and what goes out.
struct Drawn {
    entry: usize,
    ways: Vec<Way>,
}

/// A list of tasks that is drawn.
struct Body {
    entry: usize,
    /// Behind its last task.
    exits: Vec<Loose>,
    /// By `then: exit`.
    left: Vec<Loose>,
}

struct Draft {
    picture: Picture,
    /// Arrows to the end, which is drawn last.
    ends: Vec<Loose>,
}

pub(super) fn draw(workflow: &Workflow) -> Picture {
    let document = &workflow.document;
    let title = document.title.clone();
    let mut draft = Draft {
        picture: Picture {
            title: title.unwrap_or_else(|| humanize(&document.name)),
            steps: Vec::new(),
            arrows: Vec::new(),
            frames: Vec::new(),
        },
        ends: Vec::new(),
    };
    let start = draft.step(plain(Shape::Start, "Start"));
    let body = draft.list(&workflow.tasks, None);
    draft.arrow(going(start), body.entry);
    draft.ends.extend(body.exits.into_iter().chain(body.left));
    if !draft.ends.is_empty() {
        let end = draft.step(plain(Shape::End, "End"));
        for loose in std::mem::take(&mut draft.ends) {
            draft.arrow(loose, end);
        }
    }
    draft.picture
}

fn plain(shape: Shape, label: &str) -> Step {
    Step {
        reference: String::new(),
        label: label.to_owned(),
        detail: None,
        shape,
        frame: None,
        conditional: false,
    }
}

fn going(from: usize) -> Loose {
    Loose {
        from,
        label: None,
        problem: false,
    }
}

impl Draft {
    fn step(&mut self, step: Step) -> usize {
        self.picture.steps.push(step);
        self.picture.steps.len() - 1
    }

    /// Two arrows between the same steps become one with both labels.
    fn arrow(&mut self, loose: Loose, to: usize) {
        let Loose {
            from,
            label,
            problem,
        } = loose;
        let mut arrows = self.picture.arrows.iter_mut();
        let same =
            arrows.find(|known| (known.from, known.to, known.problem) == (from, to, problem));
        match (same, label) {
            (Some(known), Some(label)) => {
                known.label = Some(match known.label.take() {
                    Some(first) => format!("{first} or {label}"),
                    None => label,
                });
            }
            (Some(_), None) => {}
            (None, label) => self.picture.arrows.push(Arrow {
                from,
                to,
                label,
                problem,
            }),
        }
    }

    fn list(&mut self, tasks: &[Task], frame: Option<usize>) -> Body {
        let drawn: Vec<Drawn> = tasks.iter().map(|task| self.task(task, frame)).collect();
        let entries: Vec<usize> = drawn.iter().map(|drawn| drawn.entry).collect();
        let (mut exits, mut left) = (Vec::new(), Vec::new());
        for (index, drawn) in drawn.into_iter().enumerate() {
            for Way { loose, then } in drawn.ways {
                let to = match then {
                    Then::Continue => entries.get(index + 1).copied(),
                    Then::Task(index) => entries.get(index).copied(),
                    Then::Exit => {
                        left.push(loose);
                        continue;
                    }
                    Then::End => {
                        self.ends.push(loose);
                        continue;
                    }
                };
                match to {
                    Some(to) => self.arrow(loose, to),
                    None => exits.push(loose),
                }
            }
        }
        Body {
            entry: entries.first().copied().unwrap_or_default(),
            exits,
            left,
        }
    }

    fn task(&mut self, task: &Task, frame: Option<usize>) -> Drawn {
        let mut drawn = self.extended(task, &task.extensions, frame);
        // Where the task does not apply its own `then` is passed over.
        let goes_on = drawn.ways.iter().any(|way| way.then == Then::Continue);
        if task.condition.is_some() && !goes_on {
            drawn.ways.push(Way {
                loose: Loose {
                    label: Some("Otherwise".to_owned()),
                    ..going(drawn.entry)
                },
                then: Then::Continue,
            });
        }
        drawn
    }

    /// What extensions add before and after a task; the first of them is the outermost.
    fn extended(&mut self, task: &Task, extensions: &[Extension], frame: Option<usize>) -> Drawn {
        let Some((first, rest)) = extensions.split_first() else {
            return self.own(task, frame);
        };
        let before = self.added(&first.before, first, frame);
        let mut drawn = self.extended(task, rest, frame);
        // Nothing comes after a task that always fails.
        if !drawn.ways.is_empty()
            && let Some(after) = self.added(&first.after, first, frame)
        {
            drawn.ways = self.through(drawn.ways, after);
        }
        if let Some(before) = before {
            let (on, out) = if first.skips {
                (before.exits, before.left)
            } else {
                let on = before.exits.into_iter().chain(before.left);
                (on.collect(), Vec::new())
            };
            for loose in on {
                self.arrow(loose, drawn.entry);
            }
            let then = task.then;
            let out = out.into_iter().map(|loose| Way { loose, then });
            drawn.ways.extend(out);
            drawn.entry = before.entry;
        }
        drawn
    }

    /// One list of an extension; it may not apply.
    fn added(
        &mut self,
        tasks: &[Task],
        extension: &Extension,
        frame: Option<usize>,
    ) -> Option<Body> {
        if tasks.is_empty() {
            return None;
        }
        let body = self.list(tasks, frame);
        if extension.when.is_some()
            && let Some(step) = self.picture.steps.get_mut(body.entry)
        {
            step.conditional = true;
        }
        Some(body)
    }

    /// All ways lead through the list, and on to where each of them led; labels tell them apart
    /// behind it where they lead to different tasks.
    fn through(&mut self, ways: Vec<Way>, list: Body) -> Vec<Way> {
        let several = ways.windows(2).any(|pair| pair[0].then != pair[1].then);
        let exits: Vec<Loose> = list.exits.into_iter().chain(list.left).collect();
        let mut on = Vec::new();
        for Way { loose, then } in ways {
            on.extend(exits.iter().map(|exit| Way {
                loose: Loose {
                    from: exit.from,
                    label: loose.label.clone().filter(|_| several),
                    problem: exit.problem,
                },
                then,
            }));
            self.arrow(loose, list.entry);
        }
        on
    }

    /// The task without what extends it.
    fn own(&mut self, task: &Task, frame: Option<usize>) -> Drawn {
        match &task.kind {
            Kind::Do(tasks) => {
                let inner = self.frame(task, frame);
                let body = self.list(tasks, Some(inner));
                leaving(body, task.then)
            }
            Kind::Function(function) => self.function(task, function, frame),
            Kind::For(repeated) => self.rounds(task, repeated, frame),
            Kind::Fork(fork) => self.branches(task, fork, frame),
            Kind::Try(attempt) => self.attempt(task, attempt, frame),
            Kind::Switch(cases) => {
                let from = self.single(task, frame, Shape::Question, None);
                let mut ways: Vec<Way> = cases
                    .iter()
                    .map(|case| Way {
                        loose: Loose {
                            label: Some(humanize(&case.name)),
                            ..going(from)
                        },
                        then: case.then,
                    })
                    .collect();
                if cases.iter().all(|case| case.when.is_some()) {
                    let loose = Loose {
                        label: Some("None of these".to_owned()),
                        ..going(from)
                    };
                    ways.push(Way {
                        loose,
                        then: task.then,
                    });
                }
                Drawn { entry: from, ways }
            }
            Kind::Raise(_) => Drawn {
                entry: self.single(task, frame, Shape::Problem, None),
                ways: Vec::new(),
            },
            Kind::Human(human) => {
                let shape = if human.approval {
                    Shape::Approval
                } else {
                    Shape::Person
                };
                self.passing(task, frame, shape, assigned(human))
            }
            Kind::Call(call) => {
                self.passing(task, frame, Shape::System, Some(call.function.clone()))
            }
            Kind::Http(_) | Kind::OpenApi(_) => {
                let detail = "Asks another service".to_owned();
                self.passing(task, frame, Shape::System, Some(detail))
            }
            Kind::Run(child) => {
                let detail = humanize(&child.name);
                self.passing(task, frame, Shape::System, Some(detail))
            }
            Kind::Emit(_) => {
                let detail = "Tells others".to_owned();
                self.passing(task, frame, Shape::System, Some(detail))
            }
            Kind::Listen(listen) => {
                let detail = "Waits for news".to_owned();
                let mut drawn = self.passing(task, frame, Shape::Pause, Some(detail));
                if let Some(each) = listen.foreach.as_ref().filter(|it| !it.tasks.is_empty()) {
                    self.news(task, &each.tasks, &mut drawn, frame);
                }
                drawn
            }
            Kind::Set(_) => self.passing(task, frame, Shape::System, None),
            Kind::Wait(_) => self.passing(task, frame, Shape::Pause, None),
        }
    }

    /// The task that a function is, in the place of the call.
    fn function(&mut self, task: &Task, function: &Function, frame: Option<usize>) -> Drawn {
        let body = self.list(&function.tasks, frame);
        let drawn = leaving(body, task.then);
        if task.condition.is_some()
            && let Some(step) = self.picture.steps.get_mut(drawn.entry)
        {
            step.conditional = true;
        }
        drawn
    }

    /// Whatever comes to the end of the body also leads back to its beginning.
    fn rounds(&mut self, task: &Task, repeated: &For, frame: Option<usize>) -> Drawn {
        let inner = self.frame(task, frame);
        let body = self.list(&repeated.tasks, Some(inner));
        for exit in &body.exits {
            let back = Loose {
                from: exit.from,
                label: Some("For the next one".to_owned()),
                problem: exit.problem,
            };
            self.arrow(back, body.entry);
        }
        leaving(body, task.then)
    }

    /// What is done with each event leads back to where the next is waited for.
    fn news(&mut self, task: &Task, tasks: &[Task], drawn: &mut Drawn, frame: Option<usize>) {
        let inner = self.frame(task, frame);
        let body = self.list(tasks, Some(inner));
        let each = Loose {
            label: Some("For each".to_owned()),
            ..going(drawn.entry)
        };
        self.arrow(each, body.entry);
        for exit in body.exits {
            self.arrow(exit, drawn.entry);
        }
        let left = body.left.into_iter();
        let then = task.then;
        drawn.ways.extend(left.map(|loose| Way { loose, then }));
    }

    /// A step from which the branches go; whatever leaves a branch leads to what comes after.
    fn branches(&mut self, task: &Task, fork: &Fork, frame: Option<usize>) -> Drawn {
        let detail = if fork.compete {
            "Whichever is first"
        } else {
            "All of these"
        };
        let from = self.single(task, frame, Shape::Question, Some(detail.to_owned()));
        let inner = self.frame(task, frame);
        let mut ways = Vec::new();
        for branch in &fork.branches {
            let drawn = self.task(branch, Some(inner));
            self.arrow(going(from), drawn.entry);
            for Way { loose, then } in drawn.ways {
                match then {
                    Then::End => self.ends.push(loose),
                    Then::Continue | Then::Exit | Then::Task(_) => ways.push(Way {
                        loose,
                        then: task.then,
                    }),
                }
            }
        }
        Drawn { entry: from, ways }
    }

    fn frame(&mut self, task: &Task, outer: Option<usize>) -> usize {
        self.picture.frames.push(Frame {
            reference: task.reference.clone(),
            label: humanize(&task.name),
            outer,
        });
        self.picture.frames.len() - 1
    }

    fn single(
        &mut self,
        task: &Task,
        frame: Option<usize>,
        shape: Shape,
        detail: Option<String>,
    ) -> usize {
        self.step(Step {
            reference: task.reference.clone(),
            label: humanize(&task.name),
            detail,
            shape,
            frame,
            conditional: task.condition.is_some(),
        })
    }

    /// A step with one way in and one way out.
    fn passing(
        &mut self,
        task: &Task,
        frame: Option<usize>,
        shape: Shape,
        detail: Option<String>,
    ) -> Drawn {
        let entry = self.single(task, frame, shape, detail);
        let way = Way {
            loose: going(entry),
            then: task.then,
        };
        Drawn {
            entry,
            ways: vec![way],
        }
    }

    /// The problem is drawn from where the attempt begins: any of its steps may have it.
    fn attempt(&mut self, task: &Task, attempt: &Try, frame: Option<usize>) -> Drawn {
        let inner = self.frame(task, frame);
        let body = self.list(&attempt.tasks, Some(inner));
        let mut drawn = leaving(body, task.then);
        let then = attempt.catch.then.unwrap_or(task.then);
        let problem = Loose {
            from: drawn.entry,
            label: Some(caught(&attempt.catch)),
            problem: true,
        };
        match &attempt.catch.tasks {
            Some(tasks) => {
                let handler = self.list(tasks, Some(inner));
                self.arrow(problem, handler.entry);
                drawn.ways.extend(leaving(handler, then).ways);
            }
            None => drawn.ways.push(Way {
                loose: problem,
                then,
            }),
        }
        drawn
    }
}

fn leaving(body: Body, then: Then) -> Drawn {
    let ways = body.exits.into_iter().chain(body.left);
    Drawn {
        entry: body.entry,
        ways: ways.map(|loose| Way { loose, then }).collect(),
    }
}

/// The last part of the error's type says what went wrong.
fn caught(catch: &Catch) -> String {
    let kind = catch.with.kind.as_deref().unwrap_or_default();
    match kind.rsplit(['/', ':']).next() {
        Some(name) if !name.is_empty() => format!("If: {}", humanize(name)),
        _ => "If something goes wrong".to_owned(),
    }
}

fn assigned(human: &Human) -> Option<String> {
    let (Assign::Role(name) | Assign::Team(name) | Assign::Person(name)) = &human.assign;
    match name {
        Template::Literal(name) => name.as_str().map(humanize),
        Template::Expression(_) | Template::List(_) | Template::Map(_) => None,
    }
}
