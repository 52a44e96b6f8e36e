using EgpuFleet.Kernels.Drivers.Linux;
using EgpuFleet.Kernels.Drivers.Mac;

namespace EgpuFleet.Kernels.Drivers.Doctor;

/// <summary>Examines the machine it runs on, without touching a GPU.</summary>
public static class LocalDoctor
{
    public static async Task<DoctorReport> ExamineAsync(
        WorkerEvidence? worker,
        TimeProvider clock,
        CancellationToken cancellationToken
    ) =>
        OperatingSystem.IsMacOS()
            ? MacDoctor.Examine(MacFacts.Of(await new MacProbe(clock).GatherAsync(cancellationToken)), worker)
            : LinuxDoctor.Examine(LinuxFacts.Of(await new LinuxProbe(clock).GatherAsync(cancellationToken)), worker);
}
