using System.Diagnostics;
using System.Text.Json;
using EgpuFleet.TestKit;

namespace EgpuFleet.Formats.Tests.Safetensors;

/// <summary>A reader of the format that shares no code with ours: twenty lines of Python.</summary>
internal static class IndependentReader
{
    private const string Python = "/usr/bin/python3";

    /// <summary>Skips the test where there is no Python.</summary>
    public static async Task<JsonElement> ReadAsync(string path, CancellationToken cancellationToken)
    {
        Assert.SkipUnless(File.Exists(Python), $"There is no {Python}.");
        var script = RepositoryPaths.At("tests", "Formats.Tests", "Safetensors", "IndependentReader.py");
        var start = new ProcessStartInfo(Python, [script, path])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        var text = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        Assert.Equal(0, process.ExitCode);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }
}
