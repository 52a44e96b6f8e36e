using System.Diagnostics;
using EgpuFleet.Silo.Postgres;

namespace EgpuFleet.Silo.Tests.Postgres;

/// <summary>A real silo process, to be killed: what it leaves behind is what the embedded server must cope with.</summary>
internal sealed class SiloProcess : IDisposable
{
    /// <summary>The migrations that a silo brings along, in their order.</summary>
    public static IReadOnlyList<string> Migrations { get; } =
    [
        .. typeof(Migrator)
            .Assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(".sql", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    private readonly Process _process;
    private readonly List<string> _output = [];

    private SiloProcess(Process process) => _process = process;

    /// <summary>Starts it, optionally under a prefix such as <c>setpriv …</c>, and waits until it has migrated its database.</summary>
    public static async Task<SiloProcess> StartAsync(
        string dataDirectory,
        IReadOnlyList<string> prefix,
        CancellationToken cancellationToken
    )
    {
        var assembly = Path.Combine(AppContext.BaseDirectory, "EgpuFleet.Silo.dll");
        string[] command =
        [
            .. prefix,
            Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet",
            assembly,
        ];
        var info = new ProcessStartInfo(command[0])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        foreach (var argument in command.Skip(1).Concat(["--data", dataDirectory, "--port", FreePort()]))
            info.ArgumentList.Add(argument);
        info.Environment["HOME"] = dataDirectory;
        var silo = new SiloProcess(new Process { StartInfo = info });
        silo._process.Start();
        await silo.ReadUntilAsync($"{Migrations[^1]} applied", cancellationToken);
        return silo;
    }

    /// <summary>SIGKILL, to this process alone.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        _process.Kill(entireProcessTree: false);
        await _process.WaitForExitAsync(cancellationToken);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: false);
        _process.Dispose();
    }

    private async Task ReadUntilAsync(string text, CancellationToken cancellationToken)
    {
        while (await _process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            _output.Add(line);
            if (line.Contains(text, StringComparison.Ordinal))
            {
                // From here on nobody reads: keep the pipe from filling.
                _ = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                return;
            }
        }
        var errors = await _process.StandardError.ReadToEndAsync(cancellationToken);
        throw new InvalidOperationException($"The silo ended early:\n{string.Join('\n', _output)}\n{errors}");
    }

    private static string FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port.ToString();
    }
}
