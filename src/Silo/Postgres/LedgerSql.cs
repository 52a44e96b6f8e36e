namespace EgpuFleet.Silo.Postgres;

/// <summary>
/// The ledger's writes. Each is one statement that changes everything that belongs together or nothing, and appends the
/// event only where its condition held: no row back means refused.
/// </summary>
internal static class LedgerSql
{
    public const string AcquireLeadership = """
        insert into leader_lease as l (pool, holder, epoch, expires_at)
        values ($1, $2, 1, clock_timestamp() + $3)
        on conflict (pool) do update
        set holder = excluded.holder, epoch = l.epoch + 1, expires_at = excluded.expires_at
        where l.expires_at <= clock_timestamp() or l.holder = excluded.holder
        returning epoch
        """;

    public const string RenewLeadership = """
        update leader_lease
        set expires_at = clock_timestamp() + $4
        where pool = $1 and holder = $2 and epoch = $3
        returning clock_timestamp()
        """;

    /// <summary>No holder has an empty name, so the term is over at once and the next leader need not wait.</summary>
    public const string ReleaseLeadership = """
        update leader_lease
        set holder = '', expires_at = clock_timestamp()
        where pool = $1 and holder = $2 and epoch = $3
        """;

    public const string AssertLeader = "select assert_leader($1, $2, $3)";

    /// <summary>committed, aborted or in progress; null when it is too long ago to tell.</summary>
    public const string TransactionStatus = "select pg_xact_status($1::xid8)";

    public const string SubmitJob = """
        with input as (
          select job from job_input where job = $1 and item_count = $4 for key share
        ), earlier as (
          select job, body_sha256 from idempotency_key where tenant = $3 and key = $6
        ), made as (
          insert into job (id, pool, tenant, item_count)
          select job, $2, $3, $4 from input where not exists (select from earlier)
          on conflict (id) do nothing
          returning id
        ), specified as (
          insert into job_spec (job, spec) select id, $5 from made
        ), keyed as (
          insert into idempotency_key (tenant, key, body_sha256, job)
          select $3, $6, $7, id from made where $6 is not null
        ), event as (
          insert into job_event (job, kind, item_count) select id, 0, $4 from made returning seq
        )
        select (select seq from event), (select job from earlier), (select body_sha256 from earlier)
        """;

    public const string StartShard = """
        with moved as (
          update job
          set next_item = next_item + $4, next_shard = next_shard + 1
          where id = $1 and next_shard = $2 and next_item = $3 and next_item + $4 <= item_count and state in (0, 1)
          returning id
        ), made as (
          insert into shard (job, number, first_item, item_count, state, epoch, device)
          select id, $2, $3, $4, 1, 1, $5 from moved
          returning job
        )
        insert into job_event (job, kind, shard, epoch, device, item_count)
        select job, 2, $2, 1, $5, $4 from made
        returning seq
        """;

    public const string RestartShard = """
        with leased as (
          update shard
          set state = 1, epoch = $3, device = $4, leased_at = now()
          where job = $1 and number = $2 and state = 0 and epoch = $3 - 1
          returning job, item_count
        )
        insert into job_event (job, kind, shard, epoch, device, item_count)
        select job, 2, $2, $3, $4, item_count from leased
        returning seq
        """;

    /// <summary>$4, $5: lowest and highest index of the results, which must lie in the shard; then one array per column.</summary>
    public const string RecordResults = """
        with lease as (
          select job from shard
          where job = $1 and number = $2 and state = 1 and epoch = $3
            and $4 >= first_item and $5 < first_item + item_count
        ), fresh as (
          insert into item_result (job, idx, failed, attempt, device, worker_process_id, prompt_tokens,
                                   completion_tokens, duration_ms, body)
          select lease.job, r.*
          from lease,
               unnest($6::int[], $7::bool[], $8::int[], $9::text[], $10::int[], $11::int[], $12::int[], $13::int[],
                      $14::json[]) r
          on conflict do nothing
          returning idx, failed
        ), counted as (
          update job
          set completed_items = completed_items + n.completed, failed_items = failed_items + n.failed
          from (select count(*) filter (where not failed)::int completed, count(*) filter (where failed)::int failed
                from fresh) n
          where id = $1 and n.completed + n.failed > 0
        )
        select array(select idx from fresh order by idx) from lease
        """;

    /// <summary>$4: the state it ends in; $5: the event's kind.</summary>
    public const string EndShard = """
        with ended as (
          update shard
          set state = $4
          where job = $1 and number = $2 and state = 1 and epoch = $3
          returning job, device, item_count
        )
        insert into job_event (job, kind, shard, epoch, device, item_count, message)
        select job, $5, $2, $3, device, item_count, $6 from ended
        returning seq
        """;

    public const string RequeueShard = """
        with freed as (
          update shard
          set state = 0, failure_count = failure_count + $4
          where job = $1 and number = $2 and state = 1 and epoch = $3
          returning job, device, item_count
        )
        insert into job_event (job, kind, shard, epoch, device, item_count, message)
        select job, 4, $2, $3, device, item_count, $5 from freed
        returning seq
        """;

    /// <summary>$3 (or any, when it equals $4) to $4 with the event's kind $5. A terminal state is never left, and succeeded needs every result.</summary>
    public const string MoveJob = """
        with moved as (
          update job
          set state = $4,
              started_at = case when $4 = 1 then now() else started_at end,
              finished_at = case when $4 >= 2 then now() end,
              failure = case when $4 in (3, 4) then $6 end
          where id = $1 and pool = $2 and (state = $3 or $3 = $4) and state in (0, 1) and $4 > state
            and ($4 <> 2 or completed_items + failed_items = item_count)
          returning id
        ), cancelled as (
          update shard s set state = 4 from moved where s.job = moved.id and s.state in (0, 1) and $4 in (3, 4)
        )
        insert into job_event (job, kind, message) select id, $5, $6 from moved returning seq
        """;
}
