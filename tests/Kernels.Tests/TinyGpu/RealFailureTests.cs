using System.Diagnostics;
using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.Kernels.Drivers.Failures;
using EgpuFleet.Kernels.Drivers.Mac;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Tests.Drivers.Mac;

namespace EgpuFleet.Kernels.Tests.TinyGpu;

/// <summary>
/// Real tinygrad, in our real worker, meets a stand-in for TinyGPU's server that plays a broken machine. Its own words must
/// come out of the worker and lead to the row of the failure table, and with it to the fix that the doctor shows.
/// </summary>
public sealed class RealFailureTests
{
    public static TheoryData<string> Names { get; } = [.. Scenario.All.Keys];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task What_tinygrad_says_leads_to_the_fix(string name)
    {
        var scenario = Scenario.All[name];
        await using var mac = await FakeMac.StartAsync(scenario, Token);

        var failure = await OpenAsync(mac);

        Assert.Equal(EngineErrorClass.EngineUnavailable, failure.ErrorClass);
        Assert.Contains(scenario.Says, failure.Message, StringComparison.Ordinal);
        var row = FailureTable.Rows.Single(row => row.Id == scenario.Row);
        AssertShown(failure.Message, row);
        AssertNothingElseKnows(failure.Message, row);
    }

    [Fact]
    public async Task A_gpu_that_another_process_holds_is_said_to_be_held()
    {
        // The holder holds on: what it waits for never comes.
        await using var mac = await FakeMac.StartAsync(Scenario.Hanging, Token);
        await using var holder = mac.StartWorker();
        await using var other = await holder.ConnectAsync(Token);
        await mac.FaultAsync(Token);

        var failure = await OpenAsync(mac);

        AssertShown(failure.Message, FailureTable.Rows.Single(row => row.Id == "lock_held"));
    }

    [Fact]
    public async Task A_worker_whose_gpu_never_answers_says_what_it_is_at_and_for_how_long()
    {
        await using var mac = await FakeMac.StartAsync(Scenario.Hanging, Token);
        await using var worker = mac.StartWorker();
        await using var client = await worker.ConnectAsync(Token);
        await mac.FaultAsync(Token);

        var first = (await client.StatsAsync(Token)).DeviceCall;
        var second = (await client.StatsAsync(Token)).DeviceCall;

        Assert.Equal(("probe", "probe"), (first?.Verb, second?.Verb));
        Assert.True(second!.Seconds > first!.Seconds, $"{first.Seconds} s, then {second.Seconds} s");
    }

    [Fact]
    public async Task A_worker_whose_gpu_never_answers_ends_when_told_to_and_its_python_with_it()
    {
        await using var mac = await FakeMac.StartAsync(Scenario.Hanging, Token);
        await using var worker = mac.StartWorker();
        await using var client = await worker.ConnectAsync(Token);
        var probe = client.ProbeAsync(Token);
        await mac.FaultAsync(Token);
        using var python = await worker.ChildAsync(Token);

        using var terminate = Process.Start("kill", $"{worker.Process.Id}");

        await worker.Process.WaitForExitAsync(Token);
        await python.WaitForExitAsync(Token);
        await Assert.ThrowsAsync<EngineException>(() => probe);
    }

    [Fact]
    public async Task A_python_whose_gpu_never_answers_ends_though_its_worker_was_killed()
    {
        await using var mac = await FakeMac.StartAsync(Scenario.Hanging, Token);
        await using var worker = mac.StartWorker();
        await using var client = await worker.ConnectAsync(Token);
        await mac.FaultAsync(Token);
        using var python = await worker.ChildAsync(Token);

        worker.Process.Kill();

        await python.WaitForExitAsync(Token);
    }

    private static async Task<EngineException> OpenAsync(FakeMac mac)
    {
        await using var worker = mac.StartWorker();
        await using var client = await worker.ConnectAsync(Token);
        return await Assert.ThrowsAsync<EngineException>(() => client.ProbeAsync(Token));
    }

    /// <summary>To the agent, which makes it a condition of its node, and to whom the doctor shows it.</summary>
    private static void AssertShown(string text, FailureSignature row)
    {
        var death = WorkerDeath.Explain(text);
        Assert.True(death.Id == row.Id, $"Expected {row.Id}, got {death.Id} from: {text}");
        Assert.Equal(
            ((FailureClass?)row.Class, row.Action, row.Cause, row.Fix),
            (death.Class, death.Action, death.Cause, death.Fix)
        );
        var report = MacDoctor.Examine(
            MacFacts.Of(MacTextsOf.GoodMac),
            new WorkerEvidence(IsOpen: false, text, HasPassed: null, SelfTest: null, VramBytes: null)
        );
        var boot = Assert.Single(report.Checks, check => check.Id == "boot");
        Assert.Equal((row.Cause, row.Fix), (boot.Cause, boot.Fix));
    }

    /// <summary>Without its row the text must be a different failure, or none: no test here passes by luck.</summary>
    private static void AssertNothingElseKnows(string text, FailureSignature row)
    {
        var others = FailureTable.Rows.Where(other => other != row).ToList();
        Assert.DoesNotContain(FailureTable.Classify(text, others), match => match.Signature.Fix == row.Fix);
    }
}
