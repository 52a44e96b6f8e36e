using System.Diagnostics;

namespace EgpuFleet.TestKit.Fleet.Egpu;

/// <summary>
/// A labelled stand-in for an external GPU: an agent's processor, driven by the real tinygrad worker, behind a link whose far
/// end is a process of its own that can be killed (the cable is pulled) and frozen (the GPU hangs). See
/// <c>python_with_egpu.py</c>. No GPU is in it; what is measured is how the fleet takes the loss of one.
/// </summary>
public sealed class FakeEgpu : IAsyncDisposable
{
    private const string TinygradVariable = "EGPUFLEET_TINYGRAD";

    /// <summary>The release of TinyGPU.app that tinygrad a9069c177 looks for in its downloads.</summary>
    private const string AppRelease = "TinyGPU_c0d024f9ff0e1dc8fdf217f255da7101d91e8323.zip";

    // Short: the address of a unix socket has room for about a hundred bytes.
    private readonly string folder = Directory.CreateTempSubdirectory("efe").FullName;
    private Process? server;

    private FakeEgpu() => Prepare();

    /// <summary>What it needs and this machine lacks; null: nothing.</summary>
    public static string? Missing =>
        Environment.GetEnvironmentVariable(TinygradVariable) is null or ""
            ? $"{TinygradVariable} is not set; check out tinygrad at a9069c177 and set it to that folder"
            : null;

    /// <summary>What an agent must be told to have this as its only device.</summary>
    public IReadOnlyDictionary<string, string> AgentEnvironment =>
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["EGPUFLEET_CPU_ENGINE"] = "tinygrad",
            ["EGPUFLEET_ENGINE_DIR"] = Path.Combine(folder, "engines"),
            ["EGPUFLEET_PYTHON"] = Path.Combine(folder, "python"),
            ["APL_REMOTE_SOCK"] = Socket,
            ["TMPDIR"] = folder,
            ["XDG_CACHE_HOME"] = folder,
        };

    private string Socket => Path.Combine(folder, "gpu.sock");

    /// <summary>One whose cable is plugged in.</summary>
    public static async Task<FakeEgpu> StartAsync(CancellationToken cancellationToken)
    {
        var egpu = new FakeEgpu();
        await egpu.PlugAsync(cancellationToken);
        return egpu;
    }

    /// <summary>Returns when the far end listens.</summary>
    public async Task PlugAsync(CancellationToken cancellationToken)
    {
        var script = RepositoryPaths.At("tests", "Kernels.Tests", "TinyGpu", "server.py");
        var start = new ProcessStartInfo(
            Path.Combine(folder, "python"),
            [script, Socket, Path.Combine(folder, "scenario.json")]
        )
        {
            UseShellExecute = false,
            // Its end is the server's, should this process be killed.
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        server = Process.Start(start)!;
        if (await server.StandardOutput.ReadLineAsync(cancellationToken) != "listening")
            throw new InvalidOperationException("The far end of the link did not start.");
    }

    /// <summary>The far end is gone, as TinyGPU's server is when the extension loses its GPU. Returns when it is.</summary>
    public async Task PullAsync()
    {
        if (server is not { } far)
            return;
        server = null;
        far.Kill();
        await far.WaitForExitAsync();
        far.Dispose();
    }

    /// <summary>The far end keeps the connection and answers nothing more.</summary>
    public void Hang() => Signals.Send(server!.Id, Signals.Stop);

    public async ValueTask DisposeAsync()
    {
        await PullAsync();
        Directory.Delete(folder, recursive: true);
    }

    private void Prepare()
    {
        var downloads = Directory.CreateDirectory(Path.Combine(folder, "tinygrad", "downloads"));
        File.Create(Path.Combine(downloads.FullName, AppRelease)).Dispose();
        File.WriteAllText(Path.Combine(folder, "scenario.json"), """{"config": {"0": 1951141890}}""");
        var script = RepositoryPaths.At("tests", "TestKit.Fleet", "Egpu", "python_with_egpu.py");
        // Asked for its version it is any Python; the worker's child is started with -P.
        Program(
            "python",
            $"""
            for python in python3 /usr/bin/python3 /opt/homebrew/bin/python3; do
              "$python" -c 'import sys, numpy; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
            done
            [ "$1" = -P ] && set -- -P '{script}' "$@"
            exec "$python" "$@"
            """
        );
        var framework = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var worker = RepositoryPaths.At([
            "src",
            "Kernels",
            "Tinygrad",
            "bin",
            framework.Parent!.Name,
            framework.Name,
            "EgpuFleet.Kernels.Tinygrad",
        ]);
        Program(Path.Combine("engines", "tinygrad", "EgpuFleet.Kernels.Tinygrad"), $"exec '{worker}' \"$@\"");
        Program(Path.Combine("engines", "llamacpp", "EgpuFleet.Kernels.LlamaCpp"), $"exec '{worker}' \"$@\"");
    }

    private void Program(string name, string lines)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, $"#!/bin/sh\n{lines}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
