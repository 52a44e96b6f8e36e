using System.Text.RegularExpressions;

namespace EgpuFleet.Repo.Tests.Checks;

/// <summary>Work is finished or an issue holds it: no marker of unfinished work is in the tree.</summary>
public static partial class UnfinishedWork
{
    public static IEnumerable<Finding> Check(SourceTree tree) =>
        tree.Files.SelectMany(file =>
            file.Lines.SelectMany(
                (line, index) =>
                    Marker().Matches(line).Select(match => new Finding(file.Path, index + 1, $"says {match.Value}"))
            )
        );

    // Written with classes of one letter, so that this file is not its own finding.
    [GeneratedRegex(@"\b(T[O]DO|F[I]XME|H[A]CK|X[X]X)\b|N[o]tImplementedException", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Marker();
}
