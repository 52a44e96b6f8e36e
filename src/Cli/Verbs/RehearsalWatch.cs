using EgpuFleet.Api;

namespace EgpuFleet.Cli.Verbs;

/// <summary>How a device and its work came through a pulled cable that was only played; seconds count from the order.</summary>
/// <param name="RevokedAfterSeconds">When the last of its leases was gone; null: it held none, or one was not seen to go.</param>
/// <param name="BackAfterSeconds">When it was ready again, tested; null: it was not.</param>
internal sealed record RehearsalReport(
    string Device,
    double RehearsedSeconds,
    double? RevokedAfterSeconds,
    IReadOnlyList<ResumedShard> Shards,
    double? BackAfterSeconds
);

/// <summary>A shard that the device had.</summary>
/// <param name="On">Where it ran next; null: that was not seen, as of one that ended at once.</param>
internal sealed record ResumedShard(string Job, int Shard, string? On, double? AfterSeconds);

/// <summary>Puts the report together from looks at the fleet. Exact to the time between two looks.</summary>
internal sealed class RehearsalWatch(DeviceInfo before, double seconds)
{
    private readonly ResumedShard[] shards =
    [
        .. before.RunningShards.Select(shard => new ResumedShard(shard.Job, shard.Shard, null, null)),
    ];
    private bool wasGone;
    private double? revokedAfter;
    private double? backAfter;

    /// <summary>Whether there is nothing more to wait for.</summary>
    public bool IsOver => backAfter is not null && shards.All(shard => shard.On is not null);

    public bool IsBack => backAfter is not null;

    public RehearsalReport Report => new(before.Id, seconds, revokedAfter, shards, backAfter);

    /// <summary>Takes a look in; returns what is new, in words.</summary>
    public IEnumerable<string> See(IReadOnlyList<DeviceInfo> devices, double afterSeconds)
    {
        if (devices.FirstOrDefault(device => device.Id == before.Id) is not { } me)
            yield break;
        if (revokedAfter is null && shards.Length > 0 && !me.RunningShards.Any(before.RunningShards.Contains))
        {
            revokedAfter = afterSeconds;
            yield return $"its leases were revoked ({shards.Length})";
        }
        for (var i = 0; i < shards.Length; i++)
        {
            if (shards[i].On is not null || Next(devices, before.RunningShards[i]) is not { } next)
                continue;
            shards[i] = shards[i] with { On = next.Id, AfterSeconds = afterSeconds };
            yield return $"shard {shards[i].Shard} of {shards[i].Job} runs on {next.Id}";
        }
        wasGone |= me.State != "ready";
        if (!wasGone || me.State != "ready" || backAfter is not null)
            yield break;
        backAfter = afterSeconds;
        yield return "the device is back, and has passed its self-test";
    }

    private static DeviceInfo? Next(IReadOnlyList<DeviceInfo> devices, RunningShard lost) =>
        devices.FirstOrDefault(device =>
            device.RunningShards.Any(shard =>
                shard.Job == lost.Job && shard.Shard == lost.Shard && shard.Epoch > lost.Epoch
            )
        );
}
