-- Logs of sessions that the server writes: where each goes, how far it is, when it is tried again. A log stays when it is
-- done, so that it is known whose its place is.
CREATE TABLE session_logs (
    session_id TEXT NOT NULL,
    sink TEXT NOT NULL,
    destination TEXT NOT NULL,
    state TEXT NOT NULL,
    -- Who delivers has taken it; nobody has when the server starts.
    is_claimed INTEGER NOT NULL,
    cursor TEXT,
    attempts INTEGER NOT NULL,
    failing_since INTEGER,
    next_attempt_at INTEGER NOT NULL,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, sink)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_logs_due ON session_logs (sink, next_attempt_at) WHERE state = 'Waiting' AND is_claimed = 0;
