namespace EgpuFleet.TestKit.Fleet.Soak;

/// <summary>How long a soak is, and how fast.</summary>
/// <param name="PerSecond">Jobs submitted a second.</param>
/// <param name="SampleEvery">Between two samples.</param>
/// <param name="SiloEnvironment">Settings of the silos, such as a short retention.</param>
public sealed record SoakOptions(
    TimeSpan Duration,
    double PerSecond,
    TimeSpan SampleEvery,
    IReadOnlyDictionary<string, string> SiloEnvironment
);

/// <summary>One silo, two agents, no-ops at a steady rate for a long time; the first error lines are shown at the end.</summary>
public sealed class SoakRun(SoakOptions options, TimeProvider time, Action<SoakSample> sampled)
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Every sample, and the first lines of level error.</summary>
    public async Task<(IReadOnlyList<SoakSample> Samples, IReadOnlyList<string> Errors)> RunAsync(
        CancellationToken cancellationToken
    )
    {
        var shape = new RigOptions
        {
            Silos = 1,
            Agents = 2,
            SiloEnvironment = options.SiloEnvironment,
        };
        await using var rig = await FleetRig.StartAsync(shape, cancellationToken);
        using var gateway = new RigClient(rig.Silos[0].Url, CallTimeout);
        var load = new SoakLoad(gateway, options.PerSecond, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var loading = load.RunAsync(end.Token);
        var samples = new List<SoakSample>();
        var probe = new SoakProbe(rig);
        var start = time.GetTimestamp();
        using var timer = new PeriodicTimer(options.SampleEvery, time);
        while (time.GetElapsedTime(start) < options.Duration && !loading.IsFaulted)
        {
            await timer.WaitForNextTickAsync(cancellationToken);
            samples.Add(await probe.TakeAsync(time.GetElapsedTime(start), load.Acknowledged, cancellationToken));
            sampled(samples[^1]);
        }
        await end.CancelAsync();
        await loading;
        return (samples, [.. rig.Processes.SelectMany(process => process.Log.Errors)]);
    }
}
