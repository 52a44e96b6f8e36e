using EgpuFleet.Api;
using EgpuFleet.Dashboard.Gateway;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Dashboard.Live;

/// <summary>One page of the job list, as the URL names it.</summary>
public sealed record JobListQuery(string? State, string? After);

/// <summary>Makes the poll behind one page of the job list; it lives as long as its viewer.</summary>
public sealed class JobListMonitor(OpenGateway gateway, TimeProvider clock, ILogger<JobListMonitor> logger)
{
    public SharedPoll<Page<JobInfo>> Open(JobListQuery query) =>
        new(
            cancellationToken =>
                gateway().ListJobsAsync(query.State, query.After, Limits.JobsPerPage, cancellationToken),
            Limits.JobListPeriod,
            clock,
            logger
        );
}
