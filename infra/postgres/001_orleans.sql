-- Orleans 10 on Postgres: cluster membership, grain state and reminders.
--
-- Orleans knows nothing of these tables. Its AdoNet providers read the statements below from OrleansQuery by key, run
-- them with named parameters and read columns by name: keys, parameter names and result names are the contract.
-- Everything else is ours.

create table OrleansQuery (
  QueryKey  text primary key,
  QueryText text not null
);

-- Membership.
-- One version row per cluster serialises every change of its members: a writer names the version it has read, and the
-- statement changes nothing unless that version is still the current one.

create table orleans_cluster (
  cluster_id text primary key,
  version    integer not null default 0 check (version >= 0),
  changed_at timestamptz not null default now()
);

create table orleans_member (
  cluster_id    text not null references orleans_cluster,
  address       text not null,
  port          integer not null check (port between 0 and 65535),
  generation    integer not null,
  silo_name     text not null,
  host_name     text not null,
  status        integer not null check (status between 0 and 6),
  gateway_port  integer not null check (gateway_port between 0 and 65535),
  suspect_times text,
  start_time    timestamptz not null,
  alive_time    timestamptz not null,
  primary key (cluster_id, address, port, generation)
) with (fillfactor = 70);

-- What readers get. The version comes even where no member matches: then the member columns are null.
create view orleans_membership as
select c.cluster_id, c.version as "Version", m.address as "Address", m.port as "Port", m.generation as "Generation",
       m.silo_name as "SiloName", m.host_name as "HostName", m.status as "Status", m.gateway_port as "ProxyPort",
       m.suspect_times as "SuspectTimes", m.start_time as "StartTime", m.alive_time as "IAmAliveTime"
from orleans_cluster c left join orleans_member m using (cluster_id);

-- Version 0 of a new cluster. 1 when this call made it.
insert into OrleansQuery values ('InsertMembershipVersionKey', $sql$
  with made as (
    insert into orleans_cluster (cluster_id) values (@DeploymentId) on conflict do nothing returning 1
  )
  select count(*)::integer from made
$sql$);

-- A new member, at the named version only. 1 when inserted, 0 when the version has moved on or the member exists.
insert into OrleansQuery values ('InsertMembershipKey', $sql$
  with turn as (
    update orleans_cluster c
    set version = c.version + 1, changed_at = now()
    where c.cluster_id = @DeploymentId
      and c.version = @Version
      and not exists (
        select from orleans_member m
        where m.cluster_id = @DeploymentId
          and m.address = @Address and m.port = @Port and m.generation = @Generation
      )
    returning c.cluster_id
  ), joined as (
    insert into orleans_member (cluster_id, address, port, generation, silo_name, host_name, status, gateway_port,
                                start_time, alive_time)
    select turn.cluster_id, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort,
           @StartTime, @IAmAliveTime
    from turn
    returning 1
  )
  select count(*)::integer from joined
$sql$);

-- A member's new status, at the named version only. 1 when changed, 0 when the version has moved on or it is unknown.
insert into OrleansQuery values ('UpdateMembershipKey', $sql$
  with turn as (
    update orleans_cluster c
    set version = c.version + 1, changed_at = now()
    where c.cluster_id = @DeploymentId
      and c.version = @Version
      and exists (
        select from orleans_member m
        where m.cluster_id = @DeploymentId
          and m.address = @Address and m.port = @Port and m.generation = @Generation
      )
    returning c.cluster_id
  ), changed as (
    update orleans_member m
    set status = @Status, suspect_times = @SuspectTimes, alive_time = @IAmAliveTime
    from turn
    where m.cluster_id = turn.cluster_id
      and m.address = @Address and m.port = @Port and m.generation = @Generation
    returning 1
  )
  select count(*)::integer from changed
$sql$);

-- The heartbeat. It alone leaves the version as it is: it decides nothing, and only the member itself writes it.
insert into OrleansQuery values ('UpdateIAmAlivetimeKey', $sql$
  update orleans_member
  set alive_time = @IAmAliveTime
  where cluster_id = @DeploymentId and address = @Address and port = @Port and generation = @Generation
$sql$);

insert into OrleansQuery values ('MembershipReadRowKey', $sql$
  select c.version as "Version", m.address as "Address", m.port as "Port", m.generation as "Generation",
         m.silo_name as "SiloName", m.host_name as "HostName", m.status as "Status", m.gateway_port as "ProxyPort",
         m.suspect_times as "SuspectTimes", m.start_time as "StartTime", m.alive_time as "IAmAliveTime"
  from orleans_cluster c
  left join orleans_member m
    on m.cluster_id = c.cluster_id and m.address = @Address and m.port = @Port and m.generation = @Generation
  where c.cluster_id = @DeploymentId
$sql$);

insert into OrleansQuery values ('MembershipReadAllKey', $sql$
  select * from orleans_membership where cluster_id = @DeploymentId
$sql$);

insert into OrleansQuery values ('GatewaysQueryKey', $sql$
  select address as "Address", gateway_port as "ProxyPort", generation as "Generation"
  from orleans_member
  where cluster_id = @DeploymentId and status = @Status and gateway_port > 0
$sql$);

insert into OrleansQuery values ('DeleteMembershipTableEntriesKey', $sql$
  delete from orleans_member where cluster_id = @DeploymentId;
  delete from orleans_cluster where cluster_id = @DeploymentId
$sql$);

-- Rows of the dead (status 6) that nobody has touched since the given time.
insert into OrleansQuery values ('CleanupDefunctSiloEntriesKey', $sql$
  delete from orleans_member
  where cluster_id = @DeploymentId and status = 6 and start_time < @IAmAliveTime and alive_time < @IAmAliveTime
$sql$);

-- The same for one row that the caller has read and judged; a row changed since then stays.
insert into OrleansQuery values ('CleanupDefunctSiloEntryKey', $sql$
  delete from orleans_member
  where cluster_id = @DeploymentId and address = @Address and port = @Port and generation = @Generation
    and status = 6 and start_time = @StartTime and alive_time = @IAmAliveTime
    and suspect_times is not distinct from @SuspectTimes::text
$sql$);

-- Grain state.
-- Optimistic concurrency by version: a writer names the version it has read (null: none). A result equal to what was
-- named, or null, tells Orleans that another writer came first.

create table orleans_grain_state (
  service_id    text not null,
  grain_type    text not null,
  key_n0        bigint not null,
  key_n1        bigint not null,
  key_extension text not null default '',
  version       integer not null check (version > 0),
  payload       bytea,
  modified_at   timestamptz not null default now(),
  primary key (service_id, grain_type, key_n0, key_n1, key_extension)
);

insert into OrleansQuery values ('ReadFromStorageKey', $sql$
  select payload as "PayloadBinary", version as "Version"
  from orleans_grain_state
  where service_id = @ServiceId and grain_type = @GrainTypeString
    and key_n0 = @GrainIdN0 and key_n1 = @GrainIdN1 and key_extension = coalesce(@GrainIdExtensionString::text, '')
$sql$);

insert into OrleansQuery values ('WriteToStorageKey', $sql$
  with changed as (
    update orleans_grain_state
    set payload = @PayloadBinary, version = version + 1, modified_at = now()
    where service_id = @ServiceId and grain_type = @GrainTypeString
      and key_n0 = @GrainIdN0 and key_n1 = @GrainIdN1 and key_extension = coalesce(@GrainIdExtensionString::text, '')
      and version = @GrainStateVersion::integer
    returning version
  ), made as (
    insert into orleans_grain_state (service_id, grain_type, key_n0, key_n1, key_extension, version, payload)
    select @ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, coalesce(@GrainIdExtensionString::text, ''), 1,
           @PayloadBinary
    where @GrainStateVersion::integer is null
    on conflict do nothing
    returning version
  )
  select coalesce((select version from changed), (select version from made), @GrainStateVersion::integer)
    as "NewGrainStateVersion"
$sql$);

-- Cleared state keeps its row, and with it the version that fences late writers.
insert into OrleansQuery values ('ClearStorageKey', $sql$
  update orleans_grain_state
  set payload = null, version = version + 1, modified_at = now()
  where service_id = @ServiceId and grain_type = @GrainTypeString
    and key_n0 = @GrainIdN0 and key_n1 = @GrainIdN1 and key_extension = coalesce(@GrainIdExtensionString::text, '')
    and version = @GrainStateVersion::integer
  returning version as "NewGrainStateVersion"
$sql$);

insert into OrleansQuery values ('DeleteStorageKey', $sql$
  delete from orleans_grain_state
  where service_id = @ServiceId and grain_type = @GrainTypeString
    and key_n0 = @GrainIdN0 and key_n1 = @GrainIdN1 and key_extension = coalesce(@GrainIdExtensionString::text, '')
    and version = @GrainStateVersion::integer
  returning version + 1 as "NewGrainStateVersion"
$sql$);

-- Reminders.
-- Silos own ranges of the hash ring; Orleans hands hashes over as signed 32-bit numbers.

create table orleans_reminder (
  service_id text not null,
  grain_id   text not null,
  name       text not null,
  grain_hash integer not null,
  start_time timestamptz not null,
  period_ms  bigint not null check (period_ms >= 0),
  version    integer not null default 0,
  primary key (service_id, grain_id, name)
);

create index orleans_reminder_range on orleans_reminder (service_id, grain_hash);

create view orleans_reminder_row as
select service_id, grain_id, name, grain_hash, grain_id as "GrainId", name as "ReminderName",
       start_time as "StartTime", period_ms as "Period", version as "Version"
from orleans_reminder;

insert into OrleansQuery values ('UpsertReminderRowKey', $sql$
  insert into orleans_reminder as r (service_id, grain_id, name, grain_hash, start_time, period_ms)
  values (@ServiceId, @GrainId, @ReminderName, @GrainHash, @StartTime, @Period::bigint)
  on conflict (service_id, grain_id, name) do update
  set grain_hash = excluded.grain_hash, start_time = excluded.start_time, period_ms = excluded.period_ms,
      version = r.version + 1
  returning r.version as "Version"
$sql$);

insert into OrleansQuery values ('ReadReminderRowKey', $sql$
  select * from orleans_reminder_row
  where service_id = @ServiceId and grain_id = @GrainId::text and name = @ReminderName
$sql$);

insert into OrleansQuery values ('ReadReminderRowsKey', $sql$
  select * from orleans_reminder_row where service_id = @ServiceId and grain_id = @GrainId::text
$sql$);

-- A range of the ring that does not pass its end, and one that does.
insert into OrleansQuery values ('ReadRangeRows1Key', $sql$
  select * from orleans_reminder_row
  where service_id = @ServiceId and grain_hash > @BeginHash and grain_hash <= @EndHash
$sql$);

insert into OrleansQuery values ('ReadRangeRows2Key', $sql$
  select * from orleans_reminder_row
  where service_id = @ServiceId and (grain_hash > @BeginHash or grain_hash <= @EndHash)
$sql$);

insert into OrleansQuery values ('DeleteReminderRowKey', $sql$
  with gone as (
    delete from orleans_reminder
    where service_id = @ServiceId and grain_id = @GrainId and name = @ReminderName and version = @Version
    returning 1
  )
  select count(*)::integer from gone
$sql$);

insert into OrleansQuery values ('DeleteReminderRowsKey', $sql$
  delete from orleans_reminder where service_id = @ServiceId
$sql$);
