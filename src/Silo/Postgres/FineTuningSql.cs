namespace EgpuFleet.Silo.Postgres;

/// <summary>Statements over fine-tuning runs and their notes.</summary>
internal static class FineTuningSql
{
    public const string Add = """
        insert into fine_tuning_job (job, tenant, metadata, ask) values ($1, $2, $3::jsonb, $4::json)
        on conflict do nothing
        """;

    public const string Remove = """
        delete from fine_tuning_job f where f.job = $1 and not exists (select from job j where j.id = f.job)
        """;

    public const string Find = "select job, tenant, metadata::text, ask from fine_tuning_job where job = $1";

    /// <summary>$1: tenant; $2: before this id; $3: pairs; $4: most of them.</summary>
    public const string List = """
        select f.job, f.tenant, f.metadata::text, f.ask
        from fine_tuning_job f
        where f.tenant = $1 and ($2::uuid is null or f.job < $2) and ($3::jsonb is null or f.metadata @> $3::jsonb)
          and (exists (select from job j where j.id = f.job) or exists (select from job_archive a where a.id = f.job))
        order by f.job desc
        limit $4
        """;

    /// <summary>$1 to $4: job, shard, epoch, node. The row is held, so that the lease cannot end before the notes are there.</summary>
    public const string HoldLease = """
        select true from shard s
        where s.job = $1 and s.number = $2 and s.epoch = $3 and s.state = 1 and split_part(s.device, '/', 1) = $4
        for share
        """;

    /// <summary>$1: job. The row is held: writers of one run take turns.</summary>
    public const string HoldRun = "select notes from fine_tuning_job where job = $1 for no key update";

    /// <summary>$1: job; $2 to $5: kinds, steps, texts, metrics.</summary>
    public const string Note = """
        with fresh as (
          insert into fine_tuning_note (job, kind, step, message, metrics)
          select $1, n.kind, n.step, n.message, n.metrics
          from unnest($2::smallint[], $3::bigint[], $4::text[], $5::json[]) with ordinality
            as n (kind, step, message, metrics, nth)
          order by n.nth
          on conflict do nothing
          returning 1
        )
        update fine_tuning_job set notes = notes + (select count(*) from fresh)::int where job = $1
        """;

    /// <summary>$1: job; $2, $3: whether a note, and sequence, of the last one; $4: most of them.</summary>
    public const string NewestEvents = $"""
        {Story}
        where $3::bigint is null or (e.at, e.is_note, e.seq) < (select c.at, c.is_note, c.seq from story c
          where c.is_note = $2 and c.seq = $3)
        order by e.at desc, e.is_note desc, e.seq desc
        limit $4
        """;

    /// <summary>The same, oldest first.</summary>
    public const string OldestEvents = $"""
        {Story}
        where $3::bigint is null or (e.at, e.is_note, e.seq) > (select c.at, c.is_note, c.seq from story c
          where c.is_note = $2 and c.seq = $3)
        order by e.at, e.is_note, e.seq
        limit $4
        """;

    /// <summary>$1: jobs; $2: most of each.</summary>
    public const string Metrics = """
        select j.id, n.seq, n.at, n.step, n.metrics
        from unnest($1::uuid[]) with ordinality as j (id, nth)
          cross join lateral (
            select seq, at, step, metrics from fine_tuning_note
            where job = j.id and kind = 0
            order by step desc
            limit $2
          ) n
        order by j.nth, n.step desc
        """;

    /// <summary>$1: least age; $2: most of them.</summary>
    public const string Sweep = """
        with gone as materialized (
          select f.job from fine_tuning_job f
          where f.created_at < clock_timestamp() - $1
            and not exists (select from job j where j.id = f.job)
            and not exists (select from job_archive a where a.id = f.job)
          limit $2
          for update skip locked
        ), untold as (
          delete from fine_tuning_note n where n.job in (select job from gone)
        )
        delete from fine_tuning_job f where f.job in (select job from gone)
        """;

    /// <summary>$1: job. The first columns are those of an event of the ledger.</summary>
    private const string Story = """
        with story as (
          select false as is_note, seq, at, kind, shard, epoch, device, item_count, message,
                 null::bigint as step, null::json as metrics
          from job_event where job = $1
          union all
          select true, seq, at, kind, null, null, null, null, message, step, metrics
          from fine_tuning_note where job = $1
        )
        select e.seq, e.at, e.kind, e.shard, e.epoch, e.device, e.item_count, e.message, e.is_note, e.step, e.metrics
        from story e
        """;
}
