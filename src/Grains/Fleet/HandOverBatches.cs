using EgpuFleet.Grains.Interfaces;

namespace EgpuFleet.Grains.Fleet;

/// <summary>Divides what is to be handed over into calls: one device each, and few enough bytes and shards for one message.</summary>
internal static class HandOverBatches
{
    public static IEnumerable<(DeviceId Device, IReadOnlyList<Assignment> Work)> Of(IReadOnlyList<Assignment> work)
    {
        if (work.Count == 1)
            return [(work[0].Lease.Device, work)];
        return work.GroupBy(one => one.Lease.Device)
            .SelectMany(device => Split(device).Select(batch => (device.Key, (IReadOnlyList<Assignment>)batch)));
    }

    private static IEnumerable<List<Assignment>> Split(IEnumerable<Assignment> work)
    {
        var batch = new List<Assignment>();
        var bytes = 0L;
        foreach (var one in work)
        {
            var its = SizeOf(one);
            if (batch.Count > 0 && (bytes + its > Limits.HandOverBytes || batch.Count == Limits.ShardsPerHandOver))
            {
                yield return batch;
                (batch, bytes) = ([], 0);
            }
            batch.Add(one);
            bytes += its;
        }
        if (batch.Count > 0)
            yield return batch;
    }

    private static long SizeOf(Assignment work)
    {
        var bytes = 0L;
        foreach (var item in work.Items ?? [])
            bytes += item.CustomId.Length + item.CountCharacters();
        return bytes;
    }
}
