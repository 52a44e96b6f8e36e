using System.Text.Json;
using EgpuFleet.Benchmarks.Load;
using EgpuFleet.Benchmarks.Statistics;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgpuFleet.Benchmarks.Raw;

/// <summary>What the verb <c>raw</c> does.</summary>
/// <param name="ConnectionString">A migrated database of its own.</param>
internal sealed record RawSpec(string ConnectionString, int Submitters, double WarmupSeconds, double Seconds);

/// <summary>
/// The verb <c>raw</c>: the ledger's group-commit writer alone, the limit that submits through HTTP and grains are held
/// against. Closed-loop submitters in one process write the same jobs, items with them, each waiting for its commit.
/// </summary>
internal sealed class RawWriter(RawSpec spec, TimeProvider clock)
{
    public const string Verb = "raw";

    private readonly string[] _payloads = [.. JobRequests.Payloads()];

    public static async Task RunAsync(string spec, TimeProvider clock, CancellationToken cancellationToken)
    {
        var result = await new RawWriter(JsonSerializer.Deserialize<RawSpec>(spec)!, clock).RunAsync(cancellationToken);
        Console.WriteLine(JsonSerializer.Serialize(result));
    }

    public async Task<LoadResult> RunAsync(CancellationToken cancellationToken)
    {
        await using var ledger = new PostgresLedger(spec.ConnectionString, clock, NullLoggerFactory.Instance);
        var leadership =
            await ledger.AcquireLeadershipAsync(PoolId.Default, "bench", TimeSpan.FromHours(1), cancellationToken)
            ?? throw new InvalidOperationException("The database has a leader already.");
        var firstSentAt = clock.GetUtcNow();
        var from = clock.GetTimestamp() + (long)(spec.WarmupSeconds * clock.TimestampFrequency);
        var until = from + (long)(spec.Seconds * clock.TimestampFrequency);
        var took = await Task.WhenAll(
            Enumerable
                .Range(0, spec.Submitters)
                .Select(_ => Task.Run(() => SubmitAsync(ledger, leadership.Term, from, until, cancellationToken)))
        );
        double[] all = [.. took.SelectMany(one => one)];
        return new LoadResult(
            all.Length,
            all.Length / spec.Seconds,
            Percentile.Of(all, 0.5),
            Percentile.Of(all, 0.99),
            ProcessorShare: 0,
            firstSentAt
        );
    }

    private async Task<List<double>> SubmitAsync(
        PostgresLedger ledger,
        LeaderTerm term,
        long from,
        long until,
        CancellationToken cancellationToken
    )
    {
        var milliseconds = new List<double>();
        for (var number = 0; clock.GetTimestamp() < until; number++)
        {
            var sent = clock.GetTimestamp();
            var outcomes = await ledger.CommitAsync(term, [Submit(number)], cancellationToken);
            if (!outcomes[0].Applied)
                throw new InvalidOperationException("A submit was not applied.");
            var end = clock.GetTimestamp();
            if (end >= from && end < until)
                milliseconds.Add(clock.GetElapsedTime(sent, end).TotalMilliseconds);
        }
        return milliseconds;
    }

    private LedgerOperation.SubmitJob Submit(int number)
    {
        var job = new JobSpec(
            JobId.New(clock.GetUtcNow()),
            TenantId.Default,
            JobKind.Noop,
            Model: null,
            Generation: null,
            Priority: 0,
            ItemCount: 1,
            TraceParent: null,
            JobRules.Default,
            new NoopParameters(0, NoopFault.None)
        );
        var item = new BatchItem(0, "0", _payloads[number % _payloads.Length], null);
        return new LedgerOperation.SubmitJob(job, null, [item]);
    }
}
