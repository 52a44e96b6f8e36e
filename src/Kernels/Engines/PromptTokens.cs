namespace EgpuFleet.Kernels.Engines;

/// <summary>What every engine makes of a prompt; only how text and chats become ids is its own.</summary>
internal static class PromptTokens
{
    /// <summary>The ids to continue: at least one, since a model without any starts from BOS.</summary>
    /// <param name="bos">Null where the model has none.</param>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>, or what the two functions throw.</exception>
    public static int[] Of(
        Prompt prompt,
        int vocabularySize,
        int? bos,
        Func<string, int[]> ofText,
        Func<ChatPrompt, int[]> ofChat
    )
    {
        var tokens = prompt switch
        {
            TextPrompt text => ofText(text.Text),
            ChatPrompt chat => ofChat(chat),
            TokenPrompt given => Checked(given.TokenIds, vocabularySize),
            _ => throw Invalid("The prompt is of no known kind."),
        };
        return tokens.Length > 0 ? tokens
            : bos is { } first ? [first]
            : throw Invalid("The prompt is empty, and the model has no token that begins a text.");
    }

    private static int[] Checked(IReadOnlyList<int> tokenIds, int vocabularySize) =>
        tokenIds.All(id => id >= 0 && id < vocabularySize)
            ? [.. tokenIds]
            : throw Invalid($"A token id is not in 0..{vocabularySize - 1}.");

    private static EngineException Invalid(string text) => new(EngineErrorClass.InvalidRequest, text);
}
