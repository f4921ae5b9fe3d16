//! Payloads of control channels: tasks and jobs for a node, and its answers.
//!
//! Source: aws/amazon-ssm-agent, agent/session/contracts/ and agent/messageservice/interactor/mgsinteractor/.
//! Sessions spell their keys `TaskId`; answers to jobs spell them `jobId`. AWS's agent reads either.
//! The end of a session is a [`crate::payload::ChannelClosed`].

use postern_ids::SessionId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::json::{self, json_payload};
use crate::message::MessageType;
use crate::payload::Stamp;
use crate::{AgentMessage, Flags, PayloadType};

/// Payload of `interactive_shell`, which starts a session of any type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InteractiveShell {
    /// Always 1.
    #[serde(default)]
    pub schema_version: u32,
    /// The session's ID.
    #[serde(default)]
    pub task_id: String,
    /// Not looked at.
    #[serde(default)]
    pub topic: String,
    /// What to start; JSON text inside the JSON.
    #[serde(with = "json::text")]
    pub content: SessionTask,
}

/// What to start. The node substitutes the parameters in the document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SessionTask {
    /// The session document's name.
    #[serde(default)]
    pub document_name: String,
    /// The session document, schema 1.0.
    #[serde(default)]
    pub document_content: Value,
    /// The session.
    pub session_id: SessionId,
    /// Values for the document's parameters: plain texts, not StartSession's lists of one.
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// The caller's `SSMSessionRunAs` tag, or empty.
    #[serde(default)]
    pub run_as_user: String,
    /// The caller's ARN.
    #[serde(default)]
    pub session_owner: String,
}

impl InteractiveShell {
    /// The task that starts `content`'s session.
    #[must_use]
    pub fn new(content: SessionTask) -> Self {
        let topic = MessageType::InteractiveShell.as_str().to_owned();
        Self { schema_version: 1, task_id: content.session_id.to_string(), topic, content }
    }
}

/// Payload of `agent_task_complete`: the result of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AgentTaskComplete {
    /// Always 1.
    pub schema_version: u32,
    /// The session's ID.
    pub task_id: String,
    /// `agent_task_complete`.
    pub topic: String,
    /// `Success`, `Failed`, `Cancelled` or `TimedOut`.
    pub final_task_status: String,
    /// Always false.
    pub is_routing_failure: bool,
    /// Always empty.
    pub aws_account_id: String,
    /// The node's ID.
    pub instance_id: String,
    /// Error text of a failed session.
    pub output: String,
    /// Where the node put its own log of the session, also if that failed.
    #[serde(rename = "S3Bucket")]
    pub s3_bucket: String,
    /// The key in that bucket.
    #[serde(rename = "S3UrlSuffix")]
    pub s3_url_suffix: String,
    /// CloudWatch log group.
    pub cwl_group: String,
    /// CloudWatch log stream.
    pub cwl_stream: String,
    /// Counts the repetitions while no acknowledgement comes.
    pub retry_number: u32,
}

impl Default for AgentTaskComplete {
    fn default() -> Self {
        Self {
            schema_version: 1,
            task_id: String::new(),
            topic: MessageType::AgentTaskComplete.as_str().to_owned(),
            final_task_status: String::new(),
            is_routing_failure: false,
            aws_account_id: String::new(),
            instance_id: String::new(),
            output: String::new(),
            s3_bucket: String::new(),
            s3_url_suffix: String::new(),
            cwl_group: String::new(),
            cwl_stream: String::new(),
            retry_number: 0,
        }
    }
}

/// Payload of `agent_task_acknowledge`, the server's answer to every `agent_task_complete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AgentTaskAcknowledge {
    /// Always 1.
    #[serde(default)]
    pub schema_version: u32,
    /// The ID of the acknowledged message.
    pub message_id: Uuid,
    /// The session's ID.
    #[serde(default)]
    pub task_id: String,
    /// `agent_task_complete`.
    #[serde(default)]
    pub topic: String,
}

impl AgentTaskAcknowledge {
    /// The acknowledgement of the message `message_id`, which carried the result of `task_id`.
    #[must_use]
    pub fn of(message_id: Uuid, task_id: impl Into<String>) -> Self {
        let topic = MessageType::AgentTaskComplete.as_str().to_owned();
        Self { schema_version: 1, message_id, task_id: task_id.into(), topic }
    }
}

/// Payload of `agent_job`: run a command, or cancel one, by the prefix of its topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AgentJob {
    /// Always 1.
    #[serde(default)]
    pub schema_version: u32,
    /// `aws.ssm.<command ID>.<node ID>`.
    pub job_id: String,
    /// Begins with `aws.ssm.sendCommand` or `aws.ssm.cancelCommand`.
    #[serde(default)]
    pub topic: String,
    /// JSON text of the command.
    #[serde(default)]
    pub content: String,
}

/// Payload of `agent_job_ack`: the node took the job, or says why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentJobAck {
    /// The job.
    pub job_id: String,
    /// The ID of the `agent_job` message.
    pub acknowledged_message_id: Uuid,
    /// When that message was made.
    #[serde(default)]
    pub created_date: String,
    /// `200`, or a number of five digits as text.
    #[serde(default)]
    pub status_code: String,
    /// A word for the code.
    #[serde(default)]
    pub error_message: String,
}

/// Payload of `agent_job_reply`: progress or result of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentJobReply {
    /// Always 1.
    #[serde(default)]
    pub schema_version: u32,
    /// The job.
    pub job_id: String,
    /// JSON text of the reply.
    #[serde(default)]
    pub content: String,
    /// `aws.ssm.sendCommand` or `aws.ssm.cancelCommand`.
    #[serde(default)]
    pub topic: String,
}

/// Payload of `agent_job_reply_ack`: the reply was stored. Due within a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentJobReplyAck {
    /// The job.
    pub job_id: String,
    /// The ID of the `agent_job_reply` message.
    pub acknowledged_message_id: Uuid,
}

json_payload!(
    InteractiveShell,
    SessionTask,
    AgentTaskComplete,
    AgentTaskAcknowledge,
    AgentJob,
    AgentJobAck,
    AgentJobReply,
    AgentJobReplyAck,
);

/// Gives payloads that have one message type their `to_message`.
macro_rules! control_message {
    ($($name:ident),+ $(,)?) => {$(
        impl $name {
            /// The whole message.
            #[must_use]
            pub fn to_message(&self, stamp: Stamp) -> AgentMessage {
                AgentMessage {
                    message_type: MessageType::$name,
                    created_ms: stamp.created_ms,
                    sequence_number: 0,
                    flags: Flags::NONE,
                    message_id: stamp.message_id,
                    payload_type: PayloadType::None,
                    payload: self.to_json(),
                }
            }
        }
    )+};
}

control_message!(
    InteractiveShell,
    AgentTaskComplete,
    AgentTaskAcknowledge,
    AgentJob,
    AgentJobAck,
    AgentJobReply,
    AgentJobReplyAck,
);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_session_task_is_json_text_inside_json() {
        let task = InteractiveShell::new(SessionTask {
            document_name: "SSM-SessionManagerRunShell".to_owned(),
            document_content: json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream"}),
            session_id: "alice-0a1b2c3d4e5f60718".parse().unwrap(),
            parameters: Map::new(),
            run_as_user: String::new(),
            session_owner: "arn:aws:iam::123456789012:user/alice".to_owned(),
        });
        let json = task.to_json();
        assert_eq!(
            json,
            r#"{"SchemaVersion":1,"TaskId":"alice-0a1b2c3d4e5f60718","Topic":"interactive_shell","Content":"{\"DocumentName\":\"SSM-SessionManagerRunShell\",\"DocumentContent\":{\"schemaVersion\":\"1.0\",\"sessionType\":\"Standard_Stream\"},\"SessionId\":\"alice-0a1b2c3d4e5f60718\",\"Parameters\":{},\"RunAsUser\":\"\",\"SessionOwner\":\"arn:aws:iam::123456789012:user/alice\"}"}"#
        );
        assert_eq!(InteractiveShell::from_json(&json).unwrap(), task);
    }

    #[test]
    fn a_task_may_have_lower_case_keys_but_not_a_session_id_that_is_a_path() {
        let lower = br#"{"content":"{\"sessionId\":\"a-1\",\"documentContent\":{\"sessionType\":\"Port\"},\"parameters\":{\"portNumber\":\"22\"}}"}"#;
        let task = InteractiveShell::from_json(lower).unwrap();
        assert_eq!(task.content.parameters["portNumber"], "22");
        assert_eq!(task.content.document_content["sessionType"], "Port");
        let path = br#"{"Content":"{\"SessionId\":\"../etc\"}"}"#;
        assert!(InteractiveShell::from_json(path).is_err());
    }

    #[test]
    fn a_result_is_written_as_awss_agent_writes_it() {
        let complete = AgentTaskComplete {
            task_id: "alice-0a1b2c3d4e5f60718".to_owned(),
            final_task_status: "Success".to_owned(),
            instance_id: "mi-0123456789abcdef0".to_owned(),
            retry_number: 1,
            ..AgentTaskComplete::default()
        };
        let json = r#"{"SchemaVersion":1,"TaskId":"alice-0a1b2c3d4e5f60718","Topic":"agent_task_complete","FinalTaskStatus":"Success","IsRoutingFailure":false,"AwsAccountId":"","InstanceId":"mi-0123456789abcdef0","Output":"","S3Bucket":"","S3UrlSuffix":"","CwlGroup":"","CwlStream":"","RetryNumber":1}"#;
        assert_eq!(complete.to_json(), json);
        assert_eq!(AgentTaskComplete::from_json(json.as_bytes()).unwrap(), complete);
    }

    #[test]
    fn answers_to_jobs_have_lower_camel_case_keys() {
        let message_id = "ff2e9c57-7ddb-416d-a277-81f050e0c0f0".parse().unwrap();
        let ack =
            AgentJobReplyAck { job_id: "aws.ssm.x.mi-1".to_owned(), acknowledged_message_id: message_id };
        assert_eq!(
            ack.to_json(),
            r#"{"jobId":"aws.ssm.x.mi-1","acknowledgedMessageId":"ff2e9c57-7ddb-416d-a277-81f050e0c0f0"}"#
        );
        let stamp = Stamp { message_id, created_ms: 1 };
        assert_eq!(ack.to_message(stamp).message_type, MessageType::AgentJobReplyAck);
    }
}
