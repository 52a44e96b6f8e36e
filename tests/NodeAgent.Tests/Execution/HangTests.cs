using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Tests.Support;
using EgpuFleet.NodeAgent.Workers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EgpuFleet.NodeAgent.Tests.Execution;

/// <summary>A worker that answers while its device hangs; the protocol is real, the engine is not.</summary>
public sealed class HangTests : IAsyncLifetime
{
    private const string Hash = "0000000000000000000000000000000000000000000000000000000000000000";

    private readonly TempFolder folder = new();
    private readonly FakeTimeProvider patience = new();
    private readonly CancellationTokenSource stopping = new();
    private WorkerHost? host;
    private Task serving = Task.CompletedTask;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => default;

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task A_generation_without_a_token_for_too_long_gives_the_worker_up(int tokens)
    {
        var worker = await StartAsync(tokens);
        var generator = new Generator(new ThroughputMeter(patience), new LiveSpeeds(patience), patience);
        await using var stream = generator
            .RunAsync(worker, Hash, new TextPrompt(""), DeviceRig.Parameters(10), GenerationPriority.Batch, Token)
            .GetAsyncEnumerator(Token);
        for (var i = 0; i < tokens; i++)
        {
            Assert.True(await stream.MoveNextAsync());
            // A slow reader is not the worker's fault.
            patience.Advance(NodeAgent.Limits.FirstTokenTimeout * 2);
        }
        Assert.True(worker.IsUsable);
        var next = stream.MoveNextAsync().AsTask();
        Assert.False(next.IsCompleted);
        patience.Advance(tokens == 0 ? NodeAgent.Limits.FirstTokenTimeout : NodeAgent.Limits.TokenTimeout);
        var failure = await Assert.ThrowsAsync<EngineException>(() => next);
        Assert.Equal(EngineErrorClass.WorkerHung, failure.ErrorClass);
        Assert.True(failure.Retryable);
        Assert.False(worker.IsUsable);
        Assert.False((await worker.GoneAsync()).Expected);
        await worker.Client.DisposeAsync();
    }

    [Fact]
    public async Task A_caller_that_leaves_a_silent_generation_blames_nobody()
    {
        var worker = await StartAsync(tokens: 1);
        var generator = new Generator(new ThroughputMeter(patience), new LiveSpeeds(patience), patience);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await using var stream = generator
            .RunAsync(
                worker,
                Hash,
                new TextPrompt(""),
                DeviceRig.Parameters(10),
                GenerationPriority.Batch,
                leaving.Token
            )
            .GetAsyncEnumerator(Token);
        Assert.True(await stream.MoveNextAsync());
        var next = stream.MoveNextAsync().AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
        Assert.True(worker.IsUsable);
        await worker.Client.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await serving;
        if (host is not null)
            await host.DisposeAsync();
        stopping.Dispose();
        folder.Dispose();
    }

    private async Task<WorkerProcess> StartAsync(int tokens)
    {
        var socket = folder.At("w");
        var options = new WorkerHostOptions(socket, "credential", TimeSpan.FromMinutes(1));
        host = new WorkerHost(new StuckEngine(tokens), options, TimeProvider.System, NullLogger<WorkerHost>.Instance);
        // Listens before it returns for the first time.
        serving = host.RunAsync(stopping.Token);
        var client = await WorkerClient.ConnectAsync(socket, "credential", Token);
        await client.LoadAsync(new LoadSpec(socket, Hash, 1), Token);
        return new WorkerProcess(client, new WorkerRecord(0, "", socket, ""), TimeProvider.System);
    }
}
