using System.Runtime.CompilerServices;
using EgpuFleet.Kernels;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.NodeAgent.Tests.Support;

/// <summary>An engine whose device hangs after some tokens: the worker around it goes on answering everything else.</summary>
internal sealed class StuckEngine(int tokens) : IKernelEngine, IModelShard, IGenerator
{
    public EngineIdentity Identity => new("stuck", "1", EngineCapabilities.Generate);

    public ModelInfo Info => new("", "", "", 1, 1, 1, 64, 64, 1, 1, 1, 1, 1, Exact: true, HasChatTemplate: false);

    public IGenerator Generator => this;

    public Task OpenAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public EngineProbe Probe() => new("CPU", "stuck", 1, 1, 1);

    public Task<SelfTestReport> SelfTestAsync(CancellationToken cancellationToken) =>
        Task.FromResult(new SelfTestReport(Passed: true, 1, 0, "passed"));

    public Task<IModelShard> LoadAsync(LoadSpec spec, CancellationToken cancellationToken) =>
        Task.FromResult<IModelShard>(this);

    public Task WarmUpAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public ModelStats Stats() => new("", 1, 0, 0, 0, 0);

    public async IAsyncEnumerable<GeneratedToken> GenerateAsync(
        GenerateRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        for (var i = 0; i < tokens; i++)
            yield return new GeneratedToken(i, i, "a");
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        yield return new GeneratedToken(tokens, -1, "", FinishReason.Cancelled, new GenerationUsage(1, tokens));
    }

    public ValueTask DisposeAsync() => default;
}
