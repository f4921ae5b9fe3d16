//! The connections that a port session carries.

mod route;

pub use self::route::{Direction, Protocol, Route};
