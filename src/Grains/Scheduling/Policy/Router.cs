using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>Chooses the device for one interactive request; a device that runs a batch shard serves requests beside it.</summary>
public static class Router
{
    /// <summary>
    /// A ready device with the model loaded and the fewest sequences in decode; else one that fits, preferably without a
    /// shard.
    /// </summary>
    public static RouteReply Route(
        ImmutableArray<DeviceSlot> devices,
        ModelRecord model,
        IReadOnlyList<DeviceId> except
    )
    {
        var best = devices
            .Where(device => device.Ready && !except.Contains(device.Id))
            .Where(device => Feasibility.FitsNow(device, model))
            .OrderByDescending(device => device.LoadedModels.Contains(model.Ref.Sha256))
            .ThenBy(device => device.ActiveSequences)
            .ThenBy(device => device.Leased || device.HeldBack)
            .ThenByDescending(device => device.TokensPerSecond)
            .ThenBy(device => device.Id.ToString(), StringComparer.Ordinal)
            .FirstOrDefault();
        if (best is not null)
            return new RouteReply(best.Id, Refusal: null);
        var asJob = new WaitingJob(default, 0, 0, model, [], 0, 0, 1);
        var remaining = new FleetSnapshot(
            [.. devices.Where(device => !except.Contains(device.Id))],
            [asJob],
            new PolicyOptions()
        );
        return new RouteReply(Device: null, Feasibility.Explain(asJob, remaining));
    }
}
