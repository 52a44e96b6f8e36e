using System.Diagnostics;
using EgpuFleet.TestKit;

namespace EgpuFleet.Repo.Tests;

/// <summary>A text file of the repository.</summary>
/// <param name="Path">Relative to the root, with forward slashes.</param>
public sealed record SourceFile(string Path, string Text)
{
    public IReadOnlyList<string> Lines { get; } = Text.Split('\n');

    public override string ToString() => Path;

    public bool HasExtension(params ReadOnlySpan<string> extensions)
    {
        foreach (var extension in extensions)
        {
            if (Path.EndsWith(extension, StringComparison.Ordinal))
                return true;
        }
        return false;
    }
}

/// <summary>The repository as the checks see it: every text file that git tracks or would track, or a sample built by a test.</summary>
public sealed class SourceTree(IReadOnlyList<SourceFile> files, IReadOnlySet<string> paths)
{
    private static readonly Lazy<SourceTree> Loaded = new(Load);

    /// <summary>The checkout under test, read once.</summary>
    public static SourceTree Repository => Loaded.Value;

    public IReadOnlyList<SourceFile> Files { get; } = files;

    /// <summary>True where the repository has this file or a file below this folder, text or binary.</summary>
    public bool Exists(string path) =>
        paths.Contains(path) || paths.Any(known => known.StartsWith(path.TrimEnd('/') + "/", StringComparison.Ordinal));

    public static SourceTree Of(params (string Path, string Text)[] files) =>
        new(
            [.. files.Select(file => new SourceFile(file.Path, file.Text))],
            files.Select(file => file.Path).ToHashSet()
        );

    private static SourceTree Load()
    {
        var paths = ListFiles();
        var files = new List<SourceFile>();
        foreach (var path in paths)
        {
            var full = RepositoryPaths.At(path.Split('/'));
            if (!File.Exists(full))
                continue;
            var bytes = File.ReadAllBytes(full);
            if (!bytes.AsSpan(0, Math.Min(bytes.Length, 8000)).Contains((byte)0))
                files.Add(new SourceFile(path, System.Text.Encoding.UTF8.GetString(bytes).ReplaceLineEndings("\n")));
        }
        return new SourceTree(files, paths.ToHashSet());
    }

    private static string[] ListFiles()
    {
        var start = new ProcessStartInfo("git")
        {
            WorkingDirectory = RepositoryPaths.Root,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            ArgumentList =
            {
                // The checkout may belong to another user than the one who runs the tests.
                "-c",
                "safe.directory=*",
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            },
        };
        using var git = Process.Start(start) ?? throw new InvalidOperationException("git did not start.");
        var output = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        Assert.Equal(0, git.ExitCode);
        return output.Split('\0', StringSplitOptions.RemoveEmptyEntries);
    }
}
