using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>Facts about operations of every kind.</summary>
public static class LedgerOperations
{
    public static JobId JobOf(LedgerOperation operation) =>
        operation switch
        {
            LedgerOperation.SubmitJob submit => submit.Spec.Id,
            LedgerOperation.StartShard start => start.Id.Job,
            LedgerOperation.RestartShard restart => restart.Id.Job,
            LedgerOperation.RecordResults record => record.Id.Job,
            LedgerOperation.FinishShard finish => finish.Id.Job,
            LedgerOperation.FailShard fail => fail.Id.Job,
            LedgerOperation.RequeueShard requeue => requeue.Id.Job,
            LedgerOperation.StartJob start => start.Id,
            LedgerOperation.SucceedJob succeed => succeed.Id,
            LedgerOperation.EndJob end => end.Id,
            LedgerOperation.ExpireJob expire => expire.Id,
            LedgerOperation.HoldJob hold => hold.Id,
            LedgerOperation.ReleaseJob release => release.Id,
            LedgerOperation.PauseJob pause => pause.Id,
            LedgerOperation.ResumeJob resume => resume.Id,
            LedgerOperation.UnblockJob unblock => unblock.Id,
            _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, "An operation of a new kind."),
        };
}
