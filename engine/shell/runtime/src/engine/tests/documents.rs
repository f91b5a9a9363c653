//! Documents arrive whole or not at all, at every flush, and leave nothing behind.

use casewright_casework::document::{Document, Kind};
use casewright_store::{Moment, Store, Table};
use serde_json::json;
use tokio::sync::mpsc;

use super::world::{World, leader, within_reason, worker};
use crate::engine::{Arriving, Limits, NewDocument, Refused};
use crate::port::EffectKind;

/// Nine parts: the first eight go in a batch of their own.
const BYTES: usize = 530_000;

fn content() -> Vec<u8> {
    let mut content = b"%PDF-1.7\n".to_vec();
    content.extend((0..BYTES).map(|place| u8::try_from(place % 251).unwrap()));
    content
}

fn quote() -> NewDocument {
    NewDocument {
        kind: Kind::Quote,
        name: "Quote of Mai Nguyen.pdf".to_owned(),
    }
}

/// Sends in pieces that fit no part, and says the end or goes away before it.
async fn send(world: &World, case: &str, bytes: &[u8], whole: bool) -> Result<Document, Refused> {
    let (sender, receiver) = mpsc::channel(1);
    let feed = async {
        for piece in bytes.chunks(7_001) {
            if sender.send(Arriving::Bytes(piece.to_vec())).await.is_err() {
                break;
            }
        }
        if whole {
            sender.send(Arriving::End).await.ok();
        }
        drop(sender);
    };
    let who = worker();
    let key = Some("d-1".to_owned());
    let added = world
        .engine
        .add_document(&who, case, quote(), receiver, key);
    tokio::join!(feed, added).1
}

async fn given_out(world: &World, document: &Document) -> Vec<u8> {
    let (who, case) = (worker(), &document.case);
    let opened = world.engine.open_document(&who, case, &document.id);
    let mut opened = opened.await.unwrap();
    let mut bytes = Vec::new();
    while let Some(part) = opened.part() {
        bytes.extend(part.unwrap());
    }
    bytes
}

/// Rows that documents have, marks included.
fn rows(world: &World) -> (usize, usize) {
    let count = |table| {
        let rows = world.store.scan(table, &[], &[0xff; 64], usize::MAX);
        rows.unwrap().len()
    };
    (count(Table::Document), count(Table::DocumentPart))
}

#[tokio::test]
async fn what_was_sent_is_given_out_and_on_record() {
    let world = World::new().await;
    let case = world.start("brokerage", json!({})).await.case;
    let document = send(&world, &case, &content(), true).await.unwrap();
    assert_eq!(document.bytes, content().len() as u64);
    assert_eq!(rows(&world), (1, 9), "eight whole parts and the rest");
    // The same again is the same document, also after it arrived once more.
    let again = send(&world, &case, &content(), true).await.unwrap();
    assert_eq!(again, document);
    assert_eq!(rows(&world), (1, 9));
    let other = send(&world, &case, b"%PDF-1.7 another", true).await;
    assert!(matches!(other, Err(Refused::KeyReused)), "{other:?}");
    assert_eq!(rows(&world), (1, 9));

    let world = world.crash().await;
    assert_eq!(given_out(&world, &document).await, content());
    let chain = world.engine.audit(&leader(), &case).await.unwrap();
    let told = serde_json::to_string(&chain).unwrap();
    assert!(told.contains("document-added") && told.contains("document-opened"));
    assert!(!told.contains("Nguyen"), "a name stays in its sealed row");
}

#[tokio::test]
async fn what_breaks_off_or_is_no_document_leaves_nothing() {
    let world = World::new().await;
    let case = world.start("brokerage", json!({})).await.case;
    let before = world.engine.audit(&worker(), &case).await.unwrap().len();
    let mut disguised = content();
    disguised[..4].copy_from_slice(b"PK\x03\x04");
    for (bytes, whole, code) in [
        (content(), false, "incomplete"),
        (disguised, true, "form-invalid"),
        (Vec::new(), true, "form-invalid"),
        (b"%PDF".to_vec(), true, "form-invalid"),
        (vec![b' '; 100], true, "form-invalid"),
    ] {
        let refused = send(&world, &case, &bytes, whole).await.unwrap_err();
        let found = match &refused {
            Refused::Invalid { code, .. } => code,
            Refused::Rule(refusal) => refusal.code.as_str(),
            other => panic!("{other:?}"),
        };
        assert_eq!(found, code);
        assert_eq!(rows(&world), (0, 0), "{code}");
    }
    let after = world.engine.audit(&worker(), &case).await.unwrap().len();
    assert_eq!(after, before + 1, "only the look at the chain itself");
}

#[tokio::test]
async fn a_document_at_the_limit_is_taken_and_one_byte_more_is_not() {
    let limits = Limits {
        document_bytes_max: 100_000,
        ..Limits::default()
    };
    let world = World::within(limits, EffectKind::Keyed).await;
    let case = world.start("brokerage", json!({})).await.case;
    let refused = send(&world, &case, &content()[..100_001], true).await;
    let Err(Refused::Invalid { code, status, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((code, status), ("too-large", 413));
    assert_eq!(rows(&world), (0, 0));
    send(&world, &case, &content()[..100_000], true)
        .await
        .unwrap();
    assert_eq!(rows(&world), (1, 2));
}

async fn survives(flush: u64, moment: Moment) -> bool {
    let mut world = World::new().await;
    let case = world.start("brokerage", json!({})).await.case;
    world.faults.stop_at(flush, moment);
    let mut crashed = false;
    let document = loop {
        match within_reason(send(&world, &case, &content(), true)).await {
            Ok(document) => break document,
            Err(Refused::Stopping) => {
                crashed = true;
                world = world.crash().await;
                let (documents, parts) = rows(&world);
                assert_eq!(
                    parts,
                    documents * 9,
                    "whole or not at all: {flush} {moment:?}"
                );
            }
            Err(refused) => panic!("{flush} {moment:?}: {refused:?}"),
        }
    };
    assert_eq!(rows(&world), (1, 9), "{flush} {moment:?}");
    // The planted fault goes with the store.
    let world = world.crash().await;
    assert_eq!(given_out(&world, &document).await, content());
    crashed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_flush_leaves_a_whole_document_or_none() {
    for moment in [Moment::BeforeFlush, Moment::AfterFlush] {
        let mut flush = 1;
        while survives(flush, moment).await {
            flush += 1;
            assert!(flush < 20, "the story has an end");
        }
        assert!(flush > 2, "eight parts, and the rest: {flush}");
    }
}
