//! Backing keys under a key of a Vault: HashiCorp's, or OpenBao.
//!
//! Source: the HTTP API of the transit secrets engine, "Encrypt data" and "Decrypt data".

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use postern_dial::{Dialer, Http, Limits, Proxies, Trust};
use postern_store::Secret;
use serde_json::{Value, json};

use super::holder::HolderError;
use super::wrapped::Wrapper;
use crate::config::VaultKey;

/// An answer holds one wrapped key of some hundred bytes, or an error.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// A Vault is near; somebody waits for a session.
const STEP_TIME_MAX: Duration = Duration::from_secs(3);
const CALL_TIME_MAX: Duration = Duration::from_secs(8);
/// A token of a Vault is some hundred bytes; those of batches some hundreds.
const TOKEN_BYTES_MAX: usize = 8 << 10;

/// A key of a Vault's transit engine.
pub(crate) struct Vault {
    http: Http,
    key: VaultKey,
}

impl Vault {
    pub(crate) fn new(key: VaultKey) -> Self {
        let trust = match &key.ca_certificates {
            Some(file) => Trust::native_and_ca_file(file),
            None => Trust::native(),
        };
        let step = STEP_TIME_MAX;
        let limits = Limits { connect: step, proxy: step, tls: step, request: step };
        let dialer = Dialer::new(trust, Proxies::from_env()).with_limits(limits);
        Self { http: Http::new(dialer).with_answer_bytes_max(ANSWER_BYTES_MAX), key }
    }

    /// What the Vault says to `content`, under the name `member`.
    async fn call(&self, verb: &str, content: Value, member: &str) -> Result<String, HolderError> {
        let called = tokio::time::timeout(CALL_TIME_MAX, self.exchange(verb, content, member)).await;
        called.map_err(|_| HolderError::new("the Vault did not answer in time"))?
    }

    async fn exchange(&self, verb: &str, content: Value, member: &str) -> Result<String, HolderError> {
        let url = format!("{}/v1/{}/{verb}/{}", self.key.address, self.key.mount, self.key.name);
        let mut request = Request::post(url)
            .header("x-vault-token", token(self.key.token_file.clone()).await?)
            .header("x-vault-request", "true")
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(namespace) = &self.key.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        let request = request.body(Bytes::from(content.to_string()));
        let request = request.map_err(|_| HolderError::new("the Vault's address is no URL"))?;
        let answer = self
            .http
            .send(request)
            .await
            .map_err(|error| HolderError::because("the Vault cannot be reached", error))?;
        if answer.status() != http::StatusCode::OK {
            return Err(HolderError::new(format!(
                "the Vault refuses with status {}",
                answer.status().as_u16()
            )));
        }
        let mut answer: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        match answer["data"][member].take() {
            Value::String(text) => Ok(text),
            _ => Err(HolderError::new("the Vault's answer is not what its API says")),
        }
    }
}

/// Read each time: whoever renews the token writes the file anew.
async fn token(file: PathBuf) -> Result<HeaderValue, HolderError> {
    let read = tokio::fs::read(&file).await;
    let bytes = Secret::new(read.map_err(|error| {
        HolderError::because(format!("the Vault's token cannot be read from {}", file.display()), error)
    })?);
    let unusable = || HolderError::new(format!("{} holds no token of a Vault", file.display()));
    let token = bytes.expose_secret().trim_ascii();
    if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
        return Err(unusable());
    }
    let mut value = HeaderValue::from_bytes(token).map_err(|_| unusable())?;
    value.set_sensitive(true);
    Ok(value)
}

#[async_trait]
impl Wrapper for Vault {
    async fn wrap(&self, plain: &[u8]) -> Result<Vec<u8>, HolderError> {
        let content = json!({"plaintext": STANDARD.encode(plain)});
        Ok(self.call("encrypt", content, "ciphertext").await?.into_bytes())
    }

    async fn unwrap(&self, wrapped: &[u8]) -> Result<Secret<Vec<u8>>, HolderError> {
        let content = json!({"ciphertext": String::from_utf8_lossy(wrapped)});
        let plain = Secret::new(self.call("decrypt", content, "plaintext").await?);
        let plain = STANDARD.decode(plain.expose_secret());
        plain.map(Secret::new).map_err(|_| HolderError::new("the Vault's answer is not what its API says"))
    }
}
