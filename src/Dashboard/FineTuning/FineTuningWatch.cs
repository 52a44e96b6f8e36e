using System.Net;
using EgpuFleet.Api;
using EgpuFleet.Dashboard.Gateway;

namespace EgpuFleet.Dashboard.FineTuning;

/// <summary>Looks at one fine-tuning job again and again for one viewer, and asks for what the viewer wants done.</summary>
public sealed class FineTuningWatch(OpenGateway gateway, string id, TimeProvider clock)
{
    private readonly Lock gate = new();

    public FineTuningSight Sight { get; private set; } = FineTuningSight.Nothing;

    /// <summary>Reads what is new.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            var client = gateway();
            // The job first: the lines read after it then tell all of one that is over.
            var job = await client.GetFineTuningAsync(id, cancellationToken);
            bool hasMore;
            do
            {
                var page = await client.ListFineTuningEventsAsync(
                    id,
                    Sight.LastEvent,
                    Limits.EventPage,
                    cancellationToken
                );
                Change(sight => sight.Apply(page.Data));
                hasMore = page.HasMore;
            } while (hasMore);
            var checkpoints = await client.ListCheckpointsAsync(
                job.Egpufleet.Job,
                null,
                Limits.CheckpointRows,
                cancellationToken
            );
            var models = await client.ListModelsAsync(cancellationToken);
            var result = job.Egpufleet.Result;
            Change(sight =>
                sight with
                {
                    Job = job,
                    Checkpoints = checkpoints.Data,
                    Served = models
                        .Data.Select(model => model.Name)
                        .Where(name => name.StartsWith(result, StringComparison.Ordinal))
                        .ToHashSet(StringComparer.Ordinal),
                    Trouble = null,
                }
            );
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Fail(exception);
        }
    }

    /// <summary>Goes on looking until the job is over, missing, or the viewer leaves.</summary>
    public async Task RunAsync(Action changed, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Limits.FleetPeriod, clock);
        while (!Sight.IsTerminal && await timer.WaitForNextTickAsync(cancellationToken))
        {
            await LookAsync(cancellationToken);
            changed();
        }
    }

    /// <param name="verb">pause, resume or cancel.</param>
    public Task SteerAsync(string verb, CancellationToken cancellationToken) =>
        AskAsync(
            async client =>
            {
                var job = await client.SteerFineTuningAsync(id, verb, cancellationToken);
                Change(sight => sight with { Job = job });
                return null;
            },
            cancellationToken
        );

    public Task VerifyAsync(CheckpointInfo checkpoint, CancellationToken cancellationToken) =>
        AskAsync(
            async client =>
            {
                var verdict = await client.VerifyCheckpointAsync(checkpoint.Id, cancellationToken);
                return verdict.IsIntact
                    ? $"The checkpoint of step {checkpoint.Step} is intact: {verdict.ChunkCount} chunks."
                    : $"The checkpoint of step {checkpoint.Step} is damaged: {verdict.DamagedCount} of {verdict.ChunkCount} chunks are missing or wrong.";
            },
            cancellationToken
        );

    public Task ServeAsync(CheckpointInfo checkpoint, CancellationToken cancellationToken) =>
        AskAsync(
            async client =>
            {
                var model = await client.ServeCheckpointAsync(checkpoint.Id, cancellationToken);
                return $"Served as {model.Name}.";
            },
            cancellationToken
        );

    private async Task AskAsync(Func<FleetClient, Task<string?>> ask, CancellationToken cancellationToken)
    {
        try
        {
            var said = await ask(gateway());
            Change(sight => sight with { Said = said, Trouble = null });
            await LookAsync(cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Fail(exception);
        }
    }

    private void Fail(Exception exception) =>
        Change(sight =>
            exception is FleetApiException { Status: HttpStatusCode.NotFound } && sight.Job is null
                ? sight with
                {
                    Missing = true,
                }
                : sight with
                {
                    Trouble = Trouble.Of(exception),
                }
        );

    private void Change(Func<FineTuningSight, FineTuningSight> next)
    {
        lock (gate)
            Sight = next(Sight);
    }
}
