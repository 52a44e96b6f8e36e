using System.Diagnostics;
using EgpuFleet.TestKit;

namespace EgpuFleet.Repo.Tests;

/// <summary>The whole tree is formatted by the pinned formatter.</summary>
public sealed class FormatterTests
{
    [Fact]
    public async Task Every_file_is_formatted()
    {
        var (restored, restoreOutput) = await DotnetAsync("tool", "restore");
        Assert.SkipUnless(restored == 0, $"The formatter could not be restored: {restoreOutput}");
        var (exitCode, output) = await DotnetAsync("csharpier", "check", ".");
        Assert.True(exitCode == 0, $"Run `dotnet csharpier format .`:{Environment.NewLine}{output}");
    }

    private static async Task<(int ExitCode, string Output)> DotnetAsync(params string[] arguments)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = RepositoryPaths.Root,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start.");
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var error = process.StandardError.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return (process.ExitCode, await output + await error);
    }
}
