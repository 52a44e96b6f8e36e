using EgpuFleet.Api;

namespace EgpuFleet.TestKit.Fleet;

/// <summary>
/// A fleet of real processes on one real Postgres server, in a temporary folder: several control silos, several agents.
/// Every process can be killed and frozen. At disposal nothing of it runs any more; the folder stays where it is asked to.
/// </summary>
public sealed class FleetRig : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(2);
    private const int StartsMax = 3;

    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(50);

    private readonly List<RigSilo> silos = [];
    private readonly List<RigProcess> agents = [];

    private FleetRig(string folder, RigPostgres postgres) => (Folder, Postgres) = (folder, postgres);

    public string Folder { get; }

    public RigPostgres Postgres { get; }

    public IReadOnlyList<RigSilo> Silos => silos;

    public IReadOnlyList<RigProcess> Agents => agents;

    public IEnumerable<RigProcess> Processes => silos.Select(silo => silo.Process).Concat(agents);

    public RigLedger Ledger => new(Postgres.Database);

    /// <summary>Whether the folder, with the logs, is kept.</summary>
    public bool KeepsFolder { get; set; }

    /// <summary>Returns when every silo says that every node has a ready device.</summary>
    public static async Task<FleetRig> StartAsync(RigOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var folder = Directory.CreateTempSubdirectory("egpufleet-rig-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "logs"));
        var rig = new FleetRig(folder, await RigPostgres.StartAsync(folder, cancellationToken));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StartTimeout);
        try
        {
            await rig.StartMembersAsync(options, limit.Token);
            return rig;
        }
        catch
        {
            rig.KeepsFolder = true;
            await rig.DisposeAsync();
            throw;
        }
    }

    /// <summary>The silo that leads now by the ledger; null while none does.</summary>
    public async Task<RigSilo?> LeaderAsync(CancellationToken cancellationToken)
    {
        var holder = await Ledger.HolderAsync(cancellationToken);
        return holder is null
            ? null
            : silos.FirstOrDefault(silo => holder.StartsWith(silo.HolderPrefix, StringComparison.Ordinal));
    }

    /// <summary>The agent of a device such as <c>node-1/cpu</c>.</summary>
    public RigProcess AgentOf(string device)
    {
        ArgumentNullException.ThrowIfNull(device);
        var node = device.Split('/')[0];
        return agents.Single(agent => agent.Name == node);
    }

    /// <summary>Returns when a silo says that all is ready.</summary>
    public static async Task UntilReadyAsync(RigSilo silo, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(silo);
        using var http = new HttpClient { BaseAddress = silo.Url };
        var client = new FleetClient(http);
        while (!await IsReadyAsync(client, cancellationToken))
            await Task.Delay(PollEvery, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(agents.Select(agent => agent.DisposeAsync().AsTask()));
        await Task.WhenAll(silos.Select(silo => silo.Process.DisposeAsync().AsTask()));
        await Leftovers.KillAsync(Folder);
        await Postgres.DisposeAsync();
        if (!KeepsFolder)
            Directory.Delete(Folder, recursive: true);
    }

    private async Task StartMembersAsync(RigOptions options, CancellationToken cancellationToken)
    {
        var members = new RigMembers(Folder, options, Postgres.ConnectionString);
        for (var i = 0; i < options.Silos; i++)
        {
            silos.Add(members.Silo(i));
            silos[i].Process.Start();
        }
        foreach (var silo in silos)
            await UntilLiveAsync(silo, cancellationToken);
        for (var i = 0; i < options.Agents; i++)
        {
            var node = RigMembers.NodeName(i);
            await RigEnrolment.EnrolAsync(silos[0], silos[^1], node, members.DataOf(node), cancellationToken);
            agents.Add(members.Agent(i, silos));
            agents[i].Start();
        }
        foreach (var silo in silos)
            await UntilReadyAsync(silo, cancellationToken);
    }

    private static async Task UntilLiveAsync(RigSilo silo, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = silo.Url };
        while (!await IsLiveAsync(http, cancellationToken))
        {
            if (silo.Process.Starts > StartsMax)
                throw new InvalidOperationException(
                    $"{silo.Name} does not stay up:{Environment.NewLine}{silo.Process.Log.Tail()}"
                );
            await Task.Delay(PollEvery, cancellationToken);
        }
    }

    private static async Task<bool> IsLiveAsync(HttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(Routes.Live, UriKind.Relative), cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task<bool> IsReadyAsync(FleetClient client, CancellationToken cancellationToken)
    {
        try
        {
            return (await client.GetReadyAsync(cancellationToken)).Status == "ok";
        }
        catch (Exception e) when (e is HttpRequestException or FleetApiException)
        {
            return false;
        }
    }
}
