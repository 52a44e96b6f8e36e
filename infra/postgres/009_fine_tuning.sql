-- Fine-tuning runs: what their submitter asked for beyond the ledger's job, and what they tell of themselves.

-- Train (3).
alter table job
  drop constraint known_kind,
  add constraint known_kind check (kind between 0 and 3);

-- Written before its job is submitted, so that no run is without; a row whose job never came is swept by age. No foreign
-- key: the job may be archived.
create table fine_tuning_job (
  job        uuid primary key,
  tenant     text not null,
  created_at timestamptz not null default clock_timestamp(),
  -- Text pairs of the submitter, for listing by them.
  metadata   jsonb,
  ask        json not null,
  -- Rows of fine_tuning_note: bounds them without counting.
  notes      integer not null default 0 check (notes >= 0)
) with (fillfactor = 70);

-- Ids sort by creation: a page of a tenant's runs is a range of this index.
create index fine_tuning_job_by_tenant on fine_tuning_job (tenant, job);

-- Kinds are those of TrainingNoteKind: metrics, message, warning. Append, never renumber.
create table fine_tuning_note (
  job     uuid not null,
  seq     bigint not null generated always as identity,
  at      timestamptz not null default clock_timestamp(),
  kind    smallint not null check (kind between 0 and 2),
  step    bigint not null check (step >= 0),
  message text,
  metrics json,
  primary key (job, seq),
  check ((kind = 0) = (metrics is not null)),
  check ((kind = 0) = (message is null))
);

-- A run that is repeated from a checkpoint says the same again: it is kept once.
create unique index fine_tuning_note_once on fine_tuning_note (job, kind, step, md5(coalesce(message, '')));
