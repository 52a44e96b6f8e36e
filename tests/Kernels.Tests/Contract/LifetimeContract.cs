using System.Diagnostics;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tests.Worker;

namespace EgpuFleet.Kernels.Tests.Contract;

/// <summary>How every engine's worker begins and ends.</summary>
public abstract class LifetimeContract(StoriesWorker engine)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_worker_computes_and_tells_what_it_is()
    {
        await using var worker = engine.Start();
        await using var client = await worker.ConnectAsync(Token);
        Assert.Equal(worker.Process.Id, client.Worker.ProcessId);
        Assert.Equal(engine.EngineName, client.Worker.Engine);

        var probe = await client.ProbeAsync(Token);
        Assert.Equal("CPU", probe.Device);
        Assert.True(probe.TotalMemoryBytes > 0);

        var report = await client.SelfTestAsync(Token);
        Assert.True(report.Passed, report.Text);
        Assert.True(report.Checks > 100, report.Text);
        Assert.Equal(WorkerState.Ready, (await client.StatsAsync(Token)).State);
    }

    [Fact]
    public async Task A_wrong_credential_is_refused_and_the_worker_goes_on()
    {
        await using var worker = engine.Start();
        await using var client = await worker.ConnectAsync(Token);
        foreach (var wrong in new[] { "", WorkerProcess.Credential + "x", WorkerProcess.Credential[1..] })
        {
            var exception = await Assert.ThrowsAsync<EngineException>(() =>
                WorkerClient.ConnectAsync(worker.SocketPath, wrong, Token)
            );
            Assert.Equal(EngineErrorClass.CredentialRefused, exception.ErrorClass);
        }
        Assert.True((await client.SelfTestAsync(Token)).Passed);
    }

    [Fact]
    public async Task A_killed_worker_ends_its_streams_with_a_retryable_error()
    {
        await using var worker = engine.Start();
        await using var client = await worker.ConnectAsync(Token);
        await client.LoadStoriesAsync(Token);
        var exception = await Assert.ThrowsAsync<EngineException>(async () =>
        {
            await foreach (var token in client.GenerateAsync(Stories.Continue(""), Token))
            {
                if (token.Index == 3)
                    worker.Process.Kill();
            }
        });
        Assert.Equal(EngineErrorClass.WorkerLost, exception.ErrorClass);
        Assert.True(exception.Retryable);
        Assert.False((await client.Closed.WaitAsync(Token)).Expected);
        await Assert.ThrowsAsync<EngineException>(() => client.StatsAsync(Token));
    }

    [Fact]
    public async Task An_agent_that_comes_back_in_time_finds_its_models()
    {
        await using var worker = engine.Start();
        await using (var first = await worker.ConnectAsync(Token))
            await first.LoadStoriesAsync(Token);
        await using var second = await worker.ConnectAsync(Token);
        Assert.Equal([Stories.Hash], second.Worker.Models);
        Assert.Equal(worker.Process.Id, second.Worker.ProcessId);
        var options = new GenerationOptions(MaxTokens: Stories.GoldenTokens);
        Assert.Equal(Stories.Golden, (await second.CompleteAsync(Stories.Continue("", options), Token)).Text);
    }

    [Fact]
    public async Task Without_an_agent_a_worker_ends_after_the_time_it_keeps_its_models()
    {
        await using var worker = engine.Start(keepFor: TimeSpan.FromSeconds(3));
        await (await worker.ConnectAsync(Token)).DisposeAsync();
        await worker.Process.WaitForExitAsync(Token);
        Assert.Equal(0, worker.Process.ExitCode);
        Assert.False(File.Exists(worker.SocketPath));
    }

    [Fact]
    public async Task A_worker_that_no_agent_ever_greets_ends_too()
    {
        await using var worker = engine.Start(keepFor: TimeSpan.FromMilliseconds(100));
        await worker.Process.WaitForExitAsync(Token);
        Assert.Equal(0, worker.Process.ExitCode);
    }

    [Fact]
    public async Task Sigterm_ends_a_busy_worker()
    {
        await using var worker = engine.Start();
        await using var client = await worker.ConnectAsync(Token);
        await client.LoadStoriesAsync(Token);
        await using var running = client.GenerateAsync(Stories.Continue(""), Token).GetAsyncEnumerator(Token);
        Assert.True(await running.MoveNextAsync());
        using var kill = Process.Start("kill", ["-TERM", worker.Process.Id.ToString()]);
        await worker.Process.WaitForExitAsync(Token);
        Assert.Equal(0, worker.Process.ExitCode);
    }

    [Fact]
    public async Task Shutdown_is_answered_and_the_process_ends()
    {
        await using var worker = engine.Start();
        await using var client = await worker.ConnectAsync(Token);
        await client.ShutdownAsync(Token);
        await worker.Process.WaitForExitAsync(Token);
        Assert.Equal(0, worker.Process.ExitCode);
        Assert.True((await client.Closed).Expected);
    }
}
