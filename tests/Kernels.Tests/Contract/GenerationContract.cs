using System.Text;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tests.Worker;

namespace EgpuFleet.Kernels.Tests.Contract;

/// <summary>What every engine makes of the reference model.</summary>
public abstract class GenerationContract(StoriesWorker stories)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private WorkerClient Client => stories.Client;

    [Fact]
    public async Task The_golden_text_is_reproduced_token_for_token()
    {
        await Client.AssertGoldenAsync(Token);
        Assert.True(stories.Model.Exact);
    }

    [Fact]
    public async Task An_empty_text_no_token_ids_and_the_bos_token_are_the_same_prompt()
    {
        var options = new GenerationOptions(MaxTokens: 20);
        Prompt[] prompts = [new TextPrompt(""), new TokenPrompt([]), new TokenPrompt([1])];
        var texts = new HashSet<string>();
        foreach (var prompt in prompts)
            texts.Add((await Client.CompleteAsync(new GenerateRequest(Stories.Hash, prompt, options), Token)).Text);
        Assert.StartsWith("Once upon a time", Assert.Single(texts), StringComparison.Ordinal);
    }

    /// <summary>Prompts of different length, over one chunk too, greedy and sampled, more than there are slots.</summary>
    [Fact]
    public async Task Sequences_decoded_together_are_equal_to_the_same_ones_alone()
    {
        string[] openings = ["", "Once", "Tom had a dog.", "The big red ball was", Stories.Golden[..300]];
        var requests = Enumerable
            .Range(0, 12)
            .Select(i =>
            {
                var options = new GenerationOptions(
                    20 + (5 * i),
                    i % 2 == 0 ? 0 : 0.9,
                    TopP: 0.95,
                    TopK: i % 3 * 40,
                    Seed: (ulong)i
                );
                return Stories.Continue(openings[i % openings.Length], options);
            })
            .ToArray();

        var alone = new List<Completion>();
        foreach (var request in requests)
            alone.Add(await Client.CompleteAsync(request, Token));
        var together = await Task.WhenAll(requests.Select(request => Client.CompleteAsync(request, Token)));

        for (var i = 0; i < requests.Length; i++)
            Assert.Equal(alone[i].Tokens, together[i].Tokens);
        Assert.True(alone.Select(completion => completion.Text).Distinct(StringComparer.Ordinal).Count() > 8);
    }

    /// <summary>Whatever an engine keeps of the first prompt, the second is continued as if it were the only one.</summary>
    [Fact]
    public async Task A_prompt_that_begins_as_one_before_it_is_continued_as_if_alone()
    {
        var options = new GenerationOptions(MaxTokens: 30);
        var second = Stories.Continue(Stories.Golden[..150], options);
        var alone = await Client.CompleteAsync(second, Token);

        await Client.CompleteAsync(Stories.Continue(Stories.Golden[..100], options), Token);

        Assert.Equal(alone.Ids, (await Client.CompleteAsync(second, Token)).Ids);
        Assert.Equal(alone.Text, (await Client.CompleteAsync(second, Token)).Text);
    }

    [Fact]
    public async Task Log_probabilities_are_told_of_every_token_where_they_are_asked_for()
    {
        var options = new GenerationOptions(MaxTokens: 20) { TopLogProbs = 5 };
        var told = (await Client.CompleteAsync(Stories.Continue("", options), Token)).Tokens;
        var untold = await Client.CompleteAsync(Stories.Continue("", new GenerationOptions(MaxTokens: 20)), Token);

        Assert.Equal(untold.Ids, told.Select(token => token.TokenId));
        Assert.Equal(untold.Text, Encoding.UTF8.GetString([.. told.SelectMany(token => token.LogProbs!.Bytes)]));
        Assert.All(untold.Tokens, token => Assert.Null(token.LogProbs));
        Assert.All(
            told,
            token =>
            {
                var top = token.LogProbs!.Top;
                Assert.Equal(5, top.Count);
                Assert.Equal((token.TokenId, token.LogProbs.LogProb), (top[0].TokenId, top[0].LogProb));
                Assert.Equal(token.LogProbs.Bytes, top[0].Bytes);
                Assert.Equal(top.OrderByDescending(other => other.LogProb), top);
                Assert.InRange(top.Sum(other => Math.Exp(other.LogProb)), 0.1, 1.0);
            }
        );
    }

    [Fact]
    public async Task Stats_count_what_was_read_and_written()
    {
        var before = Assert.Single((await Client.StatsAsync(Token)).Models);

        var completion = await Client.CompleteAsync(
            Stories.Continue("Tom had a dog.", new GenerationOptions(MaxTokens: 15)),
            Token
        );

        var after = Assert.Single((await Client.StatsAsync(Token)).Models);
        Assert.Equal(completion.Last.Usage!.PromptTokens, after.PromptTokens - before.PromptTokens);
        Assert.Equal(15, after.CompletionTokens - before.CompletionTokens);
    }

    [Fact]
    public async Task Another_seed_gives_another_text()
    {
        var options = new GenerationOptions(MaxTokens: 40, Temperature: 1, Seed: 1);
        var one = await Client.CompleteAsync(Stories.Continue("", options), Token);
        var two = await Client.CompleteAsync(Stories.Continue("", options with { Seed = 2 }), Token);
        Assert.NotEqual(one.Text, two.Text);
    }

    [Fact]
    public async Task The_text_ends_before_the_first_stop_string()
    {
        var options = new GenerationOptions(MaxTokens: Stories.GoldenTokens)
        {
            StopStrings = ["red ball", "never said"],
        };
        var completion = await Client.CompleteAsync(Stories.Continue("", options), Token);
        var end = Stories.Golden.IndexOf("red ball", StringComparison.Ordinal);
        Assert.Equal(Stories.Golden[..end], completion.Text);
        Assert.Equal(FinishReason.Stop, completion.Last.FinishReason);
        Assert.True(completion.Last.Usage!.CompletionTokens < Stories.GoldenTokens);
    }

    [Fact]
    public async Task Without_max_tokens_a_text_ends_with_the_context_at_the_latest()
    {
        var completion = await Client.CompleteAsync(Stories.Continue(""), Token);
        var usage = completion.Last.Usage!;
        Assert.InRange(usage.PromptTokens + usage.CompletionTokens, 2, stories.Model.ContextTokens);
        Assert.StartsWith(Stories.Golden, completion.Text, StringComparison.Ordinal);
    }
}
