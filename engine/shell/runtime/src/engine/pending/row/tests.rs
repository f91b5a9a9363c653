//! What is due, and when.

use serde_json::json;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn row(stage: Stage) -> PendingRow {
    PendingRow {
        instance: "i1".to_owned(),
        agency: "a".to_owned(),
        case: "c1".to_owned(),
        function: "housing-application.apply".to_owned(),
        key: "k".to_owned(),
        since: at(0),
        delivery: Delivery {
            reference: "/do/0/apply".to_owned(),
            run: 1,
            attempt: 1,
        },
        stage,
        turn: 0,
        arrived: 0,
        handled: 0,
        digests: Vec::new(),
        wake: None,
        because: None,
    }
}

fn parked(expires: Option<u64>, poll: Option<u64>) -> Parked {
    let pending = Pending {
        correlation: vec!["H-1".to_owned()],
        expires_unix_ms: expires,
        poll_after_ms: poll,
        state: json!({}),
    };
    Parked::new(&pending, at(100))
}

#[test]
fn the_nearer_of_poll_and_expiry_comes_first() {
    let row = row(Stage::Waiting(parked(Some(200_000), Some(60_000))));
    assert_eq!(row.next(at(100)), Some(at(160)));
    assert_eq!(row.due(at(159)), None);
    assert_eq!(row.due(at(160)), Some(Due::Poll));
    assert_eq!(row.due(at(200)), Some(Due::Expired));
}

#[test]
fn a_message_goes_before_everything_else() {
    let mut row = row(Stage::Waiting(parked(Some(90_000), None)));
    row.arrived = 2;
    row.handled = 1;
    assert_eq!(row.due(at(100)), Some(Due::Callback(1)));
    assert_eq!(row.next(at(100)), Some(at(100)));
}

#[test]
fn without_poll_and_expiry_only_a_message_wakes_it() {
    let waiting = row(Stage::Waiting(parked(None, None)));
    assert_eq!(
        (waiting.next(at(100)), waiting.due(at(1 << 33))),
        (None, None)
    );
    for stage in [Stage::Calling, Stage::GivenUp(None), Stage::Closed] {
        let mut row = row(stage);
        row.arrived = 1;
        assert_eq!((row.next(at(100)), row.due(at(100))), (None, None));
    }
}

#[test]
fn nobody_asks_more_often_than_once_a_second() {
    assert_eq!(parked(None, Some(0)).poll, Some(at(101)));
}

#[test]
fn failures_rest_longer_each_time_and_at_most_an_hour() {
    let mut parked = parked(None, Some(1_000));
    let mut pauses = Vec::new();
    for _ in 0..14 {
        parked = parked.again(at(0), None);
        pauses.push(parked.rest.unwrap().as_second());
    }
    assert_eq!(pauses[..4], [1, 2, 4, 8]);
    assert_eq!(pauses[13], 3_600);
    assert_eq!(parked.again(at(0), Some(u64::MAX)).rest, Some(at(3_600)));
    let row = row(Stage::Waiting(parked.again(at(100), Some(30_000))));
    assert_eq!(
        (row.due(at(129)), row.due(at(130))),
        (None, Some(Due::Poll))
    );
}

#[test]
fn the_last_message_dealt_with_stays_known() {
    let mut row = row(Stage::Calling);
    row.digests = ["a", "b", "c"].map(str::to_owned).to_vec();
    row.arrived = 3;
    row.take(0);
    assert!(row.knows("a") && row.knows("c"));
    row.take(1);
    assert!(!row.knows("a") && row.knows("b") && row.knows("c"));
    row.take(2);
    assert_eq!(row.digests, ["c"]);
}
