namespace EgpuFleet.Silo.Postgres.Retention;

/// <summary>
/// Statements of retention. It touches finished jobs alone, which no leader ever writes again, and locks what it takes, so
/// that it needs no leader's term and several silos may run it at once. What is old enough is decided once for a pass: jobs
/// that come of age meanwhile are the next pass's, or a busy queue would keep the first pass going for ever.
/// </summary>
internal static class RetentionSql
{
    /// <summary>The moment a pass begins, by database time.</summary>
    public const string Now = "select clock_timestamp()";

    /// <summary>
    /// $1: after this id; $2: finished before; $3, $4: most jobs and items (but at least one job). Ids sort by
    /// creation, so a walk along them meets the oldest first. A job that an unfinished one depends on stays.
    /// </summary>
    public const string Find = """
        select id
        from (
          select id, row_number() over upto as nth, sum(item_count) over upto as items
          from (
            select j.id, j.item_count
            from job j
            where j.id > $1 and j.state between 2 and 4 and j.finished_at < $2
              and not exists (
                select from job_dependency d join job w on w.id = d.job
                where d.depends_on = j.id and w.state not between 2 and 4
              )
            order by j.id
            limit $3
            for update of j skip locked
          ) old
          window upto as (order by id)
        ) counted
        where nth = 1 or items <= $4
        order by id
        """;

    public const string Archive = """
        insert into job_archive (id, tenant, item_count, state, created_at, spec, completed_items, failed_items,
                                 started_at, finished_at, end_code, end_message)
        select j.id, j.tenant, j.item_count, j.state, j.created_at, s.spec, j.completed_items, j.failed_items,
               j.started_at, j.finished_at, j.end_code, j.end_message
        from job j join job_spec s on s.job = j.id
        where j.id = any($1)
        on conflict (id) do nothing
        """;

    /// <summary>All that belongs to the jobs, the jobs last.</summary>
    public static readonly string[] Remove =
    [
        "delete from job_item where job = any($1)",
        "delete from job_input where job = any($1)",
        "delete from item_result where job = any($1)",
        "delete from job_event where job = any($1)",
        "delete from shard where job = any($1)",
        "delete from job_dependency where job = any($1)",
        "delete from job_spec where job = any($1)",
        "delete from job where id = any($1)",
    ];

    /// <summary>$1: finished before; $2: most of them.</summary>
    public const string Forget = """
        delete from job_archive
        where ctid = any(array(
          select a.ctid
          from job_archive a
          where a.finished_at < $1
            and not exists (
              select from job_dependency d join job w on w.id = d.job
              where d.depends_on = a.id and w.state not between 2 and 4
            )
          limit $2
          for update skip locked
        ))
        """;

    /// <summary>$1: submitted before; $2: most of them.</summary>
    public const string ExpireKeys = """
        delete from idempotency_key
        where ctid = any(array(
          select k.ctid from idempotency_key k where k.created_at < $1 limit $2 for update skip locked
        ))
        """;
}
