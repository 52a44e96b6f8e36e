using System.Diagnostics;
using System.Net;
using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>
/// <c>POST /api/v1/jobs</c>: check what is asked, then make the job durable: with its items where they are few and small,
/// else after these were stored whole. Input stored for a job that was then refused is removed by the ledger's sweep.
/// The answer is made of what was asked and of the pool's reply; nothing is read for it.
/// </summary>
internal sealed class SubmitJob(Fleet fleet, ModelLookup models, JobViews views, ILedger ledger, TimeProvider time)
    : IDisposable
{
    private readonly SemaphoreSlim stagings = new(Limits.ConcurrentStagings);

    public async Task HandleAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var cancellationToken = context.RequestAborted;
        var key = IdempotencyHeader.Read(context.Request);
        using var body = await JobBody.OpenAsync(context.Request, key is not null, cancellationToken);
        var draft = await new JobDrafts(models, time).MakeAsync(body.Job, body.HasLines);
        var id = JobId.New(time.GetUtcNow());
        var inline = draft.IsSmall ? draft.Items : null;
        var count =
            inline?.Count
            ?? await StageAsync(
                id,
                draft.Items?.ToAsyncEnumerable() ?? body.Lines(draft.Model, cancellationToken),
                cancellationToken
            );
        var spec = draft.Spec(id, count, Activity.Current?.Id);
        var idempotency = key is null ? null : new IdempotencyKey(key, body.Sha256());
        var reply = await fleet
            .SubmitAsync(new SubmitRequest(spec, idempotency, inline), cancellationToken)
            .WaitAsync(Limits.SubmitWait, time, cancellationToken);
        await AnswerAsync(context, spec, reply, cancellationToken);
    }

    public void Dispose() => stagings.Dispose();

    /// <summary>Why the pool did not take a job.</summary>
    public static GatewayException Refused(SubmitReply reply)
    {
        ArgumentNullException.ThrowIfNull(reply);
        if (reply.Outcome == SubmitOutcome.KeyReused)
            return new GatewayException(
                HttpStatusCode.UnprocessableEntity,
                "idempotency_key_reused",
                $"This {IdempotencyHeader.Name} came with another body before; its job is {reply.Job}."
            );
        var reason = reply.Refusal ?? new Refusal(RefusalCode.TooLarge, "The pool refuses this job.");
        var detail = reason.Action is null ? reason.Message : $"{reason.Message} {reason.Action}";
        // Nothing is wrong with the job: the same submit succeeds later.
        if (reason.Code == RefusalCode.PoolFull)
            return GatewayException.Unavailable("pool_full", detail);
        return new GatewayException(HttpStatusCode.UnprocessableEntity, JobViews.CodeOf(reason.Code), detail)
        {
            Param = reason.Code == RefusalCode.UnknownDependency ? "depends_on" : null,
        };
    }

    private async Task<int> StageAsync(JobId id, IAsyncEnumerable<BatchItem> items, CancellationToken cancellationToken)
    {
        await stagings.WaitAsync(cancellationToken);
        try
        {
            return await ledger.StageItemsAsync(id, items, cancellationToken);
        }
        finally
        {
            stagings.Release();
        }
    }

    private async Task AnswerAsync(
        HttpContext context,
        JobSpec spec,
        SubmitReply reply,
        CancellationToken cancellationToken
    )
    {
        var job = reply.Outcome switch
        {
            // Without its time it was already there: the pool was asked twice.
            SubmitOutcome.Accepted when reply.CreatedAt != default => JobViews.Show(
                new JobRecord(spec, reply.State, 0, 0, reply.CreatedAt, StartedAt: null, FinishedAt: null, End: null)
            ),
            SubmitOutcome.Accepted or SubmitOutcome.Replayed => await views.RequireAsync(reply.Job, cancellationToken),
            _ => throw Refused(reply),
        };
        var response = context.Response;
        response.StatusCode = StatusCodes.Status202Accepted;
        response.Headers.Location = Routes.Job(job.Id);
        if (reply.Outcome == SubmitOutcome.Replayed)
            response.Headers[IdempotencyHeader.Replayed] = "true";
        var json = JsonSerializer.SerializeToUtf8Bytes(job, ApiJsonContext.Default.JobInfo);
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = json.Length;
        await response.BodyWriter.WriteAsync(json, cancellationToken);
    }
}
