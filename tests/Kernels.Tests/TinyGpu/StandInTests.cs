using System.Diagnostics;
using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.TestKit;

namespace EgpuFleet.Kernels.Tests.TinyGpu;

/// <summary>The stand-in for TinyGPU's server never outlives who started it.</summary>
public sealed class StandInTests
{
    [Fact]
    public async Task It_ends_when_its_input_does()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var python = HostCommand.Find("python3");
        Assert.SkipWhen(python is null, "there is no python3");
        var folder = Directory.CreateTempSubdirectory("efg");
        try
        {
            var scenario = Path.Combine(folder.FullName, "scenario.json");
            await File.WriteAllTextAsync(scenario, "{}", cancellationToken);
            var script = RepositoryPaths.At("tests", "Kernels.Tests", "TinyGpu", "server.py");
            var start = new ProcessStartInfo(python, [script, Path.Combine(folder.FullName, "s"), scenario])
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            };
            using var server = Process.Start(start)!;
            Assert.Equal("listening", await server.StandardOutput.ReadLineAsync(cancellationToken));
            Assert.False(server.HasExited);

            server.StandardInput.Close();

            await server.WaitForExitAsync(cancellationToken);
            Assert.Equal(0, server.ExitCode);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
