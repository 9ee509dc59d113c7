//! Developer tasks of Countersign.
fn main() {}
