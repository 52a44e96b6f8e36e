using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Tests.Worker;
using EgpuFleet.Kernels.Tinygrad.Child;

namespace EgpuFleet.Kernels.Tests.Tinygrad;

/// <summary>Two processes that live and die together, and say why.</summary>
public sealed class TwoProcessesTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_worker_whose_python_dies_fails_its_callers_and_ends()
    {
        TinygradWorker.Require();
        await using var worker = WorkerProcess.Start(worker: TinygradWorker.Name);
        await using var client = await worker.ConnectAsync(Token);
        await client.LoadStoriesAsync(Token);
        var options = new GenerationOptions(MaxTokens: 400);
        await using var tokens = client.GenerateAsync(Stories.Continue("", options), Token).GetAsyncEnumerator(Token);
        Assert.True(await tokens.MoveNextAsync());

        using var python = await worker.ChildAsync(Token);
        python.Kill();

        var lost = await Assert.ThrowsAsync<EngineException>(async () =>
        {
            while (await tokens.MoveNextAsync()) { }
        });
        Assert.Equal(EngineErrorClass.WorkerLost, lost.ErrorClass);
        await worker.Process.WaitForExitAsync(Token);
        Assert.Equal(1, worker.Process.ExitCode);
    }

    [Fact]
    public async Task A_python_whose_worker_is_killed_ends()
    {
        TinygradWorker.Require();
        await using var worker = WorkerProcess.Start(worker: TinygradWorker.Name);
        await using var client = await worker.ConnectAsync(Token);
        await client.ProbeAsync(Token);
        using var python = await worker.ChildAsync(Token);

        worker.Process.Kill();

        await python.WaitForExitAsync(Token);
    }

    [Fact]
    public async Task A_folder_without_tinygrad_is_said()
    {
        await using var worker = WorkerProcess.Start(
            adjust: start => start.Environment[ChildLaunch.TinygradVariable] = Path.GetTempPath(),
            worker: TinygradWorker.Name
        );
        await using var client = await worker.ConnectAsync(Token);

        var refused = await Assert.ThrowsAsync<EngineException>(() => client.ProbeAsync(Token));

        Assert.Equal(EngineErrorClass.EngineUnavailable, refused.ErrorClass);
        Assert.Contains(ChildLaunch.TinygradVariable, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Python_is_told_how_many_threads_its_kernels_may_use()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells the environment of another process.");
        TinygradWorker.Require();
        await using var worker = WorkerProcess.Start(
            adjust: start => start.Environment[TinygradSettings.ThreadsVariable] = "1",
            worker: TinygradWorker.Name
        );
        await using var client = await worker.ConnectAsync(Token);
        await client.ProbeAsync(Token);

        using var child = await worker.ChildAsync(Token);
        var environment = (await File.ReadAllTextAsync($"/proc/{child.Id}/environ", Token)).Split('\0');

        Assert.Contains("NUM_CPU_THREADS=1", environment);
        Assert.Contains("OMP_NUM_THREADS=1", environment);
    }
}
