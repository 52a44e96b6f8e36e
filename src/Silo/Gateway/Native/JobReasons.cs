using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using Orleans.Runtime;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>Why jobs wait: what the pool says of them, and what the ledger alone can say when the pool does not answer.</summary>
internal sealed class JobReasons(Fleet fleet, ILedger ledger)
{
    /// <summary><c>GET /api/v1/jobs/{id}/why</c>.</summary>
    public async Task<WhyInfo> WhyAsync(string id, CancellationToken cancellationToken)
    {
        var job = JobViews.ParseId(id);
        var record = await ledger.FindJobAsync(job, cancellationToken) ?? throw JobViews.NotFound(id);
        var reasons = new List<Refusal>();
        if (record.State == JobState.Blocked)
            reasons.AddRange(await UnmetAsync(record.Spec.Rules.DependsOn, cancellationToken));
        else if (record.State == JobState.Held)
            reasons.Add(
                new Refusal(RefusalCode.OnHold, "Its owner holds it back.", $"Release it: fleet jobs release {job}")
            );
        else if (record.State == JobState.Paused)
            reasons.Add(
                new Refusal(RefusalCode.JobPaused, "Its owner has paused it.", $"Resume it: fleet jobs resume {job}")
            );
        else if (record.State is JobState.Queued or JobState.Running)
            reasons.AddRange(await ExplainAsync(job));
        return new WhyInfo(
            record.Spec.Id.ToString(),
            JobViews.Word(record.State),
            [.. reasons.Select(JobViews.Show)],
            JobViews.Show(record.End)
        );
    }

    /// <summary>Reasons of those among the jobs that wait; null when the pool does not answer.</summary>
    public async Task<IReadOnlyDictionary<JobId, Refusal>?> ExplainAsync(IReadOnlyList<JobId> jobs)
    {
        try
        {
            return await fleet.Pool.ExplainWaiting(jobs).WaitAsync(Limits.ReasonWait);
        }
        catch (Exception e) when (e is PoolUnavailableException or TimeoutException or OrleansException)
        {
            return null;
        }
    }

    private async Task<IEnumerable<Refusal>> ExplainAsync(JobId job)
    {
        var known =
            await ExplainAsync([job])
            ?? throw GatewayException.Unavailable(
                "pool_unavailable",
                "The scheduler does not answer now; only it knows what the job waits for."
            );
        return known.Values;
    }

    private async Task<List<Refusal>> UnmetAsync(
        IReadOnlyList<JobDependency> dependencies,
        CancellationToken cancellationToken
    )
    {
        var unmet = new List<Refusal>();
        foreach (var dependency in dependencies)
        {
            var other = await ledger.FindJobAsync(dependency.Job, cancellationToken);
            if (other?.State is null or JobState.Succeeded or JobState.Failed or JobState.Cancelled)
                continue;
            var must = dependency.Condition == DependencyCondition.AfterOk ? "succeeds" : "ends";
            unmet.Add(
                new Refusal(
                    RefusalCode.WaitingForDependency,
                    $"It starts after {dependency.Job} {must}, which is {JobViews.Word(other.State)}.",
                    null,
                    dependency.Job
                )
            );
            if (unmet.Count == Limits.ReasonsShown)
                break;
        }
        return unmet;
    }
}
