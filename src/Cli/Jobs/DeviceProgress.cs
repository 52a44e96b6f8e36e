using EgpuFleet.Api;

namespace EgpuFleet.Cli.Jobs;

/// <summary>Shards of one job on one device.</summary>
internal sealed record DeviceShards(string Device, int Running, int Finished, int Items);

/// <summary>Counts shards per device from a job's log. Pure: the same lines give the same counts, in any number of readings.</summary>
internal sealed class DeviceProgress
{
    private readonly Dictionary<string, (HashSet<int> Running, int Finished, int Items)> _devices = new(
        StringComparer.Ordinal
    );

    private long _seen;

    /// <summary>By device name.</summary>
    public IReadOnlyList<DeviceShards> Devices =>
        [
            .. _devices
                .OrderBy(entry => entry.Key, StringComparer.Ordinal)
                .Select(entry => new DeviceShards(
                    entry.Key,
                    entry.Value.Running.Count,
                    entry.Value.Finished,
                    entry.Value.Items
                )),
        ];

    /// <summary>Takes a line once; one that was seen before (a repeated stream) changes nothing.</summary>
    public void See(JobEventInfo line)
    {
        if (line.Sequence <= _seen)
            return;
        _seen = line.Sequence;
        if (line.Shard is not { } shard)
            return;
        // A shard runs in one place only: whatever is said of it ends what was said before.
        foreach (var device in _devices.Values)
            device.Running.Remove(shard);
        if (line.Device is not { } name)
            return;
        var (running, finished, items) = _devices.GetValueOrDefault(name, ([], 0, 0));
        if (line.Type == "shard_started")
            running.Add(shard);
        var isDone = line.Type == "shard_finished";
        _devices[name] = (running, finished + (isDone ? 1 : 0), items + (isDone ? line.ItemCount ?? 0 : 0));
    }
}
