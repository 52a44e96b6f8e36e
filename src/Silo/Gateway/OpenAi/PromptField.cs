using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>What one answer, or several, continue: exactly one of the three is set.</summary>
public sealed record PromptInput(string? Text = null, int[]? TokenIds = null, ChatMessage[]? Messages = null);

/// <summary>
/// <c>prompt</c>: a text, a list of token ids, or a list of several of either. Empty text starts from the model's
/// beginning-of-text token alone.
/// </summary>
internal static class PromptField
{
    private const string Name = "prompt";

    /// <returns>At least one.</returns>
    public static PromptInput[] Read(RequestFields fields)
    {
        var prompt = fields.Value(Name) ?? throw RequestFields.Missing(Name);
        var isList = prompt.ValueKind == JsonValueKind.Array && prompt.GetArrayLength() > 0;
        if (!isList || prompt[0].ValueKind == JsonValueKind.Number)
            return [One(prompt)];
        if (prompt.GetArrayLength() > Limits.Choices)
            throw RequestFields.Wrong(Name, $"may hold at most {Limits.Choices} prompts; send more as a batch job");
        return [.. prompt.EnumerateArray().Select(One)];
    }

    private static PromptInput One(JsonElement prompt) =>
        prompt.ValueKind switch
        {
            JsonValueKind.String => new(Text: Storable(RequestFields.Text(prompt, Name))),
            JsonValueKind.Array when prompt.GetArrayLength() > 0 => new(TokenIds: TokenIds(prompt)),
            _ => throw RequestFields.Wrong(Name, "must be a string, a list of token ids, or a list of such"),
        };

    private static string Storable(string text) =>
        Texts.IsStorable(text) ? text : throw RequestFields.Wrong(Name, "contains the character U+0000");

    private static int[] TokenIds(JsonElement list)
    {
        var ids = new int[list.GetArrayLength()];
        var i = 0;
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out ids[i]) || ids[i] < 0)
                throw RequestFields.Wrong(Name, "holds something that is not a token id");
            i++;
        }
        return ids;
    }
}
