using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>
/// Cancel, pause, resume. Each may be repeated. A run that has not started is held back instead of paused, and released
/// instead of resumed. One whose state does not allow it is a 400, as OpenAI answers it.
/// </summary>
internal sealed class FineTuningSteering(Fleet fleet, FineTuningReads reads)
{
    public async Task<IResult> CancelAsync(string id, CancellationToken cancellationToken)
    {
        var job = await KnownAsync(id, cancellationToken);
        var record = await fleet.Pool.Cancel(job).WaitAsync(Limits.SubmitWait, cancellationToken);
        return record?.State == JobState.Cancelled
            ? await ShowAsync(job, cancellationToken)
            : throw NotNow(record, "cancelled");
    }

    public Task<IResult> PauseAsync(string id, CancellationToken cancellationToken) =>
        SteerAsync(id, [JobSteering.Pause, JobSteering.Hold], "paused", cancellationToken);

    public Task<IResult> ResumeAsync(string id, CancellationToken cancellationToken) =>
        SteerAsync(id, [JobSteering.Resume, JobSteering.Release], "resumed", cancellationToken);

    private async Task<IResult> SteerAsync(
        string id,
        JobSteering[] ways,
        string asked,
        CancellationToken cancellationToken
    )
    {
        var job = await KnownAsync(id, cancellationToken);
        JobRecord? record = null;
        foreach (var way in ways)
        {
            var reply = await fleet.SteerAsync(job, way, cancellationToken);
            record = reply.Job;
            if (reply.Applied || IsSo(record?.State, asked))
                return await ShowAsync(job, cancellationToken);
        }
        throw NotNow(record, asked);
    }

    private static bool IsSo(JobState? state, string asked) =>
        asked == "paused"
            ? state is JobState.Paused or JobState.Held
            : state is JobState.Running or JobState.Queued or JobState.Blocked;

    /// <summary>Only this tenant's: what is not is not told to exist.</summary>
    private async Task<JobId> KnownAsync(string id, CancellationToken cancellationToken)
    {
        var job = FineTuningIds.Job(id);
        await reads.RequireAsync(job, cancellationToken);
        return job;
    }

    private async Task<IResult> ShowAsync(JobId job, CancellationToken cancellationToken) =>
        FineTuningReads.Json(await reads.RequireAsync(job, cancellationToken));

    private static GatewayException NotNow(JobRecord? record, string asked) =>
        GatewayException.BadRequest(
            "invalid_job_state",
            $"The job is {(record is null ? "gone" : Native.JobViews.Word(record.State))} and cannot be {asked}."
        );
}
