using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Cli.Processes;

namespace EgpuFleet.Cli.Supervision;

/// <summary>
/// Stops what a killed supervisor left of one data directory, agents first. Only processes that the directory's own files
/// name are touched, and only while they are still the very same processes.
/// </summary>
internal sealed class Leftovers(FleetPaths paths, TimeProvider clock, Action<string> say)
{
    private sealed record WorkerRecord(int ProcessId, string? Started);

    /// <summary>True when anything was found. The caller knows that no supervisor runs.</summary>
    public async Task<bool> StopAsync(CancellationToken cancellationToken)
    {
        var processes = await StopProcessesAsync(cancellationToken);
        var postgres = await StopPostgresAsync(cancellationToken);
        File.Delete(paths.FleetFile);
        return processes || postgres;
    }

    /// <summary>All but the database, which the next silo takes over.</summary>
    public async Task<bool> StopProcessesAsync(CancellationToken cancellationToken)
    {
        var left = (FleetFile.Read(paths.FleetFile)?.Processes ?? [])
            .Where(process => process.Identity.IsAlive)
            .ToList();
        foreach (var process in left)
            say($"stopping {process.Name} (process {process.Identity.Pid}), left by a fleet that was killed");
        await StopAllAsync(left.Where(process => process.Name != "silo"), cancellationToken);
        var workers = await StopWorkersAsync(cancellationToken);
        await StopAllAsync(left.Where(process => process.Name == "silo"), cancellationToken);
        return left.Count > 0 || workers;
    }

    private Task StopAllAsync(IEnumerable<FleetProcess> processes, CancellationToken cancellationToken) =>
        Task.WhenAll(
            processes.Select(process => process.Identity.StopAsync(Limits.StopGrace, clock, cancellationToken))
        );

    /// <summary>A worker outlives its agent for a while, so that the next agent finds the models loaded.</summary>
    private async Task<bool> StopWorkersAsync(CancellationToken cancellationToken)
    {
        var left = RecordedWorkers().Where(worker => worker.IsAlive).ToList();
        foreach (var worker in left)
            say($"stopping a worker (process {worker.Pid}), left by an agent that was killed");
        await Task.WhenAll(left.Select(worker => worker.StopAsync(Limits.StopGrace, clock, cancellationToken)));
        return left.Count > 0;
    }

    /// <summary>Each agent writes <c>workers/DEVICE/worker.json</c>; a file that is no such record names no process.</summary>
    private IEnumerable<ProcessIdentity> RecordedWorkers()
    {
        if (!Directory.Exists(paths.Agents))
            yield break;
        foreach (var file in Directory.EnumerateFiles(paths.Agents, "worker.json", SearchOption.AllDirectories))
        {
            WorkerRecord? record = null;
            try
            {
                record = JsonSerializer.Deserialize<WorkerRecord>(File.ReadAllText(file), ApiJson.Options);
            }
            catch (Exception e) when (e is JsonException or IOException)
            {
                say($"{file} is no worker's record: {e.Message}");
            }
            if (record is { ProcessId: > 0, Started: not null })
                yield return new ProcessIdentity(record.ProcessId, record.Started);
        }
    }

    /// <summary>The silo's own verb knows whether the server that <c>postmaster.pid</c> names is the one of this directory.</summary>
    private async Task<bool> StopPostgresAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(paths.Postmaster))
            return false;
        say("stopping the database, left by a fleet that was killed");
        using var log = new BoundedLog(paths.Log("stop-postgres"), clock);
        using var child = ChildProcess.Start(
            Programs.Silo,
            ["stop-postgres", "--data", paths.Data],
            new Dictionary<string, string?>(StringComparer.Ordinal),
            log
        );
        await child.Exited.WaitAsync(cancellationToken);
        await child.DrainAsync(clock);
        return true;
    }
}
