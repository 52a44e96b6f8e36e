using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Simulation.Tests.Storage;
using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.Simulation.Tests.Rules;

/// <summary>What the ledger accepted, in the words of the checkers.</summary>
internal static class AcceptedWrites
{
    public static IEnumerable<AcceptedWrite> Of(IReadOnlyList<Accepted> accepted)
    {
        var kinds = new Dictionary<JobId, JobKind>();
        foreach (var (_, _, term, operation, _) in accepted)
        {
            if (operation is LedgerOperation.SubmitJob submit)
                kinds[submit.Spec.Id] = submit.Spec.Kind;
            if (Write(operation, kinds) is { } write)
                yield return write with
                {
                    LeaderEpoch = term.Epoch,
                };
        }
    }

    /// <summary>The name of a device's room for one kind of job.</summary>
    public static string PlaceOf(DeviceId device, JobKind kind) => $"{device}#{kind}";

    private static AcceptedWrite? Write(LedgerOperation? operation, Dictionary<JobId, JobKind> kinds) =>
        operation switch
        {
            null => new AcceptedWrite(WriteKind.LeaderElected, ""),
            LedgerOperation.SubmitJob o => OfJob(WriteKind.Submitted, o.Spec.Id),
            LedgerOperation.StartShard o => OfShard(WriteKind.ShardStarted, o.Id, 1) with
            {
                Place = PlaceOf(o.Device, kinds[o.Id.Job]),
            },
            LedgerOperation.RestartShard o => OfShard(WriteKind.ShardStarted, o.Id, o.Epoch) with
            {
                Place = PlaceOf(o.Device, kinds[o.Id.Job]),
            },
            LedgerOperation.RecordResults o => OfShard(WriteKind.ResultsRecorded, o.Id, o.Epoch),
            LedgerOperation.FinishShard o => OfShard(WriteKind.ShardFinished, o.Id, o.Epoch),
            LedgerOperation.FailShard o => OfShard(WriteKind.ShardFailed, o.Id, o.Epoch),
            LedgerOperation.RequeueShard o => OfShard(WriteKind.ShardRequeued, o.Id, o.Epoch),
            LedgerOperation.PauseJob o => OfJob(WriteKind.JobPaused, o.Id),
            LedgerOperation.SucceedJob o => OfJob(WriteKind.Succeeded, o.Id),
            LedgerOperation.EndJob { To: JobState.Cancelled } o => OfJob(WriteKind.Cancelled, o.Id),
            LedgerOperation.EndJob o => OfJob(WriteKind.Failed, o.Id),
            LedgerOperation.ExpireJob o => OfJob(WriteKind.Failed, o.Id),
            _ => null,
        };

    private static AcceptedWrite OfJob(WriteKind kind, JobId job) => new(kind, job.ToString());

    private static AcceptedWrite OfShard(WriteKind kind, ShardId shard, int epoch) =>
        new(kind, shard.Job.ToString(), shard.Number, epoch);
}
