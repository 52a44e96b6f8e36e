using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.LlamaCpp.Sampling;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Kernels.Tests.Worker;

/// <summary>Penalties and biases, by their formula and through a real worker.</summary>
public sealed class LogitRuleTests(StoriesWorker stories) : IClassFixture<StoriesWorker>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private WorkerClient Client => stories.Client;

    [Fact]
    public void Logits_change_as_the_api_says()
    {
        var rules = LogitRules.Of(
            new GenerationOptions
            {
                FrequencyPenalty = 0.5,
                PresencePenalty = -1,
                LogitBiases = [new(0, 3), new(3, -100)],
            },
            vocabularySize: 4
        );
        Assert.NotNull(rules);
        foreach (var token in (int[])[1, 1, 3])
            rules.Accept(token);
        float[] logits = [1, 1, 1, 1];
        rules.Apply(logits);
        Assert.Equal([4, 1 - (2 * 0.5f) + 1, 1, 1 - 100 - 0.5f + 1], logits);
        Assert.Null(LogitRules.Of(new GenerationOptions(), 4));
    }

    [Fact]
    public async Task A_bias_bans_a_token_or_makes_it_the_only_one()
    {
        var golden = Stories.GoldenIds[0];
        var banned = await SayAsync(options => options with { LogitBiases = [new(golden, -100)] });
        Assert.DoesNotContain(golden, banned.Ids);
        var only = await SayAsync(options => options with { Temperature = 1, LogitBiases = [new(golden, 100)] });
        Assert.All(only.Ids, id => Assert.Equal(golden, id));
        // What others ask for at the same time is not theirs.
        Assert.Equal(Stories.GoldenIds, (await SayAsync(options => options)).Ids.Take(Stories.GoldenIds.Length));
    }

    [Fact]
    public async Task Penalties_make_a_text_say_more_words_and_rewards_fewer()
    {
        var plain = Distinct(await SayAsync(options => options));
        Assert.True(Distinct(await SayAsync(options => options with { FrequencyPenalty = 1.5 })) > plain);
        Assert.True(Distinct(await SayAsync(options => options with { PresencePenalty = 2 })) > plain);
        Assert.True(Distinct(await SayAsync(options => options with { FrequencyPenalty = -2 })) < plain);
    }

    [Fact]
    public async Task They_are_refused_out_of_range()
    {
        Func<GenerationOptions, GenerationOptions>[] wrong =
        [
            options => options with { FrequencyPenalty = 2.1 },
            options => options with { PresencePenalty = -2.1 },
            options => options with { LogitBiases = [new(1, 101)] },
            options => options with { LogitBiases = [new(1, 1), new(1, 2)] },
            options => options with { LogitBiases = [new(-1, 1)] },
            options => options with { LogitBiases = [new(stories.Model.VocabularySize, 1)] },
            options => options with { LogitBiases = [.. Enumerable.Range(0, 1025).Select(id => new LogitBias(id, 1))] },
        ];
        foreach (var options in wrong)
        {
            var refusal = await Assert.ThrowsAsync<EngineException>(() => SayAsync(options));
            Assert.Equal(EngineErrorClass.InvalidRequest, refusal.ErrorClass);
        }
    }

    private static int Distinct(Completion said) => said.Ids.Distinct().Count();

    private Task<Completion> SayAsync(Func<GenerationOptions, GenerationOptions> with) =>
        Client.CompleteAsync(Stories.Continue("", with(new GenerationOptions(MaxTokens: 150))), Token);
}
