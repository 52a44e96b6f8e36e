using System.ComponentModel;
using System.Diagnostics;
using EgpuFleet.Benchmarks.Fleet;
using EgpuFleet.Benchmarks.Processes;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Supervision;

namespace EgpuFleet.Benchmarks.Peer;

/// <summary>The peers' packages in exact versions and our scripts that drive them, in a scratch folder.</summary>
internal static class NpmFolder
{
    /// <summary>Versions and digests are those of the lock file; no install script of a package runs.</summary>
    /// <exception cref="FleetFailure">npm is missing, or could not install.</exception>
    public static async Task<string> InstallAsync(ScratchFolder scratch, CancellationToken cancellationToken)
    {
        var source = Path.Combine(Programs.Root, "tests", "Benchmarks", "peers");
        var folder = scratch.At("peers");
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(source))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        try
        {
            await ChildRun.RunAsync(
                new ProcessStartInfo("npm", ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"])
                {
                    WorkingDirectory = folder,
                },
                null,
                cancellationToken
            );
        }
        catch (Win32Exception)
        {
            throw new FleetFailure("npm is missing, by which the peers are installed.", "Install Node.js 20 or newer.");
        }
        return folder;
    }
}
