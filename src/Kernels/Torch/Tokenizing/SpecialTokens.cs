namespace EgpuFleet.Kernels.Torch.Tokenizing;

/// <summary>Tokens that mark structure and never come from text.</summary>
public static class SpecialTokens
{
    /// <summary>Begins every document and ends plain text: both BOS and EOS.</summary>
    public const string EndOfText = "<|endoftext|>";

    /// <summary>Begins a turn of a conversation.</summary>
    public const string TurnStart = "<|im_start|>";

    /// <summary>Ends a turn of a conversation.</summary>
    public const string TurnEnd = "<|im_end|>";

    /// <summary>All of them in the order of their ids.</summary>
    public static IReadOnlyList<string> All { get; } = [EndOfText, TurnStart, TurnEnd];
}
