using System.Net;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Silo.Gateway.Native.Bulk;

/// <summary>
/// Asks the pool for chunks of lines and settles them by its replies. A line may be asked for while one it depends on is
/// still on its way; if the pool then knows no such job, it is asked for again once that line is settled. Under a key a
/// chunk whose reply is lost is asked for again, for as long as a change of leader takes; without one nobody may.
/// </summary>
internal sealed class BulkSettler(Fleet fleet, bool isKeyed, TimeProvider time)
{
    private readonly long started = time.GetTimestamp();

    /// <summary>Why no more lines are tried; null while they are.</summary>
    public GatewayException? Outage { get; private set; }

    /// <summary>Sends a chunk off; <see cref="SettleAsync"/> waits for the reply.</summary>
    public Task<SubmitReply[]> SendAsync(IReadOnlyList<BulkLine> open) =>
        open.Count == 0
            ? Task.FromResult<SubmitReply[]>([])
            : fleet
                .SubmitAsync([.. open.Select(line => line.Request!)], CancellationToken.None)
                .WaitAsync(Limits.BulkWait, time);

    /// <summary>Returns when every line is settled.</summary>
    public async Task SettleAsync(
        IReadOnlyList<BulkLine> open,
        Task<SubmitReply[]> sent,
        CancellationToken cancellationToken
    )
    {
        while (open.Count > 0)
        {
            try
            {
                open = Settle(open, await sent);
            }
            catch (Exception e)
                when (ErrorBoundary.Classify(e) is { Status: HttpStatusCode.ServiceUnavailable } refusal)
            {
                if (!isKeyed || time.GetElapsedTime(started) > Limits.BulkPatience || Outage is not null)
                {
                    Outage ??= Unknown(refusal);
                    foreach (var line in open)
                        line.Refuse(Outage);
                    return;
                }
                await Task.Delay(Limits.BulkRepeatInterval, time, cancellationToken);
            }
            sent = SendAsync(open);
        }
    }

    /// <summary>Settles what the replies settle; returns the lines to ask for again.</summary>
    private static List<BulkLine> Settle(IReadOnlyList<BulkLine> open, SubmitReply[] replies)
    {
        var again = new List<BulkLine>();
        for (var i = 0; i < replies.Length; i++)
        {
            var (line, reply) = (open[i], replies[i]);
            if (reply.Outcome is SubmitOutcome.Accepted or SubmitOutcome.Replayed)
                line.Accept(reply.Job, reply.Outcome == SubmitOutcome.Replayed);
            else if (reply.Refusal?.Code == RefusalCode.UnknownDependency && line.WasEarly)
                again.Add(line);
            else
                line.Refuse(SubmitJob.Refused(reply));
        }
        // In order: what the first of them becomes decides about those after it.
        again.RemoveAll(line =>
        {
            if (line.TryAskAgain())
                return false;
            var (place, cause) = line.Refs.First(one => one.Line.Settlement is { Error: not null });
            line.Refuse(BulkParser.NotAccepted($"depends_on[{place}].ref", cause));
            return true;
        });
        return again;
    }

    private static GatewayException Unknown(GatewayException cause) =>
        GatewayException.Unavailable(
            cause.Code,
            $"{cause.Message} Whether this line was stored is not known; send all lines again under the same {IdempotencyHeader.Name}."
        );
}
