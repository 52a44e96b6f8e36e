using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.Kernels.Drivers.Linux;
using EgpuFleet.Kernels.Tests.Drivers.Linux;

namespace EgpuFleet.Kernels.Tests.Drivers.Doctor;

public sealed class WorkerEvidenceTests
{
    [Fact]
    public void A_worker_whose_numbers_are_right_adds_checks_that_are_well()
    {
        var report = Examine(new WorkerEvidence(true, null, true, "64 values, largest error 2e-6", 24L << 30));
        Assert.True(report.IsWell);
        Assert.Equal(
            ["the GPU opened", "64 values, largest error 2e-6", "24.0 GiB"],
            report.Checks.TakeLast(3).Select(check => check.Seen)
        );
    }

    [Fact]
    public void A_known_failure_to_open_gives_its_cause_and_fix()
    {
        var failure = Examine(
            new WorkerEvidence(false, Transcript.Of("Failures/keyerror-63").Text, null, null, null)
        ).FirstFailure;
        Assert.Equal("boot", failure?.Id);
        Assert.Equal("KeyError: 63", failure?.Seen);
        Assert.Contains("all ones", failure?.Cause, StringComparison.Ordinal);
        Assert.Contains("enclosure", failure?.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_failure_shows_the_workers_last_line()
    {
        var failure = Examine(new WorkerEvidence(false, "Traceback\nOddError: 7\n", null, null, null)).FirstFailure;
        Assert.Equal(("boot", "OddError: 7"), (failure?.Id, failure?.Seen));
    }

    [Fact]
    public void Wrong_numbers_fail_though_the_gpu_opened() =>
        Assert.Equal(
            "self_test",
            Examine(new WorkerEvidence(true, null, false, "expected 5, got 0", 8L << 30)).FirstFailure?.Id
        );

    private static DoctorReport Examine(WorkerEvidence worker) =>
        LinuxDoctor.Examine(LinuxFacts.Of(LinuxTextsOf.CpuMachine), worker, usesTinygrad: true);
}
