using System.Net;
using EgpuFleet.Api;
using EgpuFleet.Dashboard.Gateway;

namespace EgpuFleet.Dashboard.Jobs;

/// <summary>Follows one job by its event stream for one viewer, and opens the stream again where it broke.</summary>
public sealed class JobWatch(OpenGateway gateway, string id, TimeProvider clock)
{
    private readonly Lock gate = new();
    private Task preview = Task.CompletedTask;

    public JobSight Sight { get; private set; } = JobSight.Nothing;

    /// <summary>Reads the job once: for the first paint, and for the reason while it waits, which the stream does not carry.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            var job = await gateway().GetJobAsync(id, cancellationToken);
            Change(sight => sight with { Job = job, Trouble = null });
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Fail(exception);
        }
    }

    /// <summary>Follows the job until it is terminal, missing, or the viewer leaves.</summary>
    public async Task RunAsync(Action changed, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(changed, cancellationToken);
                if (Sight.IsTerminal)
                {
                    // An earlier preview shows the first of what was there then, which need not be the first of all.
                    await preview;
                    await PreviewAsync(changed, cancellationToken);
                    return;
                }
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                Fail(exception);
            }
            changed();
            if (Sight.Missing)
                return;
            await Task.Delay(Limits.StreamRetry, clock, cancellationToken);
        }
    }

    /// <summary>Asks the API to cancel, hold, release, pause or resume the job; the stream then tells what came of it.</summary>
    public async Task SteerAsync(string verb, CancellationToken cancellationToken)
    {
        try
        {
            var job = await gateway().SteerJobAsync(id, verb, cancellationToken);
            Change(sight => sight with { Job = job, Trouble = null });
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Fail(exception);
        }
    }

    private async Task FollowAsync(Action changed, CancellationToken cancellationToken)
    {
        await foreach (var update in gateway().WatchJobAsync(id, Sight.LastSequence, cancellationToken))
        {
            Change(sight => sight.Apply(update));
            // The stream sends counts; that the job has changed its state, it says in its log.
            if (update.Event is { } line && !line.Type.StartsWith("shard_", StringComparison.Ordinal))
                await LookAsync(cancellationToken);
            changed();
            if (preview.IsCompleted && HasMoreToPreview(Sight))
                preview = PreviewAsync(changed, cancellationToken);
        }
    }

    /// <summary>Reads the first results, beside the event stream so that a slow read holds nothing up.</summary>
    private async Task PreviewAsync(Action changed, CancellationToken cancellationToken)
    {
        try
        {
            var lines = new List<ResultLine>();
            await foreach (var line in gateway().ReadResultsAsync(id, cancellationToken))
            {
                lines.Add(line);
                if (lines.Count >= Limits.PreviewResults)
                    break;
            }
            Change(sight => sight with { Preview = [.. lines] });
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Fail(exception);
        }
        changed();
    }

    private static bool HasMoreToPreview(JobSight sight) =>
        sight is { IsTerminal: false, Job.Items: { } items }
        && sight.Preview.Length < Limits.PreviewResults
        && items.Completed + items.Failed > sight.Preview.Length;

    private void Fail(Exception exception) =>
        Change(sight =>
            sight with
            {
                Trouble = Trouble.Of(exception),
                Missing = sight.Missing || exception is FleetApiException { Status: HttpStatusCode.NotFound },
            }
        );

    private void Change(Func<JobSight, JobSight> change)
    {
        lock (gate)
            Sight = change(Sight);
    }
}
