using EgpuFleet.Kernels.Drivers;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>Memory that models may take on one device: as its driver found it, or, where only a worker can tell, as that one says.</summary>
/// <param name="plannedBytes">0 where only a worker can tell.</param>
internal sealed class DeviceMemory(long plannedBytes)
{
    private readonly bool isPlanned = plannedBytes > 0;
    private long bytes = plannedBytes;

    public long Bytes => Interlocked.Read(ref bytes);

    /// <summary>Takes what a worker found; what was known before stays.</summary>
    /// <param name="totalBytes">Of the device; 0 where the worker cannot tell either.</param>
    public void Learn(long totalBytes)
    {
        if (!isPlanned)
            Interlocked.Exchange(ref bytes, (long)(totalBytes * Limits.VramShare));
    }

    /// <summary>Pure: what is lent of a device before its worker says anything.</summary>
    /// <param name="sharesWithGpu">Whether the processor works in one memory with an Apple GPU.</param>
    public static long Planned(DeviceDescription device, AgentOptions options, bool sharesWithGpu) =>
        device.Kind switch
        {
            DeviceKind.Cpu => options.MemoryBytes ?? OfProcessor(device, options, sharesWithGpu),
            // The limit it has is two thirds of a memory that everything else of the machine is in, too.
            DeviceKind.AppleGpu => (long)(device.TotalMemoryBytes * Limits.AppleGpuShare),
            _ => (long)(device.TotalMemoryBytes * Limits.VramShare),
        };

    private static long OfProcessor(DeviceDescription device, AgentOptions options, bool sharesWithGpu)
    {
        // Several agents of one machine share its memory as they share its threads.
        var share = Limits.MemoryShare * Math.Min(1.0, (double)options.Threads / device.CoreCount);
        return (long)(device.TotalMemoryBytes * (sharesWithGpu ? share * (1 - Limits.AppleGpuShare) : share));
    }
}
