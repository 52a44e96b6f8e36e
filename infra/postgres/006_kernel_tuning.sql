-- Kernels that were measured to be faster on devices of a class, handed to every worker of that class. A fact of
-- measurement, under no lease: whoever writes it again changes nothing, and the better time wins.

create sequence kernel_tuning_revision;

create table kernel_tuning (
  device_class   text not null check (length(device_class) between 1 and 120),
  engine_version text not null check (length(engine_version) between 1 and 64),
  -- The engine's name of the computation and its sizes.
  kernel         text not null check (kernel ~ '^[0-9a-f]{64}$'),
  -- In the engine's words; empty: compiled without any optimisation.
  opts           text not null check (length(opts) <= 256),
  seconds_before double precision not null check (seconds_before > 0),
  seconds_after  double precision not null check (seconds_after > 0 and seconds_after < seconds_before),
  job            uuid,
  node           text not null,
  at             timestamptz not null default now(),
  -- Grows with every change: who knows all up to one needs nothing while it is the highest of the class.
  revision       bigint not null default nextval('kernel_tuning_revision'),
  primary key (device_class, engine_version, kernel)
);

-- Tune (2).
alter table job
  drop constraint job_kind_check,
  add constraint known_kind check (kind between 0 and 2);
