using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>About how many tokens a prompt has, without its model's vocabulary: what routing needs.</summary>
internal static class PromptLength
{
    // Of the languages and code that models are trained on; byte-level vocabularies of small models have more tokens.
    private const int CharactersPerToken = 4;

    /// <summary>Of all texts.</summary>
    public static int Of(EmbedRequest request)
    {
        var tokens = request.Texts.Sum(text =>
            text.TokenIds is { } ids ? ids.Length : ((long)text.Text!.Length / CharactersPerToken) + 1
        );
        return (int)Math.Min(tokens, int.MaxValue);
    }

    public static int Of(GenerateRequest request)
    {
        if (request.TokenIds is { } ids)
            return ids.Length;
        var characters = (long)(request.Prompt?.Length ?? 0);
        foreach (var message in request.Messages ?? [])
            characters += message.Content.Length;
        return (int)Math.Min((characters / CharactersPerToken) + 1, int.MaxValue);
    }
}
