using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.TestKit.Fleet.Chaos;

/// <summary>
/// Submits as a careful client: under a key of its own, the same call again at the next gateway until there is an answer.
/// </summary>
public sealed class Submitter(IReadOnlyList<RigClient> gateways, Recorder recorder, TimeProvider time)
{
    private const string Tenant = "default";
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(100);

    /// <summary>Jobs acknowledged so far, with their payloads.</summary>
    public ConcurrentDictionary<string, IReadOnlyList<string>> Jobs { get; } = new(StringComparer.Ordinal);

    /// <summary>The job's id; null: refused, or no answer before the end.</summary>
    public async Task<string?> SubmitAsync(
        JsonObject job,
        IReadOnlyList<string> payloads,
        string key,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 0; !cancellationToken.IsCancellationRequested; attempt++)
        {
            var gateway = gateways[(attempt + (key.GetHashCode(StringComparison.Ordinal) & 0xff)) % gateways.Count];
            // A call once sent is waited for, also at the end: its outcome is part of the history.
            var answer = await gateway.SubmitAsync((JsonObject)job.DeepClone(), key, CancellationToken.None);
            var id = answer.Outcome == CallOutcome.Acknowledged ? answer.Text("id") : null;
            recorder.Submitted(new SubmitCall(Tenant, key, id, answer.Outcome));
            recorder.Answered("submit", answer.Status);
            if (id is not null)
                Jobs.TryAdd(id, payloads);
            if (answer.Outcome != CallOutcome.Indeterminate)
                return id;
            await Task.Delay(RetryAfter, time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return null;
    }
}
