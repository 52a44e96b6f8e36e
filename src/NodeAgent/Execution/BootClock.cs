using System.Runtime.InteropServices;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>
/// The machine's time since boot, sleep included: CLOCK_BOOTTIME on Linux, mach_continuous_time on macOS (unverified on
/// hardware). The monotonic clock of .NET stops while a machine sleeps, so a woken agent would trust a lease long lost.
/// </summary>
public sealed partial class BootClock : ILeaseClock
{
    private const int ClockBoottime = 7;

    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly MachTimebase timebase;

    public BootClock()
    {
        if (!OperatingSystem.IsLinux())
            _ = MachTimebaseInfo(out timebase);
    }

    public TimeSpan Now
    {
        get
        {
            if (!OperatingSystem.IsLinux())
                return FromNanoseconds((Int128)MachContinuousTime() * timebase.Numerator / timebase.Denominator);
            if (ClockGetTime(ClockBoottime, out var time) != 0)
                throw new InvalidOperationException("The system has no CLOCK_BOOTTIME.");
            return FromNanoseconds(((Int128)time.Seconds * NanosecondsPerSecond) + time.Nanoseconds);
        }
    }

    private static TimeSpan FromNanoseconds(Int128 nanoseconds) =>
        new((long)(nanoseconds / TimeSpan.NanosecondsPerTick));

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out Timespec time);

    [LibraryImport("libSystem", EntryPoint = "mach_continuous_time")]
    private static partial ulong MachContinuousTime();

    [LibraryImport("libSystem", EntryPoint = "mach_timebase_info")]
    private static partial int MachTimebaseInfo(out MachTimebase info);

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct MachTimebase
    {
        public uint Numerator;
        public uint Denominator;
    }
}
