using System.CommandLine;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet checkpoints ls</c>, <c>verify</c>, <c>branch</c>, <c>serve</c>, <c>export</c> and <c>gc</c>.</summary>
internal static class CheckpointsVerb
{
    private static readonly Argument<string> Id = new("CHECKPOINT") { Description = "Id of a checkpoint: ckpt_…" };

    private static readonly Option<string?> Job = new("--job")
    {
        Description = "Only those of this job",
        HelpName = "ID",
    };

    private static readonly Option<string?> After = new("--after")
    {
        Description = "Only those after this one in the list",
        HelpName = "ID",
    };

    private static readonly Option<int> Limit = new Option<int>("--limit")
    {
        Description = "At most so many",
        DefaultValueFactory = _ => 20,
        HelpName = "N",
    }.Within(1, Limits.JobsListed);

    public static Command Create()
    {
        var list = new Command("ls", "List checkpoints, newest first") { Job, Limit, After };
        list.SetAction(ListAsync);
        var verify = new Command("verify", "Compare every chunk of a checkpoint with its hash") { Id };
        verify.SetAction(VerifyAsync);
        var collect = new Command("gc", "Retire and collect now what is not kept");
        collect.SetAction(CollectAsync);
        var serve = new Command("serve", "Register what a run had learnt at a checkpoint as a model") { Id };
        serve.SetAction(ServeAsync);
        return new Command("checkpoints", "List, verify, branch, serve, export and collect saved training states")
        {
            list.WithExamples("./fleet checkpoints ls", "./fleet checkpoints ls --job JOB"),
            verify.WithExamples("./fleet checkpoints verify CHECKPOINT"),
            FinetuneCreateVerb.CreateBranch(),
            serve.WithExamples("./fleet checkpoints serve CHECKPOINT"),
            CheckpointExportVerb.Create(),
            collect.WithExamples("./fleet checkpoints gc"),
        }.WithExamples("./fleet checkpoints ls", "./fleet checkpoints verify CHECKPOINT", "./fleet checkpoints gc");
    }

    private static async Task<int> ListAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var page = await invocation.Client.ListCheckpointsAsync(
            parsed.GetValue(Job),
            parsed.GetValue(After),
            parsed.GetValue(Limit),
            cancellationToken
        );
        invocation.Console.Show(page, _ => Print(invocation.Console, page));
        return ExitCodes.Ok;
    }

    /// <summary>Damage is a failure: a script that verifies wants to know.</summary>
    private static async Task<int> VerifyAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var verdict = await invocation.Client.VerifyCheckpointAsync(parsed.GetRequiredValue(Id), cancellationToken);
        invocation.Console.Show(
            verdict,
            _ =>
            {
                invocation.Console.Line(
                    verdict.IsIntact
                        ? $"{verdict.Checkpoint.Id} is intact: {verdict.ChunkCount} chunks, {Format.Bytes(verdict.Checkpoint.SizeBytes)}."
                        : $"{verdict.Checkpoint.Id} is damaged: {verdict.DamagedCount} of {verdict.ChunkCount} chunks are missing or wrong."
                );
                foreach (var hash in verdict.DamagedChunks)
                    invocation.Console.Line($"  {hash}");
            }
        );
        return verdict.IsIntact ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static async Task<int> ServeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var model = await invocation.Client.ServeCheckpointAsync(parsed.GetRequiredValue(Id), cancellationToken);
        invocation.Console.Show(model, _ => invocation.Console.Line($"Served as {model.Name}."));
        return ExitCodes.Ok;
    }

    private static async Task<int> CollectAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var pass = await invocation.Client.CollectCheckpointsAsync(cancellationToken);
        invocation.Console.Show(
            pass,
            _ =>
                invocation.Console.Line(
                    $"Retired {pass.Retired}, dropped {pass.Dropped}; removed {pass.RemovedChunks} chunks, {Format.Bytes(pass.RemovedBytes)}."
                )
        );
        return ExitCodes.Ok;
    }

    private static void Print(FleetConsole console, Page<CheckpointInfo> page)
    {
        console.Table(
            ["CHECKPOINT", "JOB", "STEP", "STATE", "SIZE", "CHUNKS", "COMPLETED", "METRICS"],
            page.Data.Select(checkpoint =>
                (IReadOnlyList<string>)
                    [
                        checkpoint.Id,
                        checkpoint.Job,
                        checkpoint.Step.ToString(),
                        checkpoint.State,
                        Format.Bytes(checkpoint.SizeBytes),
                        checkpoint.ChunkCount.ToString(),
                        Format.Time(checkpoint.CompletedAt),
                        string.Join(' ', checkpoint.Metrics.Select(metric => $"{metric.Key}={metric.Value:0.####}")),
                    ]
            )
        );
        if (page.HasMore)
            console.Line($"More: ./fleet checkpoints ls --after {page.LastId}");
    }
}
