namespace EgpuFleet.Kernels.Formats.Chat.Answers;

/// <summary>How a family of models writes what it thinks before it answers.</summary>
/// <param name="Open">Begins it; where a template writes this itself, the answer begins behind it.</param>
/// <param name="Close">Ends it.</param>
public sealed record ThinkSyntax(string Open, string Close)
{
    private static readonly ThinkSyntax[] Known =
    [
        new("<think>", "</think>"),
        new("[THINK]", "[/THINK]"),
        new("<|START_THINKING|>", "<|END_THINKING|>"),
        new("<seed:think>", "</seed:think>"),
    ];

    /// <summary>What a model with this template writes; null: it does not think aloud.</summary>
    public static ThinkSyntax? Of(string template) =>
        Known.FirstOrDefault(one => template.Contains(one.Close, StringComparison.Ordinal));

    /// <summary>The syntax whose thinking begins so; null: none of this version.</summary>
    public static ThinkSyntax? Find(string open) => Known.FirstOrDefault(one => one.Open == open);
}
