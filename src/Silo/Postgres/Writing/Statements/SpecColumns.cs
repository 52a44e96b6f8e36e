using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>What jobs are, beside their ids, as columns of both kinds of submit.</summary>
internal sealed class SpecColumns
{
    public required ArrayColumn<string?> Tenants { get; init; }
    public required ArrayColumn<short> Kinds { get; init; }
    public required ArrayColumn<short> Priorities { get; init; }
    public required ArrayColumn<int> ItemCounts { get; init; }
    public required ArrayColumn<DateTime?> Deadlines { get; init; }
    public required ArrayColumn<long?> MaxRuns { get; init; }
    public required ArrayColumn<string?> Specs { get; init; }

    /// <summary>Null where they are staged.</summary>
    public required ArrayColumn<string?> Items { get; init; }

    public void Add(LedgerOperation.SubmitJob submit)
    {
        var spec = submit.Spec;
        Tenants.Add(LedgerText.Clean(spec.Tenant.Value));
        Kinds.Add((short)spec.Kind);
        Priorities.Add((short)spec.Priority);
        ItemCounts.Add(spec.ItemCount);
        Deadlines.Add(spec.Rules.Deadline?.UtcDateTime);
        MaxRuns.Add(spec.Rules.MaxRunTime is { } time ? Math.Max(1, (long)time.TotalMilliseconds) : null);
        Specs.Add(LedgerJson.Spec(spec));
        // As many as the spec says, or it is as if there were none.
        Items.Add(submit.Items is { } items && items.Count == spec.ItemCount ? LedgerJson.Items(items) : null);
    }
}

/// <summary>Dependencies as columns of <see cref="SubmitJobs"/>.</summary>
internal sealed class DependencyColumns
{
    public required ArrayColumn<Guid> Jobs { get; init; }

    /// <summary>Place in the rules of the job, from 0.</summary>
    public required ArrayColumn<short> Places { get; init; }
    public required ArrayColumn<Guid> Targets { get; init; }
    public required ArrayColumn<short> Conditions { get; init; }

    public void Add(JobSpec spec)
    {
        for (short nth = 0; nth < spec.Rules.DependsOn.Count; nth++)
        {
            Jobs.Add(spec.Id.Value);
            Places.Add(nth);
            Targets.Add(spec.Rules.DependsOn[nth].Job.Value);
            Conditions.Add((short)spec.Rules.DependsOn[nth].Condition);
        }
    }
}
