using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Gateway.FineTuning.Estimate;

/// <summary>How fast earlier runs learnt, by the device that finished them.</summary>
internal sealed class MeasuredPaces(IFineTuningStore store, ILedger ledger)
{
    private const int RunsRead = 20;
    private const int NotesRead = 500;

    /// <summary>Tokens a second, evaluations and checkpoints included, of the newest run of the same base and method on each device.</summary>
    public async Task<IReadOnlyDictionary<DeviceId, double>> ReadAsync(
        ModelRecord model,
        TrainingMethod method,
        CancellationToken cancellationToken
    )
    {
        var page = new FineTuningPage(TenantId.Default, null, RunsRead, null);
        var alike = new List<JobId>();
        foreach (var run in await store.ListAsync(page, cancellationToken))
        {
            var record = await ledger.FindJobAsync(run.Job, cancellationToken);
            if (
                record is { State: JobState.Succeeded, FailedItems: 0, Spec.Train: { } train }
                && train.Method == method
                && train.DataParallel is null
                && record.Spec.Model?.Sha256 == model.Ref.Sha256
            )
                alike.Add(run.Job);
        }
        var paces = new Dictionary<DeviceId, double>();
        var notes = await store.ReadMetricsAsync(alike, NotesRead, cancellationToken);
        foreach (var job in alike)
        {
            if (PaceOf(notes[job]) is { } pace && await DeviceAsync(job, cancellationToken) is { } device)
                paces.TryAdd(device, pace);
        }
        return paces;
    }

    /// <summary>Null where fewer than two moments are known.</summary>
    public static double? PaceOf(IReadOnlyList<FineTuningEvent> newestFirst)
    {
        if (newestFirst.Count < 2)
            return null;
        var (last, first) = (newestFirst[0], newestFirst[^1]);
        var seconds = (last.At - first.At).TotalSeconds;
        return
            last.Note!.Metrics!.TryGetValue("tokens", out var then)
            && first.Note!.Metrics!.TryGetValue("tokens", out var before)
            && then > before
            && seconds > 0
            ? (then - before) / seconds
            : null;
    }

    private async Task<DeviceId?> DeviceAsync(JobId job, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var result in ledger.ReadResultsAsync(job, cancellationToken))
                return result.Device;
        }
        catch (JobArchivedException)
        {
            // Where it ran is not kept any more.
        }
        return null;
    }
}
