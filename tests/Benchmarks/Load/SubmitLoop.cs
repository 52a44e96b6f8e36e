using System.Diagnostics;
using EgpuFleet.Benchmarks.Statistics;

namespace EgpuFleet.Benchmarks.Load;

/// <summary>Closed-loop clients: each submits again as soon as its submit is acknowledged.</summary>
internal sealed class SubmitLoop(LoadSpec spec, TimeProvider clock)
{
    private readonly JobRequests _requests = new(spec.Gateway, spec.JobsPerCall);
    private readonly List<double> _milliseconds = [];
    private int _unsent = spec.Mode == LoadMode.Fill ? spec.Jobs : int.MaxValue;
    private int _acknowledged;

    /// <exception cref="IOException">A submit was not acknowledged.</exception>
    public async Task<LoadResult> RunAsync(CancellationToken cancellationToken)
    {
        var connections = new List<HttpConnection>();
        try
        {
            for (var i = 0; i < spec.Clients; i++)
                connections.Add(await HttpConnection.OpenAsync(spec.Gateway, cancellationToken));
            return await RunAsync(connections, cancellationToken);
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }
    }

    private async Task<LoadResult> RunAsync(List<HttpConnection> connections, CancellationToken cancellationToken)
    {
        using var self = Process.GetCurrentProcess();
        var firstSentAt = clock.GetUtcNow();
        var start = clock.GetTimestamp();
        var busy = self.TotalProcessorTime;
        var from = start + Ticks(spec.WarmupSeconds);
        var until = spec.Mode == LoadMode.Fill ? long.MaxValue : from + Ticks(spec.Seconds);
        await Task.WhenAll(connections.Select(one => Task.Run(() => ClientAsync(one, from, until, cancellationToken))));
        var wall = clock.GetElapsedTime(start).TotalSeconds;
        self.Refresh();
        var share = (self.TotalProcessorTime - busy).TotalSeconds / wall;
        var seconds = spec.Mode == LoadMode.Fill ? wall : spec.Seconds;
        var took = _milliseconds.ToArray();
        return new LoadResult(
            _acknowledged,
            _acknowledged / seconds,
            Percentile.Of(took, 0.5),
            Percentile.Of(took, 0.99),
            share,
            firstSentAt
        );
    }

    private async Task ClientAsync(HttpConnection connection, long from, long until, CancellationToken cancellation)
    {
        var milliseconds = new List<double>();
        var acknowledged = 0;
        for (var sent = clock.GetTimestamp(); sent < until && Take(); sent = clock.GetTimestamp())
        {
            var answer = await connection.SendAsync(_requests.Next(), cancellation);
            var jobs = Acknowledgement.Count(answer, _requests.Bulk);
            if (jobs != spec.JobsPerCall)
                throw new IOException($"{jobs} of {spec.JobsPerCall} jobs were acknowledged: {answer.Text}");
            var end = clock.GetTimestamp();
            if (end < from || end >= until)
                continue;
            acknowledged += jobs;
            milliseconds.Add(clock.GetElapsedTime(sent, end).TotalMilliseconds);
        }
        lock (_milliseconds)
        {
            _milliseconds.AddRange(milliseconds);
            _acknowledged += acknowledged;
        }
    }

    private bool Take() => Interlocked.Add(ref _unsent, -spec.JobsPerCall) + spec.JobsPerCall > 0;

    private long Ticks(double seconds) => (long)(seconds * clock.TimestampFrequency);
}
