using System.Diagnostics;
using System.Text.Json;
using EgpuFleet.Benchmarks.Fleet;
using EgpuFleet.Benchmarks.Load;
using EgpuFleet.Benchmarks.Processes;
using EgpuFleet.Benchmarks.Raw;
using EgpuFleet.Benchmarks.Reports;
using EgpuFleet.Cli.Verbs;
using EgpuFleet.Silo.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgpuFleet.Benchmarks.Queue;

/// <summary>One run of our own phases: a fleet without an agent takes submits, then a fresh one with an agent does work.</summary>
internal sealed class OurRun(
    QueueBench settings,
    QueueSizes sizes,
    ScratchFolder scratch,
    BenchPostgres postgres,
    FigureBook figures,
    Action<string> say,
    TimeProvider clock
)
{
    /// <summary>Clients of the end-to-end phase, and of the submits that the goals compare.</summary>
    private const int Clients = 16;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (settings.Wants("submit"))
            await WithFleetAsync(SubmitsAsync, cancellationToken);
        if (settings.Wants("raw"))
            await RawAsync(cancellationToken);
        if (settings.Wants("dispatch") || settings.Wants("e2e") || settings.Wants("drain"))
            await WithFleetAsync(WorkAsync, cancellationToken);
    }

    /// <summary>A backlog of a million on a fleet of its own.</summary>
    public Task MillionAsync(CancellationToken cancellationToken) =>
        WithFleetAsync(
            async (fleet, watch, token) =>
            {
                var rates = await DrainAsync(fleet, watch, sizes.MillionJobs, token);
                figures.Add("million_jobs_s", rates.All);
                figures.Add("million_first_tenth_jobs_s", rates.FirstTenth);
                figures.Add("million_last_tenth_jobs_s", rates.LastTenth);
            },
            cancellationToken
        );

    /// <summary>What the load process sends at most, when nobody does anything with it.</summary>
    public async Task LoadLimitAsync(CancellationToken cancellationToken)
    {
        say($"load process, {Clients} clients against a program that only answers");
        var start = new ProcessStartInfo(ChildRun.Self, [CannedResponder.Verb])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var responder = Process.Start(start)!;
        try
        {
            var port = await responder.StandardOutput.ReadLineAsync(cancellationToken);
            var gateway = new Uri($"http://127.0.0.1:{port}");
            var spec = new LoadSpec(LoadMode.Submit, gateway, Clients, 1, sizes.WarmupSeconds, sizes.Seconds);
            figures.Add("load_limit_16", (await LoadAsync(spec, cancellationToken)).JobsPerSecond);
        }
        finally
        {
            responder.Kill();
        }
    }

    private async Task SubmitsAsync(BenchFleet fleet, LedgerWatch watch, CancellationToken cancellationToken)
    {
        say($"submit, {Clients} clients, to warm up");
        var first = new LoadSpec(LoadMode.Submit, fleet.Gateway, Clients, 1, 0, sizes.SettleSeconds);
        figures.Add("cold_submit_16", (await LoadAsync(first, cancellationToken)).JobsPerSecond);
        foreach (var clients in new[] { 1, Clients, 256 })
        {
            say($"submit, {clients} clients, no agent");
            await postgres.CheckpointAsync(cancellationToken);
            var spec = new LoadSpec(LoadMode.Submit, fleet.Gateway, clients, 1, sizes.WarmupSeconds, sizes.Seconds);
            var result = await LoadAsync(spec, cancellationToken);
            figures.Add($"submit_{clients}", result.JobsPerSecond);
            if (clients != Clients)
                continue;
            figures.Add("submit_16_p50_ms", result.P50Milliseconds);
            figures.Add("submit_16_p99_ms", result.P99Milliseconds);
            figures.Add("submit_16_load_processors", result.ProcessorShare);
        }
        say("submit in bulk, no agent");
        await postgres.CheckpointAsync(cancellationToken);
        var bulk = new LoadSpec(
            LoadMode.Submit,
            fleet.Gateway,
            QueueSizes.BulkClients,
            QueueSizes.BulkJobs,
            sizes.WarmupSeconds,
            sizes.Seconds
        );
        figures.Add("submit_bulk", (await LoadAsync(bulk, cancellationToken)).JobsPerSecond);
    }

    private async Task RawAsync(CancellationToken cancellationToken)
    {
        say($"bare ledger writer, {Clients} submitters");
        var database = await postgres.CreateDatabaseAsync(cancellationToken);
        await Migrator.MigrateAsync(database, NullLogger.Instance, cancellationToken);
        var spec = new RawSpec(database, Clients, sizes.SettleSeconds, sizes.Seconds);
        var result = await ChildAsync(RawWriter.Verb, JsonSerializer.Serialize(spec), cancellationToken);
        figures.Add("raw_submit_16", result.JobsPerSecond);
        figures.Add("raw_submit_16_p50_ms", result.P50Milliseconds);
        await postgres.DropDatabaseAsync(database, cancellationToken);
    }

    private async Task WorkAsync(BenchFleet fleet, LedgerWatch watch, CancellationToken cancellationToken)
    {
        if (settings.Wants("dispatch") || settings.Wants("e2e"))
            await StartWarmAsync(fleet, watch, cancellationToken);
        if (settings.Wants("dispatch"))
        {
            say($"dispatch latency, {sizes.LatencySamples} jobs one by one");
            var result = await DispatchAsync(fleet, sizes.LatencySamples, cancellationToken);
            figures.Add("dispatch_p50_ms", result.P50Milliseconds);
            figures.Add("dispatch_p99_ms", result.P99Milliseconds);
        }
        if (settings.Wants("e2e"))
        {
            say($"{sizes.EndToEndJobs:#,0} jobs end to end, {Clients} clients");
            figures.Add("e2e_jobs_s", await EndToEndAsync(fleet, watch, sizes.EndToEndJobs, cancellationToken));
        }
        if (!settings.Wants("drain"))
            return;
        await fleet.StopAgentAsync();
        var rates = await DrainAsync(fleet, watch, sizes.DrainJobs, cancellationToken);
        figures.Add("drain_jobs_s", rates.All);
        figures.Add("drain_first_tenth_jobs_s", rates.FirstTenth);
        figures.Add("drain_last_tenth_jobs_s", rates.LastTenth);
    }

    /// <summary>Starts the agent, sees how a fresh fleet does, and lets it work until its programs are compiled.</summary>
    private async Task StartWarmAsync(BenchFleet fleet, LedgerWatch watch, CancellationToken cancellationToken)
    {
        await fleet.StartAgentAsync(ready: true, cancellationToken);
        if (settings.Wants("dispatch"))
        {
            say($"dispatch latency of a fresh fleet, {QueueSizes.ColdLatencySamples} jobs one by one");
            var cold = await DispatchAsync(fleet, QueueSizes.ColdLatencySamples, cancellationToken);
            figures.Add("cold_dispatch_p50_ms", cold.P50Milliseconds);
        }
        say($"{sizes.SettleJobs:#,0} jobs end to end, to warm up");
        figures.Add("cold_e2e_jobs_s", await EndToEndAsync(fleet, watch, sizes.SettleJobs, cancellationToken));
    }

    private static Task<LoadResult> DispatchAsync(BenchFleet fleet, int samples, CancellationToken cancellationToken) =>
        LoadAsync(
            new LoadSpec(
                LoadMode.Dispatch,
                fleet.Gateway,
                1,
                Jobs: samples,
                PauseMilliseconds: QueueSizes.PauseMilliseconds
            ),
            cancellationToken
        );

    /// <summary>Jobs per second from the first submit to the last end.</summary>
    private async Task<double> EndToEndAsync(
        BenchFleet fleet,
        LedgerWatch watch,
        int jobs,
        CancellationToken cancellationToken
    )
    {
        await watch.MarkAsync(cancellationToken);
        await postgres.CheckpointAsync(cancellationToken);
        var spec = new LoadSpec(LoadMode.Fill, fleet.Gateway, Clients, Jobs: jobs);
        var result = await LoadAsync(spec, cancellationToken);
        await watch.UntilAllEndedAsync(ended => say($"  {ended:#,0} have ended"), cancellationToken);
        return await watch.RateSinceAsync(result.FirstSentAt, jobs, cancellationToken);
    }

    /// <summary>Queues a backlog while no agent is there, then starts one and waits for the last end.</summary>
    private async Task<DrainRates> DrainAsync(
        BenchFleet fleet,
        LedgerWatch watch,
        int jobs,
        CancellationToken cancellationToken
    )
    {
        say($"queueing a backlog of {jobs:#,0}, no agent");
        await watch.MarkAsync(cancellationToken);
        var spec = new LoadSpec(LoadMode.Fill, fleet.Gateway, QueueSizes.BulkClients, QueueSizes.BulkJobs, Jobs: jobs);
        var filled = await LoadAsync(spec, cancellationToken);
        await postgres.CheckpointAsync(cancellationToken);
        say($"queued at {filled.JobsPerSecond:#,0} jobs/s; draining it");
        await fleet.StartAgentAsync(ready: false, cancellationToken);
        await watch.UntilAllEndedAsync(ended => say($"  {ended:#,0} have ended"), cancellationToken);
        return await watch.RatesAsync(jobs, cancellationToken);
    }

    private async Task WithFleetAsync(
        Func<BenchFleet, LedgerWatch, CancellationToken, Task> measure,
        CancellationToken cancellationToken
    )
    {
        var database = await postgres.CreateDatabaseAsync(cancellationToken);
        await using (var fleet = await BenchFleet.StartAsync(scratch.At("fleet"), database, clock, cancellationToken))
        {
            await using var watch = new LedgerWatch(database, clock);
            await fleet.WhileUpAsync(token => measure(fleet, watch, token), cancellationToken);
        }
        await postgres.DropDatabaseAsync(database, cancellationToken);
    }

    private static Task<LoadResult> LoadAsync(LoadSpec spec, CancellationToken cancellationToken) =>
        ChildAsync(LoadProcess.Verb, JsonSerializer.Serialize(spec), cancellationToken);

    private static async Task<LoadResult> ChildAsync(string verb, string spec, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(ChildRun.Self, [verb]);
        start.Environment[ChildRun.TaskVariable] = spec;
        var line = await ChildRun.RunAsync(start, see: null, cancellationToken);
        return JsonSerializer.Deserialize<LoadResult>(line)!;
    }
}
