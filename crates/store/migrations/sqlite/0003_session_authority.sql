-- What the right to a session rested on when it started, so that it can be asked again whether it still stands.
-- JSON, in the words of the server's authorisation; a session that came without is nobody's any more.
ALTER TABLE sessions ADD COLUMN authority TEXT;

CREATE INDEX sessions_live_by_id ON sessions (id) WHERE ended_at IS NULL;
