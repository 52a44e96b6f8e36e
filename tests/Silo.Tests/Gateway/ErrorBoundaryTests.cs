using System.Net;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Gateway;
using EgpuFleet.Silo.Gateway.Native;
using Npgsql;
using Orleans.Runtime;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>What failures of the parts behind the gateway mean to its callers.</summary>
public sealed class ErrorBoundaryTests
{
    [Fact]
    public void What_passes_by_itself_is_worth_a_retry()
    {
        Exception[] passing =
        [
            new PoolUnavailableException("No leader yet."),
            new LedgerUnavailableException("Gone.", new NpgsqlException("Refused.")),
            new NpgsqlException("Refused."),
            new TimeoutException(),
            new OperationCanceledException(),
            new SiloUnavailableException(),
            new EnumerationAbortedException(),
        ];

        foreach (var refusal in passing.Select(ErrorBoundary.Classify))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refusal.Status);
            Assert.NotNull(refusal.RetryAfter);
        }
    }

    [Fact]
    public void A_full_disk_is_said()
    {
        var full = new LedgerUnavailableException("Cannot write.") { Fault = LedgerFault.DiskFull };

        var refusal = ErrorBoundary.Classify(full);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, refusal.Status);
        Assert.Contains("disk", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_pool_is_worth_a_retry()
    {
        var full = new Refusal(RefusalCode.PoolFull, "Full.", "Wait.");

        var refusal = SubmitJob.Refused(new SubmitReply(SubmitOutcome.Refused, default, full));

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "pool_full"), (refusal.Status, refusal.Code));
        Assert.NotNull(refusal.RetryAfter);
    }

    [Fact]
    public void An_archived_job_is_gone() =>
        Assert.Equal(HttpStatusCode.Gone, ErrorBoundary.Classify(new JobArchivedException(default)).Status);

    [Fact]
    public void What_nobody_foresaw_is_a_500() =>
        Assert.Equal(
            HttpStatusCode.InternalServerError,
            ErrorBoundary.Classify(new InvalidOperationException()).Status
        );
}
