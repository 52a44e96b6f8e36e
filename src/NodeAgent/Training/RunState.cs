using System.Text.Json;
using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.NodeAgent.Hosting;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>What a checkpoint holds beside the engine's state: where in its data the run is.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Epoch">Of the next row, as are the next two.</param>
/// <param name="TrainedTokens">Learnt from so far.</param>
/// <param name="BaseSha256">Of the model that is trained.</param>
/// <param name="DataSha256">Of the training file.</param>
internal sealed record RunState(
    long Step,
    int Epoch,
    int Microshard,
    int Row,
    long TrainedTokens,
    string BaseSha256,
    string DataSha256
)
{
    /// <summary>Its entry in a checkpoint's metadata.</summary>
    public const string Entry = "run";

    public DataCursor Cursor => new(Epoch, Microshard, Row);

    public static RunState Start(string baseSha256, string dataSha256) => new(0, 0, 0, 0, 0, baseSha256, dataSha256);

    /// <summary>As a checkpoint's metadata.</summary>
    public IReadOnlyDictionary<string, string> Write() =>
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Entry] = JsonSerializer.Serialize(this, AgentJson.Options),
        };

    /// <exception cref="TrainingStateException">It is not what this writes.</exception>
    public static RunState Read(IReadOnlyDictionary<string, string> metadata)
    {
        if (!metadata.TryGetValue(Entry, out var json))
            throw new TrainingStateException($"The checkpoint has no entry '{Entry}'.");
        try
        {
            var state = JsonSerializer.Deserialize<RunState>(json, AgentJson.Options);
            return state is { Step: >= 0, Epoch: >= 0, Microshard: >= 0, Row: >= 0, TrainedTokens: >= 0 }
                ? state
                : throw new TrainingStateException($"The entry '{Entry}' of the checkpoint is out of range.");
        }
        catch (JsonException e)
        {
            throw new TrainingStateException($"The entry '{Entry}' of the checkpoint cannot be read: {e.Message}");
        }
    }
}

/// <summary>A checkpoint that is whole and yet no state of this run.</summary>
internal sealed class TrainingStateException(string message) : Exception(message);
