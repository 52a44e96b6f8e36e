using System.Text.RegularExpressions;

namespace EgpuFleet.Repo.Tests.Checks;

/// <summary>Every relative link and picture of a Markdown file leads to a file, and to a heading where it names one.</summary>
public static partial class DocLinks
{
    public static IEnumerable<Finding> Check(SourceTree tree)
    {
        foreach (var file in tree.Files.Where(file => file.HasExtension(".md")))
        {
            foreach (var (line, target) in Targets(file))
            {
                if (Problem(tree, file, target) is { } problem)
                    yield return new Finding(file.Path, line, problem);
            }
        }
    }

    private static string? Problem(SourceTree tree, SourceFile file, string target)
    {
        var parts = target.Split('#', 2);
        var path = parts[0].Length == 0 ? file.Path : Resolve(file.Path, Uri.UnescapeDataString(parts[0]));
        if (path is null || !tree.Exists(path))
            return $"links to {target}, which is not there";
        var page = tree.Files.FirstOrDefault(other => other.Path == path && other.HasExtension(".md"));
        return parts.Length == 2 && page is not null && !Anchors(page).Contains(parts[1])
            ? $"links to {target}, but {path} has no such heading"
            : null;
    }

    private static IEnumerable<(int Line, string Target)> Targets(SourceFile file)
    {
        foreach (var (number, line) in Prose(file))
        {
            foreach (Match match in Link().Matches(InlineCode().Replace(line, "")))
            {
                var target = match.Groups["target"].Value;
                if (
                    !target.Contains("://", StringComparison.Ordinal)
                    && !target.StartsWith("mailto:", StringComparison.Ordinal)
                )
                    yield return (number, target);
            }
        }
    }

    private static HashSet<string> Anchors(SourceFile file) =>
        [
            .. Prose(file)
                .Where(line => line.Text.StartsWith('#'))
                .Select(line => line.Text.TrimStart('#').Trim().ToLowerInvariant())
                .Select(heading => NotInAnchor().Replace(heading, "").Replace(' ', '-')),
        ];

    private static IEnumerable<(int Number, string Text)> Prose(SourceFile file)
    {
        var fenced = false;
        for (var i = 0; i < file.Lines.Count; i++)
        {
            if (file.Lines[i].TrimStart().StartsWith("```", StringComparison.Ordinal))
                fenced = !fenced;
            else if (!fenced)
                yield return (i + 1, file.Lines[i]);
        }
    }

    /// <summary>The target as a path from the root; null when it leads out of the repository.</summary>
    private static string? Resolve(string from, string target)
    {
        var parts = target.StartsWith('/') ? [] : from.Split('/').SkipLast(1).ToList();
        foreach (var part in target.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "..")
            {
                if (parts.Count == 0)
                    return null;
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part != ".")
            {
                parts.Add(part);
            }
        }
        return string.Join('/', parts);
    }

    [GeneratedRegex(
        """\]\((?<target>[^)\s]+)(\s+"[^"]*")?\)|(?:src|href)="(?<target>[^"]+)" """,
        RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex Link();

    [GeneratedRegex("`[^`]*`", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"[^\w\- ]", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex NotInAnchor();
}
