//! The admission decisions of Countersign as pure functions.
