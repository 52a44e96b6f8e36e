using System.Text.Json;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>
/// <c>prompt</c>: a text, a list of token ids, or a list with one of either. Empty text starts from the model's
/// beginning-of-text token alone.
/// </summary>
internal static class PromptField
{
    private const string Name = "prompt";

    public static (string? Text, int[]? TokenIds) Read(RequestFields fields)
    {
        var prompt = fields.Value(Name) ?? throw RequestFields.Missing(Name);
        if (prompt.ValueKind == JsonValueKind.Array && prompt.GetArrayLength() > 0)
        {
            var first = prompt[0];
            if (first.ValueKind == JsonValueKind.Number)
                return (null, TokenIds(prompt));
            if (prompt.GetArrayLength() > 1)
                throw RequestFields.Wrong(Name, "may hold one prompt only; send several requests, or a batch job");
            prompt = first;
        }
        return prompt.ValueKind switch
        {
            JsonValueKind.String => (Storable(RequestFields.Text(prompt, Name)), null),
            JsonValueKind.Array when prompt.GetArrayLength() > 0 => (null, TokenIds(prompt)),
            _ => throw RequestFields.Wrong(Name, "must be a string or a list of token ids"),
        };
    }

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
