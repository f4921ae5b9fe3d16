//! From a request to the one who signed it.

mod signed_in;
mod standing;

use std::net::IpAddr;
use std::sync::Arc;

use http::header::HOST;
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use postern_api::{Operation, ssm, sts};
use postern_ids::{AccessKeyId, AccountId, Arn, NodeId, Region};
use postern_sigv4::{
    CheckedRequest, ChunkVerifier, Expectation, Header, KeyKind, Payload, PayloadHash, Refusal, Regions,
    Request, SignedRequest, SigningKey, SigningTime,
};
use postern_store::{Node, Role, Store, StoreError, User};

pub use signed_in::Acting;
pub use standing::Lost;

use super::identities::Identities;
use super::last_used::LastUsed;
use super::node_signature;
use super::{
    Action, Bearer, Caller, NodeKey, Principal, SessionTokens, TemporaryCredentials, TokenFacts,
    Unauthenticated,
};

/// How long a node's previous key may repeat the change of the key. The agent repeats it for some minutes when
/// the answer got lost. For credentials the previous key is no good: an agent that does not know whether its
/// change succeeded tries the old key first and keeps it if it works
/// (common/identity/credentialproviders/onpremprovider/role_provider.go in aws/amazon-ssm-agent).
const PREVIOUS_KEY_TIME_MAX: SignedDuration = SignedDuration::from_mins(10);

/// A request as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// Method, URI and headers.
    pub parts: &'a Parts,
    /// The whole body; empty for a websocket. `None`: it has not come yet, and whoever takes it compares it with what the
    /// request declares.
    pub body: Option<&'a [u8]>,
    /// The peer's address.
    pub source_ip: IpAddr,
    /// When it arrived.
    pub at: Timestamp,
}

/// Who signed a request, and what that says of its body.
#[derive(Debug)]
pub struct Authenticated {
    /// Who.
    pub caller: Caller,
    /// What the signature says of the body.
    pub payload: Payload,
    /// What verifies the body's chunks, if they are signed.
    pub chunks: Option<ChunkVerifier>,
}

/// Finds out who signed a request.
pub struct Authenticator {
    store: Arc<dyn Store>,
    identities: Identities,
    last_used: LastUsed,
    tokens: Arc<SessionTokens>,
    account: AccountId,
    region: Region,
}

/// Who signed with a secret access key: with what token, and the key that is made of the secret.
type Signer = (Principal, Option<Arc<TokenFacts>>, SigningKey);

/// Whether a request claims to be signed. Old clients open data channels without a signature: there the token in
/// the first frame is the only proof.
#[must_use]
pub fn is_signed(parts: &Parts) -> bool {
    let headers = headers(parts);
    !matches!(SignedRequest::parse(request(parts, &headers)), Ok(None))
}

impl Authenticator {
    /// For a deployment that answers for one account and one region.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        tokens: Arc<SessionTokens>,
        account: AccountId,
        region: Region,
    ) -> Self {
        let identities = Identities::new(Arc::clone(&store));
        Self { store, identities, last_used: LastUsed::default(), tokens, account, region }
    }

    /// Writes down when keys and roles were last used. To be called now and then.
    ///
    /// # Errors
    /// If storage fails; what was to be written is then forgotten.
    pub async fn write_last_uses(&self) -> Result<(), StoreError> {
        self.last_used.write(&*self.store, &self.region).await
    }

    /// Who signed `received`, which wants to do `action`.
    ///
    /// # Errors
    /// [`Unauthenticated`]: every reason but storage is also written to the audit log.
    pub async fn authenticate(
        &self,
        received: Received<'_>,
        action: Action,
    ) -> Result<Caller, Unauthenticated> {
        self.authenticate_upload(received, action).await.map(|authenticated| authenticated.caller)
    }

    /// The same of a request whose body may still be to come, with what is known of that.
    ///
    /// # Errors
    /// As [`Self::authenticate`].
    pub async fn authenticate_upload(
        &self,
        received: Received<'_>,
        action: Action,
    ) -> Result<Authenticated, Unauthenticated> {
        let headers = headers(received.parts);
        let request = request(received.parts, &headers);
        let caller = self.identify(request, received, action).await;
        match &caller {
            Ok(_) => {}
            Err(Unauthenticated::Store(error)) => {
                let error = error as &dyn std::error::Error;
                tracing::error!(error, %action, "cannot look up who calls");
            }
            Err(reason) => {
                let (access_key_id, source_ip) = (claimed_access_key(request), received.source_ip);
                tracing::info!(
                    target: "audit",
                    decision = "unauthenticated", access_key.id = access_key_id, %source_ip, %action, %reason,
                    "unauthenticated {action} by [{access_key_id}] from {source_ip}: {reason}"
                );
            }
        }
        caller
    }

    async fn identify(
        &self,
        request: Request<'_>,
        received: Received<'_>,
        action: Action,
    ) -> Result<Authenticated, Unauthenticated> {
        let Some(signed) = SignedRequest::parse(request)? else {
            return if action.takes_unsigned() {
                let caller = Caller::unsigned(Principal::Anonymous, received.source_ip);
                let caller = Caller { region: Some(action.requested_region(&self.region)), ..caller };
                Ok(Authenticated { caller, payload: Payload::Undeclared, chunks: None })
            } else {
                Err(Unauthenticated::NoSignature)
            };
        };
        let access_key_id = signed.credential().access_key_id.clone();
        let token = signed.security_token().map(str::to_owned);
        let node = access_key_id.parse::<NodeId>().ok();
        let region = [self.region.as_str()];
        let checked = signed.check(&Expectation {
            service: action.service(),
            regions: if action.is_global() { Regions::Any } else { Regions::OneOf(&region) },
            key: if node.is_some() { KeyKind::NodeRsa } else { KeyKind::Secret },
            now: SigningTime::from_unix_seconds(received.at.as_second()),
        })?;
        let (principal, token, signing_key) = if let Some(node) = node {
            (self.node(node, &checked, received, action).await?, None, None)
        } else {
            let key: AccessKeyId = access_key_id.parse().map_err(|_| Unauthenticated::UnknownKey)?;
            let (principal, token, signing_key) = match token {
                Some(token) => self.bearer(&key, &token, &checked, received, action).await?,
                None => self.user(&key, &checked, received).await?,
            };
            (principal, token, Some(signing_key))
        };
        let caller = Caller {
            principal,
            access_key_id: Some(checked.credential().access_key_id.clone()),
            region: Some(action.requested_region(&self.region)),
            source_ip: received.source_ip,
            token,
        };
        let chunks = signing_key.and_then(|key| checked.chunks(key));
        Ok(Authenticated { caller, payload: checked.declared_payload(), chunks })
    }

    async fn user(
        &self,
        access_key_id: &AccessKeyId,
        checked: &CheckedRequest<'_>,
        received: Received<'_>,
    ) -> Result<Signer, Unauthenticated> {
        let holder = self.identities.active_key(access_key_id).await?.ok_or(Unauthenticated::UnknownKey)?;
        let key = verify(checked, holder.key.secret.expose_secret(), received.body)?;
        let scope = &checked.credential().scope;
        self.last_used.note_key(access_key_id, &scope.service, &scope.region, received.at);
        Ok((self.user_principal(&holder.user), None, key))
    }

    async fn bearer(
        &self,
        access_key_id: &AccessKeyId,
        token: &str,
        checked: &CheckedRequest<'_>,
        received: Received<'_>,
        action: Action,
    ) -> Result<Signer, Unauthenticated> {
        let credentials = self.tokens.open(token).map_err(|_| Unauthenticated::UnknownKey)?;
        if credentials.access_key_id != *access_key_id {
            return Err(Unauthenticated::UnknownKey);
        }
        let signing_key = verify(checked, credentials.secret.expose_secret(), received.body)?;
        if credentials.facts.expires_at <= received.at {
            return Err(Unauthenticated::ExpiredToken);
        }
        let TemporaryCredentials { bearer, facts, .. } = credentials;
        if matches!(bearer, Bearer::User { .. }) && !user_sessions_may(action, &facts) {
            return Err(Unauthenticated::NotByUserSessions);
        }
        let principal = self.principal(bearer, &facts).await?.ok_or(Unauthenticated::UnknownKey)?;
        if let Principal::RoleSession { role, .. } = &principal {
            self.last_used.note_role(role, received.at);
        }
        Ok((principal, Some(facts), signing_key))
    }

    /// Who a token speaks for. The token is good by itself, but since it was made its user or role may have been
    /// removed, or all sessions so far revoked.
    async fn principal(
        &self,
        bearer: Bearer,
        facts: &TokenFacts,
    ) -> Result<Option<Principal>, Unauthenticated> {
        if let Some(sign_in) = &facts.sign_in
            && !self.store.is_console_sign_in_trusted(sign_in).await?
        {
            return Ok(None);
        }
        match bearer {
            Bearer::User { id, .. } => {
                // The key that asked for the credentials is what they were made of: they end with it.
                if let Some(key) = &facts.issued_by
                    && self.identities.active_key(key).await?.is_none()
                {
                    return Ok(None);
                }
                let user = self.identities.user(&id).await?;
                let user = user.filter(|user| is_valid(facts, user.sessions_valid_after));
                Ok(user.map(|user| self.user_principal(&user)))
            }
            Bearer::Role { name, id, session_name, node } => {
                let role = match &id {
                    Some(id) => self.identities.role(id).await?,
                    // A role of the same name that is younger than the token is another one.
                    None => self
                        .identities
                        .role_named(&name)
                        .await?
                        .filter(|role| role.created_at.as_second() <= facts.issued_at.as_second()),
                };
                let Some(role) = role.filter(|role| is_valid(facts, role.sessions_valid_after)) else {
                    return Ok(None);
                };
                if let Some(node) = &node
                    && !self.identities.has_node(node).await?
                {
                    return Ok(None);
                }
                Ok(Some(self.role_principal(&role, session_name, node)))
            }
        }
    }

    fn user_principal(&self, user: &User) -> Principal {
        let arn = Arn::user(&self.account, &user.path, &user.name);
        Principal::User { name: user.name.clone(), id: user.id.clone(), arn }
    }

    fn role_principal(&self, role: &Role, session_name: String, node: Option<NodeId>) -> Principal {
        Principal::RoleSession {
            arn: Arn::assumed_role(&self.account, &role.name, &session_name),
            role_arn: Arn::role(&self.account, &role.path, &role.name),
            role: role.name.clone(),
            role_id: role.id.clone(),
            session_name,
            node,
        }
    }

    async fn node(
        &self,
        node: NodeId,
        checked: &CheckedRequest<'_>,
        received: Received<'_>,
        action: Action,
    ) -> Result<Principal, Unauthenticated> {
        if !action.takes_node_key() {
            return Err(Unauthenticated::UnknownKey);
        }
        let Some(node) = self.store.node(&node).await? else {
            return Err(Unauthenticated::NodeUnknown { node });
        };
        let text = checked.string_to_sign(&payload_hash(checked, received.body)?);
        let is_signed_by = |key: &[u8]| node_signature::verify(key, &text, checked.signature());
        let key = if is_signed_by(&node.public_key_der) {
            NodeKey::Current
        } else if previous_key(&node, action, received.at).is_some_and(is_signed_by) {
            NodeKey::Previous
        } else {
            return Err(Refusal::SignatureMismatch.into());
        };
        let arn = Arn::managed_instance(&self.region, &self.account, &node.id);
        Ok(Principal::Node { node: node.id, arn, key })
    }
}

/// What a user may not do with the credentials of `GetSessionToken`, whatever policies say.
/// Source: "Request temporary security credentials", IAM User Guide, `GetSessionToken`.
fn user_sessions_may(action: Action, facts: &TokenFacts) -> bool {
    let Action::Operation(operation) = action else { return true };
    match operation {
        Operation::Iam(_) => facts.mfa_at.is_some(),
        Operation::Sts(operation) => {
            matches!(operation, sts::Operation::AssumeRole | sts::Operation::GetCallerIdentity)
        }
        _ => true,
    }
}

/// Whether the sessions of a user or a role were not revoked after a token was made. Tokens know seconds only: one of
/// the very second of the revocation counts as made before.
fn is_valid(facts: &TokenFacts, sessions_valid_after: Option<Timestamp>) -> bool {
    sessions_valid_after.is_none_or(|revoked_at| facts.issued_at > revoked_at)
}

/// The node's previous key, as long as it may repeat the change of the key.
fn previous_key(node: &Node, action: Action, at: Timestamp) -> Option<&[u8]> {
    let is_change = action == Action::from(ssm::Operation::UpdateManagedInstancePublicKey);
    let is_recent = at.duration_since(node.public_key_since) <= PREVIOUS_KEY_TIME_MAX;
    node.previous_public_key_der.as_deref().filter(|_| is_change && is_recent)
}

/// The key that the request was signed with.
fn verify(checked: &CheckedRequest<'_>, secret: &str, body: Option<&[u8]>) -> Result<SigningKey, Refusal> {
    let key = SigningKey::derive(secret, &checked.credential().scope);
    checked.verify(&key, &payload_hash(checked, body)?)?;
    Ok(key)
}

fn payload_hash(checked: &CheckedRequest<'_>, body: Option<&[u8]>) -> Result<PayloadHash, Refusal> {
    match body {
        Some(body) => checked.payload(body),
        None => checked.declared_hash().ok_or(Refusal::PayloadMismatch),
    }
}

/// The access key that a refused request names, as far as it can be one.
fn claimed_access_key(request: Request<'_>) -> String {
    let signed = SignedRequest::parse(request).ok().flatten();
    let claimed = signed.map(|signed| signed.credential().access_key_id.clone()).unwrap_or_default();
    let is_key = claimed.parse::<AccessKeyId>().is_ok() || claimed.parse::<NodeId>().is_ok();
    if is_key { claimed } else { String::new() }
}

fn request<'a>(parts: &'a Parts, headers: &'a [Header<'a>]) -> Request<'a> {
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    Request { method: parts.method.as_str(), path, query, headers }
}

/// The headers as signed. HTTP/2 has `:authority` in the place of `Host`.
fn headers(parts: &Parts) -> Vec<Header<'_>> {
    let mut headers: Vec<Header<'_>> =
        parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    if let Some(authority) = parts.uri.authority()
        && !parts.headers.contains_key(HOST)
    {
        headers.push(("host", authority.as_str().as_bytes()));
    }
    headers
}

#[cfg(test)]
mod tests;
