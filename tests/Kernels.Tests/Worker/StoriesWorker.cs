using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Kernels.Tests.Worker;

/// <summary>One worker with the reference model for all tests of a class; they skip where it cannot be had.</summary>
public class StoriesWorker : IAsyncLifetime
{
    private WorkerProcess? worker;
    private WorkerClient? client;
    private ModelInfo? model;

    /// <summary>The worker's client; asking for it skips the test where there is none. (A fixture itself cannot skip.)</summary>
    internal WorkerClient Client => Had(client);

    internal ModelInfo Model => Had(model);

    /// <summary>The worker program.</summary>
    internal virtual string Executable => WorkerProcess.LlamaCpp;

    /// <summary>What the program calls its engine.</summary>
    internal virtual string EngineName => "llama.cpp";

    /// <summary>What the worker needs and this machine lacks; null: nothing.</summary>
    protected virtual string? Missing => Stories.Missing;

    public async ValueTask InitializeAsync()
    {
        if (Missing is not null)
            return;
        worker = WorkerProcess.Start(worker: Executable);
        client = await worker.ConnectAsync(TestContext.Current.CancellationToken);
        model = await client.LoadStoriesAsync(TestContext.Current.CancellationToken);
        await WarmUpAsync(client);
    }

    /// <summary>A worker of a test's own, without a model; skips the test where there is none.</summary>
    internal WorkerProcess Start(TimeSpan? keepFor = null)
    {
        Assert.SkipWhen(Missing is not null, Missing ?? "");
        return WorkerProcess.Start(keepFor, worker: Executable);
    }

    protected virtual Task WarmUpAsync(WorkerClient client) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (client is not null)
            await client.DisposeAsync();
        if (worker is not null)
            await worker.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private T Had<T>(T? part)
    {
        Assert.SkipWhen(Missing is not null, Missing ?? "");
        return part!;
    }
}
