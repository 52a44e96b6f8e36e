using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Scheduling.Policy;

namespace EgpuFleet.Grains.Tests.Policy;

/// <summary>Small values for policy tests.</summary>
internal static class Given
{
    public const long Gigabyte = 1_000_000_000;

    public static DeviceId DeviceId(string node, string name = "cpu0") => new(new NodeId(node), name);

    public static ModelRecord Model(
        string name = "small",
        long weightBytes = 10_000_000,
        long kvBytesPerToken = 1_000
    ) =>
        new(
            new ModelRef(name, $"sha-{name}", weightBytes),
            "llama",
            "F16",
            ParameterCount: weightBytes / 2,
            ContextLength: 1024,
            weightBytes,
            kvBytesPerToken,
            HasChatTemplate: true,
            DateTimeOffset.UnixEpoch
        );

    public static DeviceSlot Device(
        string node,
        double tokensPerSecond = 0,
        long memoryBytes = 8 * Gigabyte,
        bool ready = true,
        bool leased = false,
        bool heldBack = false,
        string[]? loaded = null,
        int active = 0,
        long used = 0
    ) => new(DeviceId(node), ready, leased, heldBack, tokensPerSecond, memoryBytes, used, [.. loaded ?? []], active);

    public static JobId Job(int number) => new(new Guid(number, 0, 0, new byte[8]));

    public static WaitingJob Waiting(
        int number,
        int items = 100,
        int priority = 0,
        ModelRecord? model = null,
        WaitingShard[]? requeued = null,
        int nextItem = 0
    ) =>
        new(
            Job(number),
            priority,
            SubmitOrder: number,
            model ?? Model(),
            [.. requeued ?? []],
            nextItem,
            NextShardNumber: requeued?.Length ?? 0,
            items
        );

    public static WaitingShard Requeued(int job, int number, int first, int count, DeviceId? failedOn = null) =>
        new(new ShardId(Job(job), number), Epoch: 1, first, count, failedOn);

    public static FleetSnapshot Snapshot(DeviceSlot[] devices, params WaitingJob[] queue) =>
        new([.. devices], [.. queue], new PolicyOptions());
}
