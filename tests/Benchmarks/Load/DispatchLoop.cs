using System.Text;
using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Benchmarks.Statistics;

namespace EgpuFleet.Benchmarks.Load;

/// <summary>
/// One job at a time on an idle fleet: from just before its submit is sent until the worker process started it, as the
/// result says. Submitter and worker read the wall clock of one machine. Between jobs nothing is asked of the gateway.
/// </summary>
internal sealed class DispatchLoop(LoadSpec spec, TimeProvider clock)
{
    /// <summary>The first jobs meet cold code and a worker process that may yet have to start.</summary>
    private const int Uncounted = 20;

    public async Task<LoadResult> RunAsync(CancellationToken cancellationToken)
    {
        using var connection = await HttpConnection.OpenAsync(spec.Gateway, cancellationToken);
        var requests = new JobRequests(spec.Gateway, 1);
        var milliseconds = new List<double>();
        var firstSentAt = clock.GetUtcNow();
        for (var i = 0; i < spec.Jobs + Uncounted; i++)
        {
            var request = requests.Next();
            var sentAt = clock.GetUtcNow();
            var answer = await connection.SendAsync(request, cancellationToken);
            if (Acknowledgement.Count(answer, bulk: false) != 1)
                throw new IOException($"The gateway answered {answer.Status}: {answer.Text}");
            var startedAt = await StartAsync(connection, IdOf(answer), cancellationToken);
            if (i >= Uncounted)
                milliseconds.Add((startedAt - sentAt).TotalMilliseconds);
        }
        var took = milliseconds.ToArray();
        return new LoadResult(
            took.Length,
            0,
            Percentile.Of(took, 0.5),
            Percentile.Of(took, 0.99),
            ProcessorShare: 0,
            firstSentAt
        );
    }

    /// <summary>When the worker process started the job's one item.</summary>
    private async Task<DateTimeOffset> StartAsync(HttpConnection connection, string id, CancellationToken cancellation)
    {
        var ask = Encoding.ASCII.GetBytes(
            $"GET {Routes.JobResults(id)} HTTP/1.1\r\nHost: 127.0.0.1:{spec.Gateway.Port}\r\n\r\n"
        );
        var since = clock.GetTimestamp();
        while (true)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(spec.PauseMilliseconds), clock, cancellation);
            var answer = await connection.SendAsync(ask, cancellation);
            if (answer.Status != 200)
                throw new IOException($"The results of {id} were answered with {answer.Status}: {answer.Text}");
            if (!answer.Body.IsEmpty)
                return StartedAt(answer);
            if (clock.GetElapsedTime(since) > Limits.StallTimeout)
                throw new IOException($"{id} has no result after {Limits.StallTimeout.TotalSeconds:0} s.");
        }
    }

    private static string IdOf(HttpAnswer answer)
    {
        using var job = JsonDocument.Parse(answer.Body);
        return job.RootElement.GetProperty("id").GetString()!;
    }

    private static DateTimeOffset StartedAt(HttpAnswer answer)
    {
        var line = answer.Body[..answer.Body.Span.IndexOf((byte)'\n')];
        using var result = JsonDocument.Parse(line);
        return result.RootElement.TryGetProperty("started_at", out var at) && at.ValueKind == JsonValueKind.String
            ? at.GetDateTimeOffset()
            : throw new IOException($"The result does not say when its worker started it: {answer.Text}");
    }
}
