-- Everything a first server needs. Times are microseconds since 1970 (UTC).
-- Later migrations only add, or remove what no running version uses: the old code may still run beside the new.

-- "POST": tells this file from other programs' databases.
PRAGMA application_id = 1347375956;

CREATE TABLE settings (
    name TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE secret_settings (
    name TEXT PRIMARY KEY NOT NULL,
    value_sealed BLOB NOT NULL
) STRICT;

CREATE TABLE users (
    name TEXT COLLATE NOCASE PRIMARY KEY NOT NULL,
    id TEXT UNIQUE NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE access_keys (
    id TEXT PRIMARY KEY NOT NULL,
    secret_sealed BLOB NOT NULL,
    user_name TEXT NOT NULL REFERENCES users (name),
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX access_keys_by_user ON access_keys (user_name);

CREATE TABLE roles (
    name TEXT COLLATE NOCASE PRIMARY KEY NOT NULL,
    id TEXT UNIQUE NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE activations (
    id TEXT PRIMARY KEY NOT NULL,
    code_hash BLOB NOT NULL,
    description TEXT,
    default_instance_name TEXT,
    role TEXT NOT NULL,
    registration_limit INTEGER NOT NULL,
    registrations_count INTEGER NOT NULL CHECK (registrations_count BETWEEN 0 AND registration_limit),
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    tags TEXT NOT NULL -- JSON: [{"key", "value"}], copied to each node
) STRICT;

CREATE TABLE nodes (
    id TEXT PRIMARY KEY NOT NULL,
    activation_id TEXT, -- may be gone
    role TEXT NOT NULL,
    name TEXT,
    fingerprint TEXT NOT NULL,
    public_key_der BLOB UNIQUE NOT NULL,
    public_key_since INTEGER NOT NULL,
    previous_public_key_der BLOB,
    registered_at INTEGER NOT NULL,
    agent_name TEXT,
    agent_version TEXT,
    agent_status TEXT,
    platform_type TEXT,
    platform_name TEXT,
    platform_version TEXT,
    computer_name TEXT,
    ip_address TEXT,
    connection_channel TEXT,
    last_ping_at INTEGER
) STRICT;

CREATE TABLE tags (
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (resource_type, resource_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX tags_by_key ON tags (resource_type, key, value);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY NOT NULL,
    node_id TEXT NOT NULL, -- may be gone
    owner_arn TEXT NOT NULL,
    owner_user_id TEXT NOT NULL,
    document_name TEXT NOT NULL,
    session_type TEXT NOT NULL,
    reason TEXT,
    access_type TEXT NOT NULL,
    status TEXT NOT NULL,
    status_since INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    end_reason TEXT,
    details TEXT,
    exit_code INTEGER,
    parameters TEXT NOT NULL, -- JSON
    max_session_duration_minutes INTEGER,
    idle_timeout_minutes INTEGER NOT NULL,
    client_ip TEXT
) STRICT;

CREATE INDEX sessions_by_start ON sessions (started_at DESC, id);
CREATE INDEX sessions_by_node ON sessions (node_id, started_at DESC, id);
CREATE INDEX sessions_live ON sessions (started_at DESC, id) WHERE ended_at IS NULL;

CREATE TABLE tokens (
    hash BLOB PRIMARY KEY NOT NULL,
    node_id TEXT REFERENCES nodes (id) ON DELETE CASCADE,
    session_id TEXT REFERENCES sessions (id) ON DELETE CASCADE,
    side TEXT,
    expires_at INTEGER NOT NULL,
    CHECK ((node_id IS NULL) = (session_id IS NOT NULL)),
    CHECK ((session_id IS NULL) = (side IS NULL))
) STRICT;

CREATE INDEX tokens_by_expiry ON tokens (expires_at);
CREATE INDEX tokens_by_session ON tokens (session_id);
CREATE INDEX tokens_by_node ON tokens (node_id);
