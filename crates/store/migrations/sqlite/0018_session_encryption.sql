-- What the gateway knows of a live session that is encrypted. The data key in it is encrypted with a key of KMS.
CREATE TABLE session_encryptions (
    session_id TEXT PRIMARY KEY NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    content BLOB NOT NULL
) STRICT;
