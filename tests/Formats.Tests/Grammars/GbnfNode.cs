namespace EgpuFleet.Formats.Tests.Grammars;

/// <summary>A part of a grammar as it was read from GBNF.</summary>
internal abstract record GbnfNode;

internal sealed record GbnfText(int[] CodePoints) : GbnfNode;

internal sealed record GbnfSet(IReadOnlyList<(int First, int Last)> Ranges) : GbnfNode
{
    public bool Contains(int codePoint) => Ranges.Any(range => range.First <= codePoint && codePoint <= range.Last);
}

internal sealed record GbnfSequence(IReadOnlyList<GbnfNode> Parts) : GbnfNode;

internal sealed record GbnfChoice(IReadOnlyList<GbnfNode> Ways) : GbnfNode;

internal sealed record GbnfTimes(GbnfNode Repeated, int Least, int? Most) : GbnfNode;

internal sealed record GbnfRule(string Name) : GbnfNode;
