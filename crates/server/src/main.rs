//! `postern-server`.

fn main() {}
