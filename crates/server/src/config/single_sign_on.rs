//! Tables `console.oidc.<id>`: the identity providers that people can sign in to the console with.

use std::path::PathBuf;

use postern_ids::{Arn, OidcIssuer};
use postern_store::Secret;
use serde::Deserialize;

use super::reader::Reader;

const SETTING: &str = "console.oidc";
/// The identifier stands in addresses.
const ID_CHARS_MAX: usize = 32;

/// An identity provider that people can sign in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOnProvider {
    /// How the configuration calls it.
    pub id: String,
    /// How people call it.
    pub name: String,
    /// The issuer's URL, as its tokens name it.
    pub issuer: String,
    /// As what this server is registered there.
    pub client_id: String,
    /// `None`: a public client.
    pub client_secret: Option<Secret<String>>,
    /// What is asked for, `openid` included.
    pub scopes: String,
    /// The claim that names the sessions of those who sign in; it must be one that they cannot choose.
    pub session_name_claim: String,
    /// Who becomes what: the first that fits.
    pub roles: Vec<RoleMapping>,
}

/// Whose token has a claim with this value acts as this role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleMapping {
    /// The claim's name.
    pub claim: String,
    /// Its value; one of them, if it is a list.
    pub value: String,
    /// The role, which must trust the provider.
    pub role: Arn,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    issuer: String,
    client_id: String,
    client_secret: Option<String>,
    client_secret_file: Option<PathBuf>,
    name: Option<String>,
    scopes: Option<String>,
    session_name_claim: Option<String>,
    roles: Vec<RoleTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleTable {
    claim: String,
    value: String,
    role: String,
}

pub(super) fn read(reader: &mut Reader) -> Vec<SignOnProvider> {
    let mut providers = Vec::new();
    for (id, table) in reader.table::<Table>(SETTING) {
        match provider(&id, table) {
            Ok(provider) => providers.push(provider),
            Err(problem) => reader.wrong_in_table(format!("{SETTING}.{id}"), problem),
        }
    }
    providers
}

fn provider(id: &str, table: Table) -> Result<SignOnProvider, String> {
    let is_id = (1..=ID_CHARS_MAX).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if !is_id {
        return Err(format!("{id:?} must consist of at most {ID_CHARS_MAX} letters, digits, - and _"));
    }
    if OidcIssuer::from_url(&table.issuer).is_none() {
        return Err(format!("issuer {:?} is not the https URL of an issuer", table.issuer));
    }
    let client_secret = match (table.client_secret, table.client_secret_file) {
        (Some(_), Some(_)) => return Err("client_secret and client_secret_file are given both".to_owned()),
        (Some(secret), None) => Some(Secret::from(secret)),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(&file);
            let text = text.map_err(|error| format!("client_secret_file {}: {error}", file.display()))?;
            Some(Secret::from(text.trim().to_owned()))
        }
        (None, None) => None,
    };
    if table.roles.is_empty() {
        return Err("roles is empty: nobody could sign in".to_owned());
    }
    Ok(SignOnProvider {
        id: id.to_owned(),
        name: table.name.unwrap_or_else(|| id.to_owned()),
        issuer: table.issuer,
        client_id: table.client_id,
        client_secret,
        scopes: table.scopes.unwrap_or_else(|| "openid".to_owned()),
        session_name_claim: table.session_name_claim.unwrap_or_else(|| "sub".to_owned()),
        roles: table.roles.into_iter().map(mapping).collect::<Result<_, _>>()?,
    })
}

fn mapping(table: RoleTable) -> Result<RoleMapping, String> {
    let role: Arn = table.role.parse().map_err(|_| format!("role {:?} is no ARN", table.role))?;
    if !role.resource().starts_with("role/") {
        return Err(format!("role {:?} is not the ARN of a role", table.role));
    }
    Ok(RoleMapping { claim: table.claim, value: table.value, role })
}
