// The encryption of a session between client and agent: AES-256-GCM with a key for each direction. Mirrors crates/cipher and
// crates/protocol/src/encryption.rs.
//
// Source: aws/session-manager-plugin, src/datachannel/streaming.go and src/encryption/encrypter.go.

import { gcm } from '@noble/ciphers/aes.js';

import type { HandshakeRequest } from './handshake.ts';
import { PayloadType } from './message.ts';
import { Fields, PayloadError, toJson } from './payload.ts';

/** Bytes of the data key: its first half is the agent's, its second the client's. */
export const DATA_KEY_BYTES = 64;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What agents send encrypted, once the data key is agreed. */
const ENCRYPTED_BY_AGENT: ReadonlySet<number> = new Set([PayloadType.Output, PayloadType.StdErr, PayloadType.ExitCode]);

/** A key that the agent asks to have a data key generated with. */
export interface AskedKey {
  readonly keyId: string;
  /** What newer agents want to have in the encryption context, in base64. */
  readonly challenge: string | null;
}

/** A data key as its key has encrypted it. Only who may use that key has it again. */
export interface SealedKey {
  /** In base64. */
  readonly ciphertext: string;
  readonly challenge: string | null;
}

/** A data key that was generated. */
export interface DataKey {
  readonly plain: Uint8Array;
  /** In base64. */
  readonly ciphertext: string;
}

/** A message that does not open: it was changed, or encrypted with another key. Says nothing of its content. */
export class CipherError extends Error {
  override readonly name = 'CipherError';
}

/** What a request asks for, if it does. */
export function askedKey({ requestedClientActions }: HandshakeRequest): AskedKey | null {
  const action = requestedClientActions.find(({ actionType }) => actionType === 'KMSEncryption');
  if (!action) {
    return null;
  }
  const parameters = new Fields(action.actionParameters);
  return { keyId: parameters.text('KMSKeyId'), challenge: parameters.text('Challenge') || null };
}

/** What the data key is bound to. Source: aws/session-manager-plugin, src/datachannel/streaming.go. */
export function encryptionContext(sessionId: string, target: string, challenge: string | null): Readonly<Record<string, string>> {
  return {
    'aws:ssm:SessionId': sessionId,
    'aws:ssm:TargetId': target,
    ...(challenge !== null && { 'aws:ssm:RandomChallenge': challenge }),
  };
}

/** The client's end. */
export class SessionCipher {
  readonly #seals: Uint8Array;
  readonly #opens: Uint8Array;

  constructor(dataKey: Uint8Array) {
    if (dataKey.length !== DATA_KEY_BYTES) {
      throw new CipherError();
    }
    this.#opens = dataKey.slice(0, DATA_KEY_BYTES / 2);
    this.#seals = dataKey.slice(DATA_KEY_BYTES / 2);
  }

  /** What is sent: of a client only what is typed. */
  seal(payloadType: number, plain: Uint8Array): Uint8Array {
    return payloadType === PayloadType.Output ? this.#sealed(plain) : plain;
  }

  /** What was received. Throws if it does not open. */
  open(payloadType: number, payload: Uint8Array): Uint8Array {
    return ENCRYPTED_BY_AGENT.has(payloadType) ? this.#opened(payload) : payload;
  }

  /** The answer to the agent's challenge: the same bytes under the client's half of the key. */
  answer(challengeRequest: Uint8Array): Uint8Array<ArrayBuffer> {
    const challenge = fromBase64(Fields.parse(challengeRequest).text('Challenge'));
    return toJson({ Challenge: toBase64(this.#sealed(this.#opened(challenge))) });
  }

  #sealed(plain: Uint8Array): Uint8Array {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const sealed = gcm(this.#seals, nonce).encrypt(plain);
    const message = new Uint8Array(NONCE_BYTES + sealed.length);
    message.set(nonce);
    message.set(sealed, NONCE_BYTES);
    return message;
  }

  #opened(message: Uint8Array): Uint8Array {
    if (message.length < NONCE_BYTES + TAG_BYTES) {
      throw new CipherError();
    }
    try {
      return gcm(this.#opens, message.subarray(0, NONCE_BYTES)).decrypt(message.subarray(NONCE_BYTES));
    } catch {
      throw new CipherError();
    }
  }
}

export function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new PayloadError('not base64');
  }
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
