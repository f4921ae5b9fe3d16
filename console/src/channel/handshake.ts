// The client's part of the handshake: the agent asks, the client answers, the agent says that the session may begin.
// Mirrors crates/protocol/src/handshake.rs and crates/client/src/handshake.rs.
//
// Source: `HandshakeRequestPayload` and its neighbours in aws/session-manager-plugin, src/message/clientmessage.go.

import type { SealedKey } from './encryption.ts';
import { Fields, PayloadError, toJson } from './payload.ts';

/** What kind of session the agent is about to run. */
export type Kind =
  /** On a PTY: `Standard_Stream` and `InteractiveCommands`. */
  | 'terminal'
  /** Without a PTY and without input: `NonInteractiveCommands`. */
  | 'command'
  /** Forwarded connections, which a browser cannot offer. */
  | 'port';

/** One thing that the agent asks the client to do. */
export interface RequestedAction {
  actionType: string;
  actionParameters: unknown;
}

export interface HandshakeRequest {
  agentVersion: string;
  requestedClientActions: RequestedAction[];
}

/** How the client fared with one requested action. Anything but `Success` counts as a failure. */
export interface ProcessedAction {
  ActionType: string;
  ActionStatus: (typeof ActionStatus)[keyof typeof ActionStatus];
  ActionResult: null | { readonly KMSCipherTextKey: string; readonly KMSCipherTextHash: null; readonly ChallengeAcknowledgement?: true };
  Error: string;
}

export const ActionStatus = { Success: 1, Failed: 2, Unsupported: 3 } as const;

/** What the agent is told, and what the client has learned. */
export interface Answer {
  response: Uint8Array<ArrayBuffer>;
  /** Missing if the agent named none that we know. */
  kind: Kind | null;
  /** What this client could not do, for the user. */
  errors: string[];
}

const KINDS: Record<string, Kind | undefined> = {
  Standard_Stream: 'terminal',
  InteractiveCommands: 'terminal',
  NonInteractiveCommands: 'command',
  Port: 'port',
};

export function handshakeRequest(json: Uint8Array): HandshakeRequest {
  const fields = Fields.parse(json);
  const actions = fields.raw('RequestedClientActions') ?? [];
  if (!Array.isArray(actions)) {
    throw new PayloadError('RequestedClientActions is not a list');
  }
  return {
    agentVersion: fields.text('AgentVersion'),
    requestedClientActions: actions.map((action: unknown) => {
      const entry = new Fields(action);
      return { actionType: entry.text('ActionType'), actionParameters: entry.raw('ActionParameters') ?? null };
    }),
  };
}

/** Answers a handshake request. `key` is the data key that it asks for, or why there is none. */
export function answer(request: HandshakeRequest, clientVersion: string, key: SealedKey | string = 'no data key was generated'): Answer {
  let kind: Kind | null = null;
  const processed = request.requestedClientActions.map((action): ProcessedAction => {
    switch (action.actionType) {
      case 'SessionType': {
        const sessionType = sessionTypeOf(action.actionParameters);
        if (sessionType === null) {
          return unsupported(action);
        }
        const known = Object.hasOwn(KINDS, sessionType) ? KINDS[sessionType] : undefined;
        if (known === undefined) {
          return failed(action, `Unknown session type ${sessionType}`);
        }
        kind = known;
        return { ActionType: action.actionType, ActionStatus: ActionStatus.Success, ActionResult: null, Error: '' };
      }
      case 'KMSEncryption':
        return typeof key === 'string' ? failed(action, key) : withKey(action, key);
      default:
        return unsupported(action);
    }
  });
  const errors = processed.map((action) => action.Error).filter((error) => error !== '');
  const response = toJson({
    ClientVersion: clientVersion,
    ProcessedClientActions: processed,
    Errors: errors.length > 0 ? errors : null,
  });
  return { response, kind, errors };
}

/** What the agent wants the user to read at the start; often empty. From the node: text, never markup. */
export function customerMessage(handshakeComplete: Uint8Array): string {
  try {
    return Fields.parse(handshakeComplete).text('CustomerMessage');
  } catch {
    return '';
  }
}

function sessionTypeOf(parameters: unknown): string | null {
  try {
    return new Fields(parameters).text('SessionType') || null;
  } catch {
    return null;
  }
}

function withKey({ actionType }: RequestedAction, { ciphertext, challenge }: SealedKey): ProcessedAction {
  return {
    ActionType: actionType,
    ActionStatus: ActionStatus.Success,
    ActionResult: { KMSCipherTextKey: ciphertext, KMSCipherTextHash: null, ...(challenge !== null && { ChallengeAcknowledgement: true }) },
    Error: '',
  };
}

function failed(action: RequestedAction, error: string): ProcessedAction {
  return {
    ActionType: action.actionType,
    ActionStatus: ActionStatus.Failed,
    ActionResult: null,
    Error: `Failed to process action ${action.actionType}: ${error}`,
  };
}

function unsupported(action: RequestedAction): ProcessedAction {
  return {
    ActionType: action.actionType,
    ActionStatus: ActionStatus.Unsupported,
    ActionResult: null,
    Error: `Unsupported action ${action.actionType}`,
  };
}
