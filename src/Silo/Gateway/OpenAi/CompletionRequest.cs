using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Silo.Gateway.OpenAi.Chat;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>A chat or completion request, checked: what to generate from, how, and in which form to answer.</summary>
/// <param name="Prompts">At least one; a chat is one.</param>
/// <param name="PerPrompt">Answers to each; the i-th is made with the seed plus i.</param>
/// <param name="Stream">Server-sent events instead of one answer.</param>
/// <param name="IncludeUsage">A last event with the token counts.</param>
public sealed record CompletionRequest(
    string Model,
    GenerationParameters Parameters,
    IReadOnlyList<PromptInput> Prompts,
    int PerPrompt,
    bool Stream,
    bool IncludeUsage
)
{
    /// <summary>OpenAI's default for completions; chat has none.</summary>
    private const int CompletionMaxTokens = 16;

    private const double HighestPenalty = 2;

    /// <summary>What a chat asks of the form of its answer; null of a completion.</summary>
    public ChatFormat? Format { get; private init; }

    /// <summary>What <see cref="Format"/> is for the model; null until <see cref="On"/>.</summary>
    public ModelFormat? OnModel { get; private init; }

    /// <summary>Answers in all: those to one prompt stand together.</summary>
    public int Choices => Prompts.Count * PerPrompt;

    public static CompletionRequest ReadChat(JsonElement body)
    {
        var fields = new RequestFields(body);
        fields.Refuse("functions", value => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0);
        fields.Refuse("function_call", value => value.ValueKind == JsonValueKind.String && value.ValueEquals("none"));
        fields.Refuse("audio", _ => false);
        fields.Refuse("modalities", IsTextOnly);
        var maxTokens = MaxTokens(fields, "max_completion_tokens") ?? MaxTokens(fields, "max_tokens");
        var messages = ChatMessages.Read(fields);
        var request = Make(fields, maxTokens, [new PromptInput(Messages: messages)]);
        return request with
        {
            Parameters = request.Parameters with { TopLogProbs = LogProbsField.ReadChat(fields) },
            Format = ChatFormat.Read(fields),
        };
    }

    public static CompletionRequest ReadCompletion(JsonElement body)
    {
        var fields = new RequestFields(body);
        fields.Refuse("echo", value => value.ValueKind == JsonValueKind.False);
        fields.Refuse("suffix", value => value.ValueKind == JsonValueKind.String && value.ValueEquals(""));
        var prompts = PromptField.Read(fields);
        var request = Make(fields, MaxTokens(fields, "max_tokens") ?? CompletionMaxTokens, prompts);
        if (request.Choices > Limits.Choices)
            throw RequestFields.Wrong("prompt", $"and n ask for more than {Limits.Choices} answers");
        // The best of as many as are wanted is each of them.
        fields.Refuse("best_of", value => IsNumber(value, request.PerPrompt));
        return request with
        {
            Parameters = request.Parameters with { TopLogProbs = LogProbsField.ReadCompletion(fields) },
        };
    }

    /// <summary>The same for a model, whose templates and grammars differ.</summary>
    /// <exception cref="GatewayException">400: no grammar can be made of a schema.</exception>
    public CompletionRequest On(ModelRecord model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (Format?.For(model.Words) is not { } format)
            return this;
        return this with
        {
            OnModel = format,
            Parameters = Parameters with { Grammar = format.Grammar, Shown = format.Shown },
        };
    }

    /// <summary>The request to a device for one of the answers.</summary>
    public GenerateRequest For(ModelRef model, string requestId, int choice)
    {
        var (prompt, index) = Math.DivRem(choice, PerPrompt);
        var seed = unchecked(Parameters.Seed + index) & long.MaxValue;
        var (text, tokens, messages) = Prompts[prompt];
        var parameters = Parameters with { Seed = seed };
        return new GenerateRequest(requestId, model, parameters, text, tokens, messages, OnModel?.Settings);
    }

    private static CompletionRequest Make(RequestFields fields, int? maxTokens, IReadOnlyList<PromptInput> prompts)
    {
        var stream = fields.Flag("stream");
        var parameters = new GenerationParameters(
            maxTokens,
            fields.Number("temperature", 0, 2) ?? 1,
            TopP(fields),
            (int)(fields.Whole("top_k", 0, int.MaxValue) ?? 0),
            (fields.Whole("seed", long.MinValue, long.MaxValue) ?? Seeds.Next()) & long.MaxValue,
            StopField.Read(fields),
            Grammar: null,
            fields.Number("frequency_penalty", -HighestPenalty, HighestPenalty) ?? 0,
            fields.Number("presence_penalty", -HighestPenalty, HighestPenalty) ?? 0,
            LogitBiasField.Read(fields)
        );
        return new CompletionRequest(
            fields.RequiredText("model"),
            parameters,
            prompts,
            (int)(fields.Whole("n", 1, Limits.Choices) ?? 1),
            stream,
            stream && IncludesUsage(fields)
        );
    }

    private static double TopP(RequestFields fields) =>
        fields.Number("top_p", 0, 1) switch
        {
            null => 1,
            // OpenAI allows 0, which leaves the most likely token; engines want more than nothing.
            0 => double.Epsilon,
            { } share => share,
        };

    private static bool IncludesUsage(RequestFields fields) =>
        fields.Value("stream_options") switch
        {
            null => false,
            { ValueKind: JsonValueKind.Object } options => new RequestFields(options).Flag("include_usage"),
            _ => throw RequestFields.Wrong("stream_options", "must be an object"),
        };

    private static int? MaxTokens(RequestFields fields, string name) => (int?)fields.Whole(name, 1, Limits.MaxTokens);

    private static bool IsNumber(JsonElement value, int wanted) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number == wanted;

    private static bool IsTextOnly(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array
        && value.EnumerateArray().All(kind => kind.ValueKind == JsonValueKind.String && kind.ValueEquals("text"));
}
