namespace EgpuFleet.Kernels.Drivers.Doctor;

/// <summary>What a worker found out about its GPU; only a worker may open it.</summary>
/// <param name="IsOpen">Whether the GPU opened.</param>
/// <param name="FailureText">Where it did not: the worker's last words.</param>
/// <param name="HasPassed">Whether its numbers were right; null where the self-test did not run.</param>
/// <param name="SelfTest">What the self-test says.</param>
/// <param name="VramBytes">Memory of the GPU.</param>
public sealed record WorkerEvidence(
    bool IsOpen,
    string? FailureText,
    bool? HasPassed,
    string? SelfTest,
    long? VramBytes
);

/// <summary>The checks that need a worker.</summary>
internal static class WorkerChecks
{
    private const double BytesPerGibibyte = 1L << 30;

    private const string NotRun = "not run, because no worker has opened a GPU on this machine";

    public static IEnumerable<DoctorCheck> Of(WorkerEvidence? worker) => [Boot(worker), SelfTest(worker), Vram(worker)];

    private static DoctorCheck Boot(WorkerEvidence? worker)
    {
        const string id = "boot";
        if (worker is null)
            return DoctorCheck.Skipped(id, NotRun);
        if (worker.IsOpen)
            return DoctorCheck.Ok(id, "the GPU opened");
        var death = WorkerDeath.Explain(worker.FailureText ?? "");
        var cause = death.IsKnown ? death.Cause : "The GPU did not open, for a reason that is not known here.";
        return DoctorCheck.Failed(id, death.Seen, cause, death.Fix);
    }

    private static DoctorCheck SelfTest(WorkerEvidence? worker)
    {
        const string id = "self_test";
        return worker switch
        {
            null => DoctorCheck.Skipped(id, NotRun),
            { HasPassed: null } => DoctorCheck.Skipped(id, "not run, because the GPU did not open"),
            { HasPassed: true } => DoctorCheck.Ok(id, worker.SelfTest ?? "the numbers are right"),
            _ => DoctorCheck.Failed(
                id,
                worker.SelfTest ?? "the numbers are wrong",
                "The GPU computes wrong numbers.",
                "Switch the enclosure off and on. If the numbers stay wrong, take the GPU out of service."
            ),
        };
    }

    private static DoctorCheck Vram(WorkerEvidence? worker)
    {
        const string id = "vram";
        return worker switch
        {
            null => DoctorCheck.Skipped(id, NotRun),
            { VramBytes: > 0 and var bytes } => DoctorCheck.Ok(id, $"{bytes / BytesPerGibibyte:0.0} GiB"),
            { IsOpen: false } => DoctorCheck.Skipped(id, "not run, because the GPU did not open"),
            _ => DoctorCheck.Unknown(id, "the worker did not tell"),
        };
    }
}
