using System.CommandLine;
using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Jobs;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet tune MODEL</c>: a search for faster kernels on one device; what it finds serves all of its class.</summary>
internal static class TuneVerb
{
    private const int KernelCharacters = 12;

    private static readonly Argument<string> Model = new("MODEL") { Description = "Name of a registered model" };

    private static readonly Option<int?> Seconds = new Option<int?>("--seconds")
    {
        Description = "How long to search (default: 300)",
        HelpName = "N",
    }.Within(5, 3600);

    private static readonly Option<string?> Require = new("--require")
    {
        Description = "Kind of device: cpu, gpu, egpu, apple_gpu, linux_gpu",
        HelpName = "KIND",
    };

    private static readonly Option<bool> Wait = new("--wait")
    {
        Description = "Show progress until it has ended, then what became faster",
    };

    public static Command Create()
    {
        var command = new Command("tune", "Search faster kernels for a model on devices that tinygrad drives")
        {
            Model,
            Seconds,
            Require,
            Wait,
        };
        command.SetAction(RunAsync);
        return command.WithExamples("./fleet tune qwen3 --wait", "./fleet tune qwen3 --seconds 1800 --require egpu");
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var console = invocation.Console;
        var request = new JobRequest(
            "tune",
            parsed.GetValue(Model),
            Require: parsed.GetValue(Require),
            Tune: new TuneOptions(parsed.GetValue(Seconds))
        );
        var job = await JobSubmission.SendAsync(invocation.Client, request, null, cancellationToken);
        if (!parsed.GetValue(Wait))
        {
            console.Show(job, _ => console.Line($"Job {job.Id} is {job.State}. Follow it: ./fleet logs {job.Id} -f"));
            return ExitCodes.Ok;
        }
        console.Line($"Job {job.Id}");
        job = await FollowAsync(invocation, job.Id, cancellationToken);
        if (job.State != "succeeded")
        {
            var report = await JobReport.ReadAsync(invocation.Client, job.Id, cancellationToken);
            console.Show(report, _ => report.Print(console));
            return ExitCodes.Failed;
        }
        var summary = await SummaryAsync(invocation.Client, job.Id, cancellationToken);
        console.Show(summary, _ => Print(console, summary));
        return ExitCodes.Ok;
    }

    /// <summary>Says now and then why the job waits, or how far the device that runs it has come.</summary>
    private static async Task<JobInfo> FollowAsync(
        Invocation invocation,
        string id,
        CancellationToken cancellationToken
    )
    {
        var steps = new Steps(invocation.Console, invocation.Clock);
        var said = "";
        while (true)
        {
            var job = await invocation.Client.GetJobAsync(id, cancellationToken);
            if (JobInfo.IsTerminal(job.State))
                return job;
            var now = job.Reason is { } reason
                ? $"waits: {reason.Message}"
                : await PhaseAsync(invocation.Client, id, cancellationToken);
            if (now is not null && now != said)
                steps.Say(said = now);
            await Task.Delay(Limits.ProgressInterval, invocation.Clock, cancellationToken);
        }
    }

    private static async Task<string?> PhaseAsync(FleetClient client, string id, CancellationToken cancellationToken)
    {
        var devices = await client.ListDevicesAsync(cancellationToken);
        var device = devices.Data.FirstOrDefault(one => one.RunningShards.Any(shard => shard.Job == id));
        return device?.BringUp is { } phase ? $"{device.Id}: {phase.Phase}" : null;
    }

    private static async Task<TuneSummary> SummaryAsync(
        FleetClient client,
        string id,
        CancellationToken cancellationToken
    )
    {
        await foreach (var line in client.ReadResultsAsync(id, cancellationToken))
        {
            if (line.Text is { } text && JsonSerializer.Deserialize<TuneSummary>(text, ApiJson.Options) is { } summary)
                return summary;
        }
        throw new FleetFailure("The job has no result any more.", "Submit it again.");
    }

    private static void Print(FleetConsole console, TuneSummary summary)
    {
        console.Line();
        console.Line(
            $"{summary.KernelsFaster} of {summary.KernelsSearched} kernels searched became faster"
                + $" ({summary.KernelsTotal} in all, {summary.CandidatesTimed} candidates timed)."
        );
        console.Line($"Devices   {summary.DeviceClass}");
        if (summary.Kernels.Count == 0)
            return;
        console.Line($"Gain      {summary.Gain:0.00} times, over one run of each faster kernel");
        console.Line();
        console.Table(
            ["KERNEL", "BEFORE US", "AFTER US", "TIMES", "OPTIMISATIONS"],
            summary.Kernels.Select(one =>
                (IReadOnlyList<string>)
                    [
                        one.Kernel.Length > KernelCharacters ? one.Kernel[..KernelCharacters] : one.Kernel,
                        $"{one.SecondsBefore * 1e6:0.0}",
                        $"{one.SecondsAfter * 1e6:0.0}",
                        $"{one.SecondsBefore / one.SecondsAfter:0.00}",
                        one.Opts.Length > 0 ? one.Opts : "none",
                    ]
            )
        );
        console.Line("Workers of these devices use them from their next load of a model on.");
    }
}
