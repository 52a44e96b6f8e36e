using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.TestKit.Fleet.Chaos;

/// <summary>
/// A fleet of real processes under load and under faults for a while; then everything is healed, the queue drains, and the
/// checkers look at what clients saw and at what the ledger holds.
/// </summary>
public sealed class ChaosRun(ChaosOptions options, TimeProvider time, Action<string> say)
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan HealTimeout = TimeSpan.FromMinutes(1);

    private readonly Recorder recorder = new();

    public async Task<ChaosOutcome> RunAsync(CancellationToken cancellationToken)
    {
        var shape = new RigOptions
        {
            Silos = options.Silos,
            Agents = options.Agents,
            LeaseSeconds = options.LeaseSeconds,
        };
        await using var rig = await FleetRig.StartAsync(shape, cancellationToken);
        rig.KeepsFolder = true;
        var gateways = rig.Silos.Select(silo => new RigClient(silo.Url, CallTimeout)).ToList();
        using var injector = new FaultInjector(rig, time, say);
        try
        {
            var submitter = new Submitter(gateways, recorder, time);
            await DisturbAsync(submitter, gateways, injector, cancellationToken);
            var drain = await DrainAsync(rig, injector, gateways, cancellationToken);
            var outcome = await JudgeAsync(rig, injector, submitter, drain, cancellationToken);
            rig.KeepsFolder = outcome.Violations.Count > 0;
            return outcome;
        }
        finally
        {
            gateways.ForEach(gateway => gateway.Dispose());
        }
    }

    private async Task DisturbAsync(
        Submitter submitter,
        List<RigClient> gateways,
        FaultInjector injector,
        CancellationToken cancellationToken
    )
    {
        var plan = FaultPlan.Make(options.Seed, options.Faults, options.Duration, LeaseOf(options));
        using var load = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var clients = Enumerable
            .Range(0, options.Clients)
            .Select(number =>
                new Client(number, options.Seed, submitter, gateways, recorder, time).RunAsync(load.Token)
            )
            .Append(new Reader(submitter, gateways, recorder, options.Seed, time).RunAsync(load.Token))
            .ToList();
        try
        {
            await Task.WhenAll(injector.RunAsync(plan, load.Token), Task.Delay(options.Duration, time, load.Token));
        }
        finally
        {
            await load.CancelAsync();
            await Task.WhenAll(clients);
        }
    }

    private async Task<Drain> DrainAsync(
        FleetRig rig,
        FaultInjector injector,
        List<RigClient> gateways,
        CancellationToken cancellationToken
    )
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(HealTimeout);
        await injector.HealAsync(limit.Token);
        say("healed; draining");
        var since = time.GetTimestamp();
        var unfinished = await rig.Ledger.CountUnfinishedAsync(cancellationToken);
        while (unfinished > 0 && time.GetElapsedTime(since) < options.DrainBound)
        {
            await LetGoAsync(rig, gateways[0], cancellationToken);
            await Task.Delay(LookEvery, time, cancellationToken);
            unfinished = await rig.Ledger.CountUnfinishedAsync(cancellationToken);
        }
        return new Drain(time.GetElapsedTime(since), options.DrainBound, unfinished);
    }

    /// <summary>What its owners still hold back would never end.</summary>
    private async Task LetGoAsync(FleetRig rig, RigClient gateway, CancellationToken cancellationToken)
    {
        foreach (var (job, isPaused) in await rig.Ledger.HeldBackAsync(cancellationToken))
        {
            var verb = isPaused ? "resume" : "release";
            recorder.Answered(verb, (await gateway.ChangeAsync(job, verb, cancellationToken)).Status);
        }
    }

    private async Task<ChaosOutcome> JudgeAsync(
        FleetRig rig,
        FaultInjector injector,
        Submitter submitter,
        Drain drain,
        CancellationToken cancellationToken
    )
    {
        var (ledger, events) = await FinalState.ReadAsync(rig, cancellationToken);
        var states = ledger.Jobs.ToDictionary(job => job.Id, job => job.State, StringComparer.Ordinal);
        // What every succeeded no-op must have answered, whoever computed it and however often.
        foreach (var (job, payloads) in submitter.Jobs)
        {
            if (states.GetValueOrDefault(job) != JobPhase.Succeeded)
                continue;
            for (var item = 0; item < payloads.Count; item++)
                recorder.Saw(new ResultSighting(job, item, NoopJobs.AnswerTo(payloads[item])));
        }
        return new ChaosOutcome(
            options,
            ledger.Jobs.Count,
            recorder.Acknowledged,
            drain,
            injector.Done,
            RecoveryTimes.Of(injector.Done, events),
            recorder.Answers,
            AllCheckers.Check(recorder.ToHistory(drain), ledger),
            rig.Folder
        );
    }

    private static TimeSpan LeaseOf(ChaosOptions options) => TimeSpan.FromSeconds(options.LeaseSeconds);
}
