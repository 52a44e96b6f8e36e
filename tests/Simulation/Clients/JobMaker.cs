using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Simulation.Tests.Silos;
using EgpuFleet.Simulation.Tests.World;

namespace EgpuFleet.Simulation.Tests.Clients;

/// <summary>What clients ask for, each as a share from 0 to 1.</summary>
internal sealed record Workload(double NoopShare, double RulesShare, double SteeringShare);

/// <summary>Thinks of jobs: of both kinds, small and large, with and without rules.</summary>
internal sealed class JobMaker(Dice dice, Workload workload)
{
    public static readonly TenantId[] Tenants = [TenantId.Default, new("other")];

    private int made;

    /// <summary>A job and its items; the id is set with each try of its submit.</summary>
    public (JobSpec Spec, IReadOnlyList<BatchItem> Items) Make(IReadOnlyList<JobId> known, DateTimeOffset now)
    {
        var isNoop = dice.Chance(workload.NoopShare);
        var count = dice.Chance(0.2) ? dice.Between(20, 60) : dice.Between(1, 12);
        var number = made++;
        var items = Enumerable.Range(0, count).Select(i => new BatchItem(i, $"i-{i}", $"{number}.{i}", null)).ToList();
        var model = dice.Chance(0.8) ? Models.Small : Models.Large;
        var spec = new JobSpec(
            default,
            dice.Pick(Tenants),
            isNoop ? JobKind.Noop : JobKind.Batch,
            isNoop ? null : model.Ref,
            isNoop ? null : new GenerationParameters(8, 0, 1, 0, 0, []),
            dice.Between(-2, 2) * 10,
            count,
            TraceParent: null,
            dice.Chance(workload.RulesShare) ? Rules(known, now) : JobRules.Default,
            isNoop ? new NoopParameters(dice.Between(0, 40), NoopFault.None) : null
        );
        return (spec, items);
    }

    private JobRules Rules(IReadOnlyList<JobId> known, DateTimeOffset now)
    {
        var count = known.Count > 0 && dice.Chance(0.25) ? dice.Between(1, 3) : 0;
        var dependencies = Enumerable
            .Range(0, count)
            .Select(_ => dice.Pick(known))
            .Distinct()
            .Select(job => new JobDependency(job, dice.PickEnum<DependencyCondition>()))
            .ToList();
        if (dice.Chance(0.02))
            dependencies.Add(new JobDependency(new JobId(dice.NextId(now)), DependencyCondition.AfterAny));
        var backoff = dice.Chance(0.5) ? TimeSpan.Zero : dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(3));
        return new JobRules(
            dependencies,
            dice.Chance(0.1) ? now + dice.Between(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(60)) : null,
            dice.Chance(0.1) ? dice.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(40)) : null,
            new RetryPolicy(dice.Between(1, 6), backoff, TimeSpan.FromSeconds(5)),
            dice.Chance(0.15) ? dice.Between(1, 2) : null,
            dice.Chance(0.1),
            // Every fleet has processors that all models fit, and not every one a GPU.
            dice.Chance(0.2)
                ? new DeviceChoice(dice.Chance(0.7) ? DeviceClass.Cpu : null, DeviceClass.Gpu)
                : null
        );
    }
}
