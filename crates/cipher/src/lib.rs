//! The encryption of a session between its client and its agent: AES-256-GCM with a key for each direction.
//!
//! ```text
//! nonce (12) | ciphertext | tag (16)
//! ```
//!
//! Nothing is authenticated besides, so that whoever carries the messages could repeat or reorder them: sequence numbers
//! are outside. That is how AWS's programs have it; the connections themselves are TLS.
//!
//! Source: aws/session-manager-plugin, src/encryption/encrypter.go; which payloads are encrypted is known to
//! [`postern_protocol::encryption`].

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use postern_protocol::channel::Role;
use postern_protocol::encryption::{DATA_KEY_BYTES, EncryptionChallenge};
use zeroize::Zeroizing;

/// Bytes of a challenge. Source: aws/amazon-ssm-agent, agent/session/datachannel/.
const CHALLENGE_BYTES: usize = 64;
/// Bytes of what newer clients put into the encryption context.
const CONTEXT_CHALLENGE_BYTES: usize = 16;

/// What does not open, or is no key. Says nothing of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// A data key has 64 bytes.
    #[error("the data key has not the right length")]
    KeyLength,
    /// It is too short, was changed, or encrypted with another key.
    #[error("a message of the session does not decrypt")]
    Undecipherable,
    /// The cipher refused to encrypt.
    #[error("a message of the session cannot be encrypted")]
    Refused,
    /// The other side does not have the key.
    #[error("the encryption challenge does not match")]
    Challenge,
}

/// One end's cipher.
pub struct SessionCipher {
    seals: RandomizedNonceKey,
    opens: RandomizedNonceKey,
}

impl SessionCipher {
    /// The cipher of one end, from the data key: its first half is the agent's, its second the client's.
    ///
    /// # Errors
    /// If the key has not the right length.
    pub fn new(end: Role, data_key: &[u8]) -> Result<Self, CipherError> {
        if data_key.len() != DATA_KEY_BYTES {
            return Err(CipherError::KeyLength);
        }
        let (agent, client) = data_key.split_at(DATA_KEY_BYTES / 2);
        let key = |bytes| RandomizedNonceKey::new(&AES_256_GCM, bytes).map_err(|_| CipherError::KeyLength);
        let (agent, client) = (key(agent)?, key(client)?);
        Ok(match end {
            Role::Agent => Self { seals: agent, opens: client },
            Role::Client => Self { seals: client, opens: agent },
        })
    }

    /// Encrypts what this end sends.
    ///
    /// # Errors
    /// If the cipher refuses, which it does not.
    pub fn seal(&self, plain: &[u8]) -> Result<Bytes, CipherError> {
        let mut body = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(plain);
        let nonce =
            self.seals.seal_in_place_append_tag(Aad::empty(), &mut body).map_err(|_| CipherError::Refused)?;
        Ok([&nonce.as_ref()[..], &body].concat().into())
    }

    /// Decrypts what this end receives.
    ///
    /// # Errors
    /// If it does not open.
    pub fn open(&self, payload: &[u8]) -> Result<Bytes, CipherError> {
        let (nonce, sealed) = payload.split_first_chunk::<NONCE_LEN>().ok_or(CipherError::Undecipherable)?;
        let mut plain = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.opens.open_in_place(nonce, Aad::empty(), &mut plain);
        let length = opened.map_err(|_| CipherError::Undecipherable)?.len();
        plain.truncate(length);
        Ok(plain.into())
    }

    /// The client's answer to the agent's challenge: the same bytes under its own half of the key.
    ///
    /// # Errors
    /// If the challenge does not open.
    pub fn answer(&self, challenge: &EncryptionChallenge) -> Result<EncryptionChallenge, CipherError> {
        let plain = Zeroizing::new(self.open(&decode(&challenge.challenge)?)?.to_vec());
        Ok(EncryptionChallenge { challenge: STANDARD.encode(self.seal(&plain)?) })
    }
}

impl std::fmt::Debug for SessionCipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<session cipher>")
    }
}

/// What the agent asks the client to prove that it has the key.
pub struct Challenge(Zeroizing<[u8; CHALLENGE_BYTES]>);

impl Challenge {
    /// A new one, with the payload that asks it.
    ///
    /// # Errors
    /// If the cipher refuses.
    pub fn new(cipher: &SessionCipher) -> Result<(Self, EncryptionChallenge), CipherError> {
        let mut plain = Zeroizing::new([0; CHALLENGE_BYTES]);
        aws_lc_rs::rand::fill(plain.as_mut()).map_err(|_| CipherError::Refused)?;
        let challenge = STANDARD.encode(cipher.seal(plain.as_ref())?);
        Ok((Self(plain), EncryptionChallenge { challenge }))
    }

    /// Whether the answer proves it.
    ///
    /// # Errors
    /// If it does not.
    pub fn check(&self, cipher: &SessionCipher, answer: &EncryptionChallenge) -> Result<(), CipherError> {
        let opened = cipher.open(&decode(&answer.challenge)?)?;
        let is_same = aws_lc_rs::constant_time::verify_slices_are_equal(&opened, self.0.as_ref()).is_ok();
        if is_same { Ok(()) } else { Err(CipherError::Challenge) }
    }
}

impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<challenge>")
    }
}

/// What an agent offers for the encryption context, in base64: newer clients use it.
///
/// # Errors
/// If there are no random numbers.
pub fn context_challenge() -> Result<String, CipherError> {
    let mut bytes = [0; CONTEXT_CHALLENGE_BYTES];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| CipherError::Refused)?;
    Ok(STANDARD.encode(bytes))
}

fn decode(text: &str) -> Result<Vec<u8>, CipherError> {
    STANDARD.decode(text).map_err(|_| CipherError::Undecipherable)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and the messages of both programs of AWS, checked with their own decryption.
    fn data_key() -> Vec<u8> {
        (0..64).collect()
    }

    fn cipher(end: Role) -> SessionCipher {
        SessionCipher::new(end, &data_key()).unwrap()
    }

    const OF_AGENT: &str = "a0a1a2a3a4a5a6a7a8a9aaab8e7d10412ab469edeb6fa84bae4731a07dbf70c564";
    const OF_CLIENT: &str = "a0a1a2a3a4a5a6a7a8a9aaab124fa9c3be5ea267c186006575655e2404c2cb";
    const REQUEST: &str = "a0a1a2a3a4a5a6a7a8a9aaab19e681d1be31fb4795937227f488312e9f42b4fc795dab847be8c3629c4994e10da89a2374f88ae5884ad11cdaa8522988d58b84a91ad3b68698ce9a67b2447024533f7a158f9395297e5b589ca7e02f";
    const RESPONSE: &str = "a0a1a2a3a4a5a6a7a8a9aaab81c259c83f2d795256de584ed5af87567e912cebd75ecfcae8742e1d30844e18c08be068dd731aa21d3406399da44c2eb99db6e03c4f79a7b6a85da84c043c0249a961d100eef69823f7570fb55e030d";

    fn challenge(hex: &str) -> EncryptionChallenge {
        EncryptionChallenge { challenge: STANDARD.encode(hex::decode(hex).unwrap()) }
    }

    #[test]
    fn what_awss_programs_encrypt_opens() {
        let (agent, client) = (cipher(Role::Agent), cipher(Role::Client));
        assert_eq!(client.open(&hex::decode(OF_AGENT).unwrap()).unwrap(), "hello");
        assert_eq!(agent.open(&hex::decode(OF_CLIENT).unwrap()).unwrap(), "ls\r");
    }

    #[test]
    fn each_end_opens_the_others_messages_and_no_other() {
        let (agent, client) = (cipher(Role::Agent), cipher(Role::Client));
        for plain in [&b""[..], b"x", &[7; 1024]] {
            let sealed = agent.seal(plain).unwrap();
            assert_eq!(sealed.len(), plain.len() + postern_protocol::encryption::OVERHEAD_BYTES);
            assert_eq!(client.open(&sealed).unwrap(), plain);
            assert_eq!(agent.open(&sealed), Err(CipherError::Undecipherable), "it is its own");
            assert_ne!(agent.seal(plain).unwrap(), sealed, "nonces differ");
            for at in 0..sealed.len().min(40) {
                let mut changed = sealed.to_vec();
                changed[at] ^= 1;
                assert_eq!(client.open(&changed), Err(CipherError::Undecipherable), "byte {at}");
                assert_eq!(client.open(&sealed[..at]), Err(CipherError::Undecipherable), "{at} bytes");
            }
        }
        assert!(matches!(SessionCipher::new(Role::Agent, &data_key()[1..]), Err(CipherError::KeyLength)));
    }

    #[test]
    fn a_challenge_is_answered_with_the_key_only() {
        let (agent, client) = (cipher(Role::Agent), cipher(Role::Client));
        let (asked, request) = Challenge::new(&agent).unwrap();
        let answer = client.answer(&request).unwrap();
        assert_eq!(asked.check(&agent, &answer), Ok(()));
        assert_eq!(asked.check(&agent, &request), Err(CipherError::Undecipherable), "it was sent back");
        let (_, other) = Challenge::new(&agent).unwrap();
        assert_eq!(asked.check(&agent, &client.answer(&other).unwrap()), Err(CipherError::Challenge));
        let nonsense = EncryptionChallenge { challenge: "no base64!".to_owned() };
        assert_eq!(asked.check(&agent, &nonsense), Err(CipherError::Undecipherable));
    }

    #[test]
    fn the_challenge_of_awss_agent_is_answered() {
        let (agent, client) = (cipher(Role::Agent), cipher(Role::Client));
        let plain: Vec<u8> = (0xc0..=0xff).rev().collect();
        let answer = client.answer(&challenge(REQUEST)).unwrap();
        assert_eq!(agent.open(&decode(&answer.challenge).unwrap()).unwrap(), plain);
        assert_eq!(agent.open(&hex::decode(RESPONSE).unwrap()).unwrap(), plain);
    }
}
