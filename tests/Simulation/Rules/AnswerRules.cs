using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Simulation.Tests.Clients;
using EgpuFleet.Simulation.Tests.Storage;
using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.Simulation.Tests.Rules;

/// <summary>What the scheduler's answers promise, beyond what every client can see.</summary>
internal static class AnswerRules
{
    /// <summary>How long after its time a job of a healthy pool may still be there: a few ticks, and the way to the ledger.</summary>
    private static readonly TimeSpan Lateness = TimeSpan.FromSeconds(3);

    /// <summary>A report that was accepted is durable: each of its items has a result.</summary>
    public static IEnumerable<Violation> AcceptedReportsStay(ClientLog log, IReadOnlyList<FinalResult> results)
    {
        var stored = results.Select(result => (result.Job, result.Item)).ToHashSet();
        foreach (var report in log.AcceptedReports)
        {
            var job = report.Lease.Shard.Job.ToString();
            foreach (var result in report.Results.Where(result => !stored.Contains((job, result.Index))))
                yield return new Violation("accepted report", $"item {result.Index} of {job} is lost");
        }
    }

    /// <summary>The answer to a submit says when the ledger created the job.</summary>
    public static IEnumerable<Violation> SubmitsSayWhen(ClientLog log, IReadOnlyList<Accepted> accepted)
    {
        var created = accepted
            .Where(entry => entry.Operation is LedgerOperation.SubmitJob)
            .ToDictionary(entry => ((LedgerOperation.SubmitJob)entry.Operation!).Spec.Id, e => e.Outcome.CreatedAt);
        foreach (var (job, at) in log.CreatedAt.Where(said => created.GetValueOrDefault(said.Job) != said.At))
            yield return new Violation("submit answer", $"{job} was said to be created {at}");
    }

    /// <summary>A no-op answers with the digest of its payload.</summary>
    public static IEnumerable<Violation> NoopsAnswer(IReadOnlyList<Accepted> accepted, ILedger ledger)
    {
        foreach (var submit in accepted.Select(entry => entry.Operation).OfType<LedgerOperation.SubmitJob>())
        {
            if (submit.Spec.Kind != JobKind.Noop || submit.Items is not { } items)
                continue;
            foreach (var result in Verdict.Results(ledger, submit.Spec.Id).Where(result => result.Text is not null))
            {
                var payload = Encoding.UTF8.GetBytes(items[result.Index].Prompt!);
                if (result.Text != Convert.ToHexStringLower(SHA256.HashData(payload)))
                    yield return new Violation("noop", $"item {result.Index} of {submit.Spec.Id}: {result.Text}");
            }
        }
    }

    /// <summary>Once the pool is healthy, no job outlives its deadline or its run time by more than a little.</summary>
    /// <param name="healthySince">By the database's clock.</param>
    public static IEnumerable<Violation> TimesFire(IReadOnlyList<Accepted> accepted, DateTimeOffset healthySince)
    {
        var over = new Dictionary<JobId, DateTimeOffset>();
        var rules = new Dictionary<JobId, JobRules>();
        foreach (var entry in accepted)
        {
            switch (entry.Operation)
            {
                case LedgerOperation.SubmitJob o:
                    rules[o.Spec.Id] = o.Spec.Rules;
                    // A submit that was long on its way may find its deadline passed: it is due at once, not before it came.
                    var due = o.Spec.Rules.Deadline ?? DateTimeOffset.MaxValue;
                    over[o.Spec.Id] = due > entry.DatabaseTime ? due : entry.DatabaseTime;
                    break;
                case LedgerOperation.StartJob o when rules[o.Id].MaxRunTime is { } longest:
                    var last = entry.DatabaseTime + longest;
                    over[o.Id] = last < over[o.Id] ? last : over[o.Id];
                    break;
                case LedgerOperation.SucceedJob or LedgerOperation.EndJob or LedgerOperation.ExpireJob:
                    var job = Grains.Scheduling.LedgerOperations.JobOf(entry.Operation);
                    if (over[job] > healthySince && entry.DatabaseTime - over[job] > Lateness)
                        yield return new Violation("deadline", $"{job} ended {entry.DatabaseTime}, due {over[job]}");
                    break;
            }
        }
    }
}
