-- What a round of a shared run tells of itself: its step of the run's curve.

alter table training_round
  -- Mean of the kept contributions, by their tokens; null where nothing was applied.
  add column loss           double precision,
  add column microshards    integer not null default 0 check (microshards >= 0),
  -- Of this round and all before it.
  add column trained_tokens bigint not null default 0 check (trained_tokens >= 0);
