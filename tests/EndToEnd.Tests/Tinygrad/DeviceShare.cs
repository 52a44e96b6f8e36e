using EgpuFleet.Api;

namespace EgpuFleet.EndToEnd.Tests.Tinygrad;

/// <summary>What one device did of a job.</summary>
/// <param name="Items">That it computed.</param>
/// <param name="BusySeconds">In which it had a shard of the job, by the database's clock.</param>
/// <param name="Share">Of all items.</param>
/// <param name="MeasuredShare">Of all devices' items per busy second, its own: the share that lets all end together.</param>
internal sealed record DeviceShare(string Device, int Items, double BusySeconds, double Share, double MeasuredShare)
{
    /// <summary>How far the share is off, of what was measured.</summary>
    public double Error => Math.Abs(Share - MeasuredShare) / MeasuredShare;

    public override string ToString() =>
        $"{Device}: {Items} items in {BusySeconds:0.0} s, share {Share:P1}, measured {MeasuredShare:P1}, off by {Error:P1}";

    public static IReadOnlyList<DeviceShare> Of(IReadOnlyList<ResultLine> results, IReadOnlyList<JobEventInfo> events)
    {
        var devices = results
            .GroupBy(result => result.Device, StringComparer.Ordinal)
            .Select(group => (Device: group.Key, Items: group.Count(), Busy: BusyOf(group.Key, events)))
            .OrderBy(device => device.Device, StringComparer.Ordinal)
            .ToList();
        var together = devices.Sum(device => device.Items / device.Busy);
        return
        [
            .. devices.Select(device => new DeviceShare(
                device.Device,
                device.Items,
                device.Busy,
                (double)device.Items / results.Count,
                device.Items / device.Busy / together
            )),
        ];
    }

    private static double BusyOf(string device, IReadOnlyList<JobEventInfo> events) =>
        events
            .Where(entry => entry.Type == "shard_started" && entry.Device == device)
            .Sum(started =>
                (
                    events
                        .Single(entry =>
                            entry.Type == "shard_finished"
                            && entry.Shard == started.Shard
                            && entry.Epoch == started.Epoch
                        )
                        .At - started.At
                ).TotalSeconds
            );
}
