//! Documents that read, that resolve, and that do not.

use super::*;

fn parse(document: &Value) -> Result<SessionDocument, String> {
    SessionDocument::parse(&document.to_string()).map_err(|error| error.to_string())
}

fn shell(inputs: Value) -> Value {
    json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs})
}

fn refusal(document: &Value) -> String {
    match parse(document) {
        Ok(_) => panic!("accepted: {document}"),
        Err(error) => error,
    }
}

#[test]
fn the_smallest_document_has_awss_defaults() {
    let document = parse(&shell(json!({}))).unwrap();
    let resolved = document.resolve(&Map::new()).unwrap();
    insta::assert_debug_snapshot!(resolved.preferences, @r#"
    Preferences {
        s3_bucket_name: None,
        s3_key_prefix: None,
        s3_encryption_enabled: true,
        cloud_watch_log_group_name: None,
        cloud_watch_encryption_enabled: true,
        cloud_watch_streaming_enabled: false,
        kms_key_id: None,
        run_as_enabled: false,
        run_as_default_user: None,
        idle_timeout_minutes: Some(
            20,
        ),
        max_session_duration_minutes: None,
        shell_profile: ShellProfile {
            linux: "",
            windows: "",
        },
    }
    "#);
    assert_eq!(resolved.properties, Properties::Commands(CommandProperties::default()));
}

#[test]
fn a_node_is_sent_every_preference() {
    let document = parse(&shell(json!({"runAsEnabled": "true", "runAsDefaultUser": "alice"}))).unwrap();
    let content = serde_json::to_string_pretty(&document.to_content()).unwrap();
    insta::assert_snapshot!(content, @r#"
    {
      "schemaVersion": "1.0",
      "description": "",
      "sessionType": "Standard_Stream",
      "inputs": {
        "s3BucketName": "",
        "s3KeyPrefix": "",
        "s3EncryptionEnabled": true,
        "cloudWatchLogGroupName": "",
        "cloudWatchEncryptionEnabled": true,
        "cloudWatchStreamingEnabled": false,
        "kmsKeyId": "",
        "runAsEnabled": "true",
        "runAsDefaultUser": "alice",
        "idleSessionTimeout": "20",
        "maxSessionDuration": "",
        "shellProfile": {
          "linux": "",
          "windows": ""
        }
      },
      "parameters": {},
      "properties": null
    }
    "#);
    let received = SessionDocument::received(&document.to_content()).unwrap();
    assert!(received.resolve(&Map::new()).unwrap().preferences.run_as_enabled);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let cases = [
        json!([]),
        json!({"sessionType": "Port"}),
        json!({"schemaVersion": "2.2", "sessionType": "Port"}),
        json!({"schemaVersion": "1.0", "sessionType": "Telnet"}),
        json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "mainSteps": []}),
        json!({"schemaVersion": "1.0", "sessionType": "Port"}),
        json!({"schemaVersion": "1.0", "sessionType": "Port", "properties": {}}),
        json!({"schemaVersion": "1.0", "sessionType": "Port", "properties": {"portNumber": 22}}),
        json!({"schemaVersion": "1.0", "sessionType": "Port", "properties": {"portNumber": "22", "protocol": "udp"}}),
        json!({"schemaVersion": "1.0", "sessionType": "InteractiveCommands", "properties": {"linux": {"commands": ""}}}),
        json!({"schemaVersion": "1.0", "sessionType": "InteractiveCommands", "properties": {"linux": {"commands": "id", "separateOutputStream": true}}}),
        json!({"schemaVersion": "1.0", "sessionType": "NonInteractiveCommands", "properties": {"linux": {"commands": "id", "stdErrSeparatorPrefix": "<err>"}}}),
        json!({"schemaVersion": "1.0", "sessionType": "InteractiveCommands", "properties": {"solaris": {"commands": "id"}}}),
        json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "parameters": {"a": {"type": "String", "secret": true}}}),
        shell(json!([])),
        shell(json!({"recordInput": true})),
        shell(json!({"shellProfile": {"bash": "x"}})),
        shell(json!({"idleSessionTimeout": "0"})),
        shell(json!({"idleSessionTimeout": "61"})),
        shell(json!({"idleSessionTimeout": 20})),
        shell(json!({"maxSessionDuration": "1441"})),
        shell(json!({"runAsEnabled": "perhaps"})),
    ];
    let refusals: Vec<String> = cases.iter().map(refusal).collect();
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    the document is not a JSON object: it is some other JSON value
    document: missing field `schemaVersion`
    schemaVersion "2.2" is not supported for session documents, only "1.0" is
    document: unknown variant `Telnet`, expected one of `Standard_Stream`, `InteractiveCommands`, `NonInteractiveCommands`, `Port`
    mainSteps is not a field of session documents
    properties: invalid type: null, expected struct PortProperties
    properties.portNumber: a port session needs one
    properties: invalid type: integer `22`, expected a string
    properties.protocol is not a field of session documents
    properties: InteractiveCommands needs commands
    properties.linux.separateOutputStream is not a field of session documents
    properties.linux.stdErrSeparatorPrefix: "<err>" is not at most 30 letters, digits, _, :, - and line ends
    properties: InteractiveCommands needs commands
    parameters.a.secret is not a field of session documents
    inputs: not an object
    inputs.recordInput is not a field of session documents
    inputs.shellProfile.bash is not a field of session documents
    inputs.idleSessionTimeout: "0" is not a number of minutes from 1 to 60
    inputs.idleSessionTimeout: "61" is not a number of minutes from 1 to 60
    inputs.idleSessionTimeout: 20 is not a text; write "20"
    inputs.maxSessionDuration: "1441" is not a number of minutes from 1 to 1440
    inputs.runAsEnabled: "perhaps" is neither true nor false
    "#);
}

#[test]
fn a_server_may_send_fields_that_are_newer() {
    let content = json!({
        "schemaVersion": "1.0", "sessionType": "Standard_Stream", "new": 1,
        "inputs": {"new": {}, "kmsKeyId": null, "shellProfile": {"linux": "exec bash", "windows": ""}},
        "parameters": null, "properties": null,
    });
    let resolved = SessionDocument::received(&content).unwrap().resolve(&Map::new()).unwrap();
    assert_eq!(resolved.preferences.shell_profile.linux, "exec bash");
}

#[test]
fn references_are_resolved_and_checked_again() {
    let document = parse(&json!({
        "schemaVersion": "1.0",
        "sessionType": "InteractiveCommands",
        "inputs": {"runAsEnabled": "{{ asUser }}", "idleSessionTimeout": "{{ idle }}"},
        "parameters": {
            "asUser": {"type": "Boolean", "default": false},
            "idle": {"type": "Integer", "default": 30},
            "file": {"type": "String", "allowedPattern": "^[a-z.]+$"},
        },
        "properties": {"linux": {"commands": ["cd /var/log", "tail -f {{ file }}"], "runAsElevated": "{{ asUser }}"}},
    }))
    .unwrap();
    let resolve = |given: Value| {
        let given = serde_json::from_value(given).unwrap();
        document.resolve(document.arguments(&given).unwrap().as_map())
    };
    let resolved = resolve(json!({"file": ["syslog"], "asUser": ["true"]})).unwrap();
    assert!(resolved.preferences.run_as_enabled);
    assert_eq!(resolved.preferences.idle_timeout_minutes, Some(30));
    let Properties::Commands(commands) = resolved.properties else { panic!("not a command session") };
    let linux = commands.linux.unwrap();
    assert_eq!(linux.commands, "cd /var/log\ntail -f syslog");
    assert!(linux.run_as_elevated);
    let error = resolve(json!({"file": ["syslog"], "idle": ["90"]})).unwrap_err();
    insta::assert_snapshot!(error, @r#"inputs.idleSessionTimeout: "90" is not a number of minutes from 1 to 60"#);
}

#[test]
fn a_missing_argument_takes_the_default_on_the_node_too() {
    let document = parse(&json!({
        "schemaVersion": "1.0", "sessionType": "Port",
        "parameters": {"portNumber": {"type": "String", "default": "22"}},
        "properties": {"portNumber": "{{ portNumber }}"},
    }))
    .unwrap();
    let Properties::Port(port) = document.resolve(&Map::new()).unwrap().properties else {
        panic!("not a port")
    };
    assert_eq!(port.port_number, "22");
}

#[test]
fn every_preference_is_held_to_its_type_and_form() {
    let long = "x".repeat(513);
    let cases = [
        json!({"s3BucketName": "Logs"}),
        json!({"s3BucketName": "192.168.5.4"}),
        json!({"s3BucketName": ["logs"]}),
        json!({"s3BucketName": "logs", "s3KeyPrefix": "/sessions"}),
        json!({"s3KeyPrefix": "sessions"}),
        json!({"s3EncryptionEnabled": 1}),
        json!({"s3EncryptionEnabled": "on"}),
        json!({"cloudWatchLogGroupName": "group name"}),
        json!({"cloudWatchEncryptionEnabled": "1"}),
        json!({"cloudWatchStreamingEnabled": {}}),
        json!({"kmsKeyId": "arn:aws:s3:::key"}),
        json!({"runAsEnabled": true, "runAsDefaultUser": "two words"}),
        json!({"runAsEnabled": true, "runAsDefaultUser": "-x"}),
        json!({"runAsDefaultUser": "alice"}),
        json!({"runAsEnabled": "false", "runAsDefaultUser": "alice"}),
        json!({"idleSessionTimeout": "+5"}),
        json!({"idleSessionTimeout": "99999999999"}),
        json!({"maxSessionDuration": "0"}),
        json!({"maxSessionDuration": true}),
        json!({"shellProfile": "date"}),
        json!({"shellProfile": {"linux": 1}}),
        json!({"shellProfile": {"windows": long}}),
    ];
    let refusals: Vec<String> = cases.iter().map(|inputs| refusal(&shell(inputs.clone()))).collect();
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    inputs.s3BucketName: "Logs" is not the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens
    inputs.s3BucketName: "192.168.5.4" is not the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens
    inputs.s3BucketName: ["logs"] is not a text
    inputs.s3KeyPrefix: "/sessions" is not the beginning of a key: at most 512 bytes without control characters, not beginning with /
    inputs.s3KeyPrefix: there is no bucket for it; set s3BucketName, or leave it empty
    inputs.s3EncryptionEnabled: 1 is neither true nor false
    inputs.s3EncryptionEnabled: "on" is neither true nor false
    inputs.cloudWatchLogGroupName: "group name" is not the name of a log group: at most 512 letters, digits and . - _ / #
    inputs.cloudWatchEncryptionEnabled: "1" is neither true nor false
    inputs.cloudWatchStreamingEnabled: {} is neither true nor false
    inputs.kmsKeyId: "arn:aws:s3:::key" is not the ID, ARN or alias of a KMS key
    inputs.runAsDefaultUser: "two words" is not the name of a user: at most 256 characters without blanks, : or /, not beginning with -
    inputs.runAsDefaultUser: "-x" is not the name of a user: at most 256 characters without blanks, : or /, not beginning with -
    inputs.runAsDefaultUser: it has no effect while runAsEnabled is false; set runAsEnabled to true, or leave it empty
    inputs.runAsDefaultUser: it has no effect while runAsEnabled is false; set runAsEnabled to true, or leave it empty
    inputs.idleSessionTimeout: "+5" is not a number of minutes from 1 to 60
    inputs.idleSessionTimeout: "99999999999" is not a number of minutes from 1 to 60
    inputs.maxSessionDuration: "0" is not a number of minutes from 1 to 1440
    inputs.maxSessionDuration: true is not a text; write "true"
    inputs.shellProfile: not an object; write {"linux": "…", "windows": "…"}
    inputs.shellProfile.linux: 1 is not a text; write "1"
    inputs.shellProfile.windows: 513 characters are more than the 512 of a shell profile; put them into a file on the nodes and name that
    "#);
}

#[test]
fn what_awss_own_documents_hold_is_no_contradiction() {
    let inputs = json!({
        "s3BucketName": "", "s3KeyPrefix": "", "s3EncryptionEnabled": true, "cloudWatchLogGroupName": "",
        "cloudWatchEncryptionEnabled": true, "cloudWatchStreamingEnabled": true, "kmsKeyId": "",
        "runAsEnabled": true, "runAsDefaultUser": "", "idleSessionTimeout": "20", "maxSessionDuration": "60",
        "shellProfile": {"windows": "", "linux": ""},
    });
    parse(&shell(inputs)).unwrap();
    let alice = json!({"runAsEnabled": true, "runAsDefaultUser": "alice", "kmsKeyId": "alias/sessions"});
    parse(&shell(alice)).unwrap();
    for key in [
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-west-1:111122223333:key/1234abcd",
        "mrk-12ab",
    ] {
        parse(&shell(json!({"kmsKeyId": key}))).unwrap();
    }
}

#[test]
fn preferences_of_other_kinds_of_sessions_are_those_that_they_have() {
    let port = |inputs: Value| json!({"schemaVersion": "1.0", "sessionType": "Port", "inputs": inputs, "properties": {"portNumber": "22"}});
    parse(&port(json!({"idleSessionTimeout": "5", "kmsKeyId": "alias/a"}))).unwrap();
    insta::assert_snapshot!(refusal(&port(json!({"s3BucketName": "logs"}))), @"inputs.s3BucketName: nothing is logged of Port sessions; leave it empty");
    insta::assert_snapshot!(refusal(&port(json!({"shellProfile": {"linux": "date"}}))), @"inputs.shellProfile: no shell is started in Port sessions; leave it empty");
}

#[test]
fn a_port_is_the_number_of_one() {
    let port = |properties: Value| {
        json!({
            "schemaVersion": "1.0", "sessionType": "Port", "properties": properties,
            "parameters": {"port": {"type": "String", "default": "22"}},
        })
    };
    for right in [
        json!({"portNumber": "{{ port }}"}),
        json!({"portNumber": "5432", "type": "LocalPortForwarding", "localPortNumber": "0", "host": "db"}),
    ] {
        parse(&port(right)).unwrap();
    }
    let refusals: Vec<String> = [
        json!({"portNumber": "0"}),
        json!({"portNumber": "65536"}),
        json!({"portNumber": "ssh"}),
        json!({"portNumber": "22", "localPortNumber": "-1"}),
        json!({"portNumber": "22", "type": "RemotePortForwarding"}),
    ]
    .map(|properties| refusal(&port(properties)))
    .to_vec();
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    properties.portNumber: "0" is not the number of a port from 1 to 65535
    properties.portNumber: "65536" is not the number of a port from 1 to 65535
    properties.portNumber: "ssh" is not the number of a port from 1 to 65535
    properties.localPortNumber: "-1" is not the number of a port from 0 to 65535
    properties.type: "RemotePortForwarding" is no type of port session; write "LocalPortForwarding"
    "#);
}

#[test]
fn an_operator_may_lift_the_limits() {
    let read = |inputs: Value, limits| {
        let document = SessionDocument::read(&shell(inputs), limits).map_err(|error| error.to_string())?;
        let preferences = document.resolve(&Map::new()).map_err(|error| error.to_string())?.preferences;
        Ok::<_, String>((preferences.idle_timeout_minutes, preferences.max_session_duration_minutes))
    };
    let no_limits = json!({"idleSessionTimeout": "0", "maxSessionDuration": "0"});
    assert_eq!(read(no_limits.clone(), TimeLimits::NONE), Ok((None, None)));
    let long = json!({"idleSessionTimeout": "1000", "maxSessionDuration": "10000"});
    assert_eq!(read(long.clone(), TimeLimits::NONE), Ok((Some(1000), Some(10_000))));
    let tighter = TimeLimits { idle_minutes_max: Some(15), duration_minutes_max: Some(480) };
    assert_eq!(
        read(json!({"idleSessionTimeout": "15", "maxSessionDuration": "480"}), tighter),
        Ok((Some(15), Some(480)))
    );
    for (inputs, limits) in [
        (no_limits, TimeLimits::AWS),
        (long, TimeLimits::AWS),
        (json!({"idleSessionTimeout": "16"}), tighter),
        (json!({"idleSessionTimeout": "x"}), TimeLimits::NONE),
    ] {
        assert!(read(inputs.clone(), limits).is_err(), "{inputs}");
    }
}
