using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Cli.Engines;

/// <summary>A folder with tinygrad's source.</summary>
/// <param name="Root">Absolute path.</param>
/// <param name="Commit">As git tells; null where the folder is no repository, as one from an archive.</param>
internal sealed record TinygradCheckout(string Root, string? Commit)
{
    /// <summary>The package that is installed.</summary>
    public string Package => Path.Combine(Root, "tinygrad");

    /// <exception cref="FleetFailure">It is none, or of another commit than the pinned one.</exception>
    public static async Task<TinygradCheckout> OpenAsync(
        string folder,
        HostCommand commands,
        CancellationToken cancellationToken
    )
    {
        var root = Path.GetFullPath(folder);
        if (!IsTinygrad(root))
        {
            throw new FleetFailure(
                $"{root} is no checkout of tinygrad.",
                $"git clone https://github.com/tinygrad/tinygrad DIR && git -C DIR checkout {TinygradSettings.PinnedCommit}",
                Directory.Exists(root) ? ExitCodes.Failed : ExitCodes.NotFound
            );
        }
        // A folder inside another repository is not that repository's checkout.
        var top = await GitAsync(["rev-parse", "--show-toplevel"]);
        var commit = top is not null && IsSame(top, root) ? await GitAsync(["rev-parse", "HEAD"]) : null;
        if (commit is not null && !commit.StartsWith(TinygradSettings.PinnedCommit, StringComparison.Ordinal))
        {
            throw new FleetFailure(
                $"{root} is at commit {commit[..Math.Min(12, commit.Length)]}; the engine is written against {TinygradSettings.PinnedCommit}.",
                $"git -C {root} checkout {TinygradSettings.PinnedCommit}"
            );
        }
        return new TinygradCheckout(root, commit);

        async Task<string?> GitAsync(string[] arguments)
        {
            // The checkout may belong to another user.
            var said = await commands.RunAsync(
                "git",
                ["-c", "safe.directory=*", "-C", root, .. arguments],
                Limits.PythonTimeout,
                cancellationToken
            );
            return said.IsGood && said.Text.Trim() is { Length: > 0 } line ? line : null;
        }
    }

    private static bool IsTinygrad(string root)
    {
        var project = Path.Combine(root, "pyproject.toml");
        return File.Exists(Path.Combine(root, "tinygrad", "tensor.py"))
            && File.Exists(project)
            && File.ReadLines(project).Any(line => line.Replace(" ", "") == "name=\"tinygrad\"");
    }

    /// <summary>Git answers with links resolved.</summary>
    private static bool IsSame(string top, string root) =>
        string.Equals(Resolved(top), Resolved(root), StringComparison.Ordinal);

    private static string Resolved(string folder) =>
        new DirectoryInfo(folder).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Path.GetFullPath(folder);
}
