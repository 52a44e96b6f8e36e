using EgpuFleet.Api;
using EgpuFleet.Dashboard.Tests.Stub;

namespace EgpuFleet.Dashboard.Tests;

/// <summary>Whole fleets for the stub of the API.</summary>
public static class Scenes
{
    public const string RunningJob = "job_0199f3a26c7e7d10b3a85f2e914cd07a";

    /// <summary>Three nodes, one of them silent, at work on a batch that lost a shard once.</summary>
    public static StubFleet Working()
    {
        var fleet = new StubFleet
        {
            Nodes = [Samples.Node("studio"), Samples.Node("mini-1"), Samples.Node("mini-2", "silent")],
            Models = [Samples.Model("tiny-stories")],
        };
        fleet.Devices =
        [
            Samples.Device("studio", "egpu-0", "external_gpu") with
            {
                RunningShards = [new RunningShard(RunningJob, 5, 1)],
                ActiveSequences = 4,
                MemoryUsedBytes = 22L << 30,
            },
            Samples.Device("studio", "apple-0", "apple_gpu"),
            Samples.Device("mini-1", "cpu-0") with
            {
                RunningShards = [new RunningShard(RunningJob, 4, 2)],
                ActiveSequences = 2,
            },
            Samples.Device("mini-2", "cpu-0") with
            {
                State = "offline",
                Reason = "The node went silent; its shards run elsewhere.",
                TokensPerSecond = 0,
                LoadedModels = [],
            },
        ];
        fleet.Add(
            Samples.Job("job_0199f3a31b4471c2a4e0d8837b26f1e5", "queued", 0, 1200, TimeSpan.FromSeconds(20)) with
            {
                Priority = -10,
                Reason = new WaitReason(
                    "waiting_for_priority",
                    "Jobs of higher priority hold every device.",
                    "It starts when they finish, or at once with a priority above 0."
                ),
            }
        );
        fleet.Add(Samples.Job(RunningJob, "running", 117, 200, TimeSpan.FromSeconds(64)), [.. Log()]).Results =
        [
            .. Enumerable
                .Range(0, 8)
                .Select(index => Samples.Result(index, Stories[index % Stories.Length], "studio/egpu-0")),
        ];
        fleet.Add(Samples.Job("job_0199f381d2a97f4c9be20c64a81f35d9", "succeeded", 200, 200, TimeSpan.FromMinutes(42)));
        fleet.Add(
            Samples.Job("job_0199f31c08e673d8b1f7a92e40c55b6d", "failed", 31, 64, TimeSpan.FromHours(3)) with
            {
                Items = new ItemCounts(64, 31, 33),
                Failure = "The model file on 2 nodes was damaged: sha256 differs.",
            }
        );
        fleet.Add(Samples.Job("job_0199ee0a91b37cd4a2680e3fb9d1724c", "cancelled", 12, 500, TimeSpan.FromHours(26)));
        return fleet;
    }

    /// <summary>A Mac whose external GPU lost its link, and whose macOS is too old.</summary>
    public static StubFleet Broken()
    {
        ConditionInfo[] conditions =
        [
            new(
                "macos_version",
                "failed",
                "macOS 12.7",
                "TinyGPU needs macOS 13: older ones cannot reset a GPU.",
                "System Settings > General > Software Update.",
                null,
                Samples.Now.AddHours(-3)
            ),
            new(
                "architecture_reads_ones",
                "failed",
                "KeyError: 63",
                "The GPU's architecture register reads 0x3f, all ones: the link dropped, or its windows are dead.",
                "Unplug the enclosure, wait ten seconds, plug it in; restart the Mac if nothing changes.",
                "studio/egpu-0",
                Samples.Now.AddMinutes(-4)
            ),
        ];
        return new StubFleet
        {
            Nodes = [Samples.Node("studio") with { Conditions = conditions }],
            Devices =
            [
                Samples.Device("studio", "egpu-0", "external_gpu") with
                {
                    State = "failed",
                    Reason = "The link dropped, or its windows are dead. (KeyError: 63)",
                    Conditions = [conditions[1]],
                    TokensPerSecond = 0,
                    LoadedModels = [],
                },
                Samples.Device("studio", "gpu-1", "external_gpu") with
                {
                    State = "ejected",
                    Reason = "Its owner ejected it: it is safe to unplug.",
                    LoadedModels = [],
                    MemoryUsedBytes = 0,
                },
            ],
        };
    }

    private static readonly string[] Stories =
    [
        "Once upon a time, there was a little girl named Lily. She loved to play outside in the park.",
        "The old fox looked at the moon and smiled. \"Tomorrow,\" he said, \"we will find the river.\"",
        "Tom had a red ball.\nHe kicked it over the fence, and a big dog brought it back.",
    ];

    private static IEnumerable<JobEventInfo> Log() =>
        [
            Samples.Event(1, "submitted", 64),
            Samples.Event(2, "started", 63),
            Samples.Event(3, "shard_started", 63, 0, "studio/egpu-0"),
            Samples.Event(4, "shard_started", 63, 1, "mini-1/cpu-0"),
            Samples.Event(5, "shard_started", 62, 2, "mini-2/cpu-0"),
            Samples.Event(6, "shard_finished", 49, 0, "studio/egpu-0"),
            Samples.Event(7, "shard_started", 49, 3, "studio/egpu-0"),
            Samples.Event(8, "shard_finished", 36, 1, "mini-1/cpu-0"),
            Samples.Event(9, "shard_requeued", 34, 2, "mini-2/cpu-0", 1, "The node went silent for 10 s."),
            Samples.Event(10, "shard_started", 34, 2, "mini-1/cpu-0", 2),
            Samples.Event(11, "shard_finished", 31, 3, "studio/egpu-0"),
            Samples.Event(12, "shard_started", 31, 5, "studio/egpu-0"),
            Samples.Event(13, "shard_finished", 10, 2, "mini-1/cpu-0", 2),
            Samples.Event(14, "shard_started", 9, 4, "mini-1/cpu-0", 2),
        ];
}
