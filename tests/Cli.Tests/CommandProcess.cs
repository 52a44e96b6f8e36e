using System.Diagnostics;

namespace EgpuFleet.Cli.Tests;

/// <summary>The built <c>fleet</c> program as a real process.</summary>
internal static class CommandProcess
{
    public sealed record Ending(int ExitCode, string Output, string Error);

    public static async Task<Ending> RunAsync(params string[] arguments)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var process = Process.Start(Start(arguments))!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return new Ending(process.ExitCode, await output, await error);
    }

    /// <summary>How it is started, all its streams redirected.</summary>
    public static ProcessStartInfo Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "EgpuFleet.Cli"), arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["EGPUFLEET_URL"] = null;
        start.Environment["EGPUFLEET_DATA"] = null;
        return start;
    }
}
