using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;

namespace EgpuFleet.Grains.Tests.Fleet;

/// <summary>A heartbeat comes from another machine: what is wrong with one is said, and nothing of it is kept.</summary>
public sealed class HeartbeatRulesTests
{
    private static readonly NodeId Node = new("mini");

    private static readonly NodeCondition Condition = new(
        "link",
        ConditionState.Failed,
        "the PCI link is down",
        "The link to the card dropped.",
        "Switch the enclosure off and on.",
        "egpu0",
        DateTimeOffset.UnixEpoch
    );

    [Fact]
    public void Conditions_reach_the_view_of_the_node()
    {
        var view = new FleetView(TimeSpan.FromSeconds(7));
        view.Hear(Heartbeat(Condition), TimeSpan.Zero, DateTimeOffset.UnixEpoch);
        Assert.Equal([Condition], Assert.Single(view.Views(TimeSpan.Zero)).Conditions);

        view.Hear(Heartbeat() with { Conditions = null }, TimeSpan.Zero, DateTimeOffset.UnixEpoch);
        Assert.Empty(Assert.Single(view.Views(TimeSpan.Zero)).Conditions);
    }

    [Fact]
    public void A_condition_at_its_bounds_is_taken() =>
        Assert.Null(
            HeartbeatRules.WhatIsWrong(
                Heartbeat([
                    .. Enumerable.Repeat(
                        Condition with
                        {
                            Fix = new string('x', Limits.MaxHeartbeatText),
                        },
                        Limits.MaxConditionsPerNode
                    ),
                ])
            )
        );

    [Fact]
    public void What_is_beyond_the_bounds_or_makes_no_sense_is_refused_whole()
    {
        var long1 = new string('x', Limits.MaxHeartbeatText + 1);
        NodeHeartbeat[] wrong =
        [
            Heartbeat([.. Enumerable.Repeat(Condition, Limits.MaxConditionsPerNode + 1)]),
            Heartbeat(Condition with { Id = "" }),
            Heartbeat(Condition with { Id = null! }),
            Heartbeat(Condition with { Seen = null! }),
            Heartbeat((NodeCondition)null!),
            Heartbeat(Condition with { State = (ConditionState)7 }),
            Heartbeat(Condition with { Id = long1 }),
            Heartbeat(Condition with { Seen = long1 }),
            Heartbeat(Condition with { Cause = long1 }),
            Heartbeat(Condition with { Fix = long1 }),
            Heartbeat(Condition with { Device = "another" }),
            Heartbeat() with
            {
                Devices = [Device("egpu0", long1)],
            },
            Heartbeat() with
            {
                Devices = [Device("egpu0"), Device("egpu0")],
            },
            Measured([], [long1]),
            Measured([], [.. Enumerable.Repeat("too large", Limits.MaxBenchShapes + 1)]),
            Measured([.. Enumerable.Repeat(Sample, Limits.MaxBenchShapes + 1)], []),
            Measured(null!, []),
        ];
        var view = new FleetView(TimeSpan.FromSeconds(7));
        foreach (var heartbeat in wrong)
        {
            Assert.NotNull(HeartbeatRules.WhatIsWrong(heartbeat));
            Assert.Throws<ArgumentException>(() => view.Hear(heartbeat, TimeSpan.Zero, DateTimeOffset.UnixEpoch));
        }
        Assert.Equal(0, view.Count);
    }

    private static BenchSample Sample => new(WeightKind.Q4, 1024, 1, 100, 10, 40);

    [Fact]
    public void A_measurement_at_its_bounds_is_taken() =>
        Assert.Null(
            HeartbeatRules.WhatIsWrong(
                Measured(
                    [.. Enumerable.Repeat(Sample, Limits.MaxBenchShapes)],
                    [new string('x', Limits.MaxHeartbeatText)]
                )
            )
        );

    private static NodeHeartbeat Measured(BenchSample[] samples, string[] skipped) =>
        Heartbeat() with
        {
            Devices =
            [
                Device("egpu0") with
                {
                    Bench = new BenchStatus(BenchState.Done, DateTimeOffset.UnixEpoch, null, 15, samples, skipped),
                },
            ],
        };

    private static NodeHeartbeat Heartbeat(params NodeCondition[] conditions) =>
        new(
            new NodeFacts(Node, Guid.NewGuid(), "mini", "test", "test", "1", 1),
            [Device("egpu0")],
            Leaving: false,
            conditions
        );

    private static DeviceStatus Device(string name, string? reason = null) =>
        new(
            new DeviceFacts(new DeviceId(Node, name), DeviceKind.ExternalGpu, "gpu", "test", 0, 1 << 30),
            DeviceState.Ready,
            reason,
            1,
            0,
            0,
            [],
            [],
            0
        );
}
