//! What whole-system tests share. The tests themselves lie in `tests/`, cases in `cases/`.

pub mod case;
