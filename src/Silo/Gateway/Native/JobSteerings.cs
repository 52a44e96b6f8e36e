using System.Net;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>
/// Cancel, hold, release, pause, resume. Each may be repeated: a job that is already so is answered as it is. One whose
/// state does not allow it is a 409 that names the state.
/// </summary>
internal static class JobSteerings
{
    public static async Task<JobInfo> CancelAsync(string id, Fleet fleet, CancellationToken cancellationToken)
    {
        var record =
            await fleet.Pool.Cancel(JobViews.ParseId(id)).WaitAsync(Limits.SubmitWait, cancellationToken)
            ?? throw JobViews.NotFound(id);
        return record.State == JobState.Cancelled ? JobViews.Show(record) : throw Conflict(record.State, "cancelled");
    }

    public static async Task<JobInfo> SteerAsync(
        string id,
        JobSteering steering,
        Fleet fleet,
        CancellationToken cancellationToken
    )
    {
        var reply = await fleet.SteerAsync(JobViews.ParseId(id), steering, cancellationToken);
        var record = reply.Job ?? throw JobViews.NotFound(id);
        return reply.Applied || IsAlreadySo(steering, record.State)
            ? JobViews.Show(record)
            : throw Conflict(record.State, WordOf(steering));
    }

    private static bool IsAlreadySo(JobSteering steering, JobState state) =>
        steering switch
        {
            JobSteering.Hold => state == JobState.Held,
            JobSteering.Release => state is JobState.Queued or JobState.Blocked,
            JobSteering.Pause => state == JobState.Paused,
            _ => state == JobState.Running,
        };

    private static string WordOf(JobSteering steering) =>
        steering switch
        {
            JobSteering.Hold => "held: only one that has not started can",
            JobSteering.Release => "released: only a held one can",
            JobSteering.Pause => "paused: only a running one can",
            _ => "resumed: only a paused one can",
        };

    private static GatewayException Conflict(JobState state, string asked)
    {
        var word = JobViews.Word(state);
        return new GatewayException(
            HttpStatusCode.Conflict,
            "state_conflict",
            $"The job is {word} and cannot be {asked}."
        )
        {
            State = word,
        };
    }
}
