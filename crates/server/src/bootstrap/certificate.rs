//! The server's own authority, and the certificate that it issues to the server.
//!
//! The authority is made once and kept: clients and nodes trust it. The server's certificate is issued anew when it
//! is about to expire, when a name is missing from it, or when the authority is another one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};
use url::Host;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::data_directory::DataDirectory;
use super::file::{self, FileError, Readers};
use crate::random::Random;

/// Apple's and other clients refuse certificates of servers that are good for more than 398 days.
const SERVER_DAYS: i32 = 397;
/// The server's certificate is renewed when it has less than this left.
const RENEWAL_DAYS: i32 = 30;
/// Nodes trust the authority by a file that is copied to them, so it must last.
const AUTHORITY_YEARS: i32 = 20;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A certificate or key could not be made.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
    /// A file of the authority does not hold what it should.
    #[error(
        "{path} is damaged: restore it from a backup, or remove the directory `tls` and hand out the new ca.pem"
    )]
    Damaged {
        /// The file.
        path: String,
    },
    /// The authority's certificate is there, its key is not.
    #[error("{path} is missing: restore it from a backup, or remove ca.pem too and hand out the new one")]
    KeyMissing {
        /// The file.
        path: String,
    },
}

/// The names under which the server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(Vec<SanType>);

impl Names {
    /// The public URL's host, this machine's name, and loopback.
    ///
    /// # Errors
    /// If a name cannot stand in a certificate.
    pub fn new(public_host: &Host, host_name: &str) -> Result<Self, rcgen::Error> {
        let mut names = Vec::new();
        let mut add = |name: SanType| {
            if !names.contains(&name) {
                names.push(name);
            }
        };
        match public_host {
            Host::Domain(domain) => add(SanType::DnsName(domain.as_str().try_into()?)),
            Host::Ipv4(address) => add(SanType::IpAddress((*address).into())),
            Host::Ipv6(address) => add(SanType::IpAddress((*address).into())),
        }
        for name in ["localhost", host_name] {
            // This machine's name is a convenience: an odd one is left out.
            if let (Ok(Host::Domain(domain)), Ok(text)) = (Host::parse(name), name.try_into())
                && domain == name
            {
                add(SanType::DnsName(text));
            }
        }
        add(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        add(SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        Ok(Self(names))
    }

    fn all_stand_in(&self, certificate: &X509Certificate<'_>) -> bool {
        let Ok(Some(extension)) = certificate.subject_alternative_name() else { return false };
        let listed = &extension.value.general_names;
        self.0.iter().all(|name| {
            listed.iter().any(|listed| match (name, listed) {
                (SanType::DnsName(name), GeneralName::DNSName(listed)) => name.as_str() == *listed,
                (SanType::IpAddress(IpAddr::V4(address)), GeneralName::IPAddress(listed)) => {
                    address.octets() == *listed
                }
                (SanType::IpAddress(IpAddr::V6(address)), GeneralName::IPAddress(listed)) => {
                    address.octets() == *listed
                }
                _ => false,
            })
        })
    }
}

/// A chain and its key as the files hold them (PEM).
struct ServerCertificate {
    chain: Vec<u8>,
    key: Vec<u8>,
}

/// Sees to it that the files of the authority and of the server's certificate are there and good.
pub(super) fn prepare(
    directory: &DataDirectory,
    names: &Names,
    now: Timestamp,
    random: &dyn Random,
) -> Result<(), CertificateError> {
    let authority = Authority::load(directory, now, random)?;
    let kept = (file::read(&directory.server_certificate())?, file::read(&directory.server_key())?);
    if let (Some(chain), Some(key)) = kept
        && authority.still_vouches_for(&chain, &key, names, now)
    {
        return Ok(());
    }
    let issued = authority.issue(names, now)?;
    // A crash between the two leaves a pair that does not match, which is issued anew.
    file::write(&directory.server_key(), &issued.key, Readers::Owner)?;
    file::write(&directory.server_certificate(), &issued.chain, Readers::Everyone)?;
    tracing::info!("issued the server's certificate");
    Ok(())
}

struct Authority {
    certificate_pem: Vec<u8>,
    certificate_der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn load(
        directory: &DataDirectory,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Self, CertificateError> {
        let (certificate_path, key_path) = (directory.authority_certificate(), directory.authority_key());
        let damaged = |path: &std::path::Path| CertificateError::Damaged { path: path.display().to_string() };
        let key = match file::read(&key_path)? {
            Some(content) => std::str::from_utf8(&content)
                .ok()
                .and_then(|text| KeyPair::from_pem(text).ok())
                .ok_or_else(|| damaged(&key_path))?,
            None if certificate_path.exists() => {
                return Err(CertificateError::KeyMissing { path: key_path.display().to_string() });
            }
            None => {
                let key = KeyPair::generate()?;
                file::write(&key_path, key.serialize_pem().as_bytes(), Readers::Owner)?;
                key
            }
        };
        let certificate_pem = match file::read(&certificate_path)? {
            Some(pem) => pem,
            None => {
                let pem = authority_params(now, random).self_signed(&key)?.pem().into_bytes();
                file::write(&certificate_path, &pem, Readers::Everyone)?;
                pem
            }
        };
        let certificate_der =
            first_certificate(&certificate_pem).ok_or_else(|| damaged(&certificate_path))?;
        let issuer = Issuer::from_ca_cert_der(&certificate_der.as_slice().into(), key)
            .map_err(|_| damaged(&certificate_path))?;
        Ok(Self { certificate_pem, certificate_der, issuer })
    }

    fn issue(&self, names: &Names, now: Timestamp) -> Result<ServerCertificate, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name("postern-server");
        params.subject_alt_names = names.0.clone();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        valid_for(&mut params, now, SERVER_DAYS.days());
        let certificate = params.signed_by(&key, &self.issuer)?;
        // The authority's certificate is sent too, for those who know it by its fingerprint only.
        let chain = [certificate.pem().as_bytes(), &self.certificate_pem].concat();
        Ok(ServerCertificate { chain, key: key.serialize_pem().into_bytes() })
    }

    fn still_vouches_for(&self, chain: &[u8], key: &[u8], names: &Names, now: Timestamp) -> bool {
        let Some(der) = first_certificate(chain) else { return false };
        let (Ok((_, certificate)), Ok((_, authority))) =
            (X509Certificate::from_der(&der), X509Certificate::from_der(&self.certificate_der))
        else {
            return false;
        };
        let key = std::str::from_utf8(key).ok().and_then(|text| KeyPair::from_pem(text).ok());
        let renew_at = now.as_second() + i64::from(RENEWAL_DAYS) * 86_400;
        certificate.issuer() == authority.subject()
            && certificate.validity().not_after.timestamp() > renew_at
            && certificate.validity().not_before.timestamp() <= now.as_second()
            && key
                .is_some_and(|key| key.public_key_raw() == &*certificate.public_key().subject_public_key.data)
            && names.all_stand_in(&certificate)
    }
}

fn authority_params(now: Timestamp, random: &dyn Random) -> CertificateParams {
    let mut params = CertificateParams::default();
    // A name of its own for each authority, so that stores with two of them are not confused.
    params.distinguished_name = common_name(&format!("Postern CA {}", hex::encode(random.bytes::<8>())));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    valid_for(&mut params, now, AUTHORITY_YEARS.years());
    params
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::OrganizationName, "Postern");
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// From the day before, for peers whose clocks are late.
fn valid_for(params: &mut CertificateParams, now: Timestamp, span: jiff::Span) {
    let midnight = |date: Date| {
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        rcgen::date_time_ymd(i32::from(date.year()), month, day)
    };
    let today = now.to_zoned_datetime(TimeZone::UTC).date();
    params.not_before = midnight(today.saturating_sub(1.day()));
    params.not_after = midnight(today.saturating_add(span));
}

fn first_certificate(pem: &[u8]) -> Option<Vec<u8>> {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;
    CertificateDer::from_pem_slice(pem).ok().map(|der| der.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn names(public_host: &str) -> Names {
        Names::new(&Host::parse(public_host).unwrap(), "gate.example").unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-25T00:00:00Z".parse().unwrap()
    }

    fn leaf_of(directory: &DataDirectory, public_host: &str, at: Timestamp) -> Vec<u8> {
        prepare(directory, &names(public_host), at, &SystemRandom).unwrap();
        std::fs::read(directory.server_certificate()).unwrap()
    }

    #[test]
    fn the_certificate_is_kept_until_a_name_is_missing_or_it_expires() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(temporary.path()).unwrap();
        let first = leaf_of(&directory, "postern.example", now());
        let authority = std::fs::read(directory.authority_certificate()).unwrap();
        assert_eq!(leaf_of(&directory, "postern.example", now()), first);
        assert_eq!(leaf_of(&directory, "localhost", now()), first, "loopback is always in it");

        let second = leaf_of(&directory, "192.0.2.7", now());
        assert_ne!(second, first);
        let next_year = now() + jiff::SignedDuration::from_hours(24 * 380);
        let third = leaf_of(&directory, "192.0.2.7", next_year);
        assert_ne!(third, second);
        assert_eq!(leaf_of(&directory, "192.0.2.7", next_year), third);
        assert_eq!(std::fs::read(directory.authority_certificate()).unwrap(), authority);
    }

    #[test]
    fn an_interrupted_first_start_is_finished() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(temporary.path()).unwrap();
        let first = leaf_of(&directory, "localhost", now());
        std::fs::remove_file(directory.server_certificate()).unwrap();
        assert_ne!(leaf_of(&directory, "localhost", now()), first);
        std::fs::remove_file(directory.server_key()).unwrap();
        leaf_of(&directory, "localhost", now());
        std::fs::remove_file(directory.authority_certificate()).unwrap();
        let reissued = leaf_of(&directory, "localhost", now());
        assert_eq!(leaf_of(&directory, "localhost", now()), reissued);
    }

    #[test]
    fn a_damaged_authority_is_named_and_not_replaced() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(temporary.path()).unwrap();
        leaf_of(&directory, "localhost", now());
        std::fs::write(directory.authority_certificate(), "nothing").unwrap();
        let error = prepare(&directory, &names("localhost"), now(), &SystemRandom).unwrap_err();
        assert!(error.to_string().contains("ca.pem"), "{error}");
        std::fs::remove_file(directory.authority_key()).unwrap();
        let error = prepare(&directory, &names("localhost"), now(), &SystemRandom).unwrap_err();
        assert!(error.to_string().contains("ca.key is missing"), "{error}");
    }
}
