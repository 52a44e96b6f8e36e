using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Gateway.Native;
using EgpuFleet.Silo.Gateway.OpenAi;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>What is read of fine-tuning jobs: one, a page of them, the story and the checkpoints of one.</summary>
internal sealed class FineTuningReads(
    IFineTuningStore store,
    ILedger ledger,
    ICheckpointStore checkpoints,
    JobReasons whys,
    Fleet fleet,
    TimeProvider time
)
{
    /// <summary>Notes that a pace is taken from.</summary>
    private const int PaceNotes = 20;

    public async Task<IResult> GetAsync(string id, CancellationToken cancellationToken) =>
        Json(await RequireAsync(FineTuningIds.Job(id), cancellationToken));

    public async Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var page = PageQuery.Read(request);
        JobId? after = page.After is null ? null : FineTuningIds.Job(page.After);
        var runs = await store.ListAsync(
            new FineTuningPage(TenantId.Default, after, page.Limit + 1, MetadataOf(request.Query)),
            cancellationToken
        );
        var shown = await ShowAsync([.. runs.Take(page.Limit)], cancellationToken);
        return Json(Pages.Of(shown, job => job.Id, runs.Count > page.Limit));
    }

    public async Task<IResult> EventsAsync(string id, HttpRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var run = await RunAsync(FineTuningIds.Job(id), cancellationToken);
        var page = PageQuery.Read(request);
        FineTuningEventId? after = page.After is null ? null : FineTuningIds.Event(page.After);
        var lines = await store.ReadEventsAsync(
            new FineTuningEventPage(run.Job, after, page.Limit + 1, page.OldestFirst),
            cancellationToken
        );
        var shown = lines.Take(page.Limit).Select(line => FineTuningViews.Show(line, run.Job)).ToList();
        return Json(Pages.Of(shown, line => line.Id, lines.Count > page.Limit));
    }

    public async Task<IResult> CheckpointsAsync(string id, HttpRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var run = await RunAsync(FineTuningIds.Job(id), cancellationToken);
        var record = await RecordAsync(run.Job, cancellationToken);
        var page = PageQuery.Read(request);
        CheckpointId? after = page.After is null
            ? null
            : FineTuningIds.Checkpoint(page.After) ?? throw FineTuningIds.After("checkpoint");
        var found = await checkpoints.ListAsync(new CheckpointPage(run.Job, after, page.Limit + 1), cancellationToken);
        var shown = found.Take(page.Limit).Select(one => FineTuningViews.Show(one, record)).ToList();
        return Json(Pages.Of(shown, one => one.Id, found.Count > page.Limit));
    }

    /// <exception cref="GatewayException">404: no such job of this tenant.</exception>
    public async Task<FineTuningJobInfo> RequireAsync(JobId job, CancellationToken cancellationToken)
    {
        var run = await RunAsync(job, cancellationToken);
        var shown = await ShowAsync([run], cancellationToken);
        return shown.Count == 1 ? shown[0] : throw FineTuningIds.Unknown(FineTuningIds.Of(job));
    }

    public static IResult Json<T>(T value) => Results.Json(value, OpenAiJson.Options);

    private async Task<FineTuningRun> RunAsync(JobId job, CancellationToken cancellationToken) =>
        await store.FindAsync(job, cancellationToken) is { } run && run.Tenant == TenantId.Default
            ? run
            : throw FineTuningIds.Unknown(FineTuningIds.Of(job));

    private async Task<JobRecord> RecordAsync(JobId job, CancellationToken cancellationToken) =>
        await ledger.FindJobAsync(job, cancellationToken) ?? throw FineTuningIds.Unknown(FineTuningIds.Of(job));

    /// <summary>Those whose jobs the ledger has.</summary>
    private async Task<IReadOnlyList<FineTuningJobInfo>> ShowAsync(
        IReadOnlyList<FineTuningRun> runs,
        CancellationToken cancellationToken
    )
    {
        var records = new List<(FineTuningRun Run, JobRecord Record)>(runs.Count);
        foreach (var run in runs)
        {
            if (await ledger.FindJobAsync(run.Job, cancellationToken) is { Spec.Train: not null } record)
                records.Add((run, record));
        }
        JobId[] waiting =
        [
            .. records
                .Where(one => one.Record.State <= JobState.Running || one.Record.State > JobState.Cancelled)
                .Select(one => one.Run.Job),
        ];
        var reasons = waiting.Length == 0 ? null : await whys.ExplainAsync(waiting);
        var metrics = await store.ReadMetricsAsync(
            [.. records.Select(one => one.Run.Job)],
            PaceNotes,
            cancellationToken
        );
        var shown = new List<FineTuningJobInfo>(records.Count);
        foreach (var (run, record) in records)
        {
            var isServed = await IsServedAsync(record);
            var picture = new FineTuningPicture(
                run,
                record,
                reasons?.GetValueOrDefault(run.Job),
                metrics[run.Job],
                isServed,
                await FailedAsync(record, isServed, cancellationToken)
            );
            shown.Add(FineTuningViews.Show(picture, time.GetUtcNow()));
        }
        return shown;
    }

    private async Task<bool> IsServedAsync(JobRecord record) =>
        record.State == JobState.Succeeded && await fleet.Models.Find(record.Spec.Train!.Result) is not null;

    private async Task<ItemResult?> FailedAsync(JobRecord record, bool isServed, CancellationToken cancellationToken)
    {
        try
        {
            var results = ledger.ReadResultsAsync(record.Spec.Id, cancellationToken);
            return await RunFailure.FindAsync(record, results, cancellationToken);
        }
        catch (JobArchivedException)
        {
            // Why it failed is not known any more; that it did is, by the model that it has not left.
            return isServed
                ? null
                : new ItemResult(0, "", null, null, 0, 0, "failed", "Why is not kept any more.", default, 0, 0, 0);
        }
    }

    /// <summary><c>metadata[key]=value</c>, any number of times.</summary>
    private static Dictionary<string, string>? MetadataOf(IQueryCollection query)
    {
        const string Open = "metadata[";
        var pairs = query
            .Where(one => one.Key.StartsWith(Open, StringComparison.Ordinal) && one.Key.EndsWith(']'))
            .ToDictionary(one => one.Key[Open.Length..^1], one => one.Value.ToString(), StringComparer.Ordinal);
        if (pairs.Any(pair => pair.Key.Contains('\0') || pair.Value.Contains('\0')))
            throw GatewayException.BadRequest("invalid_query", "metadata must be text.");
        return pairs.Count == 0 ? null : pairs;
    }
}
