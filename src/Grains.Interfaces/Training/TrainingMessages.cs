using System.Text.Json;
using System.Text.Json.Serialization;
using EgpuFleet.Grains.Interfaces.Membership;

namespace EgpuFleet.Grains.Interfaces.Training;

/// <summary>What a run tells of itself. On the wire in snake_case.</summary>
public enum TrainingNoteKind
{
    /// <summary>Figures of a step.</summary>
    Metrics,

    /// <summary>A sentence for people.</summary>
    Message,

    /// <summary>The same for something that is not as it should be, though the run goes on.</summary>
    Warning,
}

/// <summary>One note; a run that is repeated from a checkpoint sends the same again, which changes nothing.</summary>
/// <param name="Step">Steps done by then.</param>
/// <param name="Text">A line; null for metrics.</param>
/// <param name="Metrics">
/// Such as <c>train_loss</c>, <c>valid_loss</c>, <c>learning_rate</c>, <c>tokens_per_second</c>, <c>tokens</c> (learnt from since the
/// run began) and <c>total_steps</c> (of the whole run, by which its end is estimated); null for words.
/// </param>
public sealed record TrainingNote(
    TrainingNoteKind Kind,
    long Step,
    string? Text,
    IReadOnlyDictionary<string, double>? Metrics
);

/// <summary>POST body of <see cref="InternalRoutes.TrainingNotes"/>: notes of whoever holds this lease, in order.</summary>
/// <param name="Job">Text form of a <see cref="JobId"/>.</param>
public sealed record TrainingNotes(string Job, int Shard, int Epoch, IReadOnlyList<TrainingNote> Notes);

/// <summary>POST body of <see cref="InternalRoutes.TrainingResult"/>: whoever holds this lease asks for a complete checkpoint to be served by the run's name.</summary>
public sealed record TrainingResult(string Job, int Shard, int Epoch, string Checkpoint);

/// <summary>Answer to it: the model under its name, as the registry knows it now.</summary>
public sealed record TrainingPublished(string Model, string Sha256);

/// <summary>How these messages are written: as those of the membership table, and enums never as numbers.</summary>
public static class TrainingJson
{
    public static JsonSerializerOptions Options { get; } =
        new(MembershipJson.Options)
        {
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
        };
}
