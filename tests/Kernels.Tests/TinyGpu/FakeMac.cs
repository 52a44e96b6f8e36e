using System.Diagnostics;
using System.Text.Json.Nodes;
using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Tests.Tinygrad;
using EgpuFleet.Kernels.Tests.Worker;
using EgpuFleet.Kernels.Tinygrad.Child;
using EgpuFleet.TestKit;

namespace EgpuFleet.Kernels.Tests.TinyGpu;

/// <summary>
/// A stand-in, of this machine, for a Mac with an external GPU: the folder that tinygrad looks into, and a process in place
/// of TinyGPU's server (<c>server.py</c>). tinygrad itself is the real one, unmodified; <c>as_on_a_mac.py</c> says what it
/// is told about the machine. No Mac and no GPU was seen by any of this.
/// </summary>
internal sealed class FakeMac : IAsyncDisposable
{
    /// <summary>The release of TinyGPU.app that tinygrad a9069c177 looks for in its downloads.</summary>
    private const string AppRelease = "TinyGPU_c0d024f9ff0e1dc8fdf217f255da7101d91e8323.zip";

    // Short: the address of a unix socket has room for about a hundred bytes.
    private readonly string folder = Directory.CreateTempSubdirectory("efg").FullName;
    private readonly Scenario scenario;
    private Process? server;

    private FakeMac(Scenario scenario) => this.scenario = scenario;

    private string Socket => Path.Combine(folder, "gpu.sock");

    public static async Task<FakeMac> StartAsync(Scenario scenario, CancellationToken cancellationToken)
    {
        TinygradWorker.Require();
        var mac = new FakeMac(scenario);
        var found = await TinygradPython.FindAsync(new HostCommand(TimeProvider.System), cancellationToken);
        var python = found.Path!;
        mac.Prepare(python);
        if (scenario.Server is { } served)
            await mac.ServeAsync(python, served, cancellationToken);
        return mac;
    }

    /// <summary>Starts a real tinygrad worker on it.</summary>
    public WorkerProcess StartWorker() => WorkerProcess.Start(adjust: Surround, worker: TinygradWorker.Name);

    /// <summary>Returns when the scenario's fault has begun.</summary>
    public async Task FaultAsync(CancellationToken cancellationToken) =>
        Assert.Equal("fault", await server!.StandardOutput.ReadLineAsync(cancellationToken));

    /// <summary>What a worker's environment says on this Mac.</summary>
    public void Surround(ProcessStartInfo start)
    {
        start.Environment[TinygradPython.Variable] = Path.Combine(folder, "python");
        start.Environment[ChildLaunch.DeviceVariable] = scenario.Device;
        start.Environment["APL_REMOTE_SOCK"] = Socket;
        start.Environment["TMPDIR"] = folder;
        start.Environment["XDG_CACHE_HOME"] = folder;
    }

    public async ValueTask DisposeAsync()
    {
        if (server is { } running)
        {
            running.Kill();
            await running.WaitForExitAsync();
            running.Dispose();
        }
        Directory.Delete(folder, recursive: true);
    }

    private void Prepare(string python)
    {
        var downloads = Directory.CreateDirectory(Path.Combine(folder, "tinygrad", "downloads"));
        File.Create(Path.Combine(downloads.FullName, AppRelease)).Dispose();
        Program("TinyGPU", "exit 0");
        // Asked for its version it is any Python; the worker's child is started with -P.
        Program("python", $"[ \"$1\" = -P ] && set -- -P '{Script("as_on_a_mac.py")}' \"$@\"\nexec '{python}' \"$@\"");
        var described = new JsonObject
        {
            ["firmware"] = scenario.Firmware,
            ["app"] = Path.Combine(folder, "TinyGPU"),
            ["pci"] = new JsonArray(
                new JsonObject
                {
                    ["vendor-id"] = scenario.PciId >> 16,
                    ["device-id"] = scenario.PciId & 0xffff,
                    ["class-code"] = 0x030000,
                }
            ),
        };
        File.WriteAllText(Path.Combine(folder, "mac.json"), described.ToJsonString());
    }

    private async Task ServeAsync(string python, JsonObject served, CancellationToken cancellationToken)
    {
        var file = Path.Combine(folder, "scenario.json");
        await File.WriteAllTextAsync(file, served.ToJsonString(), cancellationToken);
        var start = new ProcessStartInfo(python, [Script("server.py"), Socket, file])
        {
            UseShellExecute = false,
            // Its end is the server's, should this process be killed.
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        server = Process.Start(start)!;
        Assert.Equal("listening", await server.StandardOutput.ReadLineAsync(cancellationToken));
    }

    private void Program(string name, string line)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, $"#!/bin/sh\n{line}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static string Script(string name) => RepositoryPaths.At("tests", "Kernels.Tests", "TinyGpu", name);
}
