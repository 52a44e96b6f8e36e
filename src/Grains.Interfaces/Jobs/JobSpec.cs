using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.Grains.Interfaces.Jobs;

/// <summary>What was submitted; immutable. Its items are stored with it, or staged in the ledger under the same id before.</summary>
/// <param name="Model">Null for a kind that needs none.</param>
/// <param name="Generation">Null for a kind that generates nothing.</param>
/// <param name="Priority">Higher runs first; 0 is normal, -100 to 100.</param>
/// <param name="ItemCount">Number of items, at least 1.</param>
/// <param name="TraceParent">W3C trace context of the submitting request; everything done for the job joins that trace.</param>
[GenerateSerializer, Immutable, Alias("fleet.JobSpec")]
public sealed record JobSpec(
    [property: Id(0)] JobId Id,
    [property: Id(1)] TenantId Tenant,
    [property: Id(2)] JobKind Kind,
    [property: Id(3)] ModelRef? Model,
    [property: Id(4)] GenerationParameters? Generation,
    [property: Id(5)] int Priority,
    [property: Id(6)] int ItemCount,
    [property: Id(7)] string? TraceParent,
    [property: Id(8)] JobRules Rules,
    [property: Id(9)] NoopParameters? Noop = null,
    [property: Id(10)] TuneParameters? Tune = null,
    [property: Id(11)] TrainParameters? Train = null
);

/// <summary>An idempotency key of a tenant, and the SHA-256 of the request body it came with.</summary>
[GenerateSerializer, Immutable, Alias("fleet.IdempotencyKey")]
public sealed record IdempotencyKey([property: Id(0)] string Key, [property: Id(1)] string BodySha256);

/// <summary>One item of a job: a prompt (of a no-op: its payload), or chat messages; exactly one of the two is set.</summary>
/// <param name="Index">Position in the submitted input, from 0.</param>
/// <param name="CustomId">The submitter's own name for it, unique in the job.</param>
[GenerateSerializer, Immutable, Alias("fleet.BatchItem")]
public sealed record BatchItem(
    [property: Id(0)] int Index,
    [property: Id(1)] string CustomId,
    [property: Id(2)] string? Prompt,
    [property: Id(3)] ChatMessage[]? Messages
)
{
    /// <summary>Characters of its prompt or messages.</summary>
    public long CountCharacters()
    {
        var characters = (long)(Prompt?.Length ?? 0);
        foreach (var message in Messages ?? [])
            characters += message.Content.Length;
        return characters;
    }
}

/// <summary>The one result of an item: text, or an error code and message; exactly one of the two is set.</summary>
/// <param name="Attempt">Epoch of the lease that produced it.</param>
/// <param name="StartedAt">When its worker started it, by the clock of the node; null where the worker does not say.</param>
[GenerateSerializer, Immutable, Alias("fleet.ItemResult")]
public sealed record ItemResult(
    [property: Id(0)] int Index,
    [property: Id(1)] string CustomId,
    [property: Id(2)] string? Text,
    [property: Id(3)] string? FinishReason,
    [property: Id(4)] int PromptTokens,
    [property: Id(5)] int CompletionTokens,
    [property: Id(6)] string? ErrorCode,
    [property: Id(7)] string? ErrorMessage,
    [property: Id(8)] DeviceId Device,
    [property: Id(9)] int WorkerProcessId,
    [property: Id(10)] int Attempt,
    [property: Id(11)] int DurationMilliseconds,
    [property: Id(12)] DateTimeOffset? StartedAt = null
);
