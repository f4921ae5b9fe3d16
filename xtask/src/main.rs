//! Build chores: `cargo xtask <chore>`.

fn main() {}
