-- What every control silo must know of agents, whichever of them an agent talks to. Only hashes: nothing in here can be
-- used to call.

create table node_credential (
  node              text primary key,
  -- Lower-case hex SHA-256. Unique: a credential says who calls.
  credential_sha256 text not null unique check (credential_sha256 ~ '^[0-9a-f]{64}$'),
  enrolled_at       timestamptz not null default now()
);

-- Each control silo has its own enrolment secret; every one of them accepts all of these.
create table enrolment_secret (
  silo   text primary key,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$')
);
