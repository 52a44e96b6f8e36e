using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>A chat or completion request, checked: what to generate from, how, and in which form to answer.</summary>
/// <param name="Stream">Server-sent events instead of one answer.</param>
/// <param name="IncludeUsage">A last event with the token counts.</param>
public sealed record CompletionRequest(
    string Model,
    GenerationParameters Parameters,
    string? Prompt,
    int[]? TokenIds,
    ChatMessage[]? Messages,
    bool Stream,
    bool IncludeUsage
)
{
    /// <summary>OpenAI's default for completions; chat has none.</summary>
    private const int CompletionMaxTokens = 16;

    private const double HighestPenalty = 2;

    public static CompletionRequest ReadChat(JsonElement body)
    {
        var fields = new RequestFields(body);
        RefuseCommon(fields);
        foreach (var name in (string[])["tools", "functions"])
            fields.Refuse(name, value => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0);
        foreach (var name in (string[])["tool_choice", "function_call"])
            fields.Refuse(name, value => value.ValueKind == JsonValueKind.String && value.ValueEquals("none"));
        fields.Refuse("logprobs", value => value.ValueKind == JsonValueKind.False);
        fields.Refuse("top_logprobs", IsZero);
        fields.Refuse("audio", _ => false);
        fields.Refuse("modalities", IsTextOnly);
        var maxTokens = MaxTokens(fields, "max_completion_tokens") ?? MaxTokens(fields, "max_tokens");
        var messages = ChatMessages.Read(fields);
        return Make(fields, maxTokens, null, null, messages, ResponseFormat.Read(fields));
    }

    public static CompletionRequest ReadCompletion(JsonElement body)
    {
        var fields = new RequestFields(body);
        RefuseCommon(fields);
        fields.Refuse("best_of", IsOne);
        fields.Refuse("echo", value => value.ValueKind == JsonValueKind.False);
        fields.Refuse("suffix", value => value.ValueKind == JsonValueKind.String && value.ValueEquals(""));
        fields.Refuse("logprobs", _ => false);
        var (prompt, tokens) = PromptField.Read(fields);
        return Make(fields, MaxTokens(fields, "max_tokens") ?? CompletionMaxTokens, prompt, tokens, null);
    }

    /// <summary>The request to a device.</summary>
    public GenerateRequest For(ModelRef model, string requestId) =>
        new(requestId, model, Parameters, Prompt, TokenIds, Messages);

    private static CompletionRequest Make(
        RequestFields fields,
        int? maxTokens,
        string? prompt,
        int[]? tokens,
        ChatMessage[]? messages,
        string? grammar = null
    )
    {
        var stream = fields.Flag("stream");
        var parameters = new GenerationParameters(
            maxTokens,
            fields.Number("temperature", 0, 2) ?? 1,
            TopP(fields),
            (int)(fields.Whole("top_k", 0, int.MaxValue) ?? 0),
            (fields.Whole("seed", long.MinValue, long.MaxValue) ?? Seeds.Next()) & long.MaxValue,
            StopField.Read(fields),
            grammar,
            fields.Number("frequency_penalty", -HighestPenalty, HighestPenalty) ?? 0,
            fields.Number("presence_penalty", -HighestPenalty, HighestPenalty) ?? 0,
            LogitBiasField.Read(fields)
        );
        return new CompletionRequest(
            fields.RequiredText("model"),
            parameters,
            prompt,
            tokens,
            messages,
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

    private static void RefuseCommon(RequestFields fields)
    {
        fields.Refuse("n", IsOne);
    }

    private static bool IsOne(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number == 1;

    private static bool IsZero(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number == 0;

    private static bool IsTextOnly(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array
        && value.EnumerateArray().All(kind => kind.ValueKind == JsonValueKind.String && kind.ValueEquals("text"));
}
