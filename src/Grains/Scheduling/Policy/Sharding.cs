namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>How many items a device gets at once.</summary>
public static class Sharding
{
    /// <summary>
    /// Guided self-scheduling: half of the device's fair part of what remains, so that early shards are long and late ones
    /// short, and all devices end together: <c>max(min, ceil(remaining · rate / (2 · Σ rates)))</c>, at most
    /// <paramref name="options"/>' maximum and what remains.
    /// </summary>
    /// <param name="remaining">Items that no shard covers, at least 1.</param>
    /// <param name="rate">Of this device, above 0, in any unit shared with <paramref name="totalRate"/>.</param>
    /// <param name="totalRate">Of all devices that can work on the job, this one included.</param>
    public static int GuidedSize(int remaining, double rate, double totalRate, PolicyOptions options)
    {
        var fair = (int)Math.Ceiling(remaining * rate / (2 * totalRate));
        var bounded = Math.Clamp(fair, options.MinShardItems, options.MaxShardItems);
        return Math.Min(bounded, remaining);
    }

    /// <summary>The same over slots that are all alike, down to one item: handing a no-op over costs little.</summary>
    /// <param name="slots">Of all devices that are ready, taken or not; at least 1.</param>
    public static int GuidedSlots(int remaining, int slots, PolicyOptions options)
    {
        var fair = (int)((remaining + (2L * slots) - 1) / (2L * slots));
        return Math.Clamp(fair, 1, Math.Min(options.MaxShardItems, remaining));
    }

    /// <summary>The rates to share by: as measured, and for a device not measured yet the mean of those that are.</summary>
    public static double[] Rates(IReadOnlyList<DeviceSlot> devices)
    {
        var sum = 0.0;
        var measured = 0;
        foreach (var device in devices)
        {
            if (!IsMeasured(device))
                continue;
            sum += device.TokensPerSecond;
            measured++;
        }
        var assumed = measured == 0 ? 1 : sum / measured;
        var rates = new double[devices.Count];
        for (var i = 0; i < rates.Length; i++)
            rates[i] = IsMeasured(devices[i]) ? devices[i].TokensPerSecond : assumed;
        return rates;
    }

    // A device may report anything: what is not a usable number counts as not measured.
    private static bool IsMeasured(DeviceSlot device) =>
        double.IsFinite(device.TokensPerSecond) && device.TokensPerSecond is > 0 and < 1e12;
}
