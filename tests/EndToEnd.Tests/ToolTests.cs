using System.ClientModel;
using System.Text;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>The official .NET SDK offers tools. The sample model has never heard of any, so it is made to call them.</summary>
public sealed class ToolTests(SharedFleet shared)
{
    private static readonly ChatTool Weather = ChatTool.CreateFunctionTool(
        "weather",
        "Tells the weather of a city.",
        BinaryData.FromString(
            """{"type":"object","properties":{"city":{"type":"string","enum":["Rome","Oslo"]},"days":{"type":"integer","minimum":1,"maximum":9}},"required":["city","days"],"additionalProperties":false}"""
        )
    );
    private static readonly ChatTool Clock = ChatTool.CreateFunctionTool("clock");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_required_call_names_a_tool_and_has_arguments_of_its_schema()
    {
        var completion = (await Chat().CompleteChatAsync(Question, Options(Required), Token)).Value;

        Assert.Equal(ChatFinishReason.ToolCalls, completion.FinishReason);
        var call = Assert.Single(completion.ToolCalls);
        Assert.NotEmpty(call.Id);
        AssertCall(call.FunctionName, call.FunctionArguments.ToString());
    }

    [Fact]
    public async Task A_named_tool_is_called_and_streams_its_arguments()
    {
        var options = Options(ChatToolChoice.CreateFunctionChoice("weather"));
        var (name, id, finish, arguments, updates) = ("", "", (ChatFinishReason?)null, new StringBuilder(), 0);
        await foreach (var update in Chat().CompleteChatStreamingAsync(Question, options, Token))
        {
            finish = update.FinishReason ?? finish;
            Assert.All(update.ContentUpdate, part => Assert.Empty(part.Text));
            foreach (var part in update.ToolCallUpdates)
            {
                updates++;
                name += part.FunctionName;
                id += part.ToolCallId;
                arguments.Append(part.FunctionArgumentsUpdate);
            }
        }
        Assert.Equal(("weather", ChatFinishReason.ToolCalls), (name, finish));
        Assert.Equal(9, id.Length);
        Assert.True(updates > 3, $"only {updates} updates");
        AssertCall(name, arguments.ToString());
    }

    [Fact]
    public async Task The_result_of_a_call_goes_back_to_the_model()
    {
        var call = (await Chat().CompleteChatAsync(Question, Options(Required), Token)).Value;
        ChatMessage[] messages =
        [
            .. Question,
            new AssistantChatMessage(call),
            new ToolChatMessage(call.ToolCalls[0].Id, """{"sky":"clear"}"""),
        ];
        var answer = (
            await Chat().CompleteChatAsync(messages, Options(ChatToolChoice.CreateNoneChoice()), Token)
        ).Value;

        Assert.Empty(answer.ToolCalls);
        Assert.NotEmpty(answer.Content[0].Text);
        // The call and its result are part of what the model reads.
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 1 };
        var plain = (await Chat().CompleteChatAsync(Question, options, Token)).Value;
        Assert.True(answer.Usage.InputTokenCount > plain.Usage.InputTokenCount + 20);
    }

    [Fact]
    public async Task An_object_may_be_the_answer_where_a_tool_may_be_called()
    {
        var options = Options(ChatToolChoice.CreateAutoChoice());
        options.ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat(
            "verdict",
            BinaryData.FromString(
                """{"type":"object","properties":{"yes":{"type":"boolean"}},"required":["yes"],"additionalProperties":false}"""
            )
        );
        var answer = (await Chat().CompleteChatAsync(Question, options, Token)).Value;
        if (answer.ToolCalls is [var call])
        {
            AssertCall(call.FunctionName, call.FunctionArguments.ToString());
            return;
        }
        using var said = JsonDocument.Parse(answer.Content[0].Text);
        Assert.Contains(
            said.RootElement.GetProperty("yes").ValueKind,
            new[] { JsonValueKind.True, JsonValueKind.False }
        );
    }

    private static void AssertCall(string name, string arguments)
    {
        using var document = JsonDocument.Parse(arguments);
        if (name == "weather")
        {
            Assert.Contains(document.RootElement.GetProperty("city").GetString(), new[] { "Rome", "Oslo" });
            Assert.InRange(document.RootElement.GetProperty("days").GetInt32(), 1, 9);
        }
        else
        {
            Assert.Equal("clock", name);
            Assert.Empty(document.RootElement.EnumerateObject());
        }
    }

    private static ChatMessage[] Question => [new UserChatMessage("What is the weather in Rome?")];

    private static ChatToolChoice Required => ChatToolChoice.CreateRequiredChoice();

    private static ChatCompletionOptions Options(ChatToolChoice choice) =>
        new()
        {
            Tools = { Weather, Clock },
            ToolChoice = choice,
            AllowParallelToolCalls = false,
            Temperature = 0.8f,
            MaxOutputTokenCount = 120,
        };

    private ChatClient Chat() =>
        new OpenAIClient(
            new ApiKeyCredential("unused"),
            new OpenAIClientOptions { Endpoint = new Uri(shared.Fleet.Http.BaseAddress!, "/v1") }
        ).GetChatClient(SharedFleet.SampleModel);
}
