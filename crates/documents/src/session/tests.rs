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
        idle_timeout_minutes: 20,
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
    inputs: invalid type: integer `20`, expected a string
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
    assert_eq!(resolved.preferences.idle_timeout_minutes, 30);
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
