using System.Net;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Kernels.Formats.Adapters;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>A complete checkpoint of a fine-tuning run, and what was trained.</summary>
internal sealed record TrainedCheckpoint(CheckpointRecord Record, ModelRef Base, TrainParameters Train)
{
    /// <summary>Name of what the run had learnt by then.</summary>
    public string StepName => $"{Train.Result}:ckpt-step-{Record.Step}";

    /// <summary>Null where every weight was trained.</summary>
    public AdapterForm? Form =>
        Train.Adapter is { } adapter
            ? new AdapterForm(adapter.Rank, adapter.Alpha, adapter.Targets, adapter.FrozenA ? Train.Seed : null)
            : null;

    /// <exception cref="GatewayException">The checkpoint is not complete, or its job trained nothing.</exception>
    public static TrainedCheckpoint Of(CheckpointRecord record, JobRecord? job)
    {
        if (record.State is not (CheckpointState.Complete or CheckpointState.Retired))
            throw new GatewayException(
                HttpStatusCode.UnprocessableEntity,
                "checkpoint_damaged",
                $"{record.Id} is {record.State.ToString().ToLowerInvariant()}."
            );
        if (job?.Spec is not { Kind: JobKind.Train, Model: { } model, Train: { } train })
            throw new GatewayException(
                HttpStatusCode.UnprocessableEntity,
                "not_fine_tuning",
                $"{record.Id} is of no fine-tuning run that is still known."
            );
        return new TrainedCheckpoint(record, model, train);
    }
}
