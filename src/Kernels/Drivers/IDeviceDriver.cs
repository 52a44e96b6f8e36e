using EgpuFleet.Kernels.Drivers.Mac;

namespace EgpuFleet.Kernels.Drivers;

/// <summary>Finds devices of one kind and tells their state, without opening them: safe beside a running worker.</summary>
public interface IDeviceDriver
{
    DeviceKind Kind { get; }

    /// <summary>The devices there are now; empty where this kind cannot be here.</summary>
    /// <exception cref="IOException">The system does not tell now; nothing follows from it.</exception>
    Task<IReadOnlyList<DeviceDescription>> DiscoverAsync(CancellationToken cancellationToken);
}

public enum DeviceKind
{
    Cpu,

    /// <summary>The GPU in an Apple chip.</summary>
    AppleGpu,

    /// <summary>A GPU of a Mac, in an enclosure.</summary>
    ExternalGpu,

    /// <summary>A GPU of a Linux machine.</summary>
    LinuxGpu,
}

public enum DeviceState
{
    /// <summary>A worker can be started on it.</summary>
    Usable,

    /// <summary>It is there, but not all that a worker needs is.</summary>
    Unusable,
}

/// <summary>What a driver knows of a device.</summary>
/// <param name="Name">
/// The whole name, unique on its node and the same after a restart: the driver's word and a number from 0, as <c>cpu0</c>,
/// <c>egpu0</c>, <c>apple-gpu0</c>, <c>gpu1</c>. Lower-case letters, digits and dashes.
/// </param>
/// <param name="Kind">Which driver it belongs to.</param>
/// <param name="Model">What it calls itself, such as <c>Apple M4</c>.</param>
/// <param name="State">Whether a worker can be started on it.</param>
/// <param name="Reason">Why it is unusable; null where it is usable.</param>
/// <param name="CoreCount">Processor threads this process may use, or cores of an Apple GPU; 0 where only a worker can tell.</param>
/// <param name="TotalMemoryBytes">
/// Memory of the device, or what this process may use of it where that is less; 0 where only a worker can tell.
/// </param>
/// <param name="AvailableMemoryBytes">Of it, free or freed on demand now.</param>
/// <param name="Gpu">A GPU on PCI; null for other devices.</param>
/// <param name="Enclosure">What the GPU is in, where that is known.</param>
/// <param name="VendorIndex">Its number among the GPUs of its vendor, from 0, as engines count them.</param>
public sealed record DeviceDescription(
    string Name,
    DeviceKind Kind,
    string Model,
    DeviceState State,
    string? Reason,
    int CoreCount,
    long TotalMemoryBytes,
    long AvailableMemoryBytes,
    PciGpu? Gpu = null,
    ThunderboltDevice? Enclosure = null,
    int VendorIndex = 0
);
