using EgpuFleet.Api;

namespace EgpuFleet.TestKit.Fleet.Egpu;

/// <summary>
/// One silo and two agents that share batches: <c>node-1</c> with its processor (llama.cpp), <c>node-2</c> with a stand-in
/// for an external GPU (tinygrad).
/// </summary>
public sealed class EgpuRig : IAsyncDisposable
{
    public const string Plain = "node-1";
    public const string Linked = "node-2";

    private const string Model = "tiny-fleet";
    private const int ShardStarted = 2;
    private const int ShardRequeued = 4;

    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(20);

    private readonly HttpClient http;

    private EgpuRig(FleetRig rig, FakeEgpu egpu)
    {
        (Rig, Egpu) = (rig, egpu);
        http = new HttpClient { BaseAddress = rig.Silos[0].Url, Timeout = TimeSpan.FromMinutes(3) };
        Client = new FleetClient(http);
    }

    public FleetRig Rig { get; }

    public FakeEgpu Egpu { get; }

    public FleetClient Client { get; }

    /// <param name="leaseSeconds">Length of a lease.</param>
    /// <param name="stepSeconds">Longest step of the linked device.</param>
    public static async Task<EgpuRig> StartAsync(
        CancellationToken cancellationToken,
        double leaseSeconds = 10,
        int stepSeconds = 4
    )
    {
        var egpu = await FakeEgpu.StartAsync(cancellationToken);
        try
        {
            var environment = new Dictionary<string, string>(egpu.AgentEnvironment, StringComparer.Ordinal)
            {
                ["EGPUFLEET_STEP_TIMEOUT_SECONDS"] = $"{stepSeconds}",
            };
            var options = new RigOptions
            {
                Silos = 1,
                Agents = 2,
                LeaseSeconds = leaseSeconds,
                AgentEnvironment = node => node == Linked ? environment : null,
            };
            var rig = new EgpuRig(await FleetRig.StartAsync(options, cancellationToken), egpu);
            await using var file = File.OpenRead(RepositoryPaths.At("samples", "models", $"{Model}.gguf"));
            await rig.Client.AddModelAsync(Model, file, cancellationToken);
            return rig;
        }
        catch
        {
            await egpu.DisposeAsync();
            throw;
        }
    }

    /// <summary>A batch of short stories.</summary>
    public Task<JobInfo> SubmitAsync(int prompts, CancellationToken cancellationToken) =>
        Client.SubmitAsync(
            new JobRequest(
                "batch",
                Model,
                new GenerationOptions(MaxTokens: 96, Temperature: 1, Seed: 7),
                Items: [.. Enumerable.Range(0, prompts).Select(i => new BatchLine($"item-{i}", Prompt: "Once upon"))]
            ),
            null,
            cancellationToken
        );

    /// <summary>Returns when the linked device computes for the job.</summary>
    public async Task<DeviceInfo> UntilComputingAsync(string job, CancellationToken cancellationToken) =>
        await UntilAsync(
            device => device.ActiveSequences > 0 && device.RunningShards.Any(shard => shard.Job == job),
            cancellationToken
        );

    /// <summary>Returns when the linked device is as wanted.</summary>
    public async Task<DeviceInfo> UntilAsync(Func<DeviceInfo, bool> wanted, CancellationToken cancellationToken)
    {
        while (true)
        {
            var devices = await Client.ListDevicesAsync(cancellationToken);
            if (devices.Data.FirstOrDefault(device => device.Node == Linked) is { } device && wanted(device))
                return device;
            await Task.Delay(PollEvery, cancellationToken);
        }
    }

    /// <summary>When a shard of the job was taken from the linked device, by the database's clock.</summary>
    public async Task<RigEvent> UntilRevokedAsync(string job, CancellationToken cancellationToken) =>
        await UntilEventAsync(job, entry => entry.Kind == ShardRequeued && IsLinked(entry), cancellationToken);

    /// <summary>When that shard was running again, wherever that is.</summary>
    public async Task<RigEvent> UntilRunningAgainAsync(
        string job,
        RigEvent lost,
        CancellationToken cancellationToken
    ) =>
        await UntilEventAsync(
            job,
            entry => entry.Kind == ShardStarted && entry.Shard == lost.Shard && entry.Epoch > lost.Epoch,
            cancellationToken
        );

    /// <summary>Follows a job to its end.</summary>
    public async Task<JobInfo> EndOfAsync(string job, CancellationToken cancellationToken)
    {
        await foreach (var _ in Client.WatchJobAsync(job, null, cancellationToken)) { }
        return await Client.GetJobAsync(job, cancellationToken);
    }

    /// <summary>The agent of the linked device, its worker and the worker's child stop where they stand, as on a Mac that sleeps.</summary>
    /// <returns>What to thaw.</returns>
    public async Task<IReadOnlyList<int>> FreezeLinkedAsync()
    {
        var tree = await Leftovers.TreeOfAsync(Rig.AgentOf(Linked).ProcessId);
        foreach (var process in tree)
            Signals.Send(process, Signals.Stop);
        return tree;
    }

    /// <summary>They go on.</summary>
    public static void Thaw(IReadOnlyList<int> tree)
    {
        foreach (var process in tree)
            Signals.Send(process, Signals.Continue);
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await Rig.DisposeAsync();
        await Egpu.DisposeAsync();
    }

    private static bool IsLinked(RigEvent entry) =>
        entry.Device?.StartsWith($"{Linked}/", StringComparison.Ordinal) ?? false;

    private async Task<RigEvent> UntilEventAsync(
        string job,
        Func<RigEvent, bool> wanted,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            var events = await Rig.Ledger.EventsAsync(RigLedger.IdOf(job), cancellationToken);
            if (events.FirstOrDefault(wanted) is { } found)
                return found;
            await Task.Delay(PollEvery, cancellationToken);
        }
    }
}
