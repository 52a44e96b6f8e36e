namespace EgpuFleet.Silo.Postgres.Training;

/// <summary>Statements of the rounds of data parallel training.</summary>
internal static class RoundSql
{
    /// <summary>What is told of rounds: so many may pass before one who tells it has to have looked.</summary>
    private const string Figures = """
        (
          select json_agg(f order by f.round) from (
            select r.round, r.tokens, r.trained_tokens, r.loss, r.members, json_array_length(r.dropped) as dropped, r.microshards
            from training_round r
            where r.job = training_run.job and r.loss is not null
            order by r.round desc
            limit 16
          ) f
        )
        """;

    private const string Columns = $"job, terms, state, base, clock_timestamp(), {Figures}";

    /// <summary>$1, $2, $3, $4: job, shard, epoch, node. The lease is held until the commit. No row: fenced out.</summary>
    public const string HoldLease = """
        select true from shard
        where job = $1 and number = $2 and epoch = $3 and state = 1 and split_part(device, '/', 1) = $4
        for share
        """;

    /// <summary>$1: job.</summary>
    public const string Find = $"select {Columns} from training_run where job = $1";

    /// <summary>$1: job.</summary>
    public const string Lock = $"{Find} for update";

    /// <summary>$1: job; $2: phase; $3: terms; $4: state; $5: base. Zero rows: another was faster.</summary>
    public const string Begin = """
        insert into training_run (job, round, phase, terms, state, base) values ($1, 0, $2, $3, $4, $5)
        on conflict do nothing
        """;

    /// <summary>$1: job; $2: round; $3: phase; $4: state. A closing that was reserved is of the round before.</summary>
    public const string Save = """
        update training_run
        set round = $2, phase = $3, state = $4,
            closer = case when round = $2 then closer end, closing_until = case when round = $2 then closing_until end
        where job = $1
        """;

    /// <summary>$1: job. Shards under lease.</summary>
    public const string Live = "select number, epoch from shard where job = $1 and state = 1";

    /// <summary>$1: most of them. Open ones with a member under lease, and those that are closing.</summary>
    public const string Active = """
        select job, phase from training_run t
        where phase = 1 or (phase = 0 and exists (select from shard s where s.job = t.job and s.state = 1))
        order by job
        limit $1
        """;

    /// <summary>$1: job; $2: closer; $3: for so long.</summary>
    public const string Claim = $"""
        update training_run set closer = $2, closing_until = clock_timestamp() + $3::interval
        where job = $1 and phase = 1 and (closer is null or closer = $2 or closing_until < clock_timestamp())
        returning {Columns}
        """;

    /// <summary>$1: id; $2: shard of outer states; $3: bytes; $4: chunks; $5: metadata. What a member opened becomes the base of a run.</summary>
    public const string AdoptBase = """
        update checkpoint
        set shard = $2, state = 1, size_bytes = $3, chunk_count = $4, metadata = $5, completed_at = clock_timestamp(),
            touched_at = clock_timestamp()
        where id = $1 and state = 0
        """;

    /// <summary>$1: id; $2: bytes; $3: chunks.</summary>
    public const string Contribute = """
        update checkpoint set state = 5, size_bytes = $2, chunk_count = $3, touched_at = clock_timestamp()
        where id = $1 and state = 0
        """;

    /// <summary>$1: id; $2: job; $3: shard of outer states; $4: the base before; $5: rounds done.</summary>
    public const string OpenBase = """
        insert into checkpoint (id, job, shard, epoch, parent, number, step)
        values ($1, $2, $3, 1, $4, coalesce((select p.number from checkpoint p where p.id = $4), 0) + 1, $5)
        """;

    /// <summary>$1: id.</summary>
    public const string HoldBase = "select true from checkpoint where id = $1 and state = 0 for no key update";

    /// <summary>$1: id; $2: bytes; $3: chunks; $4: metrics; $5: metadata.</summary>
    public const string CompleteBase = """
        update checkpoint
        set state = 1, size_bytes = $2, chunk_count = $3, metrics = $4, metadata = $5,
            completed_at = clock_timestamp(), touched_at = clock_timestamp()
        where id = $1 and state = 0
        """;

    /// <summary>$1: job; $2: base.</summary>
    public const string SetBase = "update training_run set base = $2 where job = $1";

    /// <summary>$1: job; $2: microshards; $3: round.</summary>
    public const string Apply = """
        insert into training_applied (job, microshard, round) select $1, m, $3 from unnest($2::int[]) m
        """;

    /// <summary>$1: job; $2: round; $3: base; $4: tokens; $5: members; $6: norm; $7: dropped; $8: loss; $9: microshards.</summary>
    public const string Note = """
        insert into training_round (job, round, base, tokens, members, norm, dropped, loss, microshards, trained_tokens)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $4 + coalesce(
          (select trained_tokens from training_round where job = $1 and round < $2 order by round desc limit 1), 0))
        """;

    /// <summary>$1: job. What its members handed in for the round that is closed.</summary>
    public const string DropDeltas = "update checkpoint set state = 4 where job = $1 and state = 5";

    /// <summary>What was handed in for jobs that have ended before their round was closed.</summary>
    public const string DropLeftDeltas = """
        update checkpoint c set state = 4
        where state = 5 and not exists (select from job j where j.id = c.job and j.state not between 2 and 4)
        """;

    /// <summary>$1: id. A base that another was faster than.</summary>
    public const string GiveUp = "update checkpoint set state = 4 where id = $1 and state = 0";

    /// <summary>$1: job.</summary>
    public const string Applied =
        "select round, microshard from training_applied where job = $1 order by round, microshard";
}
