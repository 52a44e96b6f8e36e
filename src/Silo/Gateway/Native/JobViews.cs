using System.Collections.Frozen;
using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Gateway.FineTuning;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>Jobs, events and results as the public API shows them.</summary>
internal sealed class JobViews(JobReasons whys, ILedger ledger)
{
    /// <exception cref="GatewayException">404: no such job.</exception>
    public async Task<JobInfo> RequireAsync(JobId id, CancellationToken cancellationToken)
    {
        var record = await ledger.FindJobAsync(id, cancellationToken) ?? throw NotFound(id.ToString());
        return (await ShowAsync([record]))[0];
    }

    /// <summary>The id in a path; anything that is not one names no job.</summary>
    public static JobId ParseId(string text) => JobId.TryParse(text, out var id) ? id : throw NotFound(text);

    public static GatewayException NotFound(string id) => GatewayException.NotFound($"No job is called {id}.");

    /// <summary>The records, with the reason of those that wait. A pool that does not answer leaves the reasons out.</summary>
    public async Task<IReadOnlyList<JobInfo>> ShowAsync(IReadOnlyList<JobRecord> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        var waiting = records.Where(job => Waits(job.State)).Select(job => job.Spec.Id).ToArray();
        var reasons = waiting.Length == 0 ? null : await whys.ExplainAsync(waiting);
        return [.. records.Select(job => Show(job, reasons?.GetValueOrDefault(job.Spec.Id)))];
    }

    public static JobInfo Show(JobRecord job, Refusal? reason = null)
    {
        ArgumentNullException.ThrowIfNull(job);
        return new JobInfo(
            job.Spec.Id.ToString(),
            "job",
            Word(job.Spec.Kind),
            job.Spec.Model?.Name,
            Word(job.State),
            job.Spec.Priority,
            new ItemCounts(job.Spec.ItemCount, job.CompletedItems, job.FailedItems),
            Show(job.Spec.Generation),
            job.CreatedAt,
            job.StartedAt,
            job.FinishedAt,
            reason is null ? null : Show(reason),
            job.End?.Message,
            Show(job.End),
            Show(job.Spec.Rules),
            job.Spec.Noop is { } noop ? new NoopInfo(noop.DurationMilliseconds, Word(noop.Fault)) : null,
            job.Spec.Tune is { } tune ? new TuneInfo(tune.Seconds) : null,
            job.Spec.Train is { } train ? Show(job.Spec.Id, train) : null
        );
    }

    private static TrainInfo Show(JobId job, TrainParameters train) =>
        new(
            FineTuningIds.Of(job),
            Word(train.Method),
            train.Epochs,
            train.BatchRows,
            train.RowTokens,
            train.Training.Id,
            train.Validation?.Id,
            train.Result,
            train.Engine
        );

    public static WaitReason Show(Refusal reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        return new WaitReason(CodeOf(reason.Code), reason.Message, reason.Action, reason.BlockedBy?.ToString());
    }

    public static JobEndInfo? Show(JobEnd? end) => end is null ? null : new JobEndInfo(Word(end.Code), end.Message);

    public static JobEventInfo Show(JobEvent line)
    {
        ArgumentNullException.ThrowIfNull(line);
        return new JobEventInfo(
            line.Sequence,
            line.At,
            Word(line.Kind),
            line.Shard,
            line.Epoch,
            line.Device?.ToString(),
            line.ItemCount,
            line.Message
        );
    }

    public static ResultLine Show(ItemResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var failed = result.ErrorCode is not null;
        return new ResultLine(
            result.Index,
            result.CustomId,
            result.Text,
            result.FinishReason,
            failed ? null : new TokenUsage(result.PromptTokens, result.CompletionTokens),
            failed ? new ResultError(result.ErrorCode!, result.ErrorMessage ?? string.Empty) : null,
            result.Device.Node.Value,
            result.Device.ToString(),
            result.WorkerProcessId,
            result.Attempt,
            result.DurationMilliseconds,
            result.StartedAt
        );
    }

    /// <summary>Reason codes keep the words of the design, so <c>NoMatchingDevice</c> stays as it is.</summary>
    public static string CodeOf(RefusalCode code) => Enum.GetName(code) ?? code.ToString();

    /// <summary>Enum names in snake_case.</summary>
    public static string Word<T>(T value)
        where T : struct, Enum => Words<T>.Of(value);

    private static GenerationOptions? Show(GenerationParameters? given) =>
        given is null ? null : new(given.MaxTokens, given.Temperature, given.TopP, given.TopK, given.Seed, given.Stop);

    private static JobRulesInfo Show(JobRules rules) =>
        new(
            rules.DependsOn.Count == 0
                ? null
                : [.. rules.DependsOn.Select(one => new DependencyOptions(one.Job.ToString(), Word(one.Condition)))],
            rules.Deadline,
            rules.MaxRunTime?.TotalSeconds,
            new RetryOptions(
                rules.Retry.MaxAttempts,
                rules.Retry.Backoff.TotalSeconds,
                rules.Retry.MaxBackoff.TotalSeconds
            ),
            rules.MaxParallel,
            DeviceWords.Of(rules.Devices?.Require),
            DeviceWords.Of(rules.Devices?.Prefer)
        );

    private static bool Waits(JobState state) =>
        state is JobState.Queued or JobState.Blocked or JobState.Held or JobState.Paused;
}

/// <summary>The words of an enum, made once: an answer names several.</summary>
file static class Words<T>
    where T : struct, Enum
{
    private static readonly FrozenDictionary<T, string> All = Enum.GetValues<T>()
        .ToFrozenDictionary(value => value, value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));

    public static string Of(T value) => All[value];
}
