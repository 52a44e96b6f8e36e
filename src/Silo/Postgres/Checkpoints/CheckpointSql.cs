namespace EgpuFleet.Silo.Postgres.Checkpoints;

/// <summary>Statements of a checkpoint's writer and its readers; those of the collection are in <see cref="CollectionSql"/>.</summary>
internal static class CheckpointSql
{
    /// <summary>Held shared by who tells writers what is stored, and alone by who removes chunks. Any two numbers of our own.</summary>
    private const string ChunkLock = "(3, 1)";

    public const string LockChunksShared = $"select pg_advisory_xact_lock_shared{ChunkLock}";

    public const string LockChunksAlone = $"select pg_advisory_xact_lock{ChunkLock}";

    /// <summary>$1, $2, $3, $4: job, shard, epoch, node.</summary>
    public const string IsCurrent = """
        select exists(
          select from shard s
          where s.job = $1 and s.number = $2 and s.epoch = $3 and s.state = 1 and split_part(s.device, '/', 1) = $4
        )
        """;

    /// <summary>
    /// $1: id; $2, $3, $4, $5: job, shard, epoch, node; $6: parent; $7: step. Zero rows = fenced out.
    /// </summary>
    public const string Open = """
        insert into checkpoint (id, job, shard, epoch, parent, number, step)
        select $1, s.job, s.number, s.epoch, $6, coalesce((select p.number from checkpoint p where p.id = $6), 0) + 1, $7
        from shard s
        where s.job = $2 and s.number = $3 and s.epoch = $4 and s.state = 1 and split_part(s.device, '/', 1) = $5
        """;

    /// <summary>$1, $2: job and shard. Those that are given up look as if their writers had long been silent.</summary>
    public const string GiveUpOlder = """
        update checkpoint set touched_at = '-infinity'
        where job = $1 and shard = $2 and state = 0
          and id not in (
            select id from checkpoint where job = $1 and shard = $2 and state = 0 order by id desc limit 3
          )
        """;

    /// <summary>
    /// $1: id; $2: node. The checkpoint's row, locked, if it is open, and whether its lease is still current. The lock makes
    /// writes of one checkpoint follow each other and keeps the collection away.
    /// </summary>
    public const string Hold = """
        select exists(
          select from shard s
          where s.job = c.job and s.number = c.shard and s.epoch = c.epoch and s.state = 1
            and split_part(s.device, '/', 1) = $2
        )
        from checkpoint c
        where c.id = $1 and c.state = 0
        for no key update of c
        """;

    /// <summary>
    /// For chunks: their commit does not wait for the disk. Whatever says that they are there (an announcement, a
    /// completion) commits after them in the same log and waits for it. A crash in between takes them away again, which the
    /// completion notices, and its writer is told.
    /// </summary>
    public const string CommitLater = "set local synchronous_commit to off";

    public const string Touch = "update checkpoint set touched_at = clock_timestamp() where id = $1";

    /// <summary>$1: id; $2: hashes, sorted.</summary>
    public const string Refer = """
        insert into checkpoint_chunk (checkpoint, hash) select $1, h from unnest($2::bytea[]) h on conflict do nothing
        """;

    public const string CountReferences = "select count(*)::int from checkpoint_chunk where checkpoint = $1";

    /// <summary>$1: hashes.</summary>
    public const string Missing =
        "select h from unnest($1::bytea[]) h where not exists (select from chunk c where c.hash = h)";

    /// <summary>$1: id; $2: hashes.</summary>
    public const string Unannounced = """
        select count(*)::int from unnest($2::bytea[]) h
        where not exists (select from checkpoint_chunk r where r.checkpoint = $1 and r.hash = h)
        """;

    public const string CopyChunks = "copy chunk (hash, size, data) from stdin (format binary)";

    /// <summary>$1, $2, $3: hashes, sizes, data.</summary>
    public const string InsertChunks = """
        insert into chunk (hash, size, data)
        select * from unnest($1::bytea[], $2::int[], $3::bytea[])
        on conflict do nothing
        """;

    /// <summary>$1: id. Size null: not stored.</summary>
    public const string ReferredSizes = """
        select r.hash, c.size from checkpoint_chunk r left join chunk c on c.hash = r.hash where r.checkpoint = $1
        """;

    public const string CopyManifest = """
        copy manifest (checkpoint, nth, name, type, shape, size_bytes, chunk_bytes, hashes) from stdin (format binary)
        """;

    /// <summary>
    /// $1: id; $2: node; $3: bytes; $4: chunks; $5: metrics; $6: metadata. The lease's row is locked until the commit: a lease that is
    /// taken back at the same time is taken back after it, or this finds no row. Zero rows = fenced out.
    /// </summary>
    public const string Complete = """
        with lease as (
          select c.id
          from checkpoint c join shard s on s.job = c.job and s.number = c.shard
          where c.id = $1 and s.epoch = c.epoch and s.state = 1 and split_part(s.device, '/', 1) = $2
          for share of s
        )
        update checkpoint c
        set state = 1, size_bytes = $3, chunk_count = $4, metrics = $5, metadata = $6,
            completed_at = clock_timestamp(), touched_at = clock_timestamp()
        from lease where c.id = lease.id and c.state = 0
        """;

    private const string Columns =
        "id, job, shard, epoch, parent, number, step, state, size_bytes, chunk_count, metrics, completed_at";

    public const string Find = $"select {Columns} from checkpoint where id = $1 and state between 1 and 3";

    /// <summary>$1: job or null; $2: after this id or null; $3: most of them.</summary>
    public const string List = $"""
        select {Columns} from checkpoint
        where state between 1 and 3 and ($1::uuid is null or job = $1) and ($2::uuid is null or id < $2)
        order by id desc
        limit $3
        """;

    /// <summary>$1, $2: job and shard; $3: most of them. Newest first.</summary>
    public const string OfShard = $"""
        select {Columns} from checkpoint
        where job = $1 and shard = $2 and state between 1 and 2
        order by completed_at desc, id desc
        limit $3
        """;

    public const string ReadManifest =
        "select name, type, shape, size_bytes, chunk_bytes, hashes from manifest where checkpoint = $1 order by nth";

    public const string ReadMetadata = "select metadata from checkpoint where id = $1";

    /// <summary>$1: hashes. Data null: not stored.</summary>
    public const string ReadChunks = """
        select w.hash, c.data
        from unnest($1::bytea[]) with ordinality w(hash, nth) left join chunk c on c.hash = w.hash
        order by w.nth
        """;

    /// <summary>$1: id; $2: after this hash; $3: most of them.</summary>
    public const string References = """
        select hash from checkpoint_chunk where checkpoint = $1 and hash > $2 order by hash limit $3
        """;

    /// <summary>$1: hashes. Null: not stored.</summary>
    public const string Compare = """
        select h, sha256(c.data) = h from unnest($1::bytea[]) h left join chunk c on c.hash = h
        """;

    /// <summary>$1: hashes. What a writer sent again meanwhile is right, and stays.</summary>
    public const string RemoveWrong = "delete from chunk where hash = any($1::bytea[]) and sha256(data) <> hash";

    /// <summary>$1: id; $2: the state it has; $3: the state it gets.</summary>
    public const string Judge = "update checkpoint set state = $3 where id = $1 and state = $2";

    /// <summary>$1: new id; $2: from; $3, $4: job and shard. Zero rows: not complete. The lock keeps the collection away.</summary>
    public const string Branch = """
        insert into checkpoint (id, job, shard, epoch, parent, number, step, state, size_bytes, chunk_count, metrics,
                                metadata, completed_at)
        select $1, $3, $4, 1, id, number + 1, step, 1, size_bytes, chunk_count, metrics, metadata, clock_timestamp()
        from checkpoint where id = $2 and state in (1, 3)
        for share
        """;

    /// <summary>$1: new id; $2: from.</summary>
    public static readonly string[] BranchContent =
    [
        """
            insert into checkpoint_chunk (checkpoint, hash) select $1, hash from checkpoint_chunk where checkpoint = $2
            """,
        """
            insert into manifest (checkpoint, nth, name, type, shape, size_bytes, chunk_bytes, hashes)
            select $1, nth, name, type, shape, size_bytes, chunk_bytes, hashes from manifest where checkpoint = $2
            """,
    ];
}
