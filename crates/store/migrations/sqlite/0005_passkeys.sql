-- Passkeys: credentials of WebAuthn with which users sign in to the console. Nothing in them is secret.
CREATE TABLE passkeys (
    id TEXT PRIMARY KEY NOT NULL, -- names it to people, and in its serial number as an MFA device
    credential_id BLOB UNIQUE NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    user_handle BLOB NOT NULL, -- by which the authenticator knows the user
    relying_party TEXT NOT NULL, -- the host that it was made for, and is good for
    public_key BLOB NOT NULL, -- COSE
    sign_count INTEGER NOT NULL,
    is_backup_eligible INTEGER NOT NULL,
    is_backed_up INTEGER NOT NULL,
    transports TEXT NOT NULL, -- JSON: [text]
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;

CREATE INDEX passkeys_by_user ON passkeys (user_id, created_at);

-- Challenges that were answered well, until their time is over: none is answered twice.
CREATE TABLE spent_challenges (
    hash BLOB PRIMARY KEY NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_challenges_by_expiry ON spent_challenges (expires_at);
