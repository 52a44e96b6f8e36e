namespace EgpuFleet.Silo.Postgres.Checkpoints;

/// <summary>
/// Statements of the collection. They skip what others have locked, so that several silos may collect at once and no
/// writer waits for a collection that waits for it.
/// </summary>
internal static class CollectionSql
{
    /// <summary>$1, $2: after this job and shard; one row, the next that has a complete checkpoint.</summary>
    public const string NextShard = """
        select job, shard from checkpoint
        where state in (1, 2) and (job, shard) > ($1, $2)
        order by job, shard
        limit 1
        """;

    /// <summary>$1: ids. What a checkpoint of another job went on from stays as long as that one does.</summary>
    public const string Retire = """
        update checkpoint c set state = 3, retired_at = clock_timestamp()
        where c.id = any($1) and c.state in (1, 2)
          and not exists (select from checkpoint b where b.parent = c.id and b.job <> c.job and b.state < 3)
        """;

    /// <summary>$1: most of them. Nobody can go on with what the ledger has forgotten, other than from a branch.</summary>
    public const string RetireForgotten = """
        update checkpoint set state = 3, retired_at = clock_timestamp()
        where id in (
          select c.id from checkpoint c
          where c.state in (1, 2)
            and not exists (select from job j where j.id = c.job)
            and not exists (select from job_archive a where a.id = c.job)
            and not exists (select from checkpoint b where b.parent = c.id and b.job <> c.job and b.state < 3)
          order by c.id
          limit $1
          for update of c skip locked
        )
        """;

    /// <summary>$1: grace period; $2: most of them. Nobody completes, stores for or branches from what is locked here.</summary>
    public const string Drop = """
        update checkpoint set state = 4
        where id in (
          select id from checkpoint
          where (state = 0 and touched_at < clock_timestamp() - $1::interval)
             or (state = 3 and retired_at < clock_timestamp() - $1::interval)
          order by id
          limit $2
          for update skip locked
        )
        """;

    public const string Dropped =
        "select id from checkpoint where state = 4 order by id limit 1 for update skip locked";

    /// <summary>$1: id; $2: most references. Each hash becomes a candidate with the same commit that removes its reference.</summary>
    public const string Unrefer = """
        with gone as (
          delete from checkpoint_chunk
          where checkpoint = $1 and hash in (select hash from checkpoint_chunk where checkpoint = $1 order by hash limit $2)
          returning hash
        ), noted as (
          insert into chunk_garbage (hash) select hash from gone order by hash on conflict do nothing
        )
        select count(*)::int from gone
        """;

    /// <summary>$1: id. Only once it has no reference left.</summary>
    public static readonly string[] Forget =
    [
        "delete from manifest where checkpoint = $1",
        "delete from checkpoint where id = $1 and state = 4",
    ];

    /// <summary>$1: most chunks. After the lock, in a statement of its own, so that it sees every reference.</summary>
    public const string RemoveChunks = """
        with picked as (
          delete from chunk_garbage where hash in (select hash from chunk_garbage order by hash limit $1) returning hash
        ), removed as (
          delete from chunk c using picked p
          where c.hash = p.hash and not exists (select from checkpoint_chunk r where r.hash = c.hash)
          returning c.size
        )
        select (select count(*) from picked)::int, count(*)::int, coalesce(sum(size), 0)::bigint from removed
        """;
}
