using System.Globalization;
using System.Net;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Training.Policy;
using EgpuFleet.Silo.Gateway.Checkpoints;
using EgpuFleet.Silo.Membership;
using EgpuFleet.Silo.Training;

namespace EgpuFleet.Silo.Gateway.Training;

/// <summary>What members of a data parallel run ask for. The lease is the caller's own, or it is refused.</summary>
internal sealed class RoundCalls(
    IRoundStore rounds,
    ICheckpointStore checkpoints,
    NodeAuthentication nodes,
    RoundSignals signals,
    TimeProvider time
) : IDisposable
{
    private readonly SemaphoreSlim waiters = new(Limits.RoundWaiters);
    private readonly SemaphoreSlim senders = new(Limits.ConcurrentRestores);

    public async Task<IResult> BeginAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var node = await nodes.RequireAsync(request);
        var asked = await InternalJson.ReadAsync<RoundBeginning>(request, CheckpointJson.Options);
        var lease = Lease(asked.Job, asked.Shard, asked.Epoch, node);
        var weights = CheckpointAnswers.Id(asked.Checkpoint);
        var outcome = await rounds.BeginAsync(lease, asked.Terms, weights, asked.Weights, cancellationToken);
        // Two that begin at once: the second finds what the first began.
        if (outcome.Reply == RoundReply.NotBegun)
            outcome = await rounds.BeginAsync(lease, asked.Terms, weights, asked.Weights, cancellationToken);
        return Answer(outcome, asked.Shard);
    }

    public async Task<IResult> JoinAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var node = await nodes.RequireAsync(request);
        var asked = await InternalJson.ReadAsync<RoundJoining>(request, CheckpointJson.Options);
        var lease = Lease(asked.Job, asked.Shard, asked.Epoch, node);
        return Answer(await rounds.JoinAsync(lease, cancellationToken), asked.Shard);
    }

    public async Task<IResult> TakeAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var node = await nodes.RequireAsync(request);
        var asked = await InternalJson.ReadAsync<RoundTaking>(request, CheckpointJson.Options);
        var lease = Lease(asked.Job, asked.Shard, asked.Epoch, node);
        return Answer(await rounds.TakeAsync(lease, asked.Round, asked.Total, cancellationToken), asked.Shard);
    }

    public async Task<IResult> ContributeAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var node = await nodes.RequireAsync(request);
        var asked = await InternalJson.ReadAsync<RoundContributing>(request, CheckpointJson.Options);
        if (asked.Microshards.Count > Microshards.MostPerMember)
            throw GatewayException.Invalid("microshards", "more than a member holds.");
        if (!double.IsFinite(asked.Loss))
            throw GatewayException.Invalid("loss", "it is no number.");
        var work = new RoundWork(
            asked.Round,
            asked.Base,
            CheckpointAnswers.Id(asked.Checkpoint),
            asked.Encoding,
            asked.Delta,
            asked.Tokens,
            asked.Microshards,
            asked.Loss
        );
        var lease = Lease(asked.Job, asked.Shard, asked.Epoch, node);
        var outcome = await rounds.ContributeAsync(lease, work, cancellationToken);
        // The last one that was waited for: the round is closed now, not at the next look.
        if (outcome.Run?.State.Phase == RoundPhase.Closing)
            signals.Closing.Raise();
        return Answer(outcome, asked.Shard);
    }

    /// <summary>
    /// Waits, for a while, until <c>?job=…&amp;shard=…&amp;round=…</c> is over, or has work for a member that has none; then, or
    /// when nothing came, answers the round as it is.
    /// </summary>
    public async Task<IResult> NextAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        await nodes.RequireAsync(request);
        var job = CheckpointAnswers.Job(request.Query["job"]);
        var (shard, round) = (Number(request, "shard"), Number(request, "round"));
        if (!await waiters.WaitAsync(TimeSpan.Zero, cancellationToken))
            throw GatewayException.Unavailable("too_many_waiters", "Too many members wait for their rounds.");
        try
        {
            var began = time.GetTimestamp();
            while (true)
            {
                var closed = signals.Closed.Next;
                var run = await rounds.FindAsync(job, cancellationToken) ?? throw NotBegun();
                var state = run.State;
                var isNews =
                    state.Round > round || state.IsOver || (state.Book.HasFree && !state.HasContributed(shard));
                if (isNews || time.GetElapsedTime(began) >= Limits.RoundWait)
                    return CheckpointAnswers.Json(View(run, shard));
                await RoundSignals.WaitAsync(closed, Limits.RoundPoll, time, cancellationToken);
            }
        }
        finally
        {
            waiters.Release();
        }
    }

    /// <summary>The manifest of the weights of <c>?checkpoint=…</c>, without the outer velocity.</summary>
    public async Task<IResult> ManifestAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        await nodes.RequireAsync(request);
        return CheckpointAnswers.Json(await WeightsAsync(request, cancellationToken));
    }

    /// <summary>Their bytes, one tensor after the other.</summary>
    public async Task SendWeightsAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        await nodes.RequireAsync(request);
        var weights = await WeightsAsync(request, cancellationToken);
        var response = request.HttpContext.Response;
        response.ContentType = "application/octet-stream";
        response.ContentLength = weights.Tensors.Sum(tensor => tensor.SizeBytes);
        await senders.WaitAsync(cancellationToken);
        try
        {
            var hashes = weights.Tensors.SelectMany(tensor => ChunkHash.ReadAll(tensor.Hashes)).ToArray();
            await foreach (var chunk in checkpoints.ReadAsync(hashes, cancellationToken))
                await response.Body.WriteAsync(chunk, cancellationToken);
        }
        finally
        {
            senders.Release();
        }
    }

    public void Dispose()
    {
        waiters.Dispose();
        senders.Dispose();
    }

    private async Task<Manifest> WeightsAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var id = CheckpointAnswers.Id(request.Query["checkpoint"].ToString());
        var manifest = await checkpoints.ReadManifestAsync(id, cancellationToken);
        return OuterTensors.WeightsOf(manifest ?? throw CheckpointAnswers.Unknown(id.ToString()));
    }

    private static IResult Answer(RoundOutcome outcome, int shard)
    {
        if (outcome.Reply == RoundReply.Accepted)
            return CheckpointAnswers.Json(View(outcome.Run!, shard));
        throw outcome.Reply switch
        {
            RoundReply.Stale => Refused("stale_round", "The round is over, or is being closed."),
            RoundReply.Fenced => Refused("fenced", "The lease of this member is not the current one of its shard."),
            RoundReply.Unknown => Refused("not_a_member", "This member has to join first."),
            RoundReply.WrongBase => Refused("wrong_base", "The difference is not one from this round's base."),
            RoundReply.Twice => Refused("contributed_already", "A round takes one contribution of a member."),
            RoundReply.NotLeased => Refused("not_leased", "Tokens and microshards are what the member was leased."),
            RoundReply.Full => Refused("run_full", "The run has as many members as it may have."),
            RoundReply.Over => Refused("run_over", "The run is over."),
            RoundReply.NotBegun => NotBegun(),
            _ => new GatewayException(HttpStatusCode.UnprocessableEntity, "invalid_round", outcome.Detail),
        };
    }

    private static RoundNow View(RoundRun run, int shard) =>
        new(
            run.State.Round,
            run.State.Phase,
            run.State.Base,
            run.Checkpoint.ToString(),
            Math.Max((run.State.Deadline - run.Now).TotalSeconds, 0),
            run.State.Find(shard)?.Leased ?? [],
            run.State.Book.HasFree && !run.State.HasContributed(shard),
            run.Terms,
            run.State.Book.Free,
            run.State.Applied,
            [.. run.State.Members.Select(member => member.Id)],
            run.Figures
        );

    private static RoundLease Lease(string job, int shard, int epoch, NodeId node) =>
        shard < 0 || epoch < 1
            ? throw GatewayException.Invalid("epoch", "shards begin with 0, epochs with 1.")
            : new RoundLease(new ShardId(CheckpointAnswers.Job(job), shard), epoch, node);

    private static int Number(HttpRequest request, string field) =>
        int.TryParse(request.Query[field], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw GatewayException.Invalid(field, "it is not a number from 0.");

    private static GatewayException Refused(string code, string detail) => new(HttpStatusCode.Conflict, code, detail);

    private static GatewayException NotBegun() =>
        new(HttpStatusCode.NotFound, "run_not_begun", "Nobody has begun the rounds of this job.");
}
