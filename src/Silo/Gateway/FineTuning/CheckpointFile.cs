using System.Net;
using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.Kernels.Formats.Training;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>The trained weights of a checkpoint as one file of safetensors, every chunk compared with its hash.</summary>
internal static class CheckpointFile
{
    /// <summary>Under which agents say where the run is.</summary>
    private const string RunKey = "run";

    /// <param name="baseSha256">Of the run's base; a checkpoint that names another is refused when its weights are read.</param>
    /// <exception cref="GatewayException">A chunk is missing or wrong.</exception>
    public static async Task WriteAsync(
        ICheckpointStore store,
        CheckpointRecord checkpoint,
        string baseSha256,
        Stream file,
        CancellationToken cancellationToken
    )
    {
        var manifest =
            await store.ReadManifestAsync(checkpoint.Id, cancellationToken)
            ?? throw GatewayException.NotFound($"{checkpoint.Id} has just been removed.");
        ManifestTensor[] trained =
        [
            .. OuterTensors
                .WeightsOf(manifest)
                .Tensors.Where(tensor => tensor.Type != ElementType.U8 && !StateNames.IsMoment(tensor.Name)),
        ];
        await file.WriteAsync(Describe(trained, BaseOf(manifest) ?? baseSha256).Head(), cancellationToken);
        ChunkHash[] hashes = [.. trained.SelectMany(tensor => ChunkHash.ReadAll(tensor.Hashes))];
        var next = 0;
        try
        {
            await foreach (var chunk in store.ReadAsync(hashes, cancellationToken))
            {
                if (ChunkHash.Of(chunk.Span) != hashes[next++])
                    throw Damaged(checkpoint);
                await file.WriteAsync(chunk, cancellationToken);
            }
        }
        catch (ChunkMissingException)
        {
            throw Damaged(checkpoint);
        }
        await file.FlushAsync(cancellationToken);
    }

    private static SafetensorsWriter Describe(IEnumerable<ManifestTensor> tensors, string baseSha256)
    {
        var writer = new SafetensorsWriter();
        writer.AddMetadata(StateNames.BaseKey, baseSha256);
        foreach (var tensor in tensors)
        {
            var type = SafetensorsType.Find(tensor.Type.ToString())!;
            writer.Add(tensor.Name, type, tensor.Shape, _ => { });
        }
        return writer;
    }

    /// <summary>What the checkpoint says of its base itself; null where it says nothing.</summary>
    private static string? BaseOf(Manifest manifest)
    {
        if (manifest.Metadata.TryGetValue(StateNames.BaseKey, out var named))
            return named;
        if (!manifest.Metadata.TryGetValue(RunKey, out var run))
            return null;
        try
        {
            using var json = JsonDocument.Parse(run);
            return
                json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty(StateNames.BaseKey, out var value)
                && value.ValueKind == JsonValueKind.String
                ? value.GetString()
                : null;
        }
        catch (JsonException)
        {
            // The run's own words are the agent's; what counts here is what it says of its base, if anything.
            return null;
        }
    }

    private static GatewayException Damaged(CheckpointRecord checkpoint) =>
        new(
            HttpStatusCode.UnprocessableEntity,
            "checkpoint_damaged",
            $"A chunk of {checkpoint.Id} is missing or wrong; verify it, and take an earlier one."
        );
}
