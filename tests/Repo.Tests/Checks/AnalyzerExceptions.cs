using System.Text.RegularExpressions;

namespace EgpuFleet.Repo.Tests.Checks;

/// <summary>An analyzer is silenced only with a reason beside it: in .editorconfig, a project file, or the code.</summary>
public static partial class AnalyzerExceptions
{
    public static IEnumerable<Finding> Check(SourceTree tree)
    {
        foreach (var file in tree.Files)
        {
            var findings = file switch
            {
                _ when file.Path.EndsWith(".editorconfig", StringComparison.Ordinal) => CheckEditorConfig(file),
                _ when file.HasExtension(".csproj", ".props", ".targets") => CheckProject(file),
                _ when file.HasExtension(".cs", ".razor") => CheckCode(file),
                _ => [],
            };
            foreach (var finding in findings)
                yield return finding;
        }
    }

    /// <summary>One comment may cover the block of lines right below it.</summary>
    private static IEnumerable<Finding> CheckEditorConfig(SourceFile file)
    {
        var explained = false;
        for (var i = 0; i < file.Lines.Count; i++)
        {
            var line = file.Lines[i].Trim();
            if (line.StartsWith('#'))
                explained = true;
            else if (!Severity().IsMatch(line))
                explained = false;
            else if (!explained && Silenced().IsMatch(line))
                yield return new Finding(file.Path, i + 1, $"{line} has no comment that says why");
        }
    }

    private static IEnumerable<Finding> CheckProject(SourceFile file)
    {
        for (var i = 0; i < file.Lines.Count; i++)
        {
            if (file.Lines[i].Contains("<NoWarn", StringComparison.Ordinal) && !EndsComment(file, i - 1, "-->"))
                yield return new Finding(file.Path, i + 1, "NoWarn has no comment above that says why");
            if (WarningsAllowed().IsMatch(file.Lines[i]))
                yield return new Finding(file.Path, i + 1, "warnings are errors everywhere");
        }
    }

    private static IEnumerable<Finding> CheckCode(SourceFile file)
    {
        for (var i = 0; i < file.Lines.Count; i++)
        {
            var line = file.Lines[i];
            if (
                PragmaDisable().IsMatch(line)
                && !line.Contains("//", StringComparison.Ordinal)
                && !StartsComment(file, i - 1)
            )
                yield return new Finding(file.Path, i + 1, "a disabled warning has no comment that says why");
            if (SuppressMessage().IsMatch(line) && !file.Text.Contains("Justification", StringComparison.Ordinal))
                yield return new Finding(file.Path, i + 1, "a suppressed message has no Justification");
        }
    }

    private static bool EndsComment(SourceFile file, int index, string end) =>
        index >= 0 && file.Lines[index].TrimEnd().EndsWith(end, StringComparison.Ordinal);

    private static bool StartsComment(SourceFile file, int index) =>
        index >= 0 && file.Lines[index].TrimStart().StartsWith("//", StringComparison.Ordinal);

    [GeneratedRegex(@"^dotnet_(diagnostic|analyzer_diagnostic)\..*severity\s*=", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Severity();

    [GeneratedRegex(@"=\s*(none|silent|suggestion)\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Silenced();

    [GeneratedRegex(
        "<(TreatWarningsAsErrors|CodeAnalysisTreatWarningsAsErrors)>\\s*false|<WarningsNotAsErrors>",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex WarningsAllowed();

    [GeneratedRegex(@"^\s*#pragma\s+warning\s+disable", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PragmaDisable();

    [GeneratedRegex(@"^\s*\[(assembly:\s*)?SuppressMessage\(", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex SuppressMessage();
}
