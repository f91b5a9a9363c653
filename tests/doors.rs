//! Everybody who may not approve tries to, through every door: the API, the console, the command
//! line; in a workflow alone, in a branch beside another, in a workflow within another, after a
//! move to another version; paid by a fund or by a plugin. A model says beforehand what each of
//! them is told.
//!
//! Which rule says no is tested beside the rules; here is that no way leads around them.

#![allow(
    clippy::unwrap_used,
    reason = "a panic is how a test reports what went wrong"
)]

#[path = "front_door/client.rs"]
mod client;
#[path = "front_door/seed.rs"]
mod seed;
#[path = "front_door/served.rs"]
mod served;
#[path = "requests/server.rs"]
mod server;

mod doors {
    pub(crate) mod door;
    pub(crate) mod model;
    pub(crate) mod office;
}

use doors::door::Door;
use doors::model::{PEOPLE, Request, Shape};
use doors::office::Office;
use seed::Seed;

/// What is tried in one run of the test.
const TRIES: u64 = 90;

/// One of each shape that is within what a team leader may, and one that is above.
fn requests() -> Vec<(Shape, i64)> {
    let shapes = Shape::ALL.into_iter();
    let both = shapes.flat_map(|shape| [(shape, 50_000), (shape, 50_001)]);
    both.chain([(Shape::Alone, 200_001)]).collect()
}

#[test]
fn no_door_leads_around_an_approval() {
    let mut seed = Seed::new();
    eprintln!("CASEWRIGHT_SEED={}", seed.number());
    let office = Office::open();
    let mut open: Vec<Request> = Vec::new();
    for (shape, minor) in requests() {
        let starter = ["kim", "sam", "alex"][pick(&mut seed, 3)];
        open.push(office.ask(shape, minor, starter));
    }
    for tried in 0..TRIES {
        if tried == TRIES / 3 {
            office.deploy_longer();
        }
        let index = pick(&mut seed, open.len());
        let request = &mut open[index];
        if tried > TRIES / 3 && request.shape == Shape::Alone && seed.next(4) == 0 {
            office.move_to_the_version_in_force(request);
            continue;
        }
        try_one(&office, request, &mut seed);
        office.agrees(&open);
    }
    // Whatever is still open is decided by who may, so that each shape is paid at least once.
    for request in &mut open {
        office.finish(request);
    }
    office.agrees(&open);
    office.paid_by_the_partner_at_the_end(&open);
}

/// Somebody tries something. What is refused is refused at every door and with the same code, and
/// changes nothing; what is allowed is done at one of them.
fn try_one(office: &Office, request: &mut Request, seed: &mut Seed) {
    let who = PEOPLE[pick(seed, PEOPLE.len())];
    let acts = request.acts();
    let act = acts[pick(seed, acts.len())].clone();
    if let Err(code) = request.says(who, &act) {
        for door in Door::ALL {
            let told = office.act(door, who, request.item(&act), &act);
            let at = format!("{who} {act:?} at {door:?} in {request:?}");
            assert_eq!(told, Err(code.at(door)), "{at}");
        }
        return;
    }
    let door = Door::ALL[pick(seed, Door::ALL.len())];
    let told = office.act(door, who, request.item(&act), &act);
    assert_eq!(told, Ok(()), "{who} {act:?} at {door:?} in {request:?}");
    request.done(who, &act);
    office.look(request);
}

#[test]
fn nothing_pays_what_nobody_approved() {
    let office = Office::open();
    for workflow in ["bare", "bare-plugin", "twice", "more", "beside-twice"] {
        office.refused_to_pay(workflow);
    }
    assert_eq!(office.payments(), 0);
}

fn pick(seed: &mut Seed, count: usize) -> usize {
    usize::try_from(seed.next(count as u64)).unwrap()
}
