using System.Diagnostics;
using EgpuFleet.Api;

namespace EgpuFleet.TestKit.Fleet.Training;

/// <summary>
/// One fine-tuning in peace, then the same again while the processes under it are killed, one after the other, each of them
/// after the run has come further; what must be equal is compared, what was promised is looked at.
/// </summary>
public sealed class SurvivalRun(SurvivalOptions options, TimeProvider time, Action<string> say)
{
    private const int TrainingLines = 400;

    /// <summary>No kill costs more work, whatever a run's own interval is.</summary>
    private const double MostLostSeconds = 60;

    private readonly List<(KillDone Kill, int Place)> done = [];

    public async Task<SurvivalOutcome> RunAsync(CancellationToken cancellationToken)
    {
        var shape = new RigOptions
        {
            Silos = 1,
            Agents = 1,
            LeaseSeconds = options.LeaseSeconds,
        };
        await using var rig = await TrainingRig.StartAsync(shape, cancellationToken);
        rig.Rig.KeepsFolder = true;
        var data = await rig.UploadAsync(SampleRequest.Lines(TrainingLines), cancellationToken);
        var (peace, secondsPerStep) = await TrainInPeaceAsync(rig, data, cancellationToken);
        say($"in peace: {peace.Job.Status}, {peace.Losses.Count} steps of {secondsPerStep:0.000} s");
        var killed = await TrainUnderKillsAsync(rig, data, cancellationToken);
        var kills = Attribute(killed.Resumptions().ToList());
        var violations = Violations(peace, killed, kills, secondsPerStep)
            .Concat(killed.Checkpoints.Count == 0 ? ["no checkpoint is listed"] : [])
            .Concat(await rig.FaultsOfCheckpointsAsync(killed.Job, cancellationToken))
            .ToList();
        rig.Rig.KeepsFolder = violations.Count > 0;
        return new SurvivalOutcome(
            options,
            kills,
            killed.Losses.Count,
            secondsPerStep,
            killed.Checkpoints.Count,
            violations,
            rig.Rig.Folder
        );
    }

    private async Task<(TrainedRun Run, double SecondsPerStep)> TrainInPeaceAsync(
        TrainingRig rig,
        string data,
        CancellationToken cancellationToken
    )
    {
        var id = await rig.CreateAsync(Request(data), cancellationToken);
        var first = await rig.UntilAsync(id, job => job.Egpufleet.Step > 0, cancellationToken);
        var began = time.GetTimestamp();
        var job = await rig.UntilAsync(id, _ => false, cancellationToken);
        var seconds = time.GetElapsedTime(began).TotalSeconds / Math.Max(1, options.Steps - first.Egpufleet.Step);
        return (await TrainedRun.ReadAsync(rig, job, cancellationToken), seconds);
    }

    private async Task<TrainedRun> TrainUnderKillsAsync(
        TrainingRig rig,
        string data,
        CancellationToken cancellationToken
    )
    {
        var id = await rig.CreateAsync(Request(data), cancellationToken);
        var job = await rig.FindAsync(id, cancellationToken);
        while (options.AwaitsCheckpoint && (await rig.CheckpointsAsync(job, cancellationToken)).Count == 0)
            job = await rig.FindAsync(id, cancellationToken);
        foreach (var kill in SurvivalPlan.Make(options.Seed, options.Kills))
        {
            var wanted = job.Egpufleet.Step + kill.FurtherSteps;
            job = await rig.UntilAsync(id, now => now.Egpufleet.Step >= wanted, cancellationToken);
            if (await WorkerAsync(rig, id, cancellationToken) is not { } worker)
                break;
            job = await KillAsync(rig, kill.Victim, job, worker, cancellationToken);
        }
        job = await rig.UntilAsync(id, _ => false, cancellationToken);
        return await TrainedRun.ReadAsync(rig, job, cancellationToken);
    }

    /// <summary>The process that trains now; null when the run is over.</summary>
    private static async Task<int?> WorkerAsync(TrainingRig rig, string id, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await rig.WorkerAsync(rig.Rig.Agents[0]) is { } worker)
                return worker;
            if ((await rig.FindAsync(id, cancellationToken)).Status is not ("running" or "queued"))
                return null;
        }
    }

    /// <summary>Returns when the run has come further than before.</summary>
    private async Task<FineTuningJobInfo> KillAsync(
        TrainingRig rig,
        Victim victim,
        FineTuningJobInfo job,
        int worker,
        CancellationToken cancellationToken
    )
    {
        var checkpoints = await rig.CheckpointsAsync(job, cancellationToken);
        var durable = checkpoints.Count == 0 ? 0 : checkpoints[0].Step;
        var told = await rig.EventsAsync(job.Id, cancellationToken);
        var step = told.Where(line => line.Data is not null).Max(line => (long)line.Data!["step"]);
        var since = time.GetTimestamp();
        await KillAsync(rig, victim, worker, cancellationToken);
        job = await rig.UntilAsync(job.Id, now => now.Egpufleet.Step > step, cancellationToken);
        var seconds = time.GetElapsedTime(since).TotalSeconds;
        done.Add((new KillDone(victim, step, durable, [], seconds), told.Count));
        say(
            $"{done.Count, 3}  {victim, -8}  at step {step}, durable {durable}; step {job.Egpufleet.Step} after {seconds:0.0} s"
        );
        return job;
    }

    /// <summary>Each resumption belongs to the last kill before it.</summary>
    private List<KillDone> Attribute(List<Resumption> resumptions)
    {
        var kills = new List<KillDone>(done.Count);
        for (var i = 0; i < done.Count; i++)
        {
            var (from, to) = (done[i].Place, i + 1 < done.Count ? done[i + 1].Place : int.MaxValue);
            kills.Add(
                done[i].Kill with
                {
                    Resumptions = resumptions.FindAll(one => one.Place >= from && one.Place < to),
                }
            );
        }
        return kills;
    }

    private static async Task KillAsync(TrainingRig rig, Victim victim, int worker, CancellationToken cancellationToken)
    {
        switch (victim)
        {
            case Victim.Worker:
                Signals.Send(worker, Signals.Kill);
                break;
            case Victim.Agent:
                await rig.Rig.Agents[0].KillAsync(comesBack: true);
                break;
            case Victim.Silo:
                await rig.Rig.Silos[0].Process.KillAsync(comesBack: true);
                break;
            case Victim.Postgres:
                await rig.Rig.Postgres.KillAsync(cancellationToken);
                await rig.Rig.Postgres.RestartAsync(cancellationToken);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private IEnumerable<string> Violations(
        TrainedRun peace,
        TrainedRun killed,
        List<KillDone> kills,
        double secondsPerStep
    )
    {
        foreach (var run in new[] { peace, killed })
        {
            if (run.Job.Status != "succeeded" || run.Losses.Count != options.Steps)
                yield return $"a run is {run.Job.Status} with {run.Losses.Count} steps: {run.Job.Error?.Message}";
        }
        if (kills.Count < options.LeastKills)
            yield return $"only {kills.Count} of {options.Kills} kills were done before the run was over";
        foreach (var kill in kills)
        {
            if (kill.Resumptions.Any(one => one.From < kill.Durable))
                yield return $"{kill}: it did not go on from the newest checkpoint";
            if (kill.LostSteps * secondsPerStep > MostLostSeconds)
                yield return $"{kill}: more was lost than is promised";
        }
        foreach (var difference in killed.DifferencesTo(peace))
            yield return difference;
    }

    private FineTuningRequest Request(string data) => SampleRequest.Of(data, options.Steps, options.CheckpointSeconds);
}
