using System.Text.Json;
using System.Text.Json.Serialization;
using EgpuFleet.Grains.Interfaces.Membership;

namespace EgpuFleet.Grains.Interfaces.Checkpoints;

/// <summary>POST body of <see cref="InternalRoutes.Checkpoints"/>: whoever holds this lease begins a checkpoint.</summary>
/// <param name="Job">Text form of a <see cref="JobId"/>.</param>
/// <param name="Parent">Checkpoint that the run went on from; null for none.</param>
public sealed record CheckpointOpening(string Job, int Shard, int Epoch, long Step, string? Parent = null);

/// <summary>Answer to it.</summary>
public sealed record CheckpointOpened(string Id);

/// <summary>Answer to a batch of chunks.</summary>
/// <param name="Stored">How many were new; the others were there already.</param>
public sealed record ChunkReceipt(int Stored);

/// <summary>POST body that makes a checkpoint complete.</summary>
public sealed record CheckpointSealing(Manifest Manifest, IReadOnlyDictionary<string, double> Metrics);

/// <summary>A checkpoint as agents read it.</summary>
public sealed record CheckpointPart(
    string Id,
    long Step,
    string? Parent,
    long SizeBytes,
    IReadOnlyDictionary<string, double> Metrics
);

/// <summary>The newest complete checkpoint of a job, and newer ones that are damaged.</summary>
public sealed record CheckpointToRestore(
    CheckpointPart Checkpoint,
    Manifest Manifest,
    IReadOnlyList<CheckpointPart> PassedOver
);

/// <summary>What an examination of a checkpoint's chunks found.</summary>
public sealed record CheckpointExamination(bool IsIntact, int DamagedChunks);

/// <summary>How these messages are written: as those of the membership table, and enums never as numbers.</summary>
public static class CheckpointJson
{
    public static JsonSerializerOptions Options { get; } =
        new(MembershipJson.Options)
        {
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
        };
}
