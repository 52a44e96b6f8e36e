using System.Net;
using System.Runtime.CompilerServices;
using EgpuFleet.Api;

namespace EgpuFleet.Cli.Jobs;

/// <summary>
/// Follows a job to its end over any number of connections: after a break it goes on behind the last line it has seen,
/// so nothing is missing and nothing comes twice.
/// </summary>
internal sealed class JobFollower(FleetClient client, TimeProvider clock)
{
    /// <exception cref="HttpRequestException">The gateway stays away.</exception>
    public async IAsyncEnumerable<JobUpdate> FollowAsync(
        string id,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        long? last = null;
        var failures = 0;
        while (true)
        {
            await using var updates = client
                .WatchJobAsync(id, last, cancellationToken)
                .GetAsyncEnumerator(cancellationToken);
            var isTerminal = false;
            while (await NextAsync(updates, failures) is { } update)
            {
                failures = 0;
                last = update.Event?.Sequence ?? last;
                isTerminal |= update.Job is { } job && JobInfo.IsTerminal(job.State);
                isTerminal |= update.Event is { } line && JobInfo.IsTerminal(line.Type);
                yield return update;
            }
            if (isTerminal)
                yield break;
            failures++;
            await Task.Delay(Limits.FollowDelay, clock, cancellationToken);
        }
    }

    /// <summary>Null when the stream ended or broke; a break that repeats too often is thrown.</summary>
    private static async Task<JobUpdate?> NextAsync(IAsyncEnumerator<JobUpdate> updates, int failures)
    {
        try
        {
            return await updates.MoveNextAsync() ? updates.Current : null;
        }
        catch (Exception e) when (IsPassing(e) && failures < Limits.FollowAttempts)
        {
            return null;
        }
    }

    private static bool IsPassing(Exception e) =>
        e is HttpRequestException or IOException or FleetApiException { Status: HttpStatusCode.ServiceUnavailable };
}
