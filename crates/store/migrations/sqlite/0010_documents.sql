-- The account's own documents. Versions are numbered from 1; the number of one that was deleted does not come again.
CREATE TABLE documents (
    name TEXT PRIMARY KEY NOT NULL,
    document_type TEXT NOT NULL,
    target_type TEXT,
    default_version INTEGER NOT NULL,
    versions_made INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE document_versions (
    document_name TEXT NOT NULL REFERENCES documents (name) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    version_name TEXT,
    display_name TEXT,
    format TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (document_name, version)
) STRICT;

CREATE UNIQUE INDEX document_versions_by_name ON document_versions (document_name, version_name);
