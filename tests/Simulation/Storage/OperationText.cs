using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Simulation.Tests.Storage;

/// <summary>Operations and ids as short text for a trace.</summary>
internal static class OperationText
{
    public static string Of(LedgerOperation operation) =>
        operation switch
        {
            LedgerOperation.SubmitJob o =>
                $"submit {Of(o.Spec.Id)} key {o.IdempotencyKey?.Key ?? "-"} items {o.Spec.ItemCount}",
            LedgerOperation.StartJob o => $"start {Of(o.Id)}",
            LedgerOperation.SucceedJob o => $"succeed {Of(o.Id)}",
            LedgerOperation.EndJob o => $"end {Of(o.Id)} {o.To} {o.End.Code}",
            LedgerOperation.ExpireJob o => $"expire {Of(o.Id)} {o.End.Code}",
            LedgerOperation.HoldJob o => $"hold {Of(o.Id)}",
            LedgerOperation.ReleaseJob o => $"release {Of(o.Id)}",
            LedgerOperation.PauseJob o => $"pause {Of(o.Id)}",
            LedgerOperation.ResumeJob o => $"resume {Of(o.Id)}",
            LedgerOperation.UnblockJob o => $"unblock {Of(o.Id)}",
            LedgerOperation.StartShard o => $"start {Of(o.Id)}@1 on {o.Device} items {o.FirstItem}+{o.ItemCount}",
            LedgerOperation.RestartShard o => $"restart {Of(o.Id)}@{o.Epoch} on {o.Device}",
            LedgerOperation.RecordResults o => $"results {Of(o.Id)}@{o.Epoch} n {o.Results.Count}",
            LedgerOperation.FinishShard o => $"finish {Of(o.Id)}@{o.Epoch}",
            LedgerOperation.FailShard o => $"fail {Of(o.Id)}@{o.Epoch}: {o.Reason}",
            LedgerOperation.RequeueShard o => $"requeue {Of(o.Id)}@{o.Epoch}: {o.Reason}",
            _ => operation.ToString(),
        };

    public static string Of(ShardId shard) => $"{Of(shard.Job)}/{shard.Number}";

    /// <summary>The part of a job's id that differs between the jobs of one run.</summary>
    public static string Of(JobId job) => job.Value.ToString("N")[^6..];
}
