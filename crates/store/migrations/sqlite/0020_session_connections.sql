-- How live port sessions carry their connections, and which are open: what the next process needs to follow them on.
CREATE TABLE session_carriages (
    session_id TEXT PRIMARY KEY NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    content BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session_connections (
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (session_id, number)
) STRICT, WITHOUT ROWID;
