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
            var gateway = GatewayOf(key, attempt);
            // A call once sent is waited for, also at the end: its outcome is part of the history.
            var answer = await gateway.SubmitAsync((JsonObject)job.DeepClone(), key, CancellationToken.None);
            var id = answer.Outcome == CallOutcome.Acknowledged ? answer.Text("id") : null;
            Note("submit", key, answer, id, payloads);
            if (answer.Outcome != CallOutcome.Indeterminate)
                return id;
            await Task.Delay(RetryAfter, time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return null;
    }

    /// <summary>Many jobs in one call, which is made again as a whole until each line has an answer. Returns their ids.</summary>
    public async Task<IReadOnlyList<string>> SubmitBulkAsync(
        IReadOnlyList<(JsonObject Job, IReadOnlyList<string> Payloads)> lines,
        string key,
        CancellationToken cancellationToken
    )
    {
        var ids = new Dictionary<int, string>();
        for (var attempt = 0; !cancellationToken.IsCancellationRequested; attempt++)
        {
            var gateway = GatewayOf(key, attempt);
            var answers = await gateway.SubmitBulkAsync(lines.Select(line => line.Job), key, CancellationToken.None);
            for (var number = 1; number <= lines.Count; number++)
            {
                var answer = answers.GetValueOrDefault(number) ?? new RigAnswer(CallOutcome.Indeterminate, 0, default);
                var id = answer.Outcome == CallOutcome.Acknowledged ? answer.Text("id") : null;
                // Each line has a key of its own: that of the call, and its number.
                Note("bulk", $"{key} {number}", answer, id, lines[number - 1].Payloads);
                if (id is not null)
                    ids[number] = id;
            }
            if (answers.Values.Count(answer => answer.Outcome != CallOutcome.Indeterminate) == lines.Count)
                break;
            await Task.Delay(RetryAfter, time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return [.. ids.Values];
    }

    private RigClient GatewayOf(string key, int attempt) =>
        gateways[(attempt + (key.GetHashCode(StringComparison.Ordinal) & 0xff)) % gateways.Count];

    private void Note(string call, string key, RigAnswer answer, string? id, IReadOnlyList<string> payloads)
    {
        recorder.Submitted(new SubmitCall(Tenant, key, id, answer.Outcome));
        recorder.Answered(call, answer.Status);
        if (id is not null)
            Jobs.TryAdd(id, payloads);
    }
}
