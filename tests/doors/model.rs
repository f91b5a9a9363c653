//! What the rules say, written a second time and without anything of the engine: who may do what
//! with a request for money, and what everybody else is told.

use std::collections::BTreeSet;

use super::door::Door;

pub(crate) const PEOPLE: [&str; 5] = ["kim", "sam", "lee", "mo", "alex"];

/// Roles of each, as the configuration of the server gives them.
pub(crate) const STAFF: [(&str, &str); 5] = [
    ("kim", "\"case-worker\", \"team-leader\""),
    ("sam", "\"case-worker\", \"manager\""),
    ("lee", "\"team-leader\""),
    ("mo", "\"manager\""),
    // Who looks after the engine is exempt from nothing.
    ("alex", "\"administrator\", \"case-worker\", \"manager\""),
];

/// What workflow it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Alone,
    /// Two people have to approve.
    Two,
    /// The approval is in a branch; somebody works in another meanwhile.
    Beside,
    /// The approval is in a workflow that this one runs.
    Within,
    /// A plugin pays.
    Plugin,
}

impl Shape {
    pub(crate) const ALL: [Self; 5] = [
        Self::Alone,
        Self::Two,
        Self::Beside,
        Self::Within,
        Self::Plugin,
    ];

    pub(crate) fn workflow(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Two => "two",
            Self::Beside => "beside",
            Self::Within => "within",
            Self::Plugin => "plugin",
        }
    }

    fn approvals(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Alone | Self::Beside | Self::Within | Self::Plugin => 1,
        }
    }
}

/// Which piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Piece {
    Request,
    Decision,
    /// In the branch beside the decision.
    Note,
}

#[derive(Debug, Clone)]
pub(crate) enum Act {
    Claim(Piece),
    Release(Piece),
    Complete(Piece, &'static str),
}

impl Act {
    fn piece(&self) -> Piece {
        match self {
            Self::Claim(piece) | Self::Release(piece) | Self::Complete(piece, _) => *piece,
        }
    }
}

/// Why somebody is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(&'static str, u16);

impl Code {
    /// How a door tells it: the pages of the console show words in place of the code.
    pub(crate) fn at(self, door: Door) -> Told {
        match door {
            Door::Api | Door::CommandLine => Told::Code(self.0.to_owned()),
            Door::Console => Told::Status(self.1),
        }
    }
}

/// What a door told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Code(String),
    Status(u16),
}

/// A piece of work as the model has it.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) piece: Piece,
    pub(crate) id: String,
    holder: Option<&'static str>,
    approvals: Vec<&'static str>,
    over: bool,
}

/// One request for money.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) shape: Shape,
    pub(crate) minor: i64,
    pub(crate) instance: String,
    pub(crate) case: String,
    pub(crate) work: Vec<Work>,
    /// Who began it or worked on it.
    worked: BTreeSet<&'static str>,
    pub(crate) approved: bool,
    pub(crate) declined: bool,
    /// It was moved to the version in force.
    pub(crate) moved: bool,
}

impl Request {
    pub(crate) fn new(
        (shape, minor): (Shape, i64),
        starter: &'static str,
        (instance, case): (String, String),
    ) -> Self {
        Self {
            shape,
            minor,
            instance,
            case,
            work: Vec::new(),
            worked: BTreeSet::from([starter]),
            approved: false,
            declined: false,
            moved: false,
        }
    }

    /// The engine offers a piece of work that was not there before.
    pub(crate) fn offered(&mut self, piece: Piece, id: &str) {
        if self.work.iter().any(|work| work.id == id) {
            return;
        }
        self.work.push(Work {
            piece,
            id: id.to_owned(),
            holder: None,
            approvals: Vec::new(),
            over: false,
        });
    }

    /// What there is to try, also with what is over.
    pub(crate) fn acts(&self) -> Vec<Act> {
        let acts = |work: &Work| {
            let answers: &[&str] = match work.piece {
                Piece::Decision => &["approve", "approve", "approve", "decline"],
                Piece::Request | Piece::Note => &["done"],
            };
            let answers = answers.iter().map(|one| Act::Complete(work.piece, one));
            let hands = [
                Act::Claim(work.piece),
                Act::Claim(work.piece),
                Act::Release(work.piece),
            ];
            hands.into_iter().chain(answers).collect::<Vec<_>>()
        };
        self.work.iter().flat_map(acts).collect()
    }

    pub(crate) fn item(&self, act: &Act) -> &str {
        &self.of(act.piece()).id
    }

    /// What the rules say, in the order in which they are asked.
    pub(crate) fn says(&self, who: &str, act: &Act) -> Result<(), Code> {
        let work = self.of(act.piece());
        let role = match work.piece {
            Piece::Decision if self.worked.contains(who) => {
                return Err(Code("self-approval", 403));
            }
            Piece::Decision => "team-leader",
            Piece::Request | Piece::Note => "case-worker",
        };
        if !holds(who, role) {
            return Err(Code("not-assigned", 403));
        }
        let mine = work.holder == Some(who);
        if work.over {
            return Err(Code("already-decided", 409));
        }
        match (act, work.holder) {
            (Act::Claim(_), None) if work.approvals.contains(&who) => {
                Err(Code("already-decided", 409))
            }
            (Act::Claim(_), None) => Ok(()),
            (_, None) => Err(Code("not-claimed", 409)),
            (_, Some(_)) if !mine => Err(Code("already-claimed", 409)),
            (Act::Claim(_) | Act::Release(_), Some(_)) => Ok(()),
            (Act::Complete(_, outcome), Some(_)) => {
                if *outcome == "approve" && self.minor > limit(who) {
                    return Err(Code("over-limit", 403));
                }
                Ok(())
            }
        }
    }

    /// What was allowed has happened.
    pub(crate) fn done(&mut self, who: &'static str, act: &Act) {
        let wanted = self.shape.approvals();
        let piece = act.piece();
        let work = self
            .work
            .iter_mut()
            .find(|work| work.piece == piece)
            .unwrap();
        match act {
            Act::Claim(_) => work.holder = Some(who),
            Act::Release(_) => work.holder = None,
            Act::Complete(_, outcome) => {
                work.holder = None;
                match (*outcome, piece) {
                    ("approve", _) => {
                        work.approvals.push(who);
                        work.over = work.approvals.len() == wanted;
                        self.approved = work.over;
                    }
                    (_, Piece::Decision) => {
                        work.over = true;
                        self.declined = true;
                    }
                    (_, Piece::Request | Piece::Note) => {
                        work.over = true;
                        self.worked.insert(who);
                    }
                }
            }
        }
    }

    /// The first piece of work that is not over.
    pub(crate) fn open(&self) -> Option<Piece> {
        let work = self.work.iter().find(|work| !work.over)?;
        Some(work.piece)
    }

    fn of(&self, piece: Piece) -> &Work {
        self.work.iter().find(|work| work.piece == piece).unwrap()
    }
}

/// As the pack and the configuration say; a manager is a team leader too.
fn holds(who: &str, role: &str) -> bool {
    let (_, roles) = STAFF.iter().find(|(name, _)| *name == who).unwrap();
    let quoted = |role: &str| roles.contains(&format!("\"{role}\""));
    quoted(role) || role == "team-leader" && quoted("manager")
}

fn limit(who: &str) -> i64 {
    if holds(who, "manager") {
        200_000
    } else {
        50_000
    }
}
