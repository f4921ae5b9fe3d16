//! SOCKS, as far as `CONNECT` goes: what a local program asks for, and what it is answered.
//!
//! Source: RFC 1928 (version 5, without authentication); for version 4 and names in it (4a) the descriptions of SOCKS 4 and
//! 4A by Ying-Da Lee, which OpenSSH's `ssh -D` follows, too.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use bytes::Bytes;
use postern_protocol::tunnel::{Reason, Refused};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// How long a local program may take to say where it wants to go.
pub(super) const ASK_WITHIN: Duration = Duration::from_secs(30);
/// The texts of version 4 end with a zero; none is longer than a name can be.
const TEXT_BYTES_MAX: usize = 255;
const V4: u8 = 4;
const V5: u8 = 5;
const CONNECT: u8 = 1;
const NO_AUTHENTICATION: u8 = 0;
const NONE_ACCEPTABLE: u8 = 0xFF;

/// Which answers a program understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    Four,
    Five,
}

/// Where a program wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) version: Version,
    /// A name, which the node looks up, or an address.
    pub(super) host: String,
    pub(super) port: u16,
}

/// Why it goes nowhere. It has been answered, as far as there is an answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum SocksError {
    #[error("the connection broke")]
    Io(#[from] io::Error),
    #[error("this is not SOCKS")]
    Version,
    #[error("it asks for authentication, which there is none of")]
    Authentication,
    #[error("it asks for a command that is not CONNECT")]
    Command,
    #[error("it names no host that can be")]
    Host,
}

/// Reads what a program asks for, and nothing of what it says to the other end.
pub(super) async fn read(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<Asked, SocksError> {
    match stream.read_u8().await? {
        V5 => {
            agree(stream).await?;
            let asked = read_v5(stream).await;
            let code = match &asked {
                Err(SocksError::Command) => Code::CommandNotSupported,
                Err(SocksError::Host) => Code::AddressTypeNotSupported,
                _ => return asked,
            };
            stream.write_all(&reply_v5(code)).await?;
            asked
        }
        V4 => {
            let asked = read_v4(stream).await;
            if matches!(asked, Err(SocksError::Command | SocksError::Host)) {
                stream.write_all(&reply_v4(false)).await?;
            }
            asked
        }
        _ => Err(SocksError::Version),
    }
}

async fn agree(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<(), SocksError> {
    let count = stream.read_u8().await?;
    let mut methods = vec![0; usize::from(count)];
    stream.read_exact(&mut methods).await?;
    let is_acceptable = methods.contains(&NO_AUTHENTICATION);
    let chosen = if is_acceptable { NO_AUTHENTICATION } else { NONE_ACCEPTABLE };
    stream.write_all(&[V5, chosen]).await?;
    is_acceptable.then_some(()).ok_or(SocksError::Authentication)
}

async fn read_v5(stream: &mut (impl AsyncRead + Unpin)) -> Result<Asked, SocksError> {
    if stream.read_u8().await? != V5 {
        return Err(SocksError::Version);
    }
    let command = stream.read_u8().await?;
    let _reserved = stream.read_u8().await?;
    let host = match stream.read_u8().await? {
        1 => Ipv4Addr::from_bits(stream.read_u32().await?).to_string(),
        4 => Ipv6Addr::from_bits(stream.read_u128().await?).to_string(),
        3 => {
            let length = stream.read_u8().await?;
            let mut name = vec![0; usize::from(length)];
            stream.read_exact(&mut name).await?;
            host(name)?
        }
        _ => return Err(SocksError::Host),
    };
    let port = stream.read_u16().await?;
    if command != CONNECT {
        return Err(SocksError::Command);
    }
    asked(Version::Five, host, port)
}

async fn read_v4(stream: &mut (impl AsyncRead + Unpin)) -> Result<Asked, SocksError> {
    let command = stream.read_u8().await?;
    let port = stream.read_u16().await?;
    let address = stream.read_u32().await?;
    let _user = read_text(stream).await?;
    // 0.0.0.x says that a name follows.
    let host = match address {
        1..=255 => host(read_text(stream).await?)?,
        _ => Ipv4Addr::from_bits(address).to_string(),
    };
    if command != CONNECT {
        return Err(SocksError::Command);
    }
    asked(Version::Four, host, port)
}

fn asked(version: Version, host: String, port: u16) -> Result<Asked, SocksError> {
    if port == 0 { Err(SocksError::Host) } else { Ok(Asked { version, host, port }) }
}

async fn read_text(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, SocksError> {
    let mut text = Vec::new();
    loop {
        match stream.read_u8().await? {
            0 => return Ok(text),
            _ if text.len() == TEXT_BYTES_MAX => return Err(SocksError::Host),
            byte => text.push(byte),
        }
    }
}

/// A name, or an address that was written as one; brackets, blanks and the like are neither.
fn host(name: Vec<u8>) -> Result<String, SocksError> {
    let name = String::from_utf8(name).map_err(|_| SocksError::Host)?;
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if is_name || name.parse::<IpAddr>().is_ok() { Ok(name) } else { Err(SocksError::Host) }
}

/// What stands before the data of a connection, once it is known what became of it.
pub(super) fn answer(version: Version, refused: Option<&Refused>) -> Bytes {
    match version {
        Version::Four => Bytes::copy_from_slice(&reply_v4(refused.is_none())),
        Version::Five => Bytes::copy_from_slice(&reply_v5(refused.map_or(Code::Succeeded, code))),
    }
}

/// The codes of RFC 1928, section 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    Succeeded = 0,
    Failure = 1,
    NotAllowed = 2,
    NetworkUnreachable = 3,
    HostUnreachable = 4,
    ConnectionRefused = 5,
    CommandNotSupported = 7,
    AddressTypeNotSupported = 8,
}

fn code(refused: &Refused) -> Code {
    match refused.reason {
        Reason::Denied | Reason::Forbidden => Code::NotAllowed,
        Reason::NotFound | Reason::TimedOut => Code::HostUnreachable,
        Reason::Unreachable => Code::NetworkUnreachable,
        Reason::RefusedByPeer => Code::ConnectionRefused,
        Reason::InUse | Reason::TooMany | Reason::Failed => Code::Failure,
    }
}

/// The address that was bound is no business of the program's: 0.0.0.0:0.
fn reply_v5(code: Code) -> [u8; 10] {
    [V5, code as u8, 0, 1, 0, 0, 0, 0, 0, 0]
}

fn reply_v4(is_granted: bool) -> [u8; 8] {
    [0, if is_granted { 90 } else { 91 }, 0, 0, 0, 0, 0, 0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of `said`, what is answered meanwhile, and what is left.
    async fn asked(said: &[u8]) -> (Result<Asked, SocksError>, Vec<u8>, Vec<u8>) {
        let (mut program, mut stream) = tokio::io::duplex(4096);
        program.write_all(said).await.unwrap();
        program.shutdown().await.unwrap();
        let asked = read(&mut stream).await;
        let mut left = Vec::new();
        stream.read_to_end(&mut left).await.unwrap();
        drop(stream);
        let mut answered = Vec::new();
        program.read_to_end(&mut answered).await.unwrap();
        (asked, answered, left)
    }

    fn five(host: &str, port: u16) -> Asked {
        Asked { version: Version::Five, host: host.into(), port }
    }

    fn four(host: &str, port: u16) -> Asked {
        Asked { version: Version::Four, host: host.into(), port }
    }

    #[tokio::test]
    async fn requests_are_read_up_to_the_data() {
        let name = b"\x05\x01\x00\x05\x01\x00\x03\x0bdb.internal\x15\x38GET".to_vec();
        let v4 = b"\x05\x02\x02\x00\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50GET".to_vec();
        let mut v6 = b"\x05\x01\x00\x05\x01\x00\x04".to_vec();
        v6.extend_from_slice(&[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 53]);
        v6.extend_from_slice(b"GET");
        for (said, expected) in
            [(name, five("db.internal", 5432)), (v4, five("192.0.2.1", 80)), (v6, five("fd00::1", 53))]
        {
            let (asked, answered, left) = asked(&said).await;
            assert_eq!((asked.unwrap(), &answered[..], &left[..]), (expected, &b"\x05\x00"[..], &b"GET"[..]));
        }
        for (said, expected) in [
            (&b"\x04\x01\x00\x50\xc0\x00\x02\x01me\x00GET"[..], four("192.0.2.1", 80)),
            (b"\x04\x01\x00\x50\x00\x00\x00\x01\x00web\x00GET", four("web", 80)),
        ] {
            let (asked, answered, left) = asked(said).await;
            assert_eq!((asked.unwrap(), &answered[..], &left[..]), (expected, &b""[..], &b"GET"[..]));
        }
    }

    #[tokio::test]
    async fn what_cannot_be_is_answered() {
        let long = [&b"\x04\x01\x00\x50\x00\x00\x00\x01\x00"[..], &[b'a'; 256], b"\x00"].concat();
        for (said, expected, answered) in [
            (&b"GET / HTTP/1.1\r\n"[..], "this is not SOCKS", &b""[..]),
            (b"\x05\x01\x02", "it asks for authentication", b"\x05\xff"),
            (b"\x05\x00", "it asks for authentication", b"\x05\xff"),
            // UDP ASSOCIATE.
            (
                b"\x05\x01\x00\x05\x03\x00\x01\0\0\0\0\0\0",
                "is not CONNECT",
                b"\x05\x00\x05\x07\x00\x01\0\0\0\0\0\0",
            ),
            (b"\x05\x01\x00\x05\x01\x00\x09", "it names no host", b"\x05\x00\x05\x08\x00\x01\0\0\0\0\0\0"),
            (
                b"\x05\x01\x00\x05\x01\x00\x03\x00\x00\x50",
                "it names no host",
                b"\x05\x00\x05\x08\x00\x01\0\0\0\0\0\0",
            ),
            (
                b"\x05\x01\x00\x05\x01\x00\x03\x03a b\x00\x50",
                "it names no host",
                b"\x05\x00\x05\x08\x00\x01\0\0\0\0\0\0",
            ),
            (b"\x05\x01\x00\x05\x01", "the connection broke", b"\x05\x00"),
            (b"\x04\x02\x00\x50\xc0\x00\x02\x01\x00", "is not CONNECT", b"\x00\x5b\0\0\0\0\0\0"),
            (&long, "it names no host", b"\x00\x5b\0\0\0\0\0\0"),
        ] {
            let (asked, got, _) = asked(said).await;
            let error = asked.unwrap_err().to_string();
            assert!(error.contains(expected), "{said:?}: {error}");
            assert_eq!(got, answered, "{said:?}");
        }
    }

    #[test]
    fn programs_learn_what_became_of_it() {
        let refused = |reason| Refused::new(reason, "");
        for (refused, code, granted) in [
            (None, 0, 90),
            (Some(refused(Reason::Denied)), 2, 91),
            (Some(refused(Reason::RefusedByPeer)), 5, 91),
            (Some(refused(Reason::NotFound)), 4, 91),
            (Some(refused(Reason::TooMany)), 1, 91),
        ] {
            assert_eq!(answer(Version::Five, refused.as_ref())[..2], [5, code]);
            assert_eq!(answer(Version::Four, refused.as_ref())[..2], [0, granted]);
        }
    }
}
