using System.Diagnostics;
using EgpuFleet.TestKit;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>The real <c>fleet</c> executable, as built beside these tests, as a child process.</summary>
internal static class CommandLine
{
    /// <summary>The path of an executable project's output in the configuration these tests were built in.</summary>
    public static string Executable(string project) =>
        RepositoryPaths.At("src", project, "bin", Configuration, "net10.0", "EgpuFleet." + project);

    private static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    /// <summary>Starts it with output redirected; the caller owns the process.</summary>
    public static Process Start(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(Executable("Cli"), arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        // Measuring idle devices would only take the processor from the tests.
        start.Environment["EGPUFLEET_MEASURE"] = "off";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start.");
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<CommandResult> RunAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        using var process = Start(new Dictionary<string, string>(), arguments);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return new CommandResult(process.ExitCode, await output, await error);
    }
}

internal sealed record CommandResult(int ExitCode, string Output, string Error);
