using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.NodeAgent.Models;

/// <summary>The ways in which a model cannot be had here, each with its code.</summary>
internal static class ModelFailures
{
    public static GenerationException Invalid(ModelRef model, string why) =>
        new("model_invalid", $"'{model.Name}' is not a model file this fleet runs: {why}", retryable: false);

    public static GenerationException Corrupt(ModelRef model, string why) =>
        new(
            "model_corrupt",
            $"What the gateway sent for '{model.Name}' is not the registered file: {why}",
            retryable: true
        );

    public static GenerationException NotThere(ModelRef model) =>
        new("model_not_found", $"The gateway has no file {model.Sha256} for '{model.Name}'.", retryable: true);

    public static GenerationException Refused(int status) =>
        new(
            "node_not_enrolled",
            $"The gateway answered {status}: it does not know this node's credential.",
            retryable: true
        );

    public static GenerationException Unreachable(ModelRef model, string why) =>
        new("model_unavailable", $"'{model.Name}' could not be fetched from the gateway: {why}", retryable: true);

    public static GenerationException DiskFull(ModelRef model, string why) =>
        new(
            "disk_full",
            $"There is no room on disk for '{model.Name}' ({model.SizeBytes} bytes): {why}",
            retryable: true
        );

    public static GenerationException TooLarge(ModelRef model, long needBytes, long memoryBytes) =>
        new(
            "model_too_large",
            $"'{model.Name}' needs {needBytes} bytes of memory; this device lends {memoryBytes}.",
            retryable: true
        );

    public static GenerationException NoRoom(ModelRef model, long needBytes, long freeBytes) =>
        new(
            "out_of_memory",
            $"'{model.Name}' needs {needBytes} bytes; {freeBytes} are free beside the models in use here.",
            retryable: true
        );
}
