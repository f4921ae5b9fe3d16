//! The first start, the later ones, and what stops a server from starting.

use std::error::Error;

use http::StatusCode;
use postern_server::StartError;
use postern_server::config::{Config, Tls};
use serde_json::json;
use tempfile::TempDir;

use crate::harness::TestServer;

async fn refused(directory: TempDir, change: impl FnOnce(&mut Config)) -> (StartError, TempDir) {
    let kept = TempDir::new().unwrap();
    let path = directory.keep();
    std::fs::rename(&path, kept.path().join("moved")).unwrap();
    let data_dir = kept.path().join("moved/data");
    let started = TestServer::start_in(TempDir::new().unwrap(), |config| {
        config.data_dir = data_dir;
        change(config);
    });
    match started.await {
        Ok(_) => panic!("it started"),
        Err(error) => (error, kept),
    }
}

fn chain(error: &StartError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}

#[tokio::test]
async fn a_later_start_keeps_everything() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let names = ["tls/ca.pem", "tls/server.pem", "keys/master.key", "bootstrap/credentials"];
    let read = |server: &TestServer| names.map(|name| std::fs::read(server.data(name)).unwrap());
    let before = read(&server);
    let directory = server.stop().await;
    let server = TestServer::start_in(directory, |_| {}).await.unwrap();
    assert_eq!(read(&server), before);
    let answer = server.call(&admin, "AmazonSSM.ListDocuments", &json!({})).await;
    assert_eq!(answer.status, StatusCode::OK);
    // The port is another one, and the profile follows.
    let config = std::fs::read_to_string(server.data("bootstrap/config")).unwrap();
    assert!(config.contains(&format!("endpoint_url = https://{}", server.address)), "{config}");
}

#[tokio::test]
async fn credentials_that_the_operator_removed_are_not_written_again() {
    let server = TestServer::start().await;
    let path = server.data("bootstrap/credentials");
    std::fs::remove_file(&path).unwrap();
    let directory = server.stop().await;
    let server = TestServer::start_in(directory, |_| {}).await.unwrap();
    assert!(!path.exists());
    server.stop().await;
}

#[tokio::test]
async fn a_new_public_url_gets_a_new_certificate_of_the_same_authority() {
    let server = TestServer::start().await;
    let before = ["tls/ca.pem", "tls/server.pem"].map(|name| std::fs::read(server.data(name)).unwrap());
    let directory = server.stop().await;
    let change = |config: &mut Config| config.public_url = Some("https://gate.example:9443".parse().unwrap());
    let server = TestServer::start_in(directory, change).await.unwrap();
    let after = ["tls/ca.pem", "tls/server.pem"].map(|name| std::fs::read(server.data(name)).unwrap());
    assert_eq!(before[0], after[0]);
    assert_ne!(before[1], after[1]);
    let config = std::fs::read_to_string(server.data("bootstrap/config")).unwrap();
    assert!(config.contains("endpoint_url = https://gate.example:9443\n"), "{config}");
}

#[tokio::test]
async fn a_damaged_database_is_named_and_kept() {
    let directory = TestServer::start().await.stop().await;
    let content = b"this is no database, only text ".repeat(100);
    std::fs::write(directory.path().join("data/postern.db"), &content).unwrap();
    let (error, kept) = refused(directory, |_| {}).await;
    assert!(matches!(error, StartError::Database(_)), "{error:?}");
    assert!(chain(&error).contains("postern.db"), "{}", chain(&error));
    assert_eq!(std::fs::read(kept.path().join("moved/data/postern.db")).unwrap(), content);
}

#[tokio::test]
async fn a_lost_master_key_is_not_replaced() {
    let directory = TestServer::start().await.stop().await;
    let key = directory.path().join("data/keys/master.key");
    std::fs::write(&key, [7; 32]).unwrap();
    let (error, kept) = refused(directory, |_| {}).await;
    assert!(matches!(error, StartError::Database(_)), "{error:?}");
    std::fs::remove_file(kept.path().join("moved/data/keys/master.key")).unwrap();
    let directory = TempDir::new().unwrap();
    std::fs::rename(kept.path().join("moved/data"), directory.path().join("data")).unwrap();
    let (error, _kept) = refused(directory, |_| {}).await;
    assert!(matches!(error, StartError::MasterKey(_)), "{error:?}");
}

#[tokio::test]
async fn one_directory_serves_one_server() {
    let server = TestServer::start().await;
    let data_dir = server.data("");
    let started = TestServer::start_in(TempDir::new().unwrap(), |config| config.data_dir = data_dir).await;
    let error = started.map(|_| ()).unwrap_err();
    assert!(chain(&error).contains("in use"), "{}", chain(&error));
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let server = TestServer::start().await;
    let address = server.address;
    let change = |config: &mut Config| config.listen = postern_server::config::ListenAddress(address);
    let started = TestServer::start_in(TempDir::new().unwrap(), change).await;
    let error = started.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn the_operators_certificate_is_used_or_named() {
    let donor = TestServer::start().await;
    let (certificate, private_key) = (donor.data("tls/server.pem"), donor.data("tls/server.key"));
    let server = TestServer::start_in(TempDir::new().unwrap(), |config| {
        config.tls = Tls::Operator { certificate: certificate.clone(), private_key: private_key.clone() };
    });
    let server = server.await.unwrap();
    assert!(!server.data("tls/ca.pem").exists());
    let config = std::fs::read_to_string(server.data("bootstrap/config")).unwrap();
    assert!(!config.contains("ca_bundle"), "{config}");

    let started = TestServer::start_in(TempDir::new().unwrap(), |config| {
        config.tls = Tls::Operator { certificate: private_key.clone(), private_key };
    });
    let error = started.await.map(|_| ()).unwrap_err();
    assert!(chain(&error).contains("server.key"), "{}", chain(&error));
}
