//! What every operation's input has: its operation, its output, its shape.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Operation, Shape};

/// How a service writes requests and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// JSON 1.1: the operation is named by `X-Amz-Target`.
    Json,
    /// Query: a form in, XML out.
    Query,
}

/// The input of one operation.
pub trait Request: Serialize + DeserializeOwned {
    /// The operation's output.
    type Output: Serialize + DeserializeOwned;
    /// The operation itself.
    const OPERATION: Operation;
    /// The input's shape, with every constraint of the model.
    const INPUT: &'static Shape;
}

/// The input of an operation of a Query service, whose answer is XML.
pub trait QueryRequest: Request {
    /// The output's shape, which gives the XML elements their names and order.
    const OUTPUT: &'static Shape;
    /// The element around the output's members, `None` for operations that answer nothing.
    const RESULT_WRAPPER: Option<&'static str>;
}
