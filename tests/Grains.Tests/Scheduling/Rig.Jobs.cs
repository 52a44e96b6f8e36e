using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>The jobs that tests submit.</summary>
internal sealed partial class Rig
{
    /// <summary>Stages and submits a job of <paramref name="items"/> prompts.</summary>
    public async Task<JobId> SubmitAsync(
        int items,
        int priority = 0,
        string? traceParent = null,
        string prompt = "Hello",
        JobRules? rules = null
    )
    {
        var spec = await StageAsync(items, priority, traceParent, prompt, rules);
        var reply = await Loop.SubmitAsync(new SubmitRequest(spec, null, null), TestContext.Current.CancellationToken)
            .WaitAsync(Patience);
        Assert.Equal((SubmitOutcome.Accepted, spec.Id), (reply.Outcome, reply.Job));
        return spec.Id;
    }

    /// <summary>A no-op job with its items, as it comes with a submit.</summary>
    public SubmitRequest Noop(int items = 1, int priority = 0, JobRules? rules = null)
    {
        var spec = new JobSpec(
            JobId.New(Time.GetUtcNow()),
            TenantId.Default,
            JobKind.Noop,
            Model: null,
            Generation: null,
            priority,
            items,
            TraceParent: null,
            rules ?? JobRules.Default,
            new NoopParameters(0, NoopFault.None)
        );
        return new SubmitRequest(
            spec,
            IdempotencyKey: null,
            [.. Enumerable.Range(0, items).Select(i => new BatchItem(i, $"r-{i}", $"payload {i}", Messages: null))]
        );
    }

    /// <summary>Submits jobs in one call; all of them are accepted.</summary>
    public async Task<JobId[]> SubmitAsync(params SubmitRequest[] requests)
    {
        var replies = await Loop.SubmitAsync(requests, TestContext.Current.CancellationToken).WaitAsync(Patience);
        Assert.All(replies, reply => Assert.Equal(SubmitOutcome.Accepted, reply.Outcome));
        return Array.ConvertAll(replies, reply => reply.Job);
    }

    public async Task<JobId> SubmitNoopAsync(int items = 1, int priority = 0, JobRules? rules = null) =>
        (await SubmitAsync(Noop(items, priority, rules)))[0];

    /// <summary>A search for faster kernels of the model.</summary>
    public async Task<JobId> SubmitTuneAsync(int seconds)
    {
        var spec = await StageAsync(items: 1);
        spec = spec with { Kind = JobKind.Tune, Generation = null, Tune = new TuneParameters(seconds) };
        return (await SubmitAsync(new SubmitRequest(spec, null, null)))[0];
    }

    /// <summary>A fine-tuning run of the model.</summary>
    public async Task<JobId> SubmitTrainAsync(string? engine = null, int members = 1)
    {
        var train = new TrainParameters(
            TrainingMethod.Lora,
            new AdapterParameters(8, 16, ["attn_q"]),
            new TrainingFile("file-1", new string('a', 64), 100),
            Validation: null,
            Epochs: 1,
            MaxSteps: 0,
            BatchRows: 1,
            RowTokens: 64,
            new OptimizerParameters(1e-4, 0.1, RateSchedule.Cosine, 0, 1),
            Seed: 1,
            Result: "torch-run",
            engine
        );
        var spec = await StageAsync(members);
        spec = spec with { Kind = JobKind.Train, Generation = null, Train = train };
        return (await SubmitAsync(new SubmitRequest(spec, null, null)))[0];
    }

    public async Task<JobSpec> StageAsync(
        int items,
        int priority = 0,
        string? traceParent = null,
        string prompt = "Hello",
        JobRules? rules = null
    )
    {
        var spec = new JobSpec(
            JobId.New(Time.GetUtcNow()),
            TenantId.Default,
            JobKind.Batch,
            Model.Ref,
            new GenerationParameters(8, 0, 1, 0, 0, []),
            priority,
            items,
            traceParent,
            rules ?? JobRules.Default
        );
        var inputs = Enumerable.Range(0, items).Select(i => new BatchItem(i, $"r-{i}", prompt, Messages: null));
        await Ledger.StageItemsAsync(spec.Id, inputs.ToAsyncEnumerable(), TestContext.Current.CancellationToken);
        return spec;
    }
}
