//! Signing in with an identity provider: there and back again, and then as the role that the configuration gives.
//!
//! The browser leaves with a cookie of its own, from whose secret everything is derived that the provider sends back or is
//! asked with: state, nonce and the verifier of PKCE. So nothing need be remembered here, and only the browser that left can
//! come back. That cookie is `SameSite=Lax`, since the way back begins at the provider; the one of the sign-in is not, and
//! the first request that needs it comes from a page of this server.

use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use jiff::SignedDuration;
use postern_api::sts::{self, AssumeRoleWithWebIdentityInput};
use postern_api::{Secret, json};
use postern_store::{SignInStage, TokenHash};
use url::form_urlencoded;

use super::calls;
use super::cookie::CookieSecret;
use super::identity::Identity;
use super::refusal::Refusal;
use super::{former, headers, sign_in};
use crate::app::App;
use crate::audit::SignInEvent;
use crate::auth::{Action, Caller, Principal, TokenFacts};
use crate::config::SignOnProvider;
use crate::inbound::Inbound;
use crate::oidc::{self, CodeExchange, OidcError};
use crate::rate_limit::network;
use crate::routes::{Call, take_on_role_by_web_identity};
use crate::serve::{self, Body};

/// The cookie of a browser that is at the provider.
const COOKIE_NAME: &str = "__Host-postern-oidc";
/// How long somebody may take to sign in there.
const AWAY_SECONDS_MAX: u32 = 600;
/// The longest name of a role session. Source: AWS STS API reference, `RoleSessionName`.
const SESSION_NAME_CHARS: std::ops::RangeInclusive<usize> = 2..=64;

/// `GET /console/api/oidc/<id>/start`: sends the browser to the provider.
pub(super) async fn start(app: &Arc<App>, inbound: &Inbound, id: &str) -> Result<Response<Body>, Refusal> {
    let provider = provider(app, id)?;
    if !is_asked_by_own_page(&inbound.parts) {
        return Err(Refusal::foreign("The request does not come from a page of this server."));
    }
    // The provider sends the browser back to the public URL: the cookie must be there. The page there asks again, since of
    // a request that was sent on from another host nobody can tell which page it is from.
    let public = app.public_url.authority();
    if app.console.origins.asked_for(&inbound.parts).as_deref() != Some(public.as_str()) {
        return Ok(redirect(&format!("{}/console/sign-in", app.public_url)));
    }
    admit(app, inbound, provider)?;
    let endpoint = app.oidc.authorization_endpoint(&provider.issuer).await.map_err(|error| failed(&error))?;
    let errand = Errand::new(app, inbound);
    let challenge = digest::digest(&digest::SHA256, errand.code_verifier(id).as_bytes());
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.client_id)
        .append_pair("redirect_uri", &redirect_uri(app, id))
        .append_pair("scope", &provider.scopes)
        .append_pair("state", &errand.state(id))
        .append_pair("nonce", &errand.nonce(id))
        .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(challenge))
        .append_pair("code_challenge_method", "S256")
        .finish();
    let separator = if endpoint.contains('?') { '&' } else { '?' };
    let mut response = redirect(&format!("{endpoint}{separator}{query}"));
    response.headers_mut().insert(SET_COOKIE, errand.cookie());
    Ok(response)
}

/// `GET /console/api/oidc/<id>/callback`: the browser is back.
pub(super) async fn callback(app: &Arc<App>, inbound: &Inbound, id: &str) -> Result<Response<Body>, Refusal> {
    inbound.entry.sign_in_event(SignInEvent::ConsoleLogin);
    inbound.entry.sign_in_of(None);
    sign_in::note_circumstances(app, inbound, false);
    let provider = provider(app, id)?;
    inbound.entry.fact("IdentityProvider", provider.issuer.as_str());
    if !is_navigation(&inbound.parts) {
        return Err(Refusal::foreign("The request is no visit of a page."));
    }
    let errand =
        Errand::of(inbound).ok_or_else(|| Refusal::failed("This browser did not ask to sign in."))?;
    let code = errand.code(inbound, id)?;
    // Whoever was not sent away from here has been turned away by now, at no cost.
    admit(app, inbound, provider)?;
    let (identity, token) = vouched_for(app, inbound, provider, &errand, &code).await?;
    let (cookie, caller) = as_role(app, inbound, provider, &identity, token).await?;
    inbound.entry.caller(&caller);
    if let Some(secret) = &errand.former {
        former::end(app, inbound, secret).await?;
    }
    let mut response = redirect("/console/");
    response.headers_mut().append(SET_COOKIE, cookie);
    response.headers_mut().append(SET_COOKIE, Errand::remove_cookie());
    Ok(response)
}

/// Shows the page of the sign-in again, which says what went wrong. Whoever comes back in vain begins anew.
pub(super) fn refused(refusal: &Refusal, path: &str) -> Response<Body> {
    let mut response = redirect(&format!("/console/sign-in?error={}", refusal.code()));
    if path.ends_with("/callback") {
        response.headers_mut().append(SET_COOKIE, Errand::remove_cookie());
    }
    response
}

/// Whether a browser visits a page with the request, and does not load a part of one. Browsers say so of each request to a
/// secure site; other programs do not. Source: W3C, Fetch Metadata Request Headers.
fn is_navigation(parts: &Parts) -> bool {
    let is = |name: &str, wanted: &[&str]| {
        parts
            .headers
            .get(name)
            .is_none_or(|value| wanted.iter().any(|one| value.as_bytes() == one.as_bytes()))
    };
    is("sec-fetch-mode", &["navigate"]) && is("sec-fetch-dest", &["document"])
}

/// Whether the visit began on a page of this server, or in the browser itself, as a bookmark does.
fn is_asked_by_own_page(parts: &Parts) -> bool {
    let site = parts.headers.get("sec-fetch-site").map(http::HeaderValue::as_bytes);
    is_navigation(parts) && matches!(site, None | Some(b"same-origin" | b"none"))
}

/// Whom the provider vouches for, and the token that says so.
async fn vouched_for(
    app: &App,
    inbound: &Inbound,
    provider: &SignOnProvider,
    errand: &Errand,
    code: &str,
) -> Result<(oidc::Identity, Secret), Refusal> {
    let id = &provider.id;
    let exchange = CodeExchange {
        issuer: &provider.issuer,
        client_id: &provider.client_id,
        client_secret: provider.client_secret.as_ref(),
        code,
        code_verifier: &errand.code_verifier(id),
        redirect_uri: &redirect_uri(app, id),
    };
    let token = app.oidc.exchange(&exchange).await.map_err(|error| failed(&error))?;
    let verified = app.oidc.verify(&*app.store, token.expose_secret(), inbound.at).await;
    let identity = verified.map_err(|error| failed(&error))?;
    let is_for_this = identity.issuer_url == provider.issuer && identity.audience == provider.client_id;
    let nonce = identity.claims.get("nonce").and_then(|values| values.first()).cloned().unwrap_or_default();
    if !is_for_this || !is_same(&nonce, &errand.nonce(id)) {
        return Err(Refusal::failed("The identity provider's answer is for somebody else."));
    }
    Ok((identity, token.expose_secret().to_owned().into()))
}

/// Signs in as the role that the claims give.
async fn as_role(
    app: &Arc<App>,
    inbound: &Inbound,
    provider: &SignOnProvider,
    identity: &oidc::Identity,
    token: Secret,
) -> Result<(HeaderValue, Caller), Refusal> {
    let has = |claim: &str, value: &str| {
        identity.claims.get(claim).is_some_and(|values| values.iter().any(|one| one == value))
    };
    let mapping = provider.roles.iter().find(|mapping| has(&mapping.claim, &mapping.value));
    let mapping = mapping.ok_or_else(|| Refusal::failed("No role is meant for you here."))?;
    let named = identity.claims.get(&provider.session_name_claim).and_then(|values| values.first());
    let named = named.ok_or_else(|| Refusal::failed("The identity provider does not say who you are."))?;
    let asked = AssumeRoleWithWebIdentityInput {
        role_arn: mapping.role.to_string(),
        role_session_name: session_name(named),
        web_identity_token: token,
        provider_id: None,
        policy_arns: None,
        policy: None,
        duration_seconds: None,
        minimum_session_token_size: None,
    };
    json::validate(&asked)?;
    let nobody = Caller::unsigned(Principal::Anonymous, inbound.received().source_ip);
    let action = Action::from(sts::Operation::AssumeRoleWithWebIdentity);
    let nobody = Caller { region: Some(action.requested_region(&app.region)), ..nobody };
    let mut call = Call::new(app, nobody, asked, inbound);
    let taken = take_on_role_by_web_identity(&mut call, identity).await?;

    let longest: SignedDuration = sign_in::signed(app.console.settings.sign_in_time_max);
    let lifetime = longest.min(taken.role.session_duration_max);
    let expires_at = TokenFacts::new(inbound.at, lifetime).expires_at;
    let owner = Identity::new(taken.bearer, TokenFacts { expires_at, ..taken.facts }, &*app.random);
    let (row, secret) = sign_in::remembered(app, inbound, owner.clone(), SignInStage::Done);
    app.store.create_console_sign_in(&row).await?;
    let content = super::identity::Content::read(&row)?;
    let sign_in = calls::SignIn { secret, row, content };
    let action = Action::from(sts::Operation::GetCallerIdentity);
    let caller = calls::acting(app, inbound, &sign_in, action).await?;
    Ok((sign_in.secret.set(), caller))
}

/// What a browser carries while it is at the provider.
struct Errand {
    secret: [u8; 32],
    /// The sign-in that the browser had when it left. Its cookie does not come along on the way back, which begins on
    /// another site; that somebody knows the hash of its secret proves that it was there.
    former: Option<TokenHash>,
}

impl Errand {
    fn new(app: &App, inbound: &Inbound) -> Self {
        let former = CookieSecret::of(&inbound.parts).map(|secret| secret.hash());
        Self { secret: app.random.bytes(), former }
    }

    /// The one that the request's browser was sent away with.
    fn of(inbound: &Inbound) -> Option<Self> {
        let texts = inbound.parts.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value);
        let value = values.next().filter(|_| values.next().is_none())?;
        let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
        let (secret, former) = bytes.split_first_chunk::<32>()?;
        let former = match former {
            [] => None,
            hash => Some(TokenHash(hash.try_into().ok()?)),
        };
        Some(Self { secret: *secret, former })
    }

    /// Binds the answer of the provider `id` to this browser.
    fn state(&self, id: &str) -> String {
        self.derived("state", id)
    }

    /// Binds the token to this sign-in.
    fn nonce(&self, id: &str) -> String {
        self.derived("nonce", id)
    }

    /// Binds the code to whoever asked for it (RFC 7636).
    fn code_verifier(&self, id: &str) -> String {
        self.derived("verifier", id)
    }

    fn derived(&self, purpose: &str, id: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret);
        URL_SAFE_NO_PAD.encode(hmac::sign(&key, format!("{purpose} {id}").as_bytes()))
    }

    /// The code that the provider gave, if it is an answer to this errand.
    fn code(&self, inbound: &Inbound, id: &str) -> Result<String, Refusal> {
        let query = inbound.parts.uri.query().unwrap_or_default();
        let value = |wanted: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
        };
        if !is_same(&value("state").unwrap_or_default(), &self.state(id)) {
            return Err(Refusal::failed("This browser did not ask to sign in."));
        }
        value("code").ok_or_else(|| Refusal::failed("The identity provider did not sign you in."))
    }

    fn cookie(&self) -> HeaderValue {
        let former = self.former.iter().flat_map(|hash| hash.0);
        let value = URL_SAFE_NO_PAD.encode(self.secret.into_iter().chain(former).collect::<Vec<u8>>());
        let cookie = format!(
            "{COOKIE_NAME}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={AWAY_SECONDS_MAX}"
        );
        let mut header = HeaderValue::try_from(cookie).expect("base64 is visible ASCII");
        header.set_sensitive(true);
        header
    }

    fn remove_cookie() -> HeaderValue {
        HeaderValue::from_static("__Host-postern-oidc=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")
    }
}

fn is_same(one: &str, other: &str) -> bool {
    verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

/// A claim as the name of a role session. What no name can have is replaced; then a part of its hash keeps two that become
/// alike apart.
fn session_name(claim: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let is_name = SESSION_NAME_CHARS.contains(&claim.len()) && claim.chars().all(is_allowed);
    if is_name {
        return claim.to_owned();
    }
    let hash = hex::encode(digest::digest(&digest::SHA256, claim.as_bytes()));
    let plain: String = claim.chars().map(|c| if is_allowed(c) { c } else { '_' }).take(40).collect();
    format!("{plain}.{}", &hash[..16])
}

fn provider<'a>(app: &'a App, id: &str) -> Result<&'a SignOnProvider, Refusal> {
    app.console.settings.providers.iter().find(|provider| provider.id == id).ok_or_else(Refusal::not_found)
}

/// Nobody is known yet, and the provider is asked: so often for one address.
fn admit(app: &App, inbound: &Inbound, provider: &SignOnProvider) -> Result<(), Refusal> {
    let who = (provider.id.clone(), network(inbound.peer.ip()));
    if app.console.sign_ons.admits(who, Instant::now()) {
        return Ok(());
    }
    Err(Refusal::too_many_attempts())
}

fn redirect_uri(app: &App, id: &str) -> String {
    format!("{}/console/api/oidc/{id}/callback", app.public_url)
}

fn redirect(to: &str) -> Response<Body> {
    let mut response = headers::api(Response::new(serve::full(bytes::Bytes::new())));
    *response.status_mut() = StatusCode::FOUND;
    let to = HeaderValue::try_from(to).unwrap_or_else(|_| HeaderValue::from_static("/console/"));
    response.headers_mut().insert(LOCATION, to);
    response
}

fn failed(error: &OidcError) -> Refusal {
    let cause: &dyn std::error::Error = error;
    tracing::warn!(error = cause, "signing in with an identity provider failed");
    match error {
        OidcError::Store(_) => Refusal::internal(error),
        _ => Refusal::failed("The identity provider's answer is not acceptable; the server's log says why."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_becomes_a_name_that_is_only_its_own() {
        assert_eq!(session_name("alice@example.com"), "alice@example.com");
        let (one, other) = (session_name("auth0|17"), session_name("auth0 17"));
        assert!(one.starts_with("auth0_17.") && other.starts_with("auth0_17.") && one != other);
        for claim in ["", "a", "ä", &"x".repeat(300)] {
            let name = session_name(claim);
            assert!(SESSION_NAME_CHARS.contains(&name.len()), "{claim}: {name}");
        }
    }

    #[test]
    fn what_is_derived_differs_by_purpose_provider_and_browser() {
        let errand = |byte| Errand { secret: [byte; 32], former: None };
        let (one, other) = (errand(1), errand(2));
        let all = [one.state("a"), one.nonce("a"), one.code_verifier("a"), one.state("b"), other.state("a")];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        // RFC 7636, section 4.1.
        assert!((43..=128).contains(&one.code_verifier("a").len()));
    }
}
