using System.Text.Json;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Grammars;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.TestKit.Schemas;

namespace EgpuFleet.Kernels.Tests.Worker;

/// <summary>llama.cpp holds a text to a grammar, and to nothing else.</summary>
public sealed class GrammarTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Schemas = 150;

    /// <summary>A model that has never seen JSON goes on in a string without end.</summary>
    private const int LongestText = 400;

    private readonly WorkerProcess worker = WorkerProcess.Start();
    private WorkerClient client = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => client = await worker.ConnectAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        await worker.DisposeAsync();
    }

    /// <summary>At any temperature; what the bound of tokens cuts off is no JSON yet, and is not judged.</summary>
    [Fact]
    public async Task What_is_sampled_by_random_schemas_validates()
    {
        await client.LoadStoriesAsync(Token);
        var sampled = await Task.WhenAll(RandomSchemas().Take(Schemas).Select(SampleAsync));

        var whole = sampled.Where(one => one.Finish == FinishReason.Stop).ToList();
        var faults = await Ajv.JudgeAsync(whole.Select(one => new Ajv.Case(one.Schema, [one.Text])), Token);
        var wrong = whole.Zip(faults).Where(pair => pair.Second.Length > 0).ToList();
        output.WriteLine($"{whole.Count} of {Schemas} texts whole, {wrong.Count} wrong");
        Assert.True(wrong.Count == 0, string.Join("\n\n", wrong.Take(3)));
        Assert.InRange(whole.Count, Schemas / 2, Schemas);
    }

    [Fact]
    public async Task A_text_that_keeps_to_its_grammar_is_the_text_without_one()
    {
        await client.LoadStoriesAsync(Token);
        var options = new GenerationOptions(MaxTokens: Stories.GoldenTokens) { Grammar = "root ::= [^\\x00]*" };
        var held = await client.CompleteAsync(Stories.Continue("", options), Token);
        Assert.Equal(Stories.Golden, held.Text);
    }

    [Fact]
    public async Task Texts_held_to_grammars_and_free_ones_run_beside_each_other()
    {
        await client.LoadStoriesAsync(Token);
        var answer = new GenerationOptions(MaxTokens: 60) { Grammar = "root ::= \"yes\" | \"no\"" };
        var free = new GenerationOptions(MaxTokens: 60);
        var alone = await client.CompleteAsync(Stories.Continue("", free), Token);

        var all = await Task.WhenAll(
            new[] { answer, free, answer, free }.Select(options =>
                client.CompleteAsync(Stories.Continue("", options), Token)
            )
        );

        Assert.Equal(alone.Text, all[1].Text);
        Assert.Equal(alone.Text, all[3].Text);
        Assert.Contains(all[0].Text, new[] { "yes", "no" });
        Assert.Equal(FinishReason.Stop, all[0].Last.FinishReason);
        Assert.Equal(all[0].Text, all[2].Text);
    }

    [Fact]
    public async Task A_long_grammar_reaches_the_engine_and_a_longer_one_is_refused()
    {
        await client.LoadStoriesAsync(Token);
        var filler = new string('a', Limits.GrammarCharacters - 64);
        var longest = $"root ::= \"yes\"\nrest ::= \"{filler}\"";
        Assert.Equal("yes", await SayAsync(longest));
        await RefusedAsync(longest + new string(' ', Limits.GrammarCharacters));
    }

    [Theory]
    [InlineData("")]
    [InlineData("root ::= (")]
    [InlineData("root ::= other")]
    [InlineData("other ::= \"a\"")]
    [InlineData("root ::= root \"a\"")]
    [InlineData("no grammar")]
    public async Task What_is_no_grammar_is_refused_and_the_worker_goes_on(string grammar)
    {
        await client.LoadStoriesAsync(Token);
        await RefusedAsync(grammar);
        Assert.Equal("yes", await SayAsync("root ::= \"yes\""));
    }

    /// <summary>Left in the middle, while it waits, and with its model.</summary>
    [Fact]
    public async Task A_text_may_be_left_at_any_moment()
    {
        await client.LoadStoriesAsync(Token, slots: 1);
        var endless = Stories.Continue("", new GenerationOptions { Grammar = "root ::= [^\\x00]*" });
        await using var running = client.GenerateAsync(endless, Token).GetAsyncEnumerator(Token);
        Assert.True(await running.MoveNextAsync());
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var waiting = client.CompleteAsync(endless, leaving.Token);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await running.DisposeAsync();
        Assert.Equal("yes", await SayAsync("root ::= \"yes\""));
        await using var last = client.GenerateAsync(endless, Token).GetAsyncEnumerator(Token);
        Assert.True(await last.MoveNextAsync());
        await client.UnloadAsync(Stories.Hash, Token);
        while (last.Current.FinishReason is null)
            Assert.True(await last.MoveNextAsync());
        Assert.Equal(FinishReason.Cancelled, last.Current.FinishReason);
    }

    private static IEnumerable<(int Seed, string Schema, string Grammar)> RandomSchemas()
    {
        for (var seed = 0; ; seed++)
        {
            var schema = new RandomSchema(new Random(seed)).Next().ToJsonString();
            if (GrammarOf(schema) is { } grammar)
                yield return (seed, schema, grammar);
        }
    }

    /// <summary>Null where nothing satisfies the schema: the random ones say nothing else that is refused.</summary>
    private static string? GrammarOf(string schema)
    {
        using var document = JsonDocument.Parse(schema);
        try
        {
            return SchemaGrammar.Of(document.RootElement);
        }
        catch (SchemaException e) when (e.Code == SchemaFault.Impossible)
        {
            return null;
        }
    }

    private async Task<(string Schema, string Text, FinishReason? Finish)> SampleAsync(
        (int Seed, string Schema, string Grammar) one
    )
    {
        var options = new GenerationOptions(LongestText, Temperature: one.Seed % 3, Seed: (ulong)one.Seed)
        {
            Grammar = one.Grammar,
        };
        var made = await client.CompleteAsync(Stories.Continue("Once", options), Token);
        return (one.Schema, made.Text, made.Last.FinishReason);
    }

    private async Task<string> SayAsync(string grammar)
    {
        var options = new GenerationOptions(MaxTokens: 60) { Grammar = grammar };
        return (await client.CompleteAsync(Stories.Continue("", options), Token)).Text;
    }

    private async Task RefusedAsync(string grammar)
    {
        var refusal = await Assert.ThrowsAsync<EngineException>(() => SayAsync(grammar));
        Assert.Equal(EngineErrorClass.InvalidRequest, refusal.ErrorClass);
    }
}
