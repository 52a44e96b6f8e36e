using System.Globalization;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>Ids of fine-tuning as OpenAI's clients know them, made of our own.</summary>
internal static class FineTuningIds
{
    private const string JobPrefix = "ftjob-";
    private const string NotePrefix = "ftevent-n";
    private const string LinePrefix = "ftevent-l";
    private const string CheckpointPrefix = "ftckpt_";

    public static string Of(JobId job) => JobPrefix + job.Value.ToString("N", CultureInfo.InvariantCulture);

    /// <exception cref="GatewayException">404: it is none.</exception>
    public static JobId Job(string text) =>
        text.StartsWith(JobPrefix, StringComparison.Ordinal)
        && Guid.TryParseExact(text.AsSpan(JobPrefix.Length), "N", out var value)
            ? new JobId(value)
            : throw Unknown(text);

    public static GatewayException Unknown(string id) =>
        new(System.Net.HttpStatusCode.NotFound, "fine_tune_not_found", $"Could not find fine tune: {id}")
        {
            Param = "fine_tuning_job_id",
        };

    public static string Of(FineTuningEventId id) =>
        string.Create(CultureInfo.InvariantCulture, $"{(id.IsNote ? NotePrefix : LinePrefix)}{id.Sequence}");

    /// <exception cref="GatewayException">400: it is none.</exception>
    public static FineTuningEventId Event(string text)
    {
        var isNote = text.StartsWith(NotePrefix, StringComparison.Ordinal);
        var isOne = isNote || text.StartsWith(LinePrefix, StringComparison.Ordinal);
        return
            isOne
            && long.TryParse(
                text.AsSpan(NotePrefix.Length),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var sequence
            )
            ? new FineTuningEventId(isNote, sequence)
            : throw After("event");
    }

    public static string Of(CheckpointId id) => CheckpointPrefix + id.Value.ToString("N", CultureInfo.InvariantCulture);

    /// <summary>Null: it is none.</summary>
    public static CheckpointId? Checkpoint(string text) =>
        CheckpointId.TryParse(text, out var own) ? own
        : text.StartsWith(CheckpointPrefix, StringComparison.Ordinal)
        && Guid.TryParseExact(text.AsSpan(CheckpointPrefix.Length), "N", out var value)
            ? new CheckpointId(value)
        : null;

    public static GatewayException After(string what) =>
        GatewayException.BadRequest("invalid_query", $"after must be the id of a {what} of the page before.");
}
