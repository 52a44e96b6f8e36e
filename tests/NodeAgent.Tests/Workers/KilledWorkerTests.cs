using System.Diagnostics;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.NodeAgent.Tests.Support;
using EgpuFleet.NodeAgent.Workers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EgpuFleet.NodeAgent.Tests.Workers;

/// <summary>A worker that is given up and takes its time to end: its callers must not wait for that.</summary>
public sealed class KilledWorkerTests
{
    private const string Hash = "0000000000000000000000000000000000000000000000000000000000000000";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Callers_hear_of_a_killed_worker_before_its_process_ends()
    {
        using var folder = new TempFolder();
        using var stopping = new CancellationTokenSource();
        var socket = folder.At("w");
        await using var host = new WorkerHost(
            new StuckEngine(tokens: 1),
            new WorkerHostOptions(socket, "credential", TimeSpan.FromMinutes(1)),
            TimeProvider.System,
            NullLogger<WorkerHost>.Instance
        );
        // Listens before it returns for the first time.
        var serving = host.RunAsync(stopping.Token);
        var client = await WorkerClient.ConnectAsync(socket, "credential", Token);
        await client.LoadAsync(new LoadSpec(socket, Hash, 1), Token);
        using var process = await StubbornAsync();
        // Its time stands still: SIGTERM has for ever.
        var patience = new FakeTimeProvider();
        var identity = ProcessIdentity.Of(process.Id)!;
        var worker = new WorkerProcess(client, new WorkerRecord(process.Id, identity, socket, ""), patience);
        await using var stream = client
            .GenerateAsync(new GenerateRequest(Hash, new TextPrompt(""), new GenerationOptions(10)), Token)
            .GetAsyncEnumerator(Token);
        Assert.True(await stream.MoveNextAsync());
        var next = stream.MoveNextAsync().AsTask();

        var killing = worker.KillAsync("one step has lasted too long");

        var failure = await Assert.ThrowsAsync<EngineException>(() => next);
        Assert.Equal(EngineErrorClass.WorkerLost, failure.ErrorClass);
        Assert.Contains("one step has lasted too long", failure.Message, StringComparison.Ordinal);
        Assert.False((await worker.Closed).Expected);
        Assert.False(process.HasExited);
        Assert.False(killing.IsCompleted);
        process.Kill();
        await killing;
        await stopping.CancelAsync();
        await serving;
    }

    /// <summary>A process that does not listen to SIGTERM.</summary>
    private static async Task<Process> StubbornAsync()
    {
        // It ends with this process, however that ends: nobody else holds its input.
        const string script = "trap '' TERM; echo ready; read -r forever";
        var start = new ProcessStartInfo("/bin/sh", ["-c", script])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start)!;
        Assert.Equal("ready", await process.StandardOutput.ReadLineAsync(Token));
        return process;
    }
}
