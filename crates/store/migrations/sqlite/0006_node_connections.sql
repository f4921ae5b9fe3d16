-- How each node's control channel stands. Written when one opens or closes, not while it is open.
CREATE TABLE node_connections (
    node_id TEXT PRIMARY KEY NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    since INTEGER NOT NULL,
    closed_because TEXT, -- of the channel that closed last
    closed_at INTEGER
) STRICT, WITHOUT ROWID;
