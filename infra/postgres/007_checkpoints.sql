-- Checkpoints: content-addressed chunks, and who refers to them.
--
-- A chunk is kept as long as a row of checkpoint_chunk names it. A writer names its chunks before it asks which of them
-- are missing, both in one transaction under a shared advisory lock; a batch of the garbage collection holds the same
-- lock alone, and looks for references only once it has it. So what a writer was told is here stays here: either the
-- collection saw the reference, or the writer saw that the chunk was gone.

-- Random floats do not compress: external storage spares the try.
create table chunk (
  hash bytea not null check (octet_length(hash) = 32),
  size integer not null check (size between 1 and 1048576),
  data bytea not null,
  check (octet_length(data) = size),
  primary key (hash)
) partition by hash (hash);

alter table chunk alter column data set storage external;

-- Eight smaller indexes, vacuumed one after the other.
create table chunk_0 partition of chunk for values with (modulus 8, remainder 0);
create table chunk_1 partition of chunk for values with (modulus 8, remainder 1);
create table chunk_2 partition of chunk for values with (modulus 8, remainder 2);
create table chunk_3 partition of chunk for values with (modulus 8, remainder 3);
create table chunk_4 partition of chunk for values with (modulus 8, remainder 4);
create table chunk_5 partition of chunk for values with (modulus 8, remainder 5);
create table chunk_6 partition of chunk for values with (modulus 8, remainder 6);
create table chunk_7 partition of chunk for values with (modulus 8, remainder 7);

-- States are those of CheckpointState: open, complete, damaged, retired, dropped. Append, never renumber.
-- No foreign keys: a job may be archived before its checkpoints go, and a parent before its children.
create table checkpoint (
  id           uuid primary key,
  job          uuid not null,
  shard        integer not null check (shard >= 0),
  epoch        integer not null check (epoch >= 1),
  parent       uuid,
  -- Its place in its line, from 1: one more than its parent's.
  number       integer not null check (number >= 1),
  step         bigint not null check (step >= 0),
  state        smallint not null default 0 check (state between 0 and 4),
  size_bytes   bigint not null default 0 check (size_bytes >= 0),
  chunk_count  integer not null default 0 check (chunk_count >= 0),
  metrics      json not null default '{}',
  -- Words of whoever wrote it, as those of a safetensors file.
  metadata     json not null default '{}',
  opened_at    timestamptz not null default clock_timestamp(),
  -- Last sign of its writer.
  touched_at   timestamptz not null default clock_timestamp(),
  completed_at timestamptz,
  retired_at   timestamptz,
  check (state not between 1 and 3 or completed_at is not null),
  check (state <> 3 or retired_at is not null)
);

create index checkpoint_by_job on checkpoint (job, id);

-- One row for each tensor, in the order of the manifest.
create table manifest (
  checkpoint  uuid not null,
  nth         integer not null check (nth >= 0),
  name        text not null,
  type        smallint not null,
  shape       bigint[] not null,
  size_bytes  bigint not null check (size_bytes >= 0),
  chunk_bytes integer not null,
  -- 32 bytes each, in order.
  hashes      bytea not null,
  primary key (checkpoint, nth)
);

create table checkpoint_chunk (
  checkpoint uuid not null,
  hash       bytea not null,
  primary key (checkpoint, hash)
);

create index checkpoint_chunk_by_hash on checkpoint_chunk (hash);

-- Chunks that lost a reference: the only ones that the collection looks at.
create table chunk_garbage (
  hash bytea primary key
);
