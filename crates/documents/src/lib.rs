//! SSM documents: what a session or a command is made of, and what its parameters may be.
//!
//! A caller of `StartSession` names a document and gives it arguments. [`SessionDocument::parse`] reads the document
//! strictly, [`SessionDocument::arguments`] holds the arguments to it, and [`SessionDocument::resolve`] puts them in
//! the places that ask for them. The server does the first two and sends the rest to the node, which does the third.
//!
//! Sources: "Session document schema" and "Data elements and parameters" of the AWS Systems Manager User Guide;
//! agent/framework/docparser/ and agent/session/contracts/ of aws/amazon-ssm-agent.

mod amazon;
mod arguments;
mod format;
mod hash;
mod parameter;
mod session;
mod substitute;

pub use amazon::{
    AMAZON_DOCUMENTS, AmazonDocument, DEFAULT_SESSION_DOCUMENT_NAME, DocumentType, ParameterDescription,
    Platform, SFTP_DOCUMENT_NAME, TUNNEL_DOCUMENT_NAME, amazon_document, default_session_document,
};
pub use arguments::{Arguments, InvalidParameters};
pub use format::{CONTENT_BYTES_MAX, DocumentFormat};
pub use hash::content_hash;
pub use parameter::{Parameter, ParameterType};
pub use session::{
    CommandProperties, Commands, DocumentError, PortProperties, Preferences, Properties, Recording,
    ResolvedSession, SFTP_TYPE, SessionDocument, SessionType, ShellProfile, TUNNEL_TYPE, TimeLimits,
};
pub use substitute::substitute;
