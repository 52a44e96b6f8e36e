-- Job rules, inline items, and what makes a turn of the group commit one round trip.
--
-- No foreign keys on the hot path: each would lock a parent row, and write it, for every child. The one writer inserts
-- parent and children in one transaction, and retention removes them in one.

-- Turns.
-- A turn is one implicit transaction: its guard, its operations and its commit are sent together, so a connection lost
-- on the way leaves the outcome open. The guard therefore makes turns of a pool strictly follow each other (an advisory
-- lock, held to the transaction's end) and stores the turn's number: a turn that is run again either waits for its lost
-- twin and then finds its number taken, or takes the number itself, and the twin finds it taken.
-- One row per turn, not one row updated: nothing ever has to walk over a row's dead versions, however long some reader
-- keeps them alive.
create table leader_turn (
  pool  text not null,
  epoch bigint not null,
  turn  bigint not null check (turn > 0),
  primary key (pool, epoch, turn)
);

-- 'EF001': the term is over. 'EF002': this turn, or a later one, is committed already.
create function open_turn(the_pool text, the_holder text, the_epoch bigint, the_turn bigint) returns void
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(1, hashtext(the_pool));
  perform from leader_lease where pool = the_pool and holder = the_holder and epoch = the_epoch;
  if not found then
    raise exception 'epoch % of pool % is over', the_epoch, the_pool using errcode = 'EF001';
  end if;
  perform from leader_turn where pool = the_pool and epoch = the_epoch and turn >= the_turn;
  if found then
    raise exception 'turn % of pool % is done', the_turn, the_pool using errcode = 'EF002';
  end if;
  insert into leader_turn (pool, epoch, turn) values (the_pool, the_epoch, the_turn);
  delete from leader_turn where pool = the_pool and epoch = the_epoch and turn = the_turn - 1;
end
$$;

-- The new epoch, or null while another holder's lease runs. Waits for the turn under way, so that no write of the old
-- term comes after the new one has begun. A leader that was stopped in mid-turn would keep everybody waiting: its lease
-- has run out, so its session is ended.
create function take_leadership(the_pool text, the_holder text, duration interval) returns bigint
language plpgsql as $$
declare
  the_epoch bigint;
begin
  perform from leader_lease where pool = the_pool and expires_at > clock_timestamp() and holder <> the_holder;
  if found then
    return null;
  end if;
  -- Takers one after the other; who comes second finds the lease taken.
  perform pg_advisory_xact_lock(2, hashtext(the_pool));
  perform from leader_lease where pool = the_pool and expires_at > clock_timestamp() and holder <> the_holder;
  if found then
    return null;
  end if;
  perform pg_terminate_backend(pid)
  from pg_locks
  where locktype = 'advisory' and objsubid = 2 and classid = 1
    and objid::bigint = (hashtext(the_pool)::bigint & 4294967295)
    and database = (select oid from pg_database where datname = current_database());
  perform pg_advisory_xact_lock(1, hashtext(the_pool));
  insert into leader_lease as l (pool, holder, epoch, expires_at)
  values (the_pool, the_holder, 1, clock_timestamp() + duration)
  on conflict (pool) do update
  set holder = excluded.holder, epoch = l.epoch + 1, expires_at = excluded.expires_at
  where l.expires_at <= clock_timestamp() or l.holder = excluded.holder
  returning epoch into the_epoch;
  -- The last terms' numbers stay a while: a deposed leader may still ask what became of its last turn.
  delete from leader_turn where pool = the_pool and epoch < the_epoch - 100;
  return the_epoch;
end
$$;

drop function assert_leader;
alter table leader_lease drop constraint leader_lease_pool_epoch_key;

-- Jobs.

alter table job drop constraint job_id_fkey;
alter table job_spec drop constraint job_spec_job_fkey;
alter table shard drop constraint shard_job_fkey;
alter table idempotency_key drop constraint idempotency_key_job_fkey;

-- States beyond 4 are held, paused and blocked; those from 2 to 4 are terminal.
alter table job
  add column kind smallint not null default 0 check (kind between 0 and 1),
  add column priority smallint not null default 0,
  add column deadline timestamptz,
  add column max_run_ms bigint check (max_run_ms > 0),
  add column end_code smallint,
  drop constraint job_state_check,
  drop constraint job_check2,
  drop constraint job_check4,
  drop constraint job_check5,
  add constraint known_state check (state between 0 and 7),
  add constraint started_runs check (state not in (1, 6) or started_at is not null),
  add constraint terminal_is_finished check ((state between 2 and 4) = (finished_at is not null));
alter table job rename column failure to end_message;
update job set end_code = case state when 4 then 1 else 2 end, end_message = coalesce(end_message, '')
where state in (3, 4);
update job j set priority = coalesce((s.spec ->> 'priority')::smallint, 0) from job_spec s where s.job = j.id;
alter table job add constraint ended_has_a_reason
  check ((state in (3, 4)) = (end_code is not null) and (end_code is null) = (end_message is null));

-- A turn changes every row of a page several times over before the page can be pruned: half of it is left free.
alter table job set (fillfactor = 50);
alter table shard set (fillfactor = 50);

-- Few and small items lie beside the spec, in the order of their indexes: one row instead of one for each.
alter table job_spec add column items json;

create table job_dependency (
  job        uuid not null,
  nth        smallint not null,
  depends_on uuid not null,
  condition  smallint not null check (condition between 0 and 1),
  primary key (job, nth)
);

create index job_dependency_by_target on job_dependency (depends_on);

-- Jobs long ended, without their items, results, shards and events.
create table job_archive (
  id              uuid primary key,
  tenant          text not null,
  item_count      integer not null,
  state           smallint not null check (state between 2 and 4),
  created_at      timestamptz not null,
  spec            json not null,
  completed_items integer not null,
  failed_items    integer not null,
  started_at      timestamptz,
  finished_at     timestamptz not null,
  end_code        smallint,
  end_message     text
);

create index job_archive_by_tenant on job_archive (tenant, id);
create index job_archive_by_age on job_archive using brin (finished_at) with (pages_per_range = 16);

-- State null: the job is in neither table any more.
create view dependency_state as
select d.job, d.nth, d.depends_on, d.condition, coalesce(j.state, a.state) as state
from job_dependency d left join job j on j.id = d.depends_on left join job_archive a on a.id = d.depends_on;

alter table shard add column not_before timestamptz;

alter table idempotency_key add column created_at timestamptz not null default now();
-- Rows arrive by age, so a summary of page ranges finds the expired ones and costs an insert next to nothing.
create index idempotency_key_by_age on idempotency_key using brin (created_at) with (pages_per_range = 16);

alter table job_event
  drop constraint job_event_kind_check,
  add constraint known_kind check (kind between 0 and 14);

-- After-ok (0) needs success, after-any (1) an end of any kind. Null for a job that does not exist.
create function is_met(condition smallint, state smallint) returns boolean
language sql immutable parallel safe as $$
  select case when condition = 0 then state = 2 else state between 2 and 4 end
$$;
