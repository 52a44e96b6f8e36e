using EgpuFleet.Grains.Interfaces.Tuning;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Tuning;

/// <summary>The tuned kernels of a class; see <see cref="ITuningGrain"/>. The store rules; this keeps what it last said.</summary>
[GrainType("tuning")]
public sealed class TuningGrain(ITuningStore store) : Grain, ITuningGrain
{
    private TuningTable? table;

    public async Task<TuningTable?> Get(long known)
    {
        table ??= await store.LoadAsync(Class(), CancellationToken.None);
        return table.Revision == known ? null : table;
    }

    public async Task<TuningReply> Put(TuningReport report)
    {
        var of = Class();
        var good = TuningRules.Good(report);
        var isKept =
            good.Count == 0 || await store.PutAsync(of, report with { Kernels = good }, CancellationToken.None);
        table = null;
        var taken = isKept ? good.Count : 0;
        return new TuningReply(taken, report.Kernels.Count - taken);
    }

    private TuningClass Class() =>
        TuningClass.OfKey(this.GetPrimaryKeyString()) is { } of && TuningRules.IsClass(of)
            ? of
            : throw new InvalidOperationException("This is no class of devices.");
}
