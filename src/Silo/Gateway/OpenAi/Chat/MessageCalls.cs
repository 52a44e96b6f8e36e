using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi.Chat;

/// <summary><c>tool_calls</c> of an assistant's message, as this service or another one made them.</summary>
internal static class MessageCalls
{
    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = Limits.CompletionJsonDepth };

    /// <returns>Null: there are none.</returns>
    public static ToolCall[]? Read(RequestFields message)
    {
        const string name = "tool_calls";
        if (message.Value(name) is not { } list)
            return null;
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > Limits.Tools)
            throw RequestFields.Wrong(message.At(name), $"must be a list of at most {Limits.Tools} calls");
        var calls = list.EnumerateArray().Select((call, index) => Read(call, $"{message.At(name)}[{index}]")).ToArray();
        return calls.Length == 0 ? null : calls;
    }

    private static ToolCall Read(JsonElement call, string at)
    {
        if (call.ValueKind != JsonValueKind.Object)
            throw RequestFields.Wrong(at, "must be an object");
        var fields = new RequestFields(call, at);
        if (fields.Value("function") is not { ValueKind: JsonValueKind.Object } function)
            throw RequestFields.Missing(fields.At("function"));
        var called = new RequestFields(function, fields.At("function"));
        return new ToolCall(
            Storable(fields.RequiredText("id"), fields.At("id")),
            Storable(called.RequiredText("name"), called.At("name")),
            Arguments(called.Text("arguments"), called.At("arguments"))
        );
    }

    private static string Arguments(string? text, string at)
    {
        if (string.IsNullOrWhiteSpace(text))
            return "{}";
        try
        {
            using var document = JsonDocument.Parse(Storable(text, at), Depth);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return PlainJson.Of(document.RootElement, at);
        }
        catch (JsonException) { }
        throw RequestFields.Wrong(at, "must be a JSON object as text");
    }

    private static string Storable(string text, string at) =>
        Texts.IsStorable(text) ? text : throw RequestFields.Wrong(at, "contains the character U+0000");
}
