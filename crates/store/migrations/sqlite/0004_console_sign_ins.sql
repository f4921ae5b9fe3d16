-- Sign-ins to the console. The secret in the browser's cookie is known only by its hash.
CREATE TABLE console_sign_ins (
    id TEXT PRIMARY KEY NOT NULL,
    secret_hash BLOB UNIQUE NOT NULL,
    owner TEXT NOT NULL, -- aws:userid of who signed in
    stage TEXT NOT NULL,
    content_sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    source_ip TEXT NOT NULL,
    user_agent TEXT,
    ended TEXT, -- how, if it has been ended before its time
    ended_at INTEGER
) STRICT;

CREATE INDEX console_sign_ins_by_owner ON console_sign_ins (owner, created_at);
CREATE INDEX console_sign_ins_by_expiry ON console_sign_ins (expires_at);
