using System.ClientModel;
using System.Text;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>The official .NET SDK against the gateway: what any OpenAI client sees.</summary>
public sealed class OpenAiSdkTests(SharedFleet shared)
{
    [Fact]
    public async Task The_sdk_chats()
    {
        var completion = (
            await Chat()
                .CompleteChatAsync(
                    [new UserChatMessage("Who are you?")],
                    new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 48 },
                    TestContext.Current.CancellationToken
                )
        ).Value;

        Assert.Contains(' ', completion.Content[0].Text);
        Assert.Equal(ChatMessageRole.Assistant, completion.Role);
        Assert.True(completion.Usage.InputTokenCount > 0);
        Assert.Equal(
            completion.Usage.TotalTokenCount,
            completion.Usage.InputTokenCount + completion.Usage.OutputTokenCount
        );
    }

    [Fact]
    public async Task The_sdk_streams_the_same_text_that_it_gets_at_once()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        ChatMessage[] messages = [new UserChatMessage("What is a GPU?")];
        var options = new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 32 };
        var whole = (await Chat().CompleteChatAsync(messages, options, cancellationToken)).Value.Content[0].Text;

        var streamed = new StringBuilder();
        var updates = 0;
        ChatFinishReason? finish = null;
        await foreach (var update in Chat().CompleteChatStreamingAsync(messages, options, cancellationToken))
        {
            updates++;
            finish = update.FinishReason ?? finish;
            foreach (var part in update.ContentUpdate)
                streamed.Append(part.Text);
        }

        Assert.Equal(whole, streamed.ToString());
        Assert.NotNull(finish);
        Assert.True(updates > 3, $"only {updates} updates");
    }

    /// <summary>At a temperature at which the model would say anything.</summary>
    [Fact]
    public async Task The_sdk_gets_the_object_that_its_schema_describes()
    {
        const string Schema = """
            {"type":"object","properties":{"animal":{"enum":["otter","seal"]},"legs":{"type":"integer","minimum":0,"maximum":4},
            "swims":{"type":"boolean"}},"required":["animal","legs","swims"],"additionalProperties":false}
            """;
        var options = new ChatCompletionOptions
        {
            Temperature = 1.5f,
            ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat(
                "animal",
                BinaryData.FromString(Schema),
                jsonSchemaIsStrict: true
            ),
        };
        var answer = (
            await Chat()
                .CompleteChatAsync(
                    [new UserChatMessage("Which animal swims?")],
                    options,
                    TestContext.Current.CancellationToken
                )
        ).Value;

        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
        using var said = JsonDocument.Parse(answer.Content[0].Text);
        Assert.Equal(
            ["animal", "legs", "swims"],
            said.RootElement.EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal)
        );
        Assert.Contains(said.RootElement.GetProperty("animal").GetString(), new[] { "otter", "seal" });
        Assert.InRange(said.RootElement.GetProperty("legs").GetInt32(), 0, 4);
    }

    [Fact]
    public async Task The_sdk_steers_which_tokens_come()
    {
        var one = new ChatCompletionOptions();
        one.LogitBiases[1000] = 50;
        var only = await SayAsync(one);
        Assert.True(only.Length >= 4 && only[(only.Length / 2)..] == only[..(only.Length / 2)], only);
        one.FrequencyPenalty = 2;
        var wearied = await SayAsync(one);
        Assert.NotEqual(only, wearied);
        Assert.StartsWith(only[..4], wearied, StringComparison.Ordinal);

        one.LogitBiases[1 << 30] = 1;
        var error = await Assert.ThrowsAsync<ClientResultException>(() => SayAsync(one));
        Assert.Equal(400, error.Status);
        Assert.Contains("logit_bias", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_sdk_learns_how_likely_each_token_was()
    {
        var options = new ChatCompletionOptions { IncludeLogProbabilities = true, TopLogProbabilityCount = 3 };
        (options.Temperature, options.MaxOutputTokenCount) = (0, 24);
        ChatMessage[] messages = [new UserChatMessage("What is a GPU?")];
        var cancellationToken = TestContext.Current.CancellationToken;
        var whole = (await Chat().CompleteChatAsync(messages, options, cancellationToken)).Value;
        var streamed = new List<ChatTokenLogProbabilityDetails>();
        await foreach (var update in Chat().CompleteChatStreamingAsync(messages, options, cancellationToken))
            streamed.AddRange(update.ContentTokenLogProbabilities);

        var told = whole.ContentTokenLogProbabilities;
        Assert.Equal(whole.Usage.OutputTokenCount, told.Count);
        Assert.Equal(
            whole.Content[0].Text,
            Encoding.UTF8.GetString([.. told.SelectMany(one => one.Utf8Bytes!.Value.ToArray())])
        );
        Assert.All(told, one => Assert.Equal(3, one.TopLogProbabilities.Count));
        Assert.All(told, one => Assert.Equal(one.LogProbability, one.TopLogProbabilities[0].LogProbability));
        Assert.Equal(told.Select(one => one.LogProbability), streamed.Select(one => one.LogProbability));
    }

    [Fact]
    public async Task The_sdk_sees_a_typed_error_for_an_unknown_model()
    {
        var error = await Assert.ThrowsAsync<ClientResultException>(async () =>
            await Chat("no-such-model")
                .CompleteChatAsync(
                    [new UserChatMessage("Hello")],
                    cancellationToken: TestContext.Current.CancellationToken
                )
        );

        Assert.Equal(404, error.Status);
        Assert.Contains("model_not_found", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_sdk_lists_the_registered_models()
    {
        var client = Client().GetOpenAIModelClient();

        var models = (await client.GetModelsAsync(TestContext.Current.CancellationToken)).Value;

        Assert.Contains(models, model => model.Id == SharedFleet.SampleModel);
    }

    private async Task<string> SayAsync(ChatCompletionOptions options)
    {
        (options.Temperature, options.MaxOutputTokenCount) = (0, 48);
        var said = await Chat()
            .CompleteChatAsync([new UserChatMessage("What is a GPU?")], options, TestContext.Current.CancellationToken);
        return said.Value.Content[0].Text;
    }

    private ChatClient Chat(string model = SharedFleet.SampleModel) => Client().GetChatClient(model);

    private OpenAIClient Client() =>
        new(
            new ApiKeyCredential("no-key-is-needed-on-loopback"),
            new OpenAIClientOptions { Endpoint = new Uri(shared.Fleet.Http.BaseAddress!, "/v1") }
        );
}
