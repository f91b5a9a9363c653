//! One suite for every store: what the port promises, checked on the memory store and on redb
//! alike. Crashes are planted at flushes; real kills are in `kill.rs`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod audit;
mod damage;
mod erasure;
mod failures;
mod flips;
mod guards;
mod histories;
mod images;
mod medium;
mod model;
mod opening;
mod recovery;
mod rollback;
mod room;
mod subject;
mod visibility;

/// Runs each check on each backend, as tests of their own.
macro_rules! conform {
    ($($check:ident),+ $(,)?) => {
        mod memory {
            $(#[test]
            fn $check() {
                super::$check(&crate::subject::Subject::memory());
            })+
        }

        mod redb {
            $(#[test]
            fn $check() {
                super::$check(&crate::subject::Subject::redb());
            })+
        }
    };
}

use conform;
