using System.Text;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>A job request that was found good: all of its spec but its id, trace and number of items.</summary>
/// <param name="Items">Null when they follow as a form part.</param>
internal sealed record JobDraft(
    JobKind Kind,
    ModelRecord? Model,
    GenerationParameters? Generation,
    NoopParameters? Noop,
    int Priority,
    JobRules Rules,
    IReadOnlyList<BatchItem>? Items,
    TuneParameters? Tune = null
)
{
    /// <summary>Whether the items are few and small enough to be stored with the job.</summary>
    public bool IsSmall => Items is { Count: <= Limits.InlineItems } && Items.Sum(BytesOf) <= Limits.InlineBytes;

    public JobSpec Spec(JobId id, int itemCount, string? traceParent) =>
        new(id, TenantId.Default, Kind, Model?.Ref, Generation, Priority, itemCount, traceParent, Rules, Noop, Tune);

    private static long BytesOf(BatchItem item) =>
        item.CustomId.Length
        + (item.Prompt is null ? 0 : Encoding.UTF8.GetByteCount(item.Prompt))
        + (item.Messages?.Sum(message => (long)Encoding.UTF8.GetByteCount(message.Content)) ?? 0);
}
