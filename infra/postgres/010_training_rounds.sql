-- Rounds of data parallel training.
--
-- What members say and what follows is decided in one place (RoundMachine); its state is a column that one transaction
-- after the other changes under the lock of its row. What must never happen has a constraint beside it: a microshard is
-- applied once.

-- 5: contributed, the difference that a member handed in, kept until its round is closed.
alter table checkpoint
  drop constraint checkpoint_state_check,
  add constraint checkpoint_state_check check (state between 0 and 5);

create table training_run (
  job           uuid primary key,
  round         integer not null check (round >= 0),
  -- Those of RoundPhase: open, closing, finished, failed. Append, never renumber.
  phase         smallint not null check (phase between 0 and 3),
  terms         json not null,
  state         json not null,
  -- The checkpoint of weights and velocity that the round starts from.
  base          uuid not null,
  closer        text,
  closing_until timestamptz
) with (fillfactor = 50);

-- Rounds that were closed.
create table training_round (
  job       uuid not null,
  round     integer not null check (round >= 0),
  -- What came out of it; null: nothing was applied.
  base      uuid,
  tokens    bigint not null check (tokens >= 0),
  members   integer not null check (members >= 0),
  norm      double precision not null,
  -- Members whose contributions were dropped, and why.
  dropped   json not null,
  closed_at timestamptz not null default clock_timestamp(),
  primary key (job, round)
);

create table training_applied (
  job        uuid not null,
  microshard integer not null check (microshard >= 0),
  round      integer not null check (round >= 0),
  constraint one_application_per_microshard primary key (job, microshard)
);

create index checkpoint_contributed on checkpoint (job) where state = 5;
