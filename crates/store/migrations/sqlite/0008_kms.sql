-- Encryption keys, each with its backing keys: rotation adds one, and what the older ones encrypted stays readable.
CREATE TABLE kms_keys (
    id TEXT PRIMARY KEY NOT NULL,
    description TEXT NOT NULL,
    policy TEXT NOT NULL,
    state TEXT NOT NULL,
    deletion_at INTEGER, -- only of a key that waits for its deletion, as is the next
    deletion_days INTEGER,
    rotation_days INTEGER, -- only of a key that is rotated by itself, as is the next
    rotation_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX kms_keys_by_deletion ON kms_keys (deletion_at) WHERE deletion_at IS NOT NULL;
CREATE INDEX kms_keys_by_rotation ON kms_keys (rotation_at) WHERE rotation_at IS NOT NULL;

CREATE TABLE kms_materials (
    key_id TEXT NOT NULL REFERENCES kms_keys (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    name TEXT NOT NULL, -- the KeyMaterialId of the API
    origin TEXT NOT NULL,
    content_sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (key_id, version)
) STRICT;

CREATE TABLE kms_aliases (
    name TEXT PRIMARY KEY NOT NULL,
    key_id TEXT NOT NULL REFERENCES kms_keys (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX kms_aliases_by_key ON kms_aliases (key_id);

CREATE TABLE kms_tags (
    key_id TEXT NOT NULL REFERENCES kms_keys (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (key_id, key)
) STRICT;
