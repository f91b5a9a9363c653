//! Signing in and out, and what ends a session.

use jiff::SignedDuration;

use super::world::World;
use crate::engine::Refused;
use crate::identity::NewUser;

fn sam(passphrase: &str) -> NewUser {
    NewUser {
        agency: "family-support".to_owned(),
        id: "u-sam".to_owned(),
        sign_in: "Sam".to_owned(),
        display_name: "Sam".to_owned(),
        roles: ["service-manager".to_owned()].into(),
        passphrase: passphrase.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_lasts_until_idle_old_left_or_replaced() {
    let world = World::new().await;
    let engine = &world.engine;
    engine.put_user(sam("three blue kites")).await.unwrap();
    let sign_in = || async {
        engine
            .sign_in(" sam ", "three blue kites")
            .await
            .unwrap()
            .unwrap()
    };
    assert!(
        engine
            .sign_in("sam", "three blue kite")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        engine
            .sign_in("kim", "three blue kites")
            .await
            .unwrap()
            .is_none()
    );

    let session = sign_in().await.0;
    let principal = engine.authenticate(&session).await.unwrap().unwrap();
    assert_eq!(principal.id, "u-sam");
    assert!(
        principal.holds("team-leader"),
        "included by service-manager"
    );
    // Used every twenty minutes it lives for twelve hours, also over a restart.
    for _ in 0..35 {
        world.clock.forward(SignedDuration::from_mins(20));
        assert!(engine.authenticate(&session).await.unwrap().is_some());
    }
    world.clock.forward(SignedDuration::from_mins(21));
    assert!(engine.authenticate(&session).await.unwrap().is_none());

    let session = sign_in().await.0;
    world.clock.forward(SignedDuration::from_mins(31));
    assert!(engine.authenticate(&session).await.unwrap().is_none());
    let session = sign_in().await.0;
    engine.sign_out(&session).await.unwrap();
    assert!(engine.authenticate(&session).await.unwrap().is_none());
    let session = sign_in().await.0;
    engine.put_user(sam("another one")).await.unwrap();
    assert!(engine.authenticate(&session).await.unwrap().is_none());
    assert!(
        engine
            .sign_in("sam", "three blue kites")
            .await
            .unwrap()
            .is_none()
    );
    assert!(engine.authenticate("nonsense").await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_token_ends_the_one_before() {
    let world = World::new().await;
    let engine = &world.engine;
    engine.put_user(sam("three blue kites")).await.unwrap();
    let first = engine.mint_token("u-sam", "demo").await.unwrap().0;
    let other = engine.mint_token("u-sam", "script").await.unwrap().0;
    assert!(first.starts_with("cwt_"));
    assert!(engine.authenticate(&first).await.unwrap().is_some());
    let second = engine.mint_token("u-sam", "demo").await.unwrap().0;
    assert!(engine.authenticate(&first).await.unwrap().is_none());
    assert!(engine.authenticate(&second).await.unwrap().is_some());
    assert!(engine.authenticate(&other).await.unwrap().is_some());
    let world = world.crash().await;
    assert!(world.engine.authenticate(&second).await.unwrap().is_some());
    assert!(world.engine.mint_token("u-nobody", "demo").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tries_are_counted_per_account() {
    let world = World::new().await;
    let engine = &world.engine;
    for _ in 0..10 {
        assert!(engine.sign_in("nobody", "guess").await.unwrap().is_none());
    }
    let refused = engine.sign_in("nobody", "guess").await;
    assert!(matches!(refused, Err(Refused::Invalid { status: 429, .. })));
    assert!(engine.sign_in("somebody", "guess").await.unwrap().is_none());
    world.clock.forward(SignedDuration::from_mins(1));
    assert!(engine.sign_in("nobody", "guess").await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_belongs_to_one_user() {
    let world = World::new().await;
    world
        .engine
        .put_user(sam("three blue kites"))
        .await
        .unwrap();
    let mut other = sam("x");
    other.id = "u-other".to_owned();
    let refused = world.engine.put_user(other).await;
    assert!(matches!(
        refused,
        Err(Refused::Invalid {
            code: "sign-in-taken",
            ..
        })
    ));
}
