-- The ledger: the truth for jobs, shards, leases and results.
--
-- What never changes is wide (job_spec, job_item, item_result, job_event); what changes is narrow, has room on its page
-- (fillfactor) and no index on a changing column, so that an update touches no index. Numbers of states and kinds are
-- those of JobState, ShardState and JobEventKind: append, never renumber.

-- One row per pool. Its epoch is in a unique key, so that the guard's "for key share" blocks a takeover (which changes
-- the epoch) until the guarded transaction ends, and does not block a renewal (which does not).
create table leader_lease (
  pool       text primary key,
  holder     text not null,
  epoch      bigint not null check (epoch > 0),
  expires_at timestamptz not null,
  unique (pool, epoch)
) with (fillfactor = 50);

-- First statement of every transaction that writes for a leader: aborts it all when that leader's term is over.
-- Returns the transaction's id, by which an unknown outcome of its commit is looked up.
create function assert_leader(the_pool text, the_holder text, the_epoch bigint) returns text
language plpgsql as $$
begin
  perform from leader_lease where pool = the_pool and holder = the_holder and epoch = the_epoch for key share;
  if not found then
    raise exception 'epoch % of pool % is over', the_epoch, the_pool using errcode = 'EF001';
  end if;
  return pg_current_xact_id()::text;
end
$$;

-- Input is staged before its job exists; what no job refers to is swept by age.
create table job_input (
  job        uuid primary key,
  item_count integer not null check (item_count > 0),
  staged_at  timestamptz not null
);

create table job_item (
  job   uuid not null,
  idx   integer not null check (idx >= 0),
  bytes integer not null check (bytes > 0),
  -- json, not jsonb or text: keeps escaped NUL characters, which a prompt may contain.
  item  json not null,
  primary key (job, idx)
);

create table job (
  id              uuid primary key references job_input,
  pool            text not null,
  tenant          text not null,
  item_count      integer not null check (item_count > 0),
  state           smallint not null default 0 check (state between 0 and 4),
  next_item       integer not null default 0,
  next_shard      integer not null default 0 check (next_shard >= 0),
  completed_items integer not null default 0 check (completed_items >= 0),
  failed_items    integer not null default 0 check (failed_items >= 0),
  created_at      timestamptz not null default now(),
  started_at      timestamptz,
  finished_at     timestamptz,
  failure         text,
  check (next_item between 0 and item_count),
  check (completed_items + failed_items <= item_count),
  check (state <> 1 or started_at is not null),
  check (state <> 2 or completed_items + failed_items = item_count),
  check ((state >= 2) = (finished_at is not null)),
  check (failure is null or state in (3, 4))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

-- Ids sort by creation: a page of a tenant's jobs is a range of this index.
create index job_by_tenant on job (tenant, id);

create table job_spec (
  job  uuid primary key references job,
  spec json not null
);

create table idempotency_key (
  tenant      text not null,
  key         text not null,
  body_sha256 text not null,
  job         uuid not null references job,
  primary key (tenant, key)
);

create table shard (
  job           uuid not null references job,
  number        integer not null check (number >= 0),
  first_item    integer not null check (first_item >= 0),
  item_count    integer not null check (item_count > 0),
  state         smallint not null check (state between 0 and 4),
  epoch         integer not null check (epoch >= 1),
  device        text not null,
  failure_count integer not null default 0 check (failure_count >= 0),
  leased_at     timestamptz not null default now(),
  primary key (job, number)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

create table item_result (
  job               uuid not null,
  idx               integer not null,
  failed            boolean not null,
  attempt           integer not null,
  device            text not null,
  worker_process_id integer not null,
  prompt_tokens     integer not null,
  completion_tokens integer not null,
  duration_ms       integer not null,
  body              json not null,
  constraint one_result_per_item primary key (job, idx)
);

create table job_event (
  job        uuid not null,
  seq        bigint not null generated always as identity,
  at         timestamptz not null default now(),
  kind       smallint not null check (kind between 0 and 8),
  shard      integer,
  epoch      integer,
  device     text,
  item_count integer,
  message    text,
  primary key (job, seq)
);
