namespace EgpuFleet.Silo.Postgres;

/// <summary>The ledger's reads. Columns are read by position in <see cref="LedgerRows"/>.</summary>
internal static class LedgerQueries
{
    private const string JobColumns = """
        select j.id, j.tenant, j.item_count, j.state, j.created_at, s.spec, j.completed_items, j.failed_items,
               j.started_at, j.finished_at, j.failure
        from job j join job_spec s on s.job = j.id
        """;

    public const string Job = JobColumns + " where j.id = $1";

    public const string JobsNewestFirst =
        JobColumns
        + """
             where j.tenant = $1 and ($2::smallint is null or j.state = $2) and ($3::uuid is null or j.id < $3)
            order by j.id desc
            limit $4
            """;

    public const string JobsOldestFirst =
        JobColumns
        + """
             where j.tenant = $1 and ($2::smallint is null or j.state = $2) and ($3::uuid is null or j.id > $3)
            order by j.id
            limit $4
            """;

    public const string QueuedJobs = """
        select j.id, j.tenant, j.item_count, j.state, j.created_at, s.spec, j.completed_items, j.failed_items,
               j.next_item, j.next_shard
        from job j join job_spec s on s.job = j.id
        where j.pool = $1 and j.state = 0
        order by j.id
        """;

    public const string ActiveJobs = """
        select j.id, j.tenant, j.item_count, j.state, j.created_at, s.spec, j.completed_items, j.failed_items,
               j.next_item, j.next_shard
        from job j join job_spec s on s.job = j.id
        where j.pool = $1 and j.state = 1
        order by j.id
        """;

    public const string ActiveShards = """
        select h.job, h.number, h.first_item, h.item_count, h.state, h.epoch, h.device, h.failure_count
        from shard h join job j on j.id = h.job
        where j.pool = $1 and j.state in (0, 1) and h.state in (0, 1)
        order by h.job, h.number
        """;

    /// <summary>The sum runs over the length column alone: only items within the bound are ever unpacked.</summary>
    public const string Items = """
        select idx, item
        from (
          select i.idx, i.item, row_number() over upto as nth, sum(i.bytes) over upto as total
          from job_item i
          where i.job = $1 and i.idx >= $2 and i.idx < $2::bigint + $3
            and not exists (select from item_result r where r.job = i.job and r.idx = i.idx)
          window upto as (order by i.idx)
        ) missing
        where nth = 1 or total <= $4
        order by idx
        """;

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
