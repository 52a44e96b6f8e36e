using System.Net;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>
/// Checks job requests field by field; every refusal names its field. One instance serves one HTTP request and looks each
/// model up once.
/// </summary>
internal sealed class JobDrafts(ModelLookup models, TimeProvider time)
{
    private readonly Dictionary<string, ModelRecord> known = new(StringComparer.Ordinal);

    /// <param name="inputFollows">The items come as a form part of their own.</param>
    /// <param name="byRef">As in <see cref="RuleFields.Read"/>.</param>
    /// <exception cref="GatewayException">A field is wrong.</exception>
    public async ValueTask<JobDraft> MakeAsync(
        JobRequest job,
        bool inputFollows = false,
        Func<string, string, JobId>? byRef = null
    )
    {
        var kind = KindOf(job.Kind);
        if (inputFollows && job.Items is not null)
            throw GatewayException.Invalid("items", "must be left out beside a form part input");
        if (job.Ref is not null && byRef is null)
            throw GatewayException.Invalid("ref", $"names a line, which only {Routes.JobsBulk} has");
        var priority = RuleFields.Priority(job);
        var rules = RuleFields.Read(job, time.GetUtcNow(), byRef);
        var draft = kind switch
        {
            JobKind.Noop => new JobDraft(
                kind,
                null,
                null,
                NoopFields.Parameters(job),
                priority,
                rules,
                NoopFields.Items(job)
            ),
            JobKind.Tune => await TuneAsync(job, priority, rules),
            _ => await BatchAsync(job, priority, rules),
        };
        if (inputFollows && draft.Items is not null)
            throw GatewayException.Invalid(
                kind == JobKind.Noop ? "payload" : "kind",
                kind == JobKind.Noop
                    ? "must be left out beside a form part input"
                    : "must be batch beside a form part input"
            );
        if (!inputFollows && draft.Items is null)
            throw GatewayException.Invalid(
                kind == JobKind.Noop ? "payload" : "items",
                kind == JobKind.Noop ? "is needed, or items" : "is needed"
            );
        return draft;
    }

    private async ValueTask<JobDraft> BatchAsync(JobRequest job, int priority, JobRules rules)
    {
        NoopFields.RequireNone(job);
        TuneFields.RequireNone(job);
        var generation = GenerationFields.Read(job.Generation);
        var model = await ModelAsync(job);
        var items = job.Items is null ? null : new BatchItems(model).FromList(job.Items);
        return new JobDraft(JobKind.Batch, model, generation, null, priority, rules, items);
    }

    private async ValueTask<JobDraft> TuneAsync(JobRequest job, int priority, JobRules rules)
    {
        NoopFields.RequireNone(job);
        var tune = TuneFields.Parameters(job);
        var model = await ModelAsync(job);
        return new JobDraft(JobKind.Tune, model, null, null, priority, rules, TuneFields.Items, tune);
    }

    private async ValueTask<ModelRecord> ModelAsync(JobRequest job)
    {
        if (string.IsNullOrEmpty(job.Model))
            throw GatewayException.Invalid("model", "is needed");
        if (!known.TryGetValue(job.Model, out var model))
            known[job.Model] = model = await models.RequireAsync(job.Model, HttpStatusCode.UnprocessableEntity);
        return model;
    }

    private static JobKind KindOf(string? word) =>
        word switch
        {
            "batch" => JobKind.Batch,
            "noop" => JobKind.Noop,
            "tune" => JobKind.Tune,
            _ => throw GatewayException.Invalid("kind", "must be batch, noop or tune"),
        };
}
