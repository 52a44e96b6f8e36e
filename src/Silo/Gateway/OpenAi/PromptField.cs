using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>What one answer, or several, continue: exactly one of the three is set.</summary>
public sealed record PromptInput(string? Text = null, int[]? TokenIds = null, ChatMessage[]? Messages = null);

/// <summary>
/// <c>prompt</c>, or <c>input</c>: a text, a list of token ids, or a list of several of either. Empty text starts from the model's
/// beginning-of-text token alone.
/// </summary>
internal static class PromptField
{
    /// <param name="name">Of the field, which embeddings call otherwise.</param>
    /// <param name="most">Prompts.</param>
    /// <returns>At least one.</returns>
    public static PromptInput[] Read(RequestFields fields, string name = "prompt", int most = Limits.Choices)
    {
        var prompt = fields.Value(name) ?? throw RequestFields.Missing(name);
        var isList = prompt.ValueKind == JsonValueKind.Array && prompt.GetArrayLength() > 0;
        if (!isList || prompt[0].ValueKind == JsonValueKind.Number)
            return [One(prompt, name)];
        if (prompt.GetArrayLength() > most)
            throw RequestFields.Wrong(name, $"may hold at most {most} prompts; send more as a batch job");
        return [.. prompt.EnumerateArray().Select(one => One(one, name))];
    }

    private static PromptInput One(JsonElement prompt, string name) =>
        prompt.ValueKind switch
        {
            JsonValueKind.String => new(Text: Storable(RequestFields.Text(prompt, name), name)),
            JsonValueKind.Array when prompt.GetArrayLength() > 0 => new(TokenIds: TokenIds(prompt, name)),
            _ => throw RequestFields.Wrong(name, "must be a string, a list of token ids, or a list of such"),
        };

    private static string Storable(string text, string name) =>
        Texts.IsStorable(text) ? text : throw RequestFields.Wrong(name, "contains the character U+0000");

    private static int[] TokenIds(JsonElement list, string name)
    {
        var ids = new int[list.GetArrayLength()];
        var i = 0;
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out ids[i]) || ids[i] < 0)
                throw RequestFields.Wrong(name, "holds something that is not a token id");
            i++;
        }
        return ids;
    }
}
