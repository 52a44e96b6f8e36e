using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Silo.Gateway.Native.Bulk;

/// <summary>One line on its way: refused as it was read, or a request that is settled by the pool's reply. Settled once.</summary>
internal sealed class BulkLine(int number)
{
    private JobId job;
    private volatile BulkSettlement? settlement;

    /// <summary>From 1.</summary>
    public int Number { get; } = number;

    /// <summary>What is asked of the pool; null for a line that was refused as it was read.</summary>
    public SubmitRequest? Request { get; private set; }

    /// <summary>Earlier lines that it depends on by name, each with its place among the dependencies.</summary>
    public IReadOnlyList<(int Place, BulkLine Line)> Refs { get; private set; } = [];

    /// <summary>Whether the request, as it was last sent, named a job of a line that was not settled then.</summary>
    public bool WasEarly { get; private set; }

    public BulkSettlement? Settlement => settlement;

    /// <summary>The job that it becomes, or became: a replay is an earlier job than the one proposed.</summary>
    public JobId Job => settlement?.Job ?? job;

    public void Ask(SubmitRequest request, IReadOnlyList<(int Place, BulkLine Line)> refs)
    {
        (job, Request, Refs) = (request.Spec.Id, request, refs);
        WasEarly = refs.Any(one => one.Line.Settlement is null);
    }

    /// <summary>Names the jobs anew that the lines it depends on became in the meantime; false when one of them became none.</summary>
    public bool TryAskAgain()
    {
        var spec = Request!.Spec;
        var dependencies = spec.Rules.DependsOn.ToArray();
        foreach (var (place, line) in Refs)
        {
            if (line.Settlement is { Error: not null })
                return false;
            dependencies[place] = dependencies[place] with { Job = line.Job };
        }
        var rules = spec.Rules with { DependsOn = dependencies };
        Ask(Request with { Spec = spec with { Rules = rules } }, Refs);
        return true;
    }

    public void Accept(JobId accepted, bool isReplay) =>
        settlement = new BulkSettlement(StatusCodes.Status202Accepted, accepted, isReplay, null);

    public void Refuse(GatewayException refusal) =>
        settlement = new BulkSettlement(
            (int)refusal.Status,
            null,
            IsReplay: false,
            new BulkError(
                refusal.Code,
                refusal.Message,
                refusal.Param,
                refusal.RetryAfter is { } wait ? (int)Math.Ceiling(wait.TotalSeconds) : null
            )
        );
}

/// <summary>What became of a line: a job, or an error.</summary>
internal sealed record BulkSettlement(int Status, JobId? Job, bool IsReplay, BulkError? Error);
