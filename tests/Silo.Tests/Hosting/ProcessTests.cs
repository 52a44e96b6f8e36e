using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using EgpuFleet.Silo.Hosting;

namespace EgpuFleet.Silo.Tests.Hosting;

/// <summary>The process itself: how it ends.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("egpufleet-process-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_port_that_is_taken_is_one_clear_line()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        var (code, error) = await RunAsync("--data", folder, "--port", port.ToString());

        Assert.Equal(ExitCodes.Failed, code);
        var line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(port.ToString(), line, StringComparison.Ordinal);
        Assert.Contains("--port", line, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder, "postgres")));
    }

    [Fact]
    public async Task A_wrong_command_line_is_one_clear_line()
    {
        var (code, error) = await RunAsync("--colour", "red");

        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains(
            "usage:",
            Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Stopping_a_database_that_is_not_there_is_done()
    {
        var (code, _) = await RunAsync("stop-postgres", "--data", folder);

        Assert.Equal(ExitCodes.Done, code);
    }

    private static async Task<(int Code, string Error)> RunAsync(params string[] args)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo("dotnet")
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, "EgpuFleet.Silo.dll") },
        };
        foreach (var argument in args)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = await process.StandardError.ReadToEndAsync(cancellationToken);
        await output;
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, error);
    }
}
