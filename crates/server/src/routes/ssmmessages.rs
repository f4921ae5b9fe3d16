//! `ssmmessages`: how nodes and clients get their channels. A POST gives a node a token, the websocket takes it.

mod create_channel;
mod open_channel;

use postern_api::{ApiError, CommonError};
use postern_ids::Arn;
use serde_json::Map;

use crate::app::App;
use crate::audit::Described;
use crate::inbound::Inbound;
use crate::serve::{Channel, NotAChannel};

pub(crate) use create_channel::create_channel;
pub(crate) use open_channel::open_channel;

pub(crate) use crate::serve::is_channel;

impl From<NotAChannel> for ApiError {
    fn from(error: NotAChannel) -> Self {
        Self::new(CommonError::Validation, error.to_string())
    }
}

impl Channel {
    /// Tells the audit trail what is done with the channel: `names` are the operation's for both kinds.
    fn note(&self, app: &App, inbound: &Inbound, names: [&'static str; 2]) {
        let [of_control, of_data] = names;
        let (name, member, value, arn) = match self {
            Self::Control(node) => {
                let arn = Arn::managed_instance(&app.region, &app.account, node);
                (of_control, "instanceId", node.as_str(), arn)
            }
            Self::Data(session) => {
                let arn = Arn::session(&app.region, &app.account, session);
                (of_data, "sessionId", session.as_str(), arn)
            }
        };
        inbound.entry.operation(Described::channel(name));
        inbound.entry.parameters(Map::from_iter([(member.to_owned(), value.into())]));
        inbound.entry.resource(&arn);
    }
}
