namespace EgpuFleet.Silo.Postgres;

/// <summary>The ledger's reads. Columns are read by position in <see cref="LedgerRows"/>.</summary>
internal static class LedgerQueries
{
    private const string LiveColumns = """
        select j.id, j.tenant, j.item_count, j.state, j.created_at, s.spec, j.completed_items, j.failed_items,
               j.started_at, j.finished_at, j.end_code, j.end_message
        from job j join job_spec s on s.job = j.id
        """;

    private const string ArchivedColumns = """
        select a.id, a.tenant, a.item_count, a.state, a.created_at, a.spec, a.completed_items, a.failed_items,
               a.started_at, a.finished_at, a.end_code, a.end_message
        from job_archive a
        """;

    public const string Job = $"{LiveColumns} where j.id = $1 union all {ArchivedColumns} where a.id = $1";

    /// <summary>Each half is a short range of its index; together they are at most two pages to sort.</summary>
    public const string JobsNewestFirst = $"""
        (
          {LiveColumns}
          where j.tenant = $1 and ($2::smallint is null or j.state = $2) and ($3::uuid is null or j.id < $3)
          order by j.id desc
          limit $4
        )
        union all
        (
          {ArchivedColumns}
          where a.tenant = $1 and ($2::smallint is null or a.state = $2) and ($3::uuid is null or a.id < $3)
          order by a.id desc
          limit $4
        )
        order by id desc
        limit $4
        """;

    public const string JobsOldestFirst = $"""
        (
          {LiveColumns}
          where j.tenant = $1 and ($2::smallint is null or j.state = $2) and ($3::uuid is null or j.id > $3)
          order by j.id
          limit $4
        )
        union all
        (
          {ArchivedColumns}
          where a.tenant = $1 and ($2::smallint is null or a.state = $2) and ($3::uuid is null or a.id > $3)
          order by a.id
          limit $4
        )
        order by id
        limit $4
        """;

    public const string ActiveJobs = """
        select j.id, j.tenant, j.item_count, j.state, j.created_at, s.spec, j.completed_items, j.failed_items,
               j.started_at, j.next_item, j.next_shard
        from job j join job_spec s on s.job = j.id
        where j.pool = $1 and j.state in (1, 6)
        order by j.id
        """;

    public const string ActiveShards = """
        select h.job, h.number, h.first_item, h.item_count, h.state, h.epoch, h.device, h.failure_count, h.not_before
        from shard h join job j on j.id = h.job
        where j.pool = $1 and j.state in (1, 6) and h.state in (0, 1)
        order by h.job, h.number
        """;

    /// <summary>The narrow rows alone: only the kinds that have a model (all but no-ops, 1) look into their wide row.</summary>
    public const string QueuedJobs = """
        select j.id, j.kind, j.priority, j.item_count, j.state, j.created_at, j.deadline,
               case when j.kind <> 1 then (
                 select json_build_object(
                   'model', s.spec -> 'model', 'devices', s.spec #> '{rules,devices}',
                   'train', case when j.kind = 3 then json_build_object(
                     'method', s.spec #> '{train,method}', 'engine', s.spec #> '{train,engine}'
                   ) end
                 )
                 from job_spec s where s.job = j.id
               ) end
        from job j
        where j.pool = $1 and j.state in (0, 5, 7)
        order by j.id
        """;

    public const string QueuedDependencies = """
        select d.job, d.depends_on, d.condition, d.state
        from job j join dependency_state d on d.job = j.id
        where j.pool = $1 and j.state in (5, 7)
        order by d.job, d.nth
        """;

    public const string Specs = """
        select j.id, j.tenant, j.item_count, s.spec
        from job j join job_spec s on s.job = j.id
        where j.id = any($1)
        """;

    /// <summary>
    /// Open items of many ranges, those stored with their job and those staged. The sum runs over lengths alone: only
    /// items within the bound are ever unpacked.
    /// </summary>
    public const string Items = """
        select w.ord::int - 1, open.idx, open.item
        from unnest($1::uuid[], $2::int[], $3::int[]) with ordinality as w (job, first_item, item_count, ord)
          cross join lateral (
            select upto.idx, upto.item
            from (
              select i.idx, i.item, row_number() over running as nth, sum(i.bytes) over running as total
              from (
                select staged.idx, staged.bytes, staged.item
                from job_item staged
                where staged.job = w.job and staged.idx >= w.first_item
                  and staged.idx < w.first_item::bigint + w.item_count
                union all
                select inline.nth::int - 1, octet_length(inline.item::text), inline.item
                from job_spec s cross join lateral json_array_elements(s.items) with ordinality as inline (item, nth)
                where s.job = w.job and inline.nth > w.first_item and inline.nth <= w.first_item::bigint + w.item_count
              ) i
              where not exists (select from item_result r where r.job = w.job and r.idx = i.idx)
              window running as (order by i.idx)
            ) upto
            where upto.nth = 1 or upto.total <= $4
          ) open
        order by w.ord, open.idx
        """;

    public const string IsArchived = "select exists (select from job_archive where id = $1)";

    public const string Events = """
        select seq, at, kind, shard, epoch, device, item_count, message
        from job_event
        where job = $1 and seq > $2
        order by seq
        limit $3
        """;

    public const string Results = """
        select idx, prompt_tokens, completion_tokens, device, worker_process_id, attempt, duration_ms, body
        from item_result
        where job = $1
        order by idx
        """;
}
