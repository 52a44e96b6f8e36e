using System.Text.RegularExpressions;

namespace EgpuFleet.Repo.Tests.Checks;

/// <summary>Nothing in the tree names a folder of one machine or the host of a package registry.</summary>
public static partial class MachineNames
{
    public static IEnumerable<Finding> Check(SourceTree tree) =>
        tree.Files.SelectMany(file =>
            file.Lines.SelectMany(
                (line, index) =>
                    Path()
                        .Matches(line)
                        .Select(match => new Finding(
                            file.Path,
                            index + 1,
                            $"names a folder of one machine: {match.Value}"
                        ))
                        .Concat(
                            Registry()
                                .Matches(line)
                                .Select(match => new Finding(
                                    file.Path,
                                    index + 1,
                                    $"names a package registry: {match.Value}"
                                ))
                        )
            )
        );

    // Written with classes of one letter, so that this file is not its own finding.
    [GeneratedRegex(@"(?<![\w.}\-])/(h[o]me|r[o]ot|w[o]rk|f[a]rm)/[\w.]*", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Path();

    [GeneratedRegex(
        @"\bn[u]get\.org|\bn[p]mjs\.(org|com)|\bp[y]pi\.org|\bp[y]thonhosted\.org|\bm[y]get\.org|\bcr[a]tes\.io",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex Registry();
}
