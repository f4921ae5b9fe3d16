//! Where to send requests and how to sign them: options, environment and files, as the AWS CLI reads them.
//!
//! AWS's own crate parses the files and the `services` sections. Credentials are taken from the environment
//! (unless `--profile` is given), from a profile's static keys, from its `credential_process`, or from STS if it
//! assumes a role, which is asked for at the server itself unless another endpoint is configured for STS. Profiles that
//! sign in with SSO use the token that `aws sso login` left. `aws-config` would do the same with three more SDKs, some
//! 50 s of compiling, and a connector of its own beside `dial`.

mod assumed_role;
mod credentials;
mod sso;

use std::path::PathBuf;

use aws_runtime::env_config::file::EnvConfigFiles;
use aws_runtime::env_config::section::EnvConfigSections;
use aws_runtime::env_config::{EnvConfigValue, error::EnvConfigFileLoadError, source};
use aws_types::os_shim_internal::{Env, Fs};
use postern_client::{Api, SsoPortal, Sts};
use postern_dial::{DialError, Dialer, Endpoint, Http, Proxies, Trust};

use crate::arguments::Global;
use crate::config::credentials::{Profiles, Source};

/// The service whose settings count: `AWS_ENDPOINT_URL_SSM`, and `ssm` in a `services` section.
const SERVICE_ID: &str = "ssm";
/// The same for credentials of roles.
const STS_SERVICE_ID: &str = "sts";
/// The same for the access portal.
const SSO_SERVICE_ID: &str = "sso";

/// Why the configuration is no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read the AWS configuration")]
    Files(#[from] EnvConfigFileLoadError),
    #[error("cannot read the AWS configuration")]
    Parse(#[from] aws_runtime::env_config::parse::EnvConfigParseError),
    #[error("the profile {0:?} is not in the AWS configuration files")]
    Profile(String),
    #[error("no region is configured: give --region, set AWS_REGION, or put `region` into the profile")]
    Region,
    #[error("the endpoint is no use")]
    Endpoint(#[source] DialError),
}

/// Everything that requests need.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) region: String,
    pub(crate) endpoint: Endpoint,
    pub(crate) ca_bundle: Option<PathBuf>,
    credentials: Source,
}

impl Settings {
    /// Reads this process's environment and the user's files.
    pub(crate) async fn load(global: &Global) -> Result<Self, ConfigError> {
        let env = Env::real();
        let mut source = source::load(&env, &Fs::real(), &EnvConfigFiles::default()).await?;
        let named = global.profile.clone().or_else(|| set(&env, "AWS_PROFILE"));
        let named = named.or_else(|| set(&env, "AWS_DEFAULT_PROFILE"));
        if let Some(name) = &named {
            source.profile = name.clone().into();
        }
        let sections = EnvConfigSections::parse(source)?;
        if let Some(name) = named
            && sections.get_profile(&name).is_none()
        {
            return Err(ConfigError::Profile(name));
        }
        Self::resolve(global, &env, &sections)
    }

    fn resolve(global: &Global, env: &Env, sections: &EnvConfigSections) -> Result<Self, ConfigError> {
        let region = first([
            global.region.clone(),
            set(env, "AWS_REGION"),
            set(env, "AWS_DEFAULT_REGION"),
            sections.get("region").map(ToOwned::to_owned),
        ])
        .ok_or(ConfigError::Region)?;
        let configured = first([global.endpoint_url.clone(), configured_endpoint(env, sections, SERVICE_ID)]);
        let sts_endpoint = first([configured_endpoint(env, sections, STS_SERVICE_ID), configured.clone()])
            .unwrap_or_else(|| default_endpoint(STS_SERVICE_ID, &region));
        let sts_endpoint: Endpoint = sts_endpoint.parse().map_err(ConfigError::Endpoint)?;
        let endpoint = configured.unwrap_or_else(|| default_endpoint(SERVICE_ID, &region));
        let ca_bundle = first([
            global.ca_bundle.as_ref().map(|path| path.to_string_lossy().into_owned()),
            set(env, "AWS_CA_BUNDLE"),
            sections.get("ca_bundle").map(ToOwned::to_owned),
        ]);
        let ca_bundle = ca_bundle.map(|path| expand_home(&path, env));
        let sts = || Sts::new(http(ca_bundle.clone()), sts_endpoint.clone(), region.clone());
        let portal = |sso_region: &str| -> Result<SsoPortal, ConfigError> {
            let endpoint = configured_endpoint(env, sections, SSO_SERVICE_ID)
                .unwrap_or_else(|| default_endpoint("portal.sso", sso_region));
            Ok(SsoPortal::new(http(ca_bundle.clone()), endpoint.parse().map_err(ConfigError::Endpoint)?))
        };
        let profiles = Profiles { env, sections, sts: &sts, portal: &portal };
        let credentials = Source::new(global.profile.is_some(), &profiles);
        let endpoint = endpoint.parse().map_err(ConfigError::Endpoint)?;
        Ok(Self { region, endpoint, ca_bundle, credentials })
    }

    /// The API of the configured endpoint.
    pub(crate) fn into_api(self) -> Api {
        let http = http(self.ca_bundle);
        Api::new(http, self.endpoint, self.region, Box::new(self.credentials))
    }
}

fn http(ca_bundle: Option<PathBuf>) -> Http {
    let trust = ca_bundle.map_or_else(Trust::native, Trust::only_ca_file);
    Http::new(Dialer::new(trust, Proxies::from_env()))
}

/// `AWS_ENDPOINT_URL_SSM` (or `…_STS`), `AWS_ENDPOINT_URL`, the `services` section, the profile: in this order, unless
/// they are to be ignored.
fn configured_endpoint(env: &Env, sections: &EnvConfigSections, service_id: &'static str) -> Option<String> {
    let ignore = EnvConfigValue::new()
        .env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        .profile("ignore_configured_endpoint_urls")
        .load(env, Some(sections))
        .is_some_and(|(value, _)| value.eq_ignore_ascii_case("true"));
    if ignore {
        return None;
    }
    let value = EnvConfigValue::new().env("AWS_ENDPOINT_URL").profile("endpoint_url").service_id(service_id);
    value.load(env, Some(sections)).map(|(value, _)| value.into_owned())
}

/// AWS's own service, as for the AWS CLI.
fn default_endpoint(service: &str, region: &str) -> String {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://{service}.{region}.amazonaws.com{suffix}")
}

fn first<const N: usize>(values: [Option<String>; N]) -> Option<String> {
    values.into_iter().flatten().find(|value| !value.is_empty())
}

fn set(env: &Env, name: &str) -> Option<String> {
    env.get(name).ok().filter(|value| !value.is_empty())
}

fn expand_home(path: &str, env: &Env) -> PathBuf {
    match (path.strip_prefix("~/"), set(env, "HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use aws_runtime::env_config::file::EnvConfigFileKind;

    use super::*;

    const CONFIG: &str = "
[default]
region = eu-west-1
[profile postern]
region = us-east-1
endpoint_url = https://profile.example
ca_bundle = ~/ca.pem
[profile services]
region = us-east-1
endpoint_url = https://profile.example
services = mine
[services mine]
ssm =
  endpoint_url = https://services.example:8443
[profile no-region]
";

    /// `profile` is what the environment or an option selected.
    async fn sections(profile: &str) -> EnvConfigSections {
        let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, CONFIG).build();
        let env = Env::from_slice(&[]);
        let mut source = source::load(&env, &Fs::from_slice(&[]), &files).await.unwrap();
        source.profile = profile.to_owned().into();
        EnvConfigSections::parse(source).unwrap()
    }

    async fn endpoint(profile: &str, env: &[(&str, &str)], option: Option<&str>) -> String {
        let global = Global { endpoint_url: option.map(ToOwned::to_owned), ..Global::default() };
        let env = Env::from_slice(env);
        Settings::resolve(&global, &env, &sections(profile).await).unwrap().endpoint.to_string()
    }

    #[tokio::test]
    async fn the_endpoint_has_five_places_in_order() {
        let all = [
            ("AWS_ENDPOINT_URL_SSM", "https://service.example"),
            ("AWS_ENDPOINT_URL", "https://global.example"),
        ];
        let ignored = [("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"), all[0]];
        for (profile, env, option, expected) in [
            ("services", &all[..], Some("https://option.example"), "https://option.example"),
            ("services", &all[..], None, "https://service.example"),
            ("services", &all[1..], None, "https://global.example"),
            ("services", &[], None, "https://services.example:8443"),
            ("postern", &[], None, "https://profile.example"),
            ("default", &[], None, "https://ssm.eu-west-1.amazonaws.com"),
            ("services", &ignored, None, "https://ssm.us-east-1.amazonaws.com"),
        ] {
            assert_eq!(endpoint(profile, env, option).await, expected, "{profile} {env:?} {option:?}");
        }
    }

    #[tokio::test]
    async fn the_region_has_four_places_in_order() {
        let region = |option: Option<&str>, env: &'static [(&str, &str)], profile: &'static str| {
            let global = Global { region: option.map(ToOwned::to_owned), ..Global::default() };
            async move {
                let sections = sections(profile).await;
                Settings::resolve(&global, &Env::from_slice(env), &sections).map(|settings| settings.region)
            }
        };
        const ENV: &[(&str, &str)] = &[("AWS_REGION", "a"), ("AWS_DEFAULT_REGION", "b")];
        assert_eq!(region(Some("c"), ENV, "default").await.unwrap(), "c");
        assert_eq!(region(None, ENV, "default").await.unwrap(), "a");
        assert_eq!(region(None, &ENV[1..], "default").await.unwrap(), "b");
        assert_eq!(region(None, &[], "default").await.unwrap(), "eu-west-1");
        assert!(matches!(region(None, &[], "no-region").await, Err(ConfigError::Region)));
    }

    #[tokio::test]
    async fn the_ca_bundle_may_lie_in_the_home_directory() {
        let env = Env::from_slice(&[("HOME", "/home/alice")]);
        let settings = Settings::resolve(&Global::default(), &env, &sections("postern").await).unwrap();
        assert_eq!(settings.ca_bundle.unwrap(), PathBuf::from("/home/alice/ca.pem"));
        let env = Env::from_slice(&[("AWS_CA_BUNDLE", "/etc/ca.pem")]);
        let settings = Settings::resolve(&Global::default(), &env, &sections("postern").await).unwrap();
        assert_eq!(settings.ca_bundle.unwrap(), PathBuf::from("/etc/ca.pem"));
    }
}
