using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.Silo.Postgres;

/// <summary>The wide, immutable parts of the ledger as JSON: text from outside survives whatever it contains.</summary>
internal static class LedgerJson
{
    public static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        // Stored, never put into a page: escaping every letter beyond ASCII would treble the size of most prompts.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private sealed record StoredSpec(
        JobKind Kind,
        ModelRef? Model,
        GenerationParameters? Generation,
        int Priority,
        string? TraceParent,
        JobRules? Rules,
        NoopParameters? Noop,
        TuneParameters? Tune,
        TrainParameters? Train
    );

    private sealed record StoredItem(string CustomId, string? Prompt, ChatMessage[]? Messages);

    private sealed record StoredResult(
        string CustomId,
        string? Text,
        string? FinishReason,
        string? ErrorCode,
        string? ErrorMessage,
        DateTimeOffset? StartedAt
    );

    public static string Spec(JobSpec spec) =>
        JsonSerializer.Serialize(
            new StoredSpec(
                spec.Kind,
                spec.Model,
                spec.Generation,
                spec.Priority,
                spec.TraceParent,
                spec.Rules,
                spec.Noop,
                spec.Tune,
                spec.Train
            ),
            Options
        );

    public static JobSpec Spec(string json, JobId id, TenantId tenant, int itemCount)
    {
        var stored = Read<StoredSpec>(json);
        return new JobSpec(
            id,
            tenant,
            stored.Kind,
            stored.Model,
            stored.Generation,
            stored.Priority,
            itemCount,
            stored.TraceParent,
            stored.Rules ?? JobRules.Default,
            stored.Noop,
            stored.Tune,
            stored.Train
        );
    }

    public static QueuedNeeds Needs(string json) => Read<QueuedNeeds>(json);

    /// <summary>All items of a small job as one array, in the order of their indexes.</summary>
    /// <exception cref="ArgumentException">They are not numbered from 0.</exception>
    public static string Items(IReadOnlyList<BatchItem> items)
    {
        var stored = new StoredItem[items.Count];
        for (var i = 0; i < stored.Length; i++)
        {
            if (items[i].Index != i)
                throw new ArgumentException($"Item {i} has index {items[i].Index}.", nameof(items));
            stored[i] = new StoredItem(items[i].CustomId, items[i].Prompt, items[i].Messages);
        }
        return JsonSerializer.Serialize(stored, Options);
    }

    public static byte[] Item(BatchItem item) =>
        JsonSerializer.SerializeToUtf8Bytes(new StoredItem(item.CustomId, item.Prompt, item.Messages), Options);

    public static BatchItem Item(string json, int index)
    {
        var stored = Read<StoredItem>(json);
        return new BatchItem(index, stored.CustomId, stored.Prompt, stored.Messages);
    }

    public static string Result(ItemResult result) =>
        JsonSerializer.Serialize(
            new StoredResult(
                result.CustomId,
                result.Text,
                result.FinishReason,
                result.ErrorCode,
                result.ErrorMessage,
                result.StartedAt
            ),
            Options
        );

    /// <summary>Fills the text fields into a result that has its columns.</summary>
    public static ItemResult Result(string json, ItemResult columns)
    {
        var stored = Read<StoredResult>(json);
        return columns with
        {
            CustomId = stored.CustomId,
            Text = stored.Text,
            FinishReason = stored.FinishReason,
            ErrorCode = stored.ErrorCode,
            ErrorMessage = stored.ErrorMessage,
            StartedAt = stored.StartedAt,
        };
    }

    private static T Read<T>(string json) =>
        JsonSerializer.Deserialize<T>(json, Options) ?? throw new InvalidOperationException("The ledger holds a null.");
}
