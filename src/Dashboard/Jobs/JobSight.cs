using System.Collections.Immutable;
using EgpuFleet.Api;
using EgpuFleet.Dashboard.Gateway;

namespace EgpuFleet.Dashboard.Jobs;

/// <summary>What is known of one job; each update makes the next one.</summary>
/// <param name="Events">The newest <see cref="Limits.Events"/> lines of its log, oldest first.</param>
/// <param name="Missing">True when the API says that there is no such job.</param>
public sealed record JobSight(
    JobInfo? Job,
    ImmutableList<JobEventInfo> Events,
    ImmutableArray<ResultLine> Preview,
    Trouble? Trouble,
    bool Missing
)
{
    public static JobSight Nothing { get; } = new(null, [], [], null, false);

    public bool IsTerminal => Missing || (Job is { } job && JobInfo.IsTerminal(job.State));

    /// <summary>Sequence of the last line seen; a stream that broke goes on after it.</summary>
    public long? LastSequence => Events.IsEmpty ? null : Events[^1].Sequence;

    public JobSight Apply(JobUpdate update) =>
        update switch
        {
            { Job: { } job } => this with { Job = job, Trouble = null },
            { Event: { } line } when LastSequence is null || line.Sequence > LastSequence => this with
            {
                Events = (Events.Count < Limits.Events ? Events : Events.RemoveAt(0)).Add(line),
                Trouble = null,
            },
            _ => this,
        };
}
