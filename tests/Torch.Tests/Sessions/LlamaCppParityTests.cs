using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Tests.Models;
using EgpuFleet.Kernels.Tests.Worker;

namespace EgpuFleet.Torch.Tests.Sessions;

/// <summary>
/// The loss of this engine against what llama.cpp thinks of the same tokens: random models of each architecture and format, a
/// text that llama.cpp continues, and the sum of its log-probabilities.
/// </summary>
public sealed class LlamaCppParityTests(TorchWorker torch, LlamaCppParityTests.Judge judge)
    : IClassFixture<TorchWorker>,
        IClassFixture<LlamaCppParityTests.Judge>
{
    private const int Generated = 24;
    private static readonly int[] Prompt = [40, 71, 12, 99, 5, 180];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>llama.cpp quantises activations where weights are quantised; F32 is computed as here.</summary>
    public static TheoryData<string, string, double> Models =>
        new()
        {
            { "llama", nameof(WeightKind.F32), 1e-4 },
            { "qwen2", nameof(WeightKind.F32), 1e-4 },
            { "qwen3", nameof(WeightKind.F32), 1e-4 },
            { "llama", nameof(WeightKind.Q8_0), 0.05 },
            { "qwen3", nameof(WeightKind.Q8_0), 0.05 },
        };

    [Theory]
    [MemberData(nameof(Models))]
    public async Task The_loss_is_what_llama_cpp_thinks_of_the_text(string architecture, string kind, double tolerance)
    {
        using var model = new TemporaryModel(new SyntheticModel(ShapeOf(architecture), Enum.Parse<WeightKind>(kind)));
        await judge.Client.LoadAsync(model.Spec(slots: 1, exact: null), Token);
        var options = new GenerationOptions(MaxTokens: Generated) { TopLogProbs = 0 };
        var tokens = Prompt.ToList();
        var sum = 0.0;
        await foreach (var token in judge.Client.GenerateAsync(model.Continue(Prompt, options), Token))
        {
            tokens.Add(token.TokenId);
            sum -= token.LogProbs!.LogProb;
        }
        await judge.Client.UnloadAsync(model.Hash, Token);

        var rowTokens = tokens.Count + 3;
        var spec = Batches.Spec(model.Path, model.Hash) with { RowTokens = rowTokens };
        await using var session = await torch.Client.OpenTrainingAsync(spec, Token);
        var batch = Batches.Text([.. tokens], Prompt.Length, rowTokens);
        var loss = await session.EvaluateAsync(batch, Token);
        Assert.Equal(tokens.Count - Prompt.Length, loss.Tokens);
        Assert.Equal(sum / loss.Tokens, loss.LossSum / loss.Tokens, tolerance);
        Assert.Equal(tokens[Prompt.Length], (await session.ContinueAsync(Prompt, 1, [], Token))[0]);
    }

    /// <summary>llama.cpp takes a qwen2 only with heads that are parts of the width.</summary>
    private static SyntheticShape ShapeOf(string architecture) =>
        architecture == "qwen2"
            ? new SyntheticShape(architecture) { HeadWidth = 16, RotatedWidth = 16 }
            : new SyntheticShape(architecture);

    /// <summary>A llama.cpp worker.</summary>
    public sealed class Judge : IAsyncLifetime
    {
        private WorkerProcess? worker;

        internal Kernels.Protocol.WorkerClient Client { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            worker = WorkerProcess.Start();
            Client = await worker.ConnectAsync(Token);
        }

        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            if (worker is not null)
                await worker.DisposeAsync();
        }
    }
}
