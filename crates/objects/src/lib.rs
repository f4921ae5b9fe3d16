//! Objects in buckets.
//!
//! A [`Vault`] keeps what objects hold in files, encrypted, and everything else of them in the store. A file is complete
//! and on the disk before the store names it, and is removed after the store has forgotten it; what a crash leaves
//! between the two is removed at the next start.

mod cipher;
mod files;
mod in_use;
mod vault;

pub use files::{FileWriter, Files};
pub use vault::{HasRoom, Vault, VaultError, VaultOptions};
