-- Uploaded files. A file and its chunks come in one transaction: nobody sees half of one, and a broken upload leaves nothing.

create table file (
  id         uuid primary key,
  tenant     text not null,
  name       text not null check (length(name) between 1 and 255),
  purpose    text not null check (purpose in ('fine-tune', 'batch')),
  size_bytes bigint not null check (size_bytes > 0),
  sha256     bytea not null check (octet_length(sha256) = 32),
  created_at timestamptz not null default clock_timestamp()
);

-- Ids sort by creation: a page of a tenant's files is a range of this index.
create index file_by_tenant on file (tenant, id);

-- Every chunk of a file but its last has 1 MiB: a place in the file is found by dividing.
create table file_chunk (
  file uuid not null,
  nth  integer not null check (nth >= 0),
  data bytea not null check (octet_length(data) between 1 and 1048576),
  primary key (file, nth)
);

-- Compressing would cost more time than the disk it saves is worth, and each read takes whole chunks.
alter table file_chunk alter column data set storage external;

-- Whether a file is needed is asked of the few runs that are not over.
create index training_job_open on job (tenant) where kind = 3 and state not between 2 and 4;
