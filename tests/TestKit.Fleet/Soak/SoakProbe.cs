using System.Diagnostics;
using System.Globalization;

namespace EgpuFleet.TestKit.Fleet.Soak;

/// <summary>Takes samples of a rig.</summary>
internal sealed class SoakProbe(FleetRig rig)
{
    public async Task<SoakSample> TakeAsync(TimeSpan at, long jobs, CancellationToken cancellationToken) =>
        new(
            at,
            await MemoryAsync(cancellationToken),
            await TablesAsync(cancellationToken),
            jobs,
            await rig.Ledger.CountUnfinishedAsync(cancellationToken),
            rig.Processes.Sum(process => process.Log.ErrorCount)
        );

    private async Task<IReadOnlyDictionary<string, long>> MemoryAsync(CancellationToken cancellationToken)
    {
        var bytes = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var process in rig.Processes)
            bytes[process.Name] = await ResidentAsync(process.ProcessId, cancellationToken);
        return bytes;
    }

    private static async Task<long> ResidentAsync(int processId, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("ps", ["-o", "rss=", "-p", processId.ToString(CultureInfo.InvariantCulture)])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        using var ps = Process.Start(start)!;
        var text = await ps.StandardOutput.ReadToEndAsync(cancellationToken);
        await ps.WaitForExitAsync(cancellationToken);
        return long.TryParse(text.Trim(), CultureInfo.InvariantCulture, out var kilobytes) ? kilobytes << 10 : 0;
    }

    private async Task<IReadOnlyDictionary<string, long>> TablesAsync(CancellationToken cancellationToken)
    {
        await using var read = rig.Postgres.Database.CreateCommand(
            "select relname, pg_total_relation_size(oid) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        );
        var bytes = new Dictionary<string, long>(StringComparer.Ordinal);
        await using var rows = await read.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
            bytes[rows.GetString(0)] = rows.GetInt64(1);
        return bytes;
    }
}
