-- Identities as IAM has them. A "holder" or "owner" is the unique identifier of a user, group, role, …: renaming
-- changes none of its rows.

ALTER TABLE users ADD COLUMN path TEXT NOT NULL DEFAULT '/';
ALTER TABLE users ADD COLUMN boundary_arn TEXT;
ALTER TABLE users ADD COLUMN sessions_valid_after INTEGER;
ALTER TABLE users ADD COLUMN password_last_used_at INTEGER;

CREATE INDEX users_by_boundary ON users (boundary_arn) WHERE boundary_arn IS NOT NULL;

-- A role that came without a trust policy is trusted to nobody.
ALTER TABLE roles ADD COLUMN path TEXT NOT NULL DEFAULT '/';
ALTER TABLE roles ADD COLUMN description TEXT;
ALTER TABLE roles ADD COLUMN trust_policy TEXT NOT NULL DEFAULT '{"Version":"2012-10-17","Statement":[]}';
ALTER TABLE roles ADD COLUMN session_seconds_max INTEGER NOT NULL DEFAULT 3600;
ALTER TABLE roles ADD COLUMN boundary_arn TEXT;
ALTER TABLE roles ADD COLUMN sessions_valid_after INTEGER;
ALTER TABLE roles ADD COLUMN last_used_at INTEGER;
ALTER TABLE roles ADD COLUMN last_used_region TEXT;

CREATE INDEX roles_by_boundary ON roles (boundary_arn) WHERE boundary_arn IS NOT NULL;

ALTER TABLE access_keys ADD COLUMN last_used_at INTEGER;
ALTER TABLE access_keys ADD COLUMN last_used_service TEXT;
ALTER TABLE access_keys ADD COLUMN last_used_region TEXT;

-- Since names can change their case, keys spell them as users do.
UPDATE access_keys SET user_name = (SELECT name FROM users WHERE users.name = access_keys.user_name);

CREATE TABLE user_groups (
    name TEXT COLLATE NOCASE PRIMARY KEY NOT NULL,
    id TEXT UNIQUE NOT NULL,
    path TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE group_members (
    user_id TEXT NOT NULL REFERENCES users (id),
    group_id TEXT NOT NULL REFERENCES user_groups (id),
    PRIMARY KEY (user_id, group_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX group_members_by_group ON group_members (group_id);

CREATE TABLE managed_policies (
    arn TEXT PRIMARY KEY NOT NULL,
    name TEXT COLLATE NOCASE UNIQUE NOT NULL,
    id TEXT UNIQUE NOT NULL,
    path TEXT NOT NULL,
    description TEXT,
    default_version INTEGER NOT NULL,
    last_version INTEGER NOT NULL, -- numbers of deleted versions are not used again
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE policy_versions (
    policy_arn TEXT NOT NULL REFERENCES managed_policies (arn) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    document TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (policy_arn, version)
) STRICT;

CREATE TABLE inline_policies (
    holder_id TEXT NOT NULL,
    name TEXT COLLATE NOCASE NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (holder_id, name)
) STRICT;

CREATE TABLE policy_attachments (
    holder_id TEXT NOT NULL,
    policy_arn TEXT NOT NULL, -- of the account, or one that every account has and that is no row
    PRIMARY KEY (holder_id, policy_arn)
) STRICT, WITHOUT ROWID;

CREATE INDEX policy_attachments_by_policy ON policy_attachments (policy_arn, holder_id);

CREATE TABLE login_profiles (
    user_id TEXT PRIMARY KEY NOT NULL REFERENCES users (id),
    password_hash_sealed BLOB NOT NULL,
    reset_required INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE mfa_devices (
    serial TEXT COLLATE NOCASE PRIMARY KEY NOT NULL,
    seed_sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    user_id TEXT REFERENCES users (id),
    enabled_at INTEGER,
    last_counter INTEGER, -- of the last code that was accepted
    drift_steps INTEGER NOT NULL DEFAULT 0,
    CHECK ((user_id IS NULL) = (enabled_at IS NULL))
) STRICT;

CREATE INDEX mfa_devices_by_user ON mfa_devices (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE instance_profiles (
    name TEXT COLLATE NOCASE PRIMARY KEY NOT NULL,
    id TEXT UNIQUE NOT NULL,
    path TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    role_id TEXT REFERENCES roles (id)
) STRICT;

CREATE INDEX instance_profiles_by_role ON instance_profiles (role_id) WHERE role_id IS NOT NULL;

CREATE TABLE oidc_providers (
    issuer TEXT PRIMARY KEY NOT NULL,
    client_ids TEXT NOT NULL, -- JSON: [text]
    thumbprints TEXT NOT NULL, -- JSON: [text]
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE identity_tags (
    owner_id TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (owner_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE guardrails (
    name TEXT COLLATE NOCASE PRIMARY KEY NOT NULL,
    level INTEGER NOT NULL,
    document TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Counts the changes that can alter a decision.
CREATE TABLE generations (
    name TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT;

INSERT INTO generations (name, value) VALUES ('identity', 1);

-- What the names alone allowed so far.
INSERT INTO policy_attachments (holder_id, policy_arn)
SELECT id, 'arn:aws:iam::aws:policy/AdministratorAccess' FROM users WHERE name = 'admin';

UPDATE roles SET trust_policy =
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
WHERE name = 'PosternNode';

INSERT INTO policy_attachments (holder_id, policy_arn)
SELECT id, 'arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore' FROM roles WHERE name = 'PosternNode';
