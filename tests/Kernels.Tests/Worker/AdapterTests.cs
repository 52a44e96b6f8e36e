using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tests.Models;
using EgpuFleet.TestKit;

namespace EgpuFleet.Kernels.Tests.Worker;

/// <summary>llama.cpp serves a base model with adapters beside it.</summary>
public sealed class AdapterTests : IAsyncLifetime
{
    private const int Tokens = 40;

    /// <summary>Between an adapter and the same merged into the weights: sums of floats in another order. Seen: 7e-6.</summary>
    private const double Tolerance = 1e-3;

    private static readonly GenerationOptions Greedy = new(MaxTokens: Tokens) { TopLogProbs = 20 };

    private readonly WorkerProcess worker = WorkerProcess.Start();
    private WorkerClient client = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => client = await worker.ConnectAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        await worker.DisposeAsync();
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    public async Task An_adapter_computes_what_the_merged_weights_compute(string architecture)
    {
        using var model = new TemporaryModel(
            new SyntheticModel(new SyntheticShape(architecture) { HeadWidth = 16, RotatedWidth = 16 })
        );
        using var adapter = new TrainedAdapter(model.Path, model.Hash, spread: 0.05f);
        var merged = new string('e', 64);
        await client.LoadAsync(model.Spec(slots: 1, exact: null), Token);
        var info = await client.LoadAsync(adapter.Spec(), Token);
        await client.LoadAsync(new LoadSpec(adapter.Merge(), merged, Threads: 1, Slots: 1), Token);
        Assert.True(info.Exact);

        var (largest, changed) = (0.0, 0.0);
        foreach (var prompt in Prompts.Of(3, 20, 60))
        {
            var ours = await CompleteAsync(adapter.Hash, prompt);
            var theirs = await CompleteAsync(merged, prompt);
            var before = await CompleteAsync(model.Hash, prompt);
            Assert.Equal(theirs.Ids, ours.Ids);
            largest = Math.Max(largest, ours.Tokens.Zip(theirs.Tokens).Max(Distance));
            changed = Math.Max(changed, Distance((before.Tokens[0], ours.Tokens[0])));
        }
        TestContext.Current.SendDiagnosticMessage(
            $"{architecture}: {largest:g3} from merged, {changed:g3} from the base"
        );
        Assert.True(largest < Tolerance, $"The log-probabilities differ by {largest}.");
        Assert.True(changed > 100 * Tolerance, $"The adapter changes log-probabilities by {changed} only.");
    }

    [Fact]
    public async Task An_adapter_that_has_learnt_nothing_changes_nothing()
    {
        using var model = new TemporaryModel(new SyntheticModel(new SyntheticShape("llama")));
        using var adapter = new TrainedAdapter(model.Path, model.Hash, spread: 0);
        await client.LoadAsync(adapter.Spec(), Token);
        await client.LoadAsync(model.Spec(slots: 1, exact: null), Token);
        foreach (var prompt in Prompts.Of(5, 50))
        {
            var (ours, theirs) = (await CompleteAsync(adapter.Hash, prompt), await CompleteAsync(model.Hash, prompt));
            Assert.Equal(theirs.Ids, ours.Ids);
            Assert.Equal(0, ours.Tokens.Zip(theirs.Tokens).Max(Distance));
        }
    }

    [Fact]
    public async Task Several_adapters_and_their_base_come_and_go_beside_each_other()
    {
        using var model = new TemporaryModel(new SyntheticModel(new SyntheticShape("llama")));
        using var one = new TrainedAdapter(model.Path, model.Hash, spread: 0.05f);
        using var other = new TrainedAdapter(model.Path, model.Hash, spread: 0.05f, seed: 2);
        int[] prompt = [1, 2, 3];
        await client.LoadAsync(one.Spec(slots: 4), Token);
        await client.LoadAsync(model.Spec(slots: 4, exact: null), Token);
        await client.LoadAsync(other.Spec(slots: 4), Token);

        var all = await Task.WhenAll(
            new[] { one.Hash, model.Hash, other.Hash, one.Hash }.Select(hash => CompleteAsync(hash, prompt))
        );
        Assert.Equal(all[0].Ids, all[3].Ids);
        Assert.Equal(3, all.Select(text => string.Join(',', text.Ids)).Distinct().Count());

        await client.UnloadAsync(model.Hash, Token);
        Assert.Equal(all[2].Ids, (await CompleteAsync(other.Hash, prompt)).Ids);
        await client.UnloadAsync(one.Hash, Token);
        Assert.Equal(all[2].Ids, (await CompleteAsync(other.Hash, prompt)).Ids);
        await client.LoadAsync(model.Spec(slots: 4, exact: null), Token);
        Assert.Equal(all[1].Ids, (await CompleteAsync(model.Hash, prompt)).Ids);
        await client.UnloadAsync(other.Hash, Token);
        await client.UnloadAsync(model.Hash, Token);
        var gone = await Assert.ThrowsAsync<EngineException>(() => CompleteAsync(one.Hash, prompt));
        Assert.Equal(EngineErrorClass.ModelNotLoaded, gone.ErrorClass);
    }

    [Fact]
    public async Task The_sample_model_of_half_floats_serves_an_adapter()
    {
        var path = RepositoryPaths.At("samples", "models", "tiny-fleet.gguf");
        var hash = new string('5', 64);
        using var adapter = new TrainedAdapter(path, hash, spread: 0.05f);
        await client.LoadAsync(adapter.Spec(), Token);
        await client.LoadAsync(new LoadSpec(path, hash, Threads: 1, Slots: 1), Token);
        var prompt = new ChatPrompt([new ChatMessage("user", "Where do otters sleep?")]);
        var (ours, theirs) = (
            await client.CompleteAsync(new GenerateRequest(adapter.Hash, prompt, Greedy), Token),
            await client.CompleteAsync(new GenerateRequest(hash, prompt, Greedy), Token)
        );
        Assert.Equal(theirs.Last.Usage!.PromptTokens, ours.Last.Usage!.PromptTokens);
        Assert.NotEqual(theirs.Tokens[0].LogProbs!.LogProb, ours.Tokens[0].LogProbs!.LogProb);
    }

    [Fact]
    public async Task An_adapter_of_another_base_is_refused_in_words()
    {
        using var model = new TemporaryModel(new SyntheticModel(new SyntheticShape("llama")));
        using var narrow = new TemporaryModel(new SyntheticModel(new SyntheticShape("llama") { Hidden = 64 }));
        using var qwen = new TemporaryModel(new SyntheticModel(new SyntheticShape("qwen3")));
        using var adapter = new TrainedAdapter(model.Path, model.Hash, spread: 0.05f);
        var right = adapter.Spec();

        await RefusedAsync(right with { Adapter = right.Adapter! with { BaseHash = narrow.Hash } }, model.Hash);
        // A base that claims another's hash: shape and architecture are looked at as well.
        await RefusedAsync(right with { Path = narrow.Path }, "ffn_");
        await RefusedAsync(right with { Path = qwen.Path }, "architecture");
        await client.LoadAsync(right, Token);
        Assert.Equal(Tokens, (await CompleteAsync(adapter.Hash, [1])).Tokens.Count);
    }

    [Fact]
    public async Task A_hostile_adapter_is_refused_and_the_worker_goes_on()
    {
        using var model = new TemporaryModel(new SyntheticModel(new SyntheticShape("llama")));
        using var adapter = new TrainedAdapter(model.Path, model.Hash, spread: 0.05f);
        var whole = await File.ReadAllBytesAsync(adapter.Path, Token);
        foreach (var length in new[] { 0, 4, 100, 1000, whole.Length - 1 })
        {
            await File.WriteAllBytesAsync(adapter.Path, whole[..length], Token);
            await RefusedAsync(adapter.Spec(), "");
        }
        foreach (var offset in new[] { 8, 16, whole.AsSpan().IndexOf("adapter.lora.alpha"u8) + 22 })
        {
            var changed = whole.ToArray();
            changed.AsSpan(offset, 4).Fill(0xFF);
            await File.WriteAllBytesAsync(adapter.Path, changed, Token);
            await RefusedAsync(adapter.Spec(), "");
        }
        await File.WriteAllBytesAsync(adapter.Path, await File.ReadAllBytesAsync(model.Path, Token), Token);
        await RefusedAsync(adapter.Spec(), "no adapter");
        await File.WriteAllBytesAsync(adapter.Path, whole, Token);
        await client.LoadAsync(adapter.Spec(), Token);
        Assert.Equal(Tokens, (await CompleteAsync(adapter.Hash, [1])).Tokens.Count);
    }

    private async Task RefusedAsync(LoadSpec spec, string word)
    {
        var refusal = await Assert.ThrowsAsync<EngineException>(() => client.LoadAsync(spec, Token));
        Assert.Equal(EngineErrorClass.ModelInvalid, refusal.ErrorClass);
        Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
    }

    private Task<Completion> CompleteAsync(string hash, int[] prompt) =>
        client.CompleteAsync(new GenerateRequest(hash, new TokenPrompt(prompt), Greedy), Token);

    private static double Distance((GeneratedToken First, GeneratedToken Second) pair) =>
        pair.First.LogProbs!.Difference(pair.Second.LogProbs!);
}
