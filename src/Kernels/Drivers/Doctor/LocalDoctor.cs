using EgpuFleet.Kernels.Drivers.Linux;
using EgpuFleet.Kernels.Drivers.Mac;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Drivers.Doctor;

/// <summary>Examines the machine it runs on, without touching a GPU.</summary>
public static class LocalDoctor
{
    /// <param name="engines">Where engines were installed: their Python is looked at, if there is one.</param>
    /// <param name="usesTinygrad">Whether the processor uses the tinygrad engine, or may; GPUs do in any case.</param>
    public static async Task<DoctorReport> ExamineAsync(
        WorkerEvidence? worker,
        TinygradHome engines,
        bool usesTinygrad,
        TimeProvider clock,
        CancellationToken cancellationToken
    ) =>
        OperatingSystem.IsMacOS()
            ? MacDoctor.Examine(MacFacts.Of(await new MacProbe(clock).GatherAsync(cancellationToken)), worker)
            : LinuxDoctor.Examine(
                LinuxFacts.Of(await new LinuxProbe(clock, engines).GatherAsync(cancellationToken)),
                worker,
                usesTinygrad
            );
}
