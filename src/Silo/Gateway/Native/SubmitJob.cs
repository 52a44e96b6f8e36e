using System.Diagnostics;
using System.Net;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>
/// <c>POST /api/v1/jobs</c>: check what is asked, store the whole input or none of it, then make the job durable. Input
/// stored for a job that was then refused is removed by the ledger's sweep.
/// </summary>
public sealed class SubmitJob(Fleet fleet, ModelLookup models, JobViews views, ILedger ledger, TimeProvider time)
    : IDisposable
{
    private readonly SemaphoreSlim stagings = new(Limits.ConcurrentStagings);

    public async Task<IResult> HandleAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var cancellationToken = context.RequestAborted;
        var key = IdempotencyHeader.Read(context.Request);
        using var body = await JobBody.OpenAsync(context.Request, cancellationToken);
        JobRules.Check(body.Job);
        var generation = JobRules.Parameters(body.Job.Generation);
        var model = await models.RequireAsync(body.Job.Model!, HttpStatusCode.UnprocessableEntity);
        var id = JobId.New(time.GetUtcNow());
        var count = await StageAsync(id, body.Items(model, cancellationToken), cancellationToken);
        var spec = new JobSpec(
            id,
            TenantId.Default,
            JobKind.Batch,
            model.Ref,
            generation,
            body.Job.Priority ?? 0,
            count,
            Activity.Current?.Id,
            Grains.Interfaces.Jobs.JobRules.Default
        );
        var idempotency = key is null ? null : new IdempotencyKey(key, body.Sha256());
        var reply = await fleet.Pool.Submit(new SubmitRequest(spec, idempotency, Items: null));
        return await AnswerAsync(context, reply, cancellationToken);
    }

    public void Dispose() => stagings.Dispose();

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

    private async Task<IResult> AnswerAsync(HttpContext context, SubmitReply reply, CancellationToken cancellationToken)
    {
        switch (reply)
        {
            case { Outcome: SubmitOutcome.Accepted or SubmitOutcome.Replayed }:
                if (reply.Outcome == SubmitOutcome.Replayed)
                    context.Response.Headers[IdempotencyHeader.Replayed] = "true";
                var job = await views.RequireAsync(reply.Job, cancellationToken);
                return Results.Accepted(Routes.Job(job.Id), job);
            case { Outcome: SubmitOutcome.KeyReused }:
                throw new GatewayException(
                    HttpStatusCode.UnprocessableEntity,
                    "idempotency_key_reused",
                    $"This {IdempotencyHeader.Name} came with another body before; its job is {reply.Job}."
                );
            default:
                throw Refused(reply.Refusal);
        }
    }

    private static GatewayException Refused(Refusal? refusal)
    {
        var reason = refusal ?? new Refusal(RefusalCode.TooLarge, "The pool refuses this job.");
        var detail = reason.Action is null ? reason.Message : $"{reason.Message} {reason.Action}";
        return new GatewayException(HttpStatusCode.UnprocessableEntity, JobViews.CodeOf(reason.Code), detail);
    }
}
