-- Buckets and objects. Keys are compared by their bytes, so they are BLOBs. What objects hold is in files of their own,
-- in the order of `position`; a file belongs to one object or to one part of an upload.
CREATE TABLE buckets (
    name TEXT PRIMARY KEY NOT NULL,
    created_at INTEGER NOT NULL,
    lock_enabled INTEGER NOT NULL,
    lock_mode TEXT, -- of objects that are written without one of their own
    lock_days INTEGER
) STRICT;

CREATE TABLE objects (
    id INTEGER PRIMARY KEY NOT NULL,
    bucket TEXT NOT NULL REFERENCES buckets (name),
    key BLOB NOT NULL,
    size INTEGER NOT NULL,
    entity_tag TEXT NOT NULL,
    modified_at INTEGER NOT NULL,
    attributes TEXT NOT NULL, -- JSON
    retention_mode TEXT,
    retained_until INTEGER,
    UNIQUE (bucket, key)
) STRICT;

CREATE TABLE object_segments (
    object INTEGER NOT NULL REFERENCES objects (id),
    position INTEGER NOT NULL,
    file TEXT UNIQUE NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (object, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE uploads (
    id TEXT PRIMARY KEY NOT NULL,
    bucket TEXT NOT NULL REFERENCES buckets (name),
    key BLOB NOT NULL,
    started_at INTEGER NOT NULL,
    attributes TEXT NOT NULL, -- JSON
    retention_mode TEXT,
    retained_until INTEGER
) STRICT;

CREATE INDEX uploads_by_key ON uploads (bucket, key, id);

CREATE TABLE upload_parts (
    upload TEXT NOT NULL REFERENCES uploads (id),
    number INTEGER NOT NULL,
    file TEXT UNIQUE NOT NULL,
    size INTEGER NOT NULL,
    entity_tag TEXT NOT NULL,
    modified_at INTEGER NOT NULL,
    checksums TEXT NOT NULL, -- JSON
    PRIMARY KEY (upload, number)
) STRICT, WITHOUT ROWID;
