using EgpuFleet.Api;

namespace EgpuFleet.Dashboard.Tests;

/// <summary>Constructed nodes, devices, models and jobs for the stub of the API.</summary>
public static class Samples
{
    private const long Gigabyte = 1L << 30;

    public static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public static NodeInfo Node(string id, string state = "ready", params string[] devices) =>
        new(
            id,
            state,
            $"{id}.local",
            "macOS 15.4",
            "arm64",
            "0.1.0",
            4711,
            Now.AddSeconds(state == "ready" ? -1 : -42),
            devices,
            []
        );

    public static DeviceInfo Device(string node, string name, string kind = "cpu") =>
        new(
            $"{node}/{name}",
            node,
            kind,
            kind == "external_gpu" ? "Radeon RX 7900 XTX" : "Apple M4",
            kind == "external_gpu" ? "tinygrad" : "llama.cpp",
            "ready",
            null,
            kind == "cpu" ? 4 : 0,
            24 * Gigabyte,
            9 * Gigabyte,
            kind == "external_gpu" ? 118.4 : 42.5,
            ["tiny-stories"],
            [],
            0,
            5120,
            []
        );

    public static ModelInfo Model(string name) =>
        new(name, new string('a', 64), 7_600_000, "llama", "F16", 6_815_744, 1024, true, Now.AddHours(-3));

    public static JobInfo Job(string id, string state, int completed = 0, int total = 200, TimeSpan age = default) =>
        new(
            id,
            "job",
            "batch",
            "tiny-stories",
            state,
            0,
            new ItemCounts(total, completed, 0),
            new GenerationOptions(MaxTokens: 64, Temperature: 0),
            Now - age,
            state == "queued" ? null : Now - age + TimeSpan.FromSeconds(1),
            JobInfo.IsTerminal(state) ? Now - (age / 2) : null,
            null,
            null
        );

    public static JobEventInfo Event(
        long sequence,
        string type,
        double secondsAgo,
        int? shard = null,
        string? device = null,
        int epoch = 1,
        string? message = null
    ) =>
        new(
            sequence,
            Now.AddSeconds(-secondsAgo),
            type,
            shard,
            shard is null ? null : epoch,
            device,
            shard is null ? null : 25,
            message
        );

    public static ResultLine Result(int index, string text, string device) =>
        new(
            index,
            $"prompt-{index}",
            text,
            "stop",
            new TokenUsage(12, 48),
            null,
            device.Split('/')[0],
            device,
            5120,
            1,
            840 + (37 * index)
        );
}
