using EgpuFleet.TestKit.Checkers;
using EgpuFleet.TestKit.Fleet.Chaos;

namespace EgpuFleet.TestKit.Fleet.Soak;

/// <summary>Submits no-ops at a steady rate. Where the fleet is slower than that, it falls behind rather than piling up calls.</summary>
internal sealed class SoakLoad(RigClient gateway, double perSecond, TimeProvider time)
{
    private const int Submitters = 16;
    private const int PayloadChars = 1000;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(100);
    private static readonly string Filling = new('x', PayloadChars);

    private readonly string name = Guid.NewGuid().ToString("N");
    private long next;
    private long acknowledged;
    private long repeated;

    public long Acknowledged => Interlocked.Read(ref acknowledged);

    /// <summary>Calls that got no answer and were made again.</summary>
    public long Repeated => Interlocked.Read(ref repeated);

    public Task RunAsync(CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        return Task.WhenAll(
            Enumerable.Range(0, Submitters).Select(_ => Task.Run(() => SubmitAsync(start, cancellationToken), default))
        );
    }

    private async Task SubmitAsync(long start, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var number = Interlocked.Increment(ref next);
            var wait = TimeSpan.FromSeconds(number / perSecond) - time.GetElapsedTime(start);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (!cancellationToken.IsCancellationRequested)
            {
                var job = NoopJobs.One($"{number} {Filling}", 0);
                var answer = await gateway.SubmitAsync(job, $"{name}-{number}", CancellationToken.None);
                if (answer.Outcome == CallOutcome.Acknowledged)
                {
                    Interlocked.Increment(ref acknowledged);
                    break;
                }
                if (answer.Outcome == CallOutcome.Refused)
                    throw new InvalidOperationException($"A submit was refused: {answer.Status} {answer.Body}");
                Interlocked.Increment(ref repeated);
                await Task.Delay(RetryAfter, time, cancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
