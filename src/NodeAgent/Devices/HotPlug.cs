using System.Collections.Immutable;
using EgpuFleet.Kernels.Drivers;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>What is to be done because of what a driver found.</summary>
internal abstract record HotPlugAction(string Name)
{
    /// <summary>A device that this agent has not seen yet.</summary>
    public sealed record Appeared(DeviceDescription Device) : HotPlugAction(Device.Name);

    /// <summary>It was not found though it works: look again soon.</summary>
    public sealed record Doubted(string Name) : HotPlugAction(Name);

    public sealed record Left(string Name) : HotPlugAction(Name);

    /// <summary>The same device is back, as it was.</summary>
    public sealed record Returned(DeviceDescription Device) : HotPlugAction(Device.Name);

    /// <summary>Another device is there in its place, or whether it can be used has changed.</summary>
    /// <param name="IsAnother">Whether it is not the device that was there before.</param>
    public sealed record Changed(DeviceDescription Device, bool IsAnother) : HotPlugAction(Device.Name);
}

/// <summary>A device as it was last found.</summary>
/// <param name="Identity">What tells it from another one in its place.</param>
/// <param name="Trouble">Why it cannot be used; null where it can.</param>
internal sealed record SeenDevice(string Identity, bool IsAbsent, bool IsDoubted, string? Trouble);

/// <summary>
/// Compares what a driver finds with what it found before. Pure. A device that works is believed to be gone only when it was
/// not found twice in a row: the system's lists have moments in which they are incomplete. Every other change counts at once.
/// </summary>
internal sealed record HotPlug(ImmutableSortedDictionary<string, SeenDevice> Seen)
{
    public static readonly HotPlug Nothing = new(
        ImmutableSortedDictionary.Create<string, SeenDevice>(StringComparer.Ordinal)
    );

    /// <param name="found">By the driver, now.</param>
    /// <param name="works">Whether the worker of a device serves.</param>
    public (HotPlug After, IReadOnlyList<HotPlugAction> Actions) Look(
        IReadOnlyList<DeviceDescription> found,
        Func<string, bool> works
    )
    {
        var actions = new List<HotPlugAction>();
        var after = Seen.ToBuilder();
        foreach (var device in found.DistinctBy(device => device.Name, StringComparer.Ordinal))
        {
            if (Compare(device) is { } action)
                actions.Add(action);
            after[device.Name] = Present(device);
        }
        foreach (var (name, known) in Seen)
        {
            if (known.IsAbsent || found.Any(device => device.Name == name))
                continue;
            var isDoubt = !known.IsDoubted && works(name);
            actions.Add(isDoubt ? new HotPlugAction.Doubted(name) : new HotPlugAction.Left(name));
            after[name] = known with { IsAbsent = !isDoubt, IsDoubted = isDoubt };
        }
        return (new HotPlug(after.ToImmutable()), actions);
    }

    private HotPlugAction? Compare(DeviceDescription device)
    {
        var now = Present(device);
        return Seen.GetValueOrDefault(device.Name) switch
        {
            null => new HotPlugAction.Appeared(device),
            var known when known.Identity != now.Identity => new HotPlugAction.Changed(device, IsAnother: true),
            var known when known.Trouble != now.Trouble => new HotPlugAction.Changed(device, IsAnother: false),
            { IsAbsent: true } => new HotPlugAction.Returned(device),
            _ => null,
        };
    }

    private static SeenDevice Present(DeviceDescription device) =>
        new(
            device.Gpu is { } gpu ? $"{gpu.Id} {device.Model}" : device.Model,
            IsAbsent: false,
            IsDoubted: false,
            device.State == DeviceState.Usable ? null : device.Reason ?? ""
        );
}
