using EgpuFleet.Grains.Ports;
using NpgsqlTypes;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>A statement that makes new jobs; what they are follows their ids as its first columns.</summary>
internal abstract class SubmitStatement : JobStatement<LedgerOperation.SubmitJob>
{
    private readonly SpecColumns _specs;

    protected SubmitStatement(string sql)
        : base(sql) =>
        _specs = new SpecColumns
        {
            Tenants = Texts(),
            Kinds = Smalls(),
            Priorities = Smalls(),
            ItemCounts = Ints(),
            Deadlines = Column<DateTime?>(NpgsqlDbType.TimestampTz),
            MaxRuns = Column<long?>(NpgsqlDbType.Bigint),
            Specs = Jsons(),
            Items = Jsons(),
        };

    protected override void Add(LedgerOperation.SubmitJob operation) => _specs.Add(operation);
}
