using System.Net;
using System.Runtime.CompilerServices;
using EgpuFleet.Api;

namespace EgpuFleet.Cli.FineTuning;

/// <summary>Looks at a fine-tuning job again and again until it is over; after a break it goes on behind the last line it has seen.</summary>
internal sealed class FineTuningFollower(FleetClient client, TimeProvider clock)
{
    /// <exception cref="HttpRequestException">The gateway stays away.</exception>
    public async IAsyncEnumerable<FineTuningUpdate> FollowAsync(
        string id,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        string? last = null;
        var failures = 0;
        while (true)
        {
            if (await LookAsync(id, last, failures, cancellationToken) is { } seen)
            {
                failures = 0;
                var (update, hasMore) = seen;
                last = update.Events is [.., var newest] ? newest.Id : last;
                yield return update;
                if (hasMore)
                    continue;
                if (JobInfo.IsTerminal(update.Job.Status))
                    yield break;
            }
            else
            {
                failures++;
            }
            await Task.Delay(Limits.FollowDelay, clock, cancellationToken);
        }
    }

    /// <summary>Null when the gateway is away for the moment; a break that repeats too often is thrown.</summary>
    private async Task<(FineTuningUpdate Update, bool HasMore)?> LookAsync(
        string id,
        string? last,
        int failures,
        CancellationToken cancellationToken
    )
    {
        try
        {
            // The job first: the lines read after it then tell all of one that is over.
            var job = await client.GetFineTuningAsync(id, cancellationToken);
            var events = await client.ListFineTuningEventsAsync(id, last, Limits.EventsRead, cancellationToken);
            var checkpoints = await client.ListFineTuningCheckpointsAsync(id, null, 1, cancellationToken);
            return (
                new FineTuningUpdate(job, events.Data, checkpoints.Data is [var newest, ..] ? newest : null),
                events.HasMore
            );
        }
        catch (Exception e) when (IsPassing(e) && failures < Limits.FollowAttempts)
        {
            return null;
        }
    }

    private static bool IsPassing(Exception e) =>
        e is HttpRequestException or IOException or FleetApiException { Status: HttpStatusCode.ServiceUnavailable };
}
